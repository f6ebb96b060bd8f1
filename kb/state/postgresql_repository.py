"""The state in a PostgreSQL database, which any number of servers on any number of machines share.

    repository = PostgresqlRepository(StateUrl.of("postgresql://kb@db.kommune.dk/erfaringer"))
    with repository.transaction() as database:
        database.execute("DELETE FROM uploads WHERE path = ?", (path,))

A process has a pool of connections for each database, made when first needed and anew after a fork. Every use of one
begins by asking for the schema version: it says whether the connection lives, and whether another server has migrated
the state meanwhile. A connection that died is put away and the next one taken; a database that is away is told of as
:class:`StateUnavailableError` within some seconds and is there again as soon as it answers. Migrations run in one
transaction under an advisory lock, so that servers that start at once do it once.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from kb.core.errors import InstallationError, KbError, StateUnavailableError, StorageError
from kb.core.state_place import StateUrl
from kb.state import migrations, repository
from kb.state.database import POSTGRESQL, Cursor, numbered, storable
from kb.state.repository import Kept, LockTaken, Repository

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg_pool import ConnectionPool

log = logging.getLogger(__name__)
# Connections of a process, each of which costs the database some MB; the database allows 100 unless told otherwise.
MOST_CONNECTIONS = 16
# Seconds until a connection that cannot be had is told of, and for which nobody else tries again.
WAIT_SECONDS = 3.0
NOT_AGAIN_SECONDS = 1.0
# Seconds between two tries of who waits for a lock.
BETWEEN_TRIES_SECONDS = 0.25
IDLE_SECONDS = 300.0
# How long a pool's threads, which may be trying to connect, are waited for at the end.
CLOSING_SECONDS = 1.0
# The first half of the number of every advisory lock of the state ("kb"); the second is made of the lock's name.
LOCKS = 0x6B62
WRITING, MIGRATING = "writing", "migrating"
# What PostgreSQL does to a connection that waits for a lock, or whose process fell silent in a transaction.
_SESSION = (
    f"SET lock_timeout = '{repository.BUSY_TIMEOUT_SECONDS}s'",
    f"SET idle_in_transaction_session_timeout = '{2 * repository.BUSY_TIMEOUT_SECONDS}s'",
)
_CONNECTION = {
    "application_name": "erfaringsbasen",
    "connect_timeout": 3,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    # Of several hosts the one that can be written to.
    "target_session_attrs": "read-write",
}


class PostgresqlDatabase:
    """A connection, with statements as the tables' modules write them."""

    dialect = POSTGRESQL

    def __init__(self, connection: Connection[Any]) -> None:
        self.connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        """Carry out one statement."""
        values = [storable(value) for value in parameters]
        cursor: Cursor = self.connection.execute(numbered(sql).encode(), values or None)
        return cursor

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> None:
        """Carry out one statement for each of some rows."""
        rows = [[storable(value) for value in row] for row in parameters]
        if rows:
            self.connection.cursor().executemany(numbered(sql).encode(), rows)


