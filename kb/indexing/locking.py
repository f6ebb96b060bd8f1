"""The lock on the index: one run at a time writes. The operating system frees it when its holder dies.

A native lock of :mod:`filelock` on ``LOCK_FILE``. The file names its holder, for people only: its content decides
nothing. A file system without such locks is refused, as the lock files that could stand in for them outlive a
killed run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from kb.core.errors import LockedError

LOCK_FILE = "lock"


@contextmanager
def lock(index_dir: Path) -> Iterator[None]:
    """Hold the index for writing; raises :class:`LockedError` when another process does, ``OSError`` when it cannot."""
    path = index_dir / LOCK_FILE
    file_lock = FileLock(path, blocking=False, fallback_to_soft=False)
    try:
        acquired = file_lock.acquire()
    except Timeout:
        holder = path.read_text(encoding="utf-8").strip() or "ukendt proces"
        raise LockedError(f"En anden indeksering er i gang ({holder}).") from None
    with acquired:
        path.write_text(f"proces {os.getpid()}, begyndt {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n", encoding="utf-8")
        try:
            yield
        finally:
            path.write_text("", encoding="utf-8")
