"""The state, wherever it is kept: the one way in for the modules of the tables and for what looks after the whole.

    repository = repository_of(settings.state)
    with repository.transaction() as database:
        database.execute("DELETE FROM uploads WHERE path = ?", (path,))

It is the file ``state/state.sqlite`` (:mod:`kb.state.sqlite_repository`) or a PostgreSQL database that any number of
servers share (:mod:`kb.state.postgresql_repository`). Each table has a module beside this one with its SQL, the same
for both (:mod:`kb.state.database`). The migrations are in :mod:`kb.state.migrations`; whoever opens the state brings it
up to date, and a newer one is refused before anything is read from it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Protocol

from kb.core.state_place import StatePlace, StateUrl
from kb.state.database import Database

# How long to wait for another process that is writing.
BUSY_TIMEOUT_SECONDS = 30


class LockTaken(Exception):
    """Another process, perhaps of another machine, holds the lock."""


class Kept(Protocol):
    """A way in that is kept open, for what is asked again and again; safe from several threads."""

    def transaction(self, *, immediate: bool = True) -> AbstractContextManager[Database]:
        """As :meth:`Repository.transaction`."""
        ...

    def reading(self) -> AbstractContextManager[Database]:
        """As :meth:`Repository.reading`."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Repository(ABC):
    """The state of a place; safe from several threads and processes, each with a connection of its own.

    Whatever reads or writes raises :class:`kb.core.errors.StorageError` where the state cannot be used, and
    :class:`kb.core.errors.StateVersionError` where its schema is newer.
    """

    # Whether other machines may have the same state.
    is_shared: bool

    @property
    @abstractmethod
    def exists(self) -> bool:
        """Whether anything was ever stored."""

    @abstractmethod
    def transaction(self, *, immediate: bool = False, durable: bool = True) -> AbstractContextManager[Database]:
        """A connection in a transaction: committed at the end, rolled back when something is raised.

        With ``immediate`` no other such transaction comes between, so that what is read still holds when it is written.
        Where it is not ``durable``, the commit does not wait for the disk: a power failure may take it, and nothing
        else.
        """

    @abstractmethod
    def reading(self) -> AbstractContextManager[Database]:
        """A connection for what every request asks, to read with alone."""

    @abstractmethod
    def kept(self) -> Kept:
        """A way in that stays open."""

    @abstractmethod
    def bring_up_to_date(self) -> None:
        """Make what is missing, and migrate an earlier schema."""

    @abstractmethod
    def schema_version(self) -> int:
        """The version of the schema as it is, 0 where there is none; raises for a newer one. Nothing is changed."""

    @abstractmethod
    def problem(self) -> str:
        """What is wrong with it, empty where it is sound. Nothing is changed."""

    @abstractmethod
    def lock(self, name: str, *, wait: float = 0) -> AbstractContextManager[None]:
        """Be the one process that holds a lock of this state; freed when the process dies.

        Raises :class:`LockTaken` where another has it for ``wait`` seconds more.
        """

    def refuse_newer(self) -> None:
        """Raise :class:`kb.core.errors.StateVersionError` for a schema newer than this version's."""
        if self.exists:
            self.schema_version()

    def rows(self, table: str, columns: str) -> list[tuple[Any, ...]]:
        """Some columns of all rows of a table; none where nothing was ever stored, and nothing is created."""
        if not self.exists:
            return []
        with self.reading() as database:
            return database.execute(f"SELECT {columns} FROM {table}").fetchall()


def repository_of(place: StatePlace) -> Repository:
    """The state of a place."""
    if isinstance(place, StateUrl):
        from kb.state.postgresql_repository import PostgresqlRepository

        return PostgresqlRepository(place)
    from kb.state.sqlite_repository import SqliteRepository

    return SqliteRepository(place)


def timestamp() -> str:
    """The time to the second, as rows are stamped with it: ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