class PostgresqlRepository(Repository):
    """The state of a database; the tables are those of the first schema of the connection's ``search_path``."""

    is_shared = True

    def __init__(self, url: StateUrl) -> None:
        self._url = url

    @property
    def exists(self) -> bool:
        """Always: the tables are made when first asked for."""
        return True

    @contextmanager
    def transaction(self, *, immediate: bool = False, durable: bool = True) -> Iterator[PostgresqlDatabase]:
        """A connection in a transaction; with ``immediate`` it waits for those that began before it."""
        with self._connected() as connection, connection.transaction():
            if not durable:
                connection.execute("SET LOCAL synchronous_commit = off")
            if immediate:
                connection.execute("SELECT pg_advisory_xact_lock($1, $2)", _numbers(WRITING))
            yield PostgresqlDatabase(connection)

    @contextmanager
    def reading(self) -> Iterator[PostgresqlDatabase]:
        """A connection to read with alone, each statement by itself."""
        with self._connected() as connection:
            yield PostgresqlDatabase(connection)

    @contextmanager
    def snapshot(self) -> Iterator[PostgresqlDatabase]:
        """A connection on which everything is as it was at one moment, whatever its schema version is."""
        with self._connected(migrate=False) as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield PostgresqlDatabase(connection)

    @contextmanager
    def replacing(self) -> Iterator[PostgresqlDatabase]:
        """A transaction in which the tables are made anew and empty: at its end they are in the place of the old."""
        with self._connected(migrate=False) as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock($1, $2)", _numbers(MIGRATING))
            for table in _tables(connection):
                connection.execute(f'DROP TABLE "{table}"'.encode())
            database = PostgresqlDatabase(connection)
            migrate(database, 0)
            yield database
            _continue_numbers(connection)

    def migrated_in_a_copy(self) -> tuple[dict[str, int], dict[str, int]]:
        """How many rows each table has before and after the migrations, which are carried out in a copy alone."""
        with self._copy_of_tables() as database:
            before = _counts(database.connection)
            migrate(database, _schema_version(database.connection))
            return before, _counts(database.connection)

    @contextmanager
    def _copy_of_tables(self) -> Iterator[PostgresqlDatabase]:
        """A transaction on a copy of the tables in a schema of its own, of which nothing stays."""
        with self._connected(migrate=False) as connection, connection.transaction(force_rollback=True):
            schema = f"kb_copy_{os.getpid()}_{threading.get_ident()}"
            (held,) = _row(connection, "SELECT current_schema()")
            connection.execute(f'CREATE SCHEMA "{schema}"'.encode())
            for table in _tables(connection):
                source = f'"{held}"."{table}"'
                connection.execute(f'CREATE TABLE "{schema}"."{table}" (LIKE {source} INCLUDING ALL)'.encode())
                connection.execute(f'INSERT INTO "{schema}"."{table}" SELECT * FROM {source}'.encode())
            connection.execute(f'SET LOCAL search_path = "{schema}"'.encode())
            yield PostgresqlDatabase(connection)

    def kept(self) -> Kept:
        """Itself: the pool keeps connections open."""
        self.bring_up_to_date()
        return _Kept(self)

    def bring_up_to_date(self) -> None:
        """Make what is missing, and migrate an earlier schema."""
        with self._connected():
            pass

    def schema_version(self) -> int:
        """The version of the schema as it is, 0 where there is none; raises for a newer one."""
        with self._connected(migrate=False) as connection:
            return _schema_version(connection)

    def problem(self) -> str:
        """Why it cannot be used, empty where it can; what is in it PostgreSQL looks after itself."""
        try:
            # Beside the pool, which does not say why it has none.
            with self._told(), _connect(self._url) as connection:
                _schema_version(connection)
        except KbError as error:
            return getattr(error, "reason", "") or str(error)
        return ""

    def has_rows(self) -> bool:
        """Whether anything is stored."""
        with self.snapshot() as database:
            return any(_counts(database.connection).values())

    @contextmanager
    def lock(self, name: str, *, wait: float = 0) -> Iterator[None]:
        """An advisory lock, held by a connection of its own: PostgreSQL frees it when the process dies."""
        until = time.monotonic() + wait
        with self._told():
            connection = _connect(self._url)
        try:
            with self._told():
                while not _row(connection, "SELECT pg_try_advisory_lock($1, $2)", _numbers(name))[0]:
                    if time.monotonic() >= until:
                        raise LockTaken(name)
                    time.sleep(BETWEEN_TRIES_SECONDS)
            yield
        finally:
            connection.close()

    @contextmanager
    def _connected(self, *, migrate: bool = True) -> Iterator[Connection[Any]]:
        """A connection that lives, to a schema of this version; errors of the database come out as the project's."""
        with self._told():
            pool = _pool(self._url)
            connection = _checked_out(pool, migrate=migrate)
            try:
                yield connection
            finally:
                pool.putconn(connection)

    @contextmanager
    def _told(self) -> Iterator[None]:
        _check_installed()
        import psycopg

        try:
            yield
        except _away() as error:
            told = _reasons.get(self._url.address, str(error)) if isinstance(error, _timeout()) else str(error)
            reason = self._url.without_secrets(told).strip().replace("\n", " ")
            log.warning("Databasen med tilstanden svarer ikke: %s", reason)
            # Not from the error: what it says may hold a password, and a trace would show it.
            raise StateUnavailableError("Databasen med tilstanden svarer ikke lige nu.", reason=reason) from None
        except psycopg.Error as error:
            reason = self._url.without_secrets(str(error)).strip().partition("\n")[0]
            advice = "Giv Erfaringsbasens bruger i databasen ret til sine egne tabeller, og se databasens log."
            raise StorageError(f"Databasen med tilstanden kan ikke bruges: {reason}.", advice=advice) from None


