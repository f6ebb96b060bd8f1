"""What lies in a state, whichever of the two kinds it is: for tests that look behind the stores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kb.core.state_place import StatePlace
from kb.state.database import SQLITE, Database
from kb.state.migrations import SCHEMA_VERSION, tables_of
from kb.state.repository import repository_of


def rows_in(place: StatePlace) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, in one order for both kinds."""
    with repository_of(place).reading() as database:
        return {
            table: database.execute(f"SELECT {', '.join(named)} FROM {table} ORDER BY {', '.join(named)}").fetchall()
            for table, columns in tables_of(SCHEMA_VERSION).items()
            if (named := [f'"{column}"' for column in columns])
        }


def holds_nothing(place: StatePlace) -> bool:
    """Whether nothing was made in a folder, and nothing stored in a database."""
    if isinstance(place, Path):
        return not place.exists() or list(place.iterdir()) == []
    return not any(rows_in(place).values())


@contextmanager
def unguarded_events(place: StatePlace) -> Iterator[Database]:
    """The database, in which the audit trail may be changed: as whoever owns it could."""
    with repository_of(place).transaction() as database:
        for trigger in ("audit_is_not_changed", "audit_is_kept"):
            of_table = "" if database.dialect is SQLITE else " ON audit"
            database.execute(f"DROP TRIGGER IF EXISTS {trigger}{of_table}")
        yield database
