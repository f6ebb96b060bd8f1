"""One transaction on a SQLite file below ``state/``: opened for it and closed after it.

For what is written seldom and read by many processes (keys, sessions, the trail, feedback, removals). What is at work
all the time keeps its connection open: :mod:`kb.state.repository`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

STATE_FILE = "state.sqlite"
PATIENCE_SECONDS = 10


def rows_of(path: Path, table: str, columns: str) -> list[tuple[Any, ...]]:
    """Some columns of a whole table; nothing where the file or the table is not there yet.

    Nothing is made, so that reading needs no folder that can be written to.
    """
    if not path.is_file():
        return []
    with closing(sqlite3.connect(path, timeout=PATIENCE_SECONDS)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
            return []
        return connection.execute(f"SELECT {columns} FROM {table}").fetchall()


@contextmanager
def transaction(path: Path, schema: str, *, immediate: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection to ``path``, made with the tables of ``schema`` where it lacks them.

    What is done in it is committed together, or not at all when something is raised. With ``immediate`` nobody else
    writes meanwhile, so that what is read in it still holds when it is written. Raises ``OSError`` or
    ``sqlite3.Error``; a file that is locked is waited for :data:`PATIENCE_SECONDS`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=PATIENCE_SECONDS)) as connection:
        connection.executescript(schema)
        with connection:
            if immediate:
                connection.execute("BEGIN IMMEDIATE")
            yield connection
