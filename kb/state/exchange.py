"""The whole state out of PostgreSQL into a file and back: the same form in which a folder keeps it.

    write_file(PostgresqlRepository(url), folder)       # folder/state.sqlite, of the version the database has
    with read_file(folder, PostgresqlRepository(url)):  # in the place of what was there, when the block ends well
        ...

A backup therefore restores into either, and is the way from one to the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from kb.state import migrations
from kb.state.database import Database
from kb.state.postgresql_repository import PostgresqlRepository
from kb.state.sqlite_repository import SqliteRepository, new_file

ROWS_AT_ONCE = 1000
# What servers make anew, and a copy should not tell whoever has it.
NOT_COPIED = frozenset({"server_secrets"})
ORDERED = frozenset({"saved_questions", "saved_question_finds"})


def write_file(held: PostgresqlRepository, folder: Path) -> None:
    """Write the state, as it is at one moment, to a new file in a folder.

    Raises :class:`kb.core.errors.StorageError`, and :class:`kb.core.errors.StateVersionError` for a newer one.
    """
    version = held.schema_version()
    with held.snapshot() as source, new_file(folder, version) as target:
        _copy(source, target, migrations.tables_of(version))


@contextmanager
def read_file(folder: Path, held: PostgresqlRepository) -> Iterator[None]:
    """Put the state of a folder in the place of a database's: at the end, or not at all where something is raised."""
    with closing(SqliteRepository(folder).connect()) as source, held.replacing() as target:
        _copy(source, target, migrations.columns_of(source))
        yield


def _copy(source: Database, target: Database, tables: Mapping[str, Sequence[str]]) -> None:
    """Copy all rows of some tables."""
    for table in tables.keys() - NOT_COPIED:
        named = ", ".join(f'"{column}"' for column in tables[table])
        # In the order in which they were stored, which lists of them go by.
        order = "rowid" if table in ORDERED else named
        marks = ",".join("?" * len(tables[table]))
        rows = source.execute(f"SELECT {named} FROM {table} ORDER BY {order}")
        while some := rows.fetchmany(ROWS_AT_ONCE):
            target.executemany(f"INSERT INTO {table} ({named}) VALUES ({marks})", some)
