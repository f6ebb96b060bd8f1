"""The process whose migrations of a state folder are killed: ``python -m tests.killing_migrations FOLDER``.

As in :mod:`tests.killing`, it imports everything once and forks a child for each run; the child is what is killed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from kb.state.sqlite_repository import SqliteRepository
from tests.killing import fork_for_lines

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    fork_for_lines(lambda: SqliteRepository(folder).connect().close())
