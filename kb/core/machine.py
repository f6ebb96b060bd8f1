"""Distinguishes temporary failures of the machine from damaged files.

A file that cannot be opened because of too many open files, lack of memory or disk space, or another process's lock is
not damaged. Reported as damaged, an intact build would be refused and a roll-back would find none to go back to.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

from kb.core.errors import IndexBusyError, IndexDamagedError, IndexUnusableError

REFUSALS = frozenset(
    {
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EAGAIN,
        errno.EINTR,
        errno.EBUSY,
        errno.ENOTEMPTY,
        errno.ENOLCK,
        errno.ETIMEDOUT,
    }
)
_SQLITE_REFUSALS = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
    }
)


def refused(error: BaseException, path: Path | None = None) -> bool:
    """Whether an error is a temporary failure of the machine and not a fault of the file.

    FAISS and Tantivy report only the text of the operating system's error, SQLite and marisa not even that: with
    ``path``, the file is opened again to see.
    """
    if isinstance(error, MemoryError | TimeoutError):
        return True
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in REFUSALS
    if isinstance(error, sqlite3.Error) and (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF in _SQLITE_REFUSALS:
        return True
    if any(os.strerror(number) in str(error) for number in REFUSALS):
        return True
    return path is not None and _cannot_be_opened_now(path)


def _cannot_be_opened_now(path: Path) -> bool:
    try:
        path.open("rb").close()
    except OSError as error:
        return error.errno in REFUSALS
    return False


def busy() -> IndexBusyError:
    """The error to raise for a temporary failure."""
    return IndexBusyError("Indekset kan ikke åbnes lige nu: maskinen har for travlt eller mangler plads.")


def unusable(error: BaseException, problem: str, path: Path | None = None) -> IndexUnusableError:
    """The error to raise when a part of an index cannot be opened: ``problem`` as damage, unless it is temporary."""
    if refused(error, path):
        return busy()
    return IndexDamagedError(problem)
