"""What the processes of one server have in common: the count of calls, a secret, and the models.

    Shared.alone(settings)                      # a lone process: all of it in its own memory
    Shared.of_workers(folder, secret, client)   # workers: the count in a file, the models in the model process

Keys, sessions, jobs and everything else that must outlive the server are in the state database, which every process
reads; which build is in use stands in ``CURRENT``. Servers on several machines, which have a state in PostgreSQL
together, have the secret from there, so that a sign-in may begin at one and end at another; each counts its own calls.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from limits.storage import MemoryStorage, Storage
from limits.storage.base import MovingWindowSupport

from kb.core.settings import Settings
from kb.embedding.reader.choice import Readers, ReaderSource
from kb.embedding.remote import ModelClient, RemoteReaders
from kb.state.repository import repository_of

CALLS_FILE = "calls.sqlite"
BUSY_SECONDS = 10.0
SECRET_BYTES = 32
SIGN_IN = "sign-in"


@dataclass(frozen=True, slots=True)
class Shared:
    """``limits`` counts calls, ``secret`` signs sign-ins under way, ``readers`` hands out the reader model.

    ``gathers``: whether questions of several threads gather in this process to be embedded together; the model process
    gathers those of all workers.
    """

    limits: Storage
    secret: bytes
    readers: Readers
    gathers: bool

    @classmethod
    def alone(cls, settings: Settings) -> Shared:
        """Of a process that serves by itself."""
        return cls(MemoryStorage(), server_secret(settings), ReaderSource(settings), gathers=True)

    @classmethod
    def of_workers(cls, folder: Path, secret: bytes, client: ModelClient) -> Shared:
        """Of the workers of a server, which share a folder of their own."""
        return cls(FileLimits(folder / CALLS_FILE), secret, RemoteReaders(client), gathers=False)


def server_secret(settings: Settings) -> bytes:
    """What signs sign-ins under way: common to the servers of a shared state, else of this one alone.

    Raises :class:`kb.core.errors.StorageError` where the state cannot be asked.
    """
    own = secrets.token_bytes(SECRET_BYTES)
    repository = repository_of(settings.state)
    if not repository.is_shared:
        return own
    with repository.transaction() as database:
        sql = "INSERT INTO server_secrets (name, secret) VALUES (?,?) ON CONFLICT DO NOTHING"
        database.execute(sql, (SIGN_IN, own))
        kept: bytes = database.execute("SELECT secret FROM server_secrets WHERE name = ?", (SIGN_IN,)).fetchone()[0]
    return kept


class FileLimits(Storage, MovingWindowSupport):
    """Counts calls for several processes in a file: one row a call, until it counts no more.

    Of what :mod:`limits` offers it has the moving window, which the gate uses. A process that is killed while it counts
    leaves the file whole; the file need not survive the machine.
    """

    STORAGE_SCHEME = None

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._of_thread = threading.local()
        with self._at_once() as database:
            database.execute("CREATE TABLE IF NOT EXISTS calls (key TEXT NOT NULL, until REAL NOT NULL)")
            database.execute("CREATE INDEX IF NOT EXISTS calls_by_key ON calls (key)")
            database.execute("CREATE INDEX IF NOT EXISTS calls_by_until ON calls (until)")

    @property
    def base_exceptions(self) -> type[Exception]:
        """What can go wrong."""
        return sqlite3.Error

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count ``amount`` calls of ``key`` unless that makes more than ``limit`` in ``expiry`` seconds."""
        with self._at_once() as database:
            now = time.time()
            database.execute("DELETE FROM calls WHERE until <= ?", (now,))
            (made,) = database.execute("SELECT count(*) FROM calls WHERE key = ?", (key,)).fetchone()
            if made + amount > limit:
                return False
            database.executemany("INSERT INTO calls VALUES (?, ?)", [(key, now + expiry)] * amount)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the oldest call that counts was made, and how many count."""
        now = time.time()
        sql = "SELECT min(until), count(*) FROM calls WHERE key = ? AND until > ?"
        until, made = self._database().execute(sql, (key, now)).fetchone()
        return (now if until is None else until - expiry), made

    def get(self, key: str) -> int:
        """How many calls of a key count."""
        return self.get_moving_window(key, 0, 0)[1]

    def get_expiry(self, key: str) -> float:
        """When the next of them counts no more."""
        return self.get_moving_window(key, 0, 0)[0]

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count calls whatever the limit is; how many there are then."""
        with self._at_once() as database:
            database.executemany("INSERT INTO calls VALUES (?, ?)", [(key, time.time() + expiry)] * amount)
        return self.get(key)

    def check(self) -> bool:
        """Whether the file can be asked."""
        return self.get("") >= 0

    def reset(self) -> int:
        """Forget all calls; how many there were."""
        with self._at_once() as database:
            return database.execute("DELETE FROM calls").rowcount

    def clear(self, key: str) -> None:
        """Forget the calls of a key."""
        with self._at_once() as database:
            database.execute("DELETE FROM calls WHERE key = ?", (key,))

    @contextmanager
    def _at_once(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other process comes between."""
        database = self._database()
        database.execute("BEGIN IMMEDIATE")
        try:
            yield database
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")

    def _database(self) -> sqlite3.Connection:
        held: sqlite3.Connection | None = getattr(self._of_thread, "database", None)
        if held is None:
            held = self._of_thread.database = sqlite3.connect(self._path, BUSY_SECONDS, isolation_level=None)
            held.execute("PRAGMA journal_mode = WAL")
            held.execute("PRAGMA synchronous = OFF")
        return held
