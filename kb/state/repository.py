"""The state database, ``state/state.sqlite``: the one place that opens it and migrates it to the current schema.

    repository = Repository(settings.state_dir)
    with repository.transaction() as database:
        database.execute("DELETE FROM uploads WHERE path = ?", (path,))

Each table has a module beside this one, which holds its SQL and opens the file through here. The migrations are in
:mod:`kb.state.migrations`; a file of a newer schema version is refused before anything is read from it.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kb.core.errors import StateVersionError, StorageError
from kb.state.migrations import MIGRATIONS, remove_imported

STATE_FILE = "state.sqlite"
SCHEMA_VERSION = len(MIGRATIONS)
# How long to wait for another process that is writing.
BUSY_TIMEOUT_SECONDS = 30
BETWEEN_TRIES_SECONDS = 0.02


class _Kept:
    """A thread's connection for reading, and the file it is of; closed with its thread."""

    def __init__(self, file: tuple[int, int], database: sqlite3.Connection) -> None:
        self.file = file
        self.database = database

    def __del__(self) -> None:
        self.database.close()


class Repository:
    """The state database of a folder; safe from several threads and processes, each with a connection of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / STATE_FILE
        self._of_thread = threading.local()

    @property
    def exists(self) -> bool:
        """Whether the file exists."""
        return self._path.is_file()

    def connect(self) -> sqlite3.Connection:
        """A connection that any thread may use, to the file migrated to the current schema; created if missing.

        Raises :class:`StorageError` where the file cannot be opened or is damaged, :class:`StateVersionError` where its
        schema is newer.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_SECONDS, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error
        try:
            self._migrate(database)
        except (OSError, sqlite3.Error) as error:
            database.close()
            raise self._unusable(error) from error
        except StateVersionError:
            database.close()
            raise
        return database

    @contextmanager
    def transaction(self, *, immediate: bool = False, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction: committed at the end, rolled back when something is raised.

        With ``immediate`` the write lock is taken at once, so that what is read still holds when it is written. Where
        it is not ``durable``, the commit does not wait for the disk: a power failure may take it, and nothing else.
        Raises what :meth:`connect` raises, and ``sqlite3.Error``.
        """
        with closing(self.connect()) as database, database:
            if not durable:
                database.execute("PRAGMA synchronous = NORMAL")
            if immediate:
                database.execute("BEGIN IMMEDIATE")
            yield database

    def reading(self) -> sqlite3.Connection:
        """This thread's connection for what every request asks, to read with alone: it is kept, as to open one takes 50
        times as long as to ask it. Another file in the place of the old, a restored one, is noticed.

        Raises what :meth:`connect` raises.
        """
        try:
            status = self._path.stat()
            file = (status.st_dev, status.st_ino)
            kept: _Kept | None = getattr(self._of_thread, "kept", None)
            if kept is None or kept.file != file:
                kept = self._of_thread.kept = _Kept(file, self.connect())
            _schema_version(kept.database)
        except (OSError, sqlite3.Error) as error:
            self._of_thread.kept = None
            raise self._unusable(error) from error
        return kept.database

    def rows(self, table: str, columns: str) -> list[tuple[Any, ...]]:
        """Some columns of all rows of a table; none where there is no file, which is not created.

        Raises what :meth:`transaction` raises.
        """
        if not self.exists:
            return []
        return self.reading().execute(f"SELECT {columns} FROM {table}").fetchall()

    def refuse_newer(self) -> None:
        """Raise :class:`StateVersionError` where the file's schema is newer than this version's.

        Nothing is created or changed. Raises :class:`StorageError` where the file cannot be read.
        """
        if self.exists:
            self.schema_version()

    def schema_version(self) -> int:
        """The version of the file's schema, as it lies there; raises as :meth:`refuse_newer`."""
        try:
            with closing(sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_SECONDS)) as database:
                return _schema_version(database)
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _migrate(self, database: sqlite3.Connection) -> None:
        if _schema_version(database) == SCHEMA_VERSION:
            # Whoever migrated it may have been killed before this.
            remove_imported(self._folder)
            return
        _write_ahead(database)
        with database:
            database.execute("BEGIN IMMEDIATE")
            # Another process may have migrated the file while this one waited for the lock.
            for migration in MIGRATIONS[_schema_version(database) :]:
                migration(database, self._folder)
            database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        remove_imported(self._folder)

    def _unusable(self, error: Exception) -> StorageError:
        return StorageError(
            f"Tilstandsfilen {self._path.name} kan ikke bruges: {error}.",
            advice="Se efter, at disken ikke er fuld, og giv skriveadgang til mappen (KB_STATE_DIR). "
            "Er den beskadiget, så hent den fra en sikkerhedskopi.",
        )


def copy_of(folder: Path, target: Path) -> Path:
    """Copy a state folder to a new one, its databases as they stand between two writes; returns the new one."""
    target.mkdir(parents=True)
    for path in sorted(folder.iterdir()):
        if path.suffix == ".sqlite":
            file = target / path.name
            with (
                closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS)) as source,
                closing(sqlite3.connect(file)) as copy,
            ):
                source.backup(copy)
    return target


def timestamp() -> str:
    """The time to the second, as rows are stamped with it: ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _write_ahead(database: sqlite3.Connection) -> None:
    """Set the file's journal to write-ahead. SQLite does not wait for other connections here as it does elsewhere, and
    says at once that the file is locked: it is asked again until the time that every lock is waited for has passed.
    """
    until = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(BETWEEN_TRIES_SECONDS)


def _schema_version(database: sqlite3.Connection) -> int:
    """The schema version of a file; raises :class:`StateVersionError` for a newer one."""
    version = int(database.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise StateVersionError(
            f"Tilstandsfilen {STATE_FILE} er fra en nyere version af Erfaringsbasen"
            f" (form {version}; denne version kender {SCHEMA_VERSION})."
        )
    return version