class _Kept:
    """The way in that :class:`RunStore` keeps: the pool has the connections."""

    def __init__(self, held: PostgresqlRepository) -> None:
        self._held = held
        self.reading = held.reading

    @contextmanager
    def transaction(self, *, immediate: bool = True) -> Iterator[PostgresqlDatabase]:
        with self._held.transaction(immediate=immediate) as database:
            yield database

    def close(self) -> None:
        """Nothing: others use the pool."""


# --- Connections ---

VERSION_TABLE = "state_schema"
_pools: dict[tuple[int, StateUrl], ConnectionPool[Any]] = {}
_pools_lock = threading.Lock()
# Until when each pool's database is taken to be away.
_away_until: dict[ConnectionPool[Any], float] = {}
# Why the last connection to an address could not be made; a pool says only that it has none.
_reasons: dict[str, str] = {}


def close_pools() -> None:
    """Let go of this process's connections; whoever comes after gets new ones."""
    with _pools_lock:
        own = [key for key in _pools if key[0] == os.getpid()]
        closed = [_pools.pop(key) for key in own]
    for pool in closed:
        _away_until.pop(pool, None)
        pool.close(timeout=CLOSING_SECONDS)


atexit.register(close_pools)


def _after_fork() -> None:
    # A pool's threads are not in the child. Those of the parent stay in the table, as to collect one would stop it.
    global _pools_lock  # noqa: PLW0603  (another thread of the parent may have held it)
    _pools_lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)


def _check_installed() -> None:
    try:
        import psycopg_pool  # noqa: F401  (it imports psycopg)
    except ImportError as error:
        advice = 'Installér det, der hører til: pip install "erfaringsbasen[cluster]" -c constraints.txt'
        raise InstallationError("Pakken psycopg til PostgreSQL (KB_STATE_URL) mangler.", advice=advice) from error


def _pool(url: StateUrl) -> ConnectionPool[Any]:
    from psycopg_pool import ConnectionPool

    key = (os.getpid(), url)
    with _pools_lock:
        if key not in _pools:
            logging.getLogger("psycopg.pool").setLevel(
                logging.ERROR
            )  # it tells of each try; this module of the outcome
            _pools[key] = ConnectionPool(
                url.address,
                kwargs=_arguments(url),
                connection_class=_telling_why(),
                configure=_configure,
                min_size=0,
                max_size=MOST_CONNECTIONS,
                timeout=WAIT_SECONDS,
                reconnect_timeout=WAIT_SECONDS,
                max_idle=IDLE_SECONDS,
                num_workers=2,
                name="state",
                open=True,
            )
        return _pools[key]


@cache
def _telling_why() -> type[Connection[Any]]:
    """The class of a pool's connections: notes why one could not be made."""
    import psycopg

    class TellingWhy(psycopg.Connection):  # type: ignore[misc]  # its types are not looked at
        @classmethod
        def connect(cls, conninfo: str = "", **arguments: Any) -> TellingWhy:
            try:
                made: TellingWhy = super().connect(conninfo, **arguments)
            except psycopg.Error as error:
                _reasons[conninfo] = str(error)
                raise
            _reasons.pop(conninfo, None)
            return made

    return TellingWhy


def _timeout() -> type[Exception]:
    from psycopg_pool import PoolTimeout

    timeout: type[Exception] = PoolTimeout
    return timeout


def _arguments(url: StateUrl) -> dict[str, Any]:
    """What is said of a connection beside its address, whose own words win."""
    from psycopg import RawCursor
    from psycopg.conninfo import conninfo_to_dict

    said = conninfo_to_dict(url.address)
    chosen = {name: value for name, value in _CONNECTION.items() if name not in said}
    fixed = {"cursor_factory": RawCursor, "autocommit": True, "prepare_threshold": None, "client_encoding": "UTF8"}
    return {**chosen, **fixed}


def _connect(url: StateUrl) -> Connection[Any]:
    """A connection beside the pool."""
    import psycopg

    connection: Connection[Any] = psycopg.connect(url.address, **_arguments(url))
    return connection


def _configure(connection: Connection[Any]) -> None:
    for statement in _SESSION:
        connection.execute(statement)


def _away() -> tuple[type[Exception], ...]:
    """The errors of a database that does not answer, or not in time; a pool's time-out is one of the first."""
    import psycopg

    return (psycopg.OperationalError, psycopg.InterfaceError)


