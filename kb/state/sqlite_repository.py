"""The state in a file, ``state/state.sqlite``: the one place that opens it and migrates it to the current schema.

    repository = SqliteRepository(settings.state_dir)
    with repository.transaction() as database:
        database.execute("DELETE FROM uploads WHERE path = ?", (path,))

Processes of one machine share it. Locks are files beside it.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from kb.core.errors import StateVersionError, StorageError
from kb.state import migrations, repository
from kb.state.database import SqliteDatabase
from kb.state.repository import LockTaken, Repository

STATE_FILE = "state.sqlite"
BETWEEN_TRIES_SECONDS = 0.02


class _OfThread:
    """A thread's connection for reading, and the file it is of; closed with its thread."""

    def __init__(self, file: tuple[int, int], database: SqliteDatabase) -> None:
        self.file = file
        self.database = database

    def __del__(self) -> None:
        self.database.close()


class KeptConnection:
    """One connection that threads take turns with."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._lock = threading.RLock()
        self._database = database

    @contextmanager
    def transaction(self, *, immediate: bool = True) -> Iterator[SqliteDatabase]:
        """A transaction; the lock for writing is taken at its start with ``immediate``."""
        with self._lock, self._database:
            if immediate:
                self._database.execute("BEGIN IMMEDIATE")
            yield self._database

    @contextmanager
    def reading(self) -> Iterator[SqliteDatabase]:
        """The connection, to read with alone."""
        with self._lock:
            yield self._database

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()


class SqliteRepository(Repository):
    """The state database of a folder; safe from several threads and processes, each with a connection of its own."""

    is_shared = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / STATE_FILE
        self._of_thread = threading.local()

    @property
    def exists(self) -> bool:
        """Whether the file exists."""
        return self._path.is_file()

    def connect(self) -> SqliteDatabase:
        """A connection that any thread may use, to the file migrated to the current schema; created if missing.

        Raises :class:`StorageError` where the file cannot be opened or is damaged, :class:`StateVersionError` where its
        schema is newer.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            database = _opened(self._path)
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
    def transaction(self, *, immediate: bool = False, durable: bool = True) -> Iterator[SqliteDatabase]:
        """A connection in a transaction: committed at the end, rolled back when something is raised.

        With ``immediate`` the write lock is taken at once. Raises what :meth:`connect` raises, and ``sqlite3.Error``.
        """
        with closing(self.connect()) as database, database:
            if not durable:
                database.execute("PRAGMA synchronous = NORMAL")
            if immediate:
                database.execute("BEGIN IMMEDIATE")
            yield database

    @contextmanager
    def reading(self) -> Iterator[SqliteDatabase]:
        """This thread's connection for what every request asks, to read with alone: it is kept, as to open one takes 50
        times as long as to ask it. Another file in the place of the old, a restored one, is noticed.

        Raises what :meth:`connect` raises.
        """
        yield self._kept_by_thread()

    def kept(self) -> KeptConnection:
        """A connection that stays open; raises what :meth:`connect` raises."""
        return KeptConnection(self.connect())

    def bring_up_to_date(self) -> None:
        """Create the file, or migrate it; raises what :meth:`connect` raises."""
        self.connect().close()

    def schema_version(self) -> int:
        """The version of the file's schema, as it lies there.

        Raises :class:`StateVersionError`, and :class:`StorageError` where the file cannot be read.
        """
        try:
            with closing(_opened(self._path)) as database:
                return _schema_version(database)
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def problem(self) -> str:
        """The result of SQLite's integrity check: empty when the file is intact, else the problem."""
        try:
            with closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)) as database:
                answer = str(database.execute("PRAGMA integrity_check").fetchone()[0])
        except sqlite3.DatabaseError as error:
            return str(error)
        return "" if answer == "ok" else answer

    @contextmanager
    def lock(self, name: str, *, wait: float = 0) -> Iterator[None]:
        """A lock of the operating system on a file of this name; raises :class:`StorageError` where it cannot be."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            acquired = FileLock(self._folder / f"{name}.lock", timeout=wait, fallback_to_soft=False).acquire()
        except Timeout as error:
            raise LockTaken(name) from error
        except OSError as error:
            raise StorageError(f"Mappen {self._folder} kan ikke skrives: {error.strerror}.") from error
        with acquired:
            yield

    def _kept_by_thread(self) -> SqliteDatabase:
        try:
            status = self._path.stat()
            file = (status.st_dev, status.st_ino)
            kept: _OfThread | None = getattr(self._of_thread, "kept", None)
            if kept is None or kept.file != file:
                kept = self._of_thread.kept = _OfThread(file, self.connect())
            _schema_version(kept.database)
        except (OSError, sqlite3.Error) as error:
            self._of_thread.kept = None
            raise self._unusable(error) from error
        return kept.database

    def _migrate(self, database: SqliteDatabase) -> None:
        if _schema_version(database) == migrations.SCHEMA_VERSION:
            # Whoever migrated it may have been killed before this.
            migrations.remove_imported(self._folder)
            return
        _write_ahead(database)
        with database:
            database.execute("BEGIN IMMEDIATE")
            # Another process may have migrated the file while this one waited for the lock.
            for migration in migrations.MIGRATIONS[_schema_version(database) :]:
                migration(database, self._folder)
            database.execute(f"PRAGMA user_version = {migrations.SCHEMA_VERSION}")
        migrations.remove_imported(self._folder)

    def _unusable(self, error: Exception) -> StorageError:
        return StorageError(
            f"Tilstandsfilen {self._path.name} kan ikke bruges: {error}.",
            advice="Se efter, at disken ikke er fuld, og giv skriveadgang til mappen (KB_STATE_DIR). "
            "Er den beskadiget, så hent den fra en sikkerhedskopi.",
        )


@contextmanager
def new_file(folder: Path, version: int) -> Iterator[SqliteDatabase]:
    """An empty file of a schema version in a folder that has none, in a transaction."""
    with closing(_opened(folder / STATE_FILE)) as database, database:
        database.execute("BEGIN IMMEDIATE")
        for migration in migrations.MIGRATIONS[:version]:
            migration(database, folder)
        database.execute(f"PRAGMA user_version = {version}")
        yield database


def copy_of(folder: Path, target: Path) -> Path:
    """Copy a state folder to a new one, its databases as they stand between two writes; returns the new one."""
    target.mkdir(parents=True)
    for path in sorted(folder.iterdir()):
        if path.suffix == ".sqlite":
            file = target / path.name
            with closing(_opened(path)) as source, closing(sqlite3.connect(file)) as copy:
                source.backup(copy)
    return target


def _opened(path: Path) -> SqliteDatabase:
    return sqlite3.connect(
        path, timeout=repository.BUSY_TIMEOUT_SECONDS, check_same_thread=False, factory=SqliteDatabase
    )


def _write_ahead(database: SqliteDatabase) -> None:
    """Set the file's journal to write-ahead. SQLite does not wait for other connections here as it does elsewhere, and
    says at once that the file is locked: it is asked again until the time that every lock is waited for has passed.
    """
    until = time.monotonic() + repository.BUSY_TIMEOUT_SECONDS
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(BETWEEN_TRIES_SECONDS)


def _schema_version(database: SqliteDatabase) -> int:
    """The schema version of a file; raises :class:`StateVersionError` for a newer one."""
    version = int(database.execute("PRAGMA user_version").fetchone()[0])
    migrations.refuse_newer(version, f"Tilstandsfilen {STATE_FILE}")
    return version
