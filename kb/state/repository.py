"""The state database, ``state/state.sqlite``: the one place that opens it, and brings it to the form of this version.

    repository = Repository(settings.state_dir)
    with repository.transaction() as database:
        database.execute("DELETE FROM uploads WHERE path = ?", (path,))

What is kept in it has a module each, beside this one, which holds its own statements and opens the file through here.
The forms the file has had, and the steps between them, are in :mod:`kb.state.migrations`; a file of a newer form than
the last of them is refused before anything is read from it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from kb.core.errors import StateVersionError, StorageError
from kb.state.migrations import MIGRATIONS, remove_taken_in

STATE_FILE = "state.sqlite"
NEWEST_FORM = len(MIGRATIONS)
# How long a file that another process writes to is waited for.
PATIENCE_SECONDS = 30


class Repository:
    """The state database of a folder; safe from several threads and processes, each with a connection of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / STATE_FILE

    @property
    def exists(self) -> bool:
        """Whether anything has been kept yet."""
        return self._path.is_file()

    def connect(self) -> sqlite3.Connection:
        """A connection that any thread may use, to the file in the form of this version; made where there is none.

        Raises :class:`StorageError` where the file cannot be opened or is damaged, :class:`StateVersionError` where it
        is of a newer form.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self._path, timeout=PATIENCE_SECONDS, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error
        try:
            self._bring_up_to_date(database)
        except (OSError, sqlite3.Error) as error:
            database.close()
            raise self._unusable(error) from error
        except StateVersionError:
            database.close()
            raise
        return database

    @contextmanager
    def transaction(self, *, immediate: bool = False) -> Iterator[sqlite3.Connection]:
        """A connection whose work is committed together, or not at all when something is raised.

        With ``immediate`` nobody else writes meanwhile, so that what is read in it still holds when it is written.
        Raises what :meth:`connect` raises, and ``sqlite3.Error``.
        """
        with closing(self.connect()) as database, database:
            if immediate:
                database.execute("BEGIN IMMEDIATE")
            yield database

    def rows(self, table: str, columns: str) -> list[tuple[Any, ...]]:
        """Some columns of a whole table; nothing, and nothing made, where there is no file yet.

        Raises what :meth:`transaction` raises.
        """
        if not self.exists:
            return []
        with self.transaction() as database:
            return database.execute(f"SELECT {columns} FROM {table}").fetchall()

    def refuse_newer(self) -> None:
        """Raise :class:`StateVersionError` where the file is of a newer form than this version knows.

        Nothing is made or changed. Raises :class:`StorageError` where the file cannot be read.
        """
        if not self.exists:
            return
        try:
            with closing(sqlite3.connect(self._path, timeout=PATIENCE_SECONDS)) as database:
                _form_of(database)
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _bring_up_to_date(self, database: sqlite3.Connection) -> None:
        if _form_of(database) == NEWEST_FORM:
            return
        database.execute("PRAGMA journal_mode = WAL")
        with database:
            database.execute("BEGIN IMMEDIATE")
            # Another process may have been here while this one waited.
            for migrate in MIGRATIONS[_form_of(database) :]:
                migrate(database, self._folder)
            database.execute(f"PRAGMA user_version = {NEWEST_FORM}")
        remove_taken_in(self._folder)

    def _unusable(self, error: Exception) -> StorageError:
        return StorageError(
            f"Tilstandsfilen {self._path.name} kan ikke bruges: {error}.",
            advice="Giv skriveadgang til mappen (KB_STATE_DIR). Er den beskadiget, så hent den fra en sikkerhedskopi.",
        )


def _form_of(database: sqlite3.Connection) -> int:
    """The number of the form a file has; raises :class:`StateVersionError` for one that this version does not know."""
    form = int(database.execute("PRAGMA user_version").fetchone()[0])
    if form > NEWEST_FORM:
        raise StateVersionError(
            f"Tilstandsfilen {STATE_FILE} er fra en nyere version af Erfaringsbasen"
            f" (form {form}; denne version kender {NEWEST_FORM})."
        )
    return form