def _checked_out(pool: ConnectionPool[Any], *, migrate: bool) -> Connection[Any]:
    """A connection that has just answered, with the schema of this version."""
    from psycopg_pool import PoolTimeout

    if time.monotonic() < _away_until.get(pool, 0):
        raise PoolTimeout("it did not answer a moment ago")
    until = time.monotonic() + WAIT_SECONDS
    failed = _failures(pool)
    while True:
        try:
            connection = pool.getconn(timeout=max(0.01, until - time.monotonic()))
        except PoolTimeout:
            if _failures(pool) > failed:  # else all of them are in use
                _away_until[pool] = time.monotonic() + NOT_AGAIN_SECONDS
            raise
        try:
            version = _schema_version(connection)
            if migrate and version < migrations.SCHEMA_VERSION:
                _bring_up_to_date(connection)
            return connection
        except _away():
            # It died in the pool; the next one may live.
            pool.putconn(connection)
            if not connection.closed or time.monotonic() >= until:
                raise
        except BaseException:
            pool.putconn(connection)
            raise


def _failures(pool: ConnectionPool[Any]) -> int:
    return int(pool.get_stats().get("connections_errors", 0))


def _row(connection: Connection[Any], sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...]:
    row = connection.execute(sql.encode(), values or None).fetchone()
    assert row is not None
    return tuple(row)


def _numbers(name: str) -> tuple[int, int]:
    """The number of an advisory lock, of two halves with a sign."""
    return LOCKS, zlib.crc32(name.encode()) - (1 << 31)


# --- Schema ---


def _schema_version(connection: Connection[Any]) -> int:
    """The schema version, 0 where there is none; raises :class:`kb.core.errors.StateVersionError` for a newer one."""
    from psycopg.errors import UndefinedTable

    with suppress(UndefinedTable):
        version = int(_row(connection, f"SELECT coalesce(max(version), 0) FROM {VERSION_TABLE}")[0])
        migrations.refuse_newer(version, "Databasen med tilstanden")
        return version
    return 0


def _bring_up_to_date(connection: Connection[Any]) -> None:
    (encoding,) = _row(connection, "SHOW server_encoding")
    if encoding != "UTF8":
        raise StorageError(
            f"Databasen med tilstanden er i tegnsættet {encoding}.", advice="Lav den med: createdb --encoding=UTF8"
        )
    with connection.transaction():
        # Another server may have migrated it while this one waited for the lock.
        connection.execute("SELECT pg_advisory_xact_lock($1, $2)", _numbers(MIGRATING))
        connection.execute(f"CREATE TABLE IF NOT EXISTS {VERSION_TABLE} (version BIGINT NOT NULL)".encode())
        (held,) = _row(connection, f"SELECT coalesce(max(version), 0) FROM {VERSION_TABLE}")
        migrate(PostgresqlDatabase(connection), held)


def migrate(database: PostgresqlDatabase, version: int) -> None:
    """Carry out the migrations after a version, in the transaction at work."""
    database.execute(f"CREATE TABLE IF NOT EXISTS {VERSION_TABLE} (version BIGINT NOT NULL)")
    for migration in migrations.MIGRATIONS[version:]:
        migration(database, None)
    database.execute(f"DELETE FROM {VERSION_TABLE}")
    database.execute(f"INSERT INTO {VERSION_TABLE} VALUES (?)", (migrations.SCHEMA_VERSION,))


def _tables(connection: Connection[Any]) -> list[str]:
    """The state's own tables, of the version that is there; others may have theirs beside them."""
    sql = b"SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    there = {name for (name,) in connection.execute(sql).fetchall()}
    if VERSION_TABLE not in there:
        return []
    own = {VERSION_TABLE, *migrations.tables_of(_schema_version(connection))}
    return sorted(own & there)


def _counts(connection: Connection[Any]) -> dict[str, int]:
    """How many rows each table has."""
    tables = [table for table in _tables(connection) if table != VERSION_TABLE]
    return {table: _row(connection, f'SELECT count(*) FROM "{table}"')[0] for table in tables}


def _continue_numbers(connection: Connection[Any]) -> None:
    """Let numbered rows go on after those that were put in with their numbers."""
    sql = b"""SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = current_schema() AND is_identity = 'YES'"""
    for table, column in connection.execute(sql).fetchall():
        connection.execute(
            f"""SELECT setval(pg_get_serial_sequence('"{table}"', '{column}'),
            (SELECT coalesce(max("{column}"), 0) + 1 FROM "{table}"), false)""".encode()
        )
