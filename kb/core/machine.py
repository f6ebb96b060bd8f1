"""Tells what the machine refuses for now from what is wrong with a file.

A file that cannot be opened because too many are open already, that finds no memory or no room for a link, or that
somebody else holds, is as whole as before. Called damaged, a good build would be refused and a roll-back find none.
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
    """Whether the machine, not the file, is the reason of an error.

    FAISS and Tantivy pass on only the words of the operating system's error, SQLite and marisa not even those: with
    ``path`` it is asked anew, by opening the file.
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
    """What to raise where the machine refused."""
    return IndexBusyError("Indekset kan ikke åbnes lige nu: maskinen har for travlt eller mangler plads.")


def unusable(error: BaseException, problem: str, path: Path | None = None) -> IndexUnusableError:
    """What to raise for an error of opening a part of an index: ``problem`` as damage, unless the machine refused."""
    if refused(error, path):
        return busy()
    return IndexDamagedError(problem)
