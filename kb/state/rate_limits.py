"""Counts of calls and of wrong keys, in the state database: one limit for all of the server's processes.

    limiter = MovingWindowRateLimiter(SharedCounts(settings.state_dir))

The strategy is the ``limits`` library's, and this is a place for it to count in. A process that starts anew, or a
second one beside it, gives nobody more tries. A row is one call, with when it no longer counts; all that no longer
count are deleted whenever one is added, so that addresses are not kept. These writes do not wait for the disk: what a
power failure takes is a minute's counts.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from limits.storage import MovingWindowSupport, Storage

from kb.state.repository import Repository

_COUNTING = "FROM counted_calls WHERE key = ? AND at > ?"


class SharedCounts(Storage, MovingWindowSupport):
    """The table of counted calls; safe from several threads and processes."""

    STORAGE_SCHEME = None

    def __init__(self, state_dir: Path) -> None:
        super().__init__()
        self._repository = Repository(state_dir)

    @property
    def base_exceptions(self) -> type[Exception]:
        """What is raised when the database cannot be used."""
        return sqlite3.Error

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count ``amount`` more where that is within the limit; whether it was."""
        now = time.time()
        with self._writing() as database:
            database.execute("DELETE FROM counted_calls WHERE until <= ?", (now,))
            count: int = database.execute(f"SELECT COUNT(*) {_COUNTING}", (key, now - expiry)).fetchone()[0]
            if count + amount > limit:
                return False
            row = (key, now, now + expiry)
            database.executemany("INSERT INTO counted_calls VALUES (?,?,?)", [row] * amount)
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the oldest call that counts was made, now where none does, and how many count."""
        now = time.time()
        with self._repository.transaction() as database:
            sql = f"SELECT MIN(at), COUNT(*) {_COUNTING}"
            oldest, count = database.execute(sql, (key, now - expiry)).fetchone()
        return (oldest if count else now), count

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._repository.transaction(durable=False, immediate=True) as database:
            yield database

    def check(self) -> bool:
        """Whether the database can be used."""
        with self._repository.transaction():
            return True

    def reset(self) -> int:
        """Forget every call; returns how many were counted."""
        with self._writing() as database:
            return database.execute("DELETE FROM counted_calls").rowcount

    def clear(self, key: str) -> None:
        """Forget the calls of a key."""
        with self._writing() as database:
            database.execute("DELETE FROM counted_calls WHERE key = ?", (key,))

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Belongs to the strategies of fixed windows, which this is no place for."""
        raise NotImplementedError

    def get(self, key: str) -> int:
        """As :meth:`incr`."""
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        """As :meth:`incr`."""
        raise NotImplementedError
