"""The lock on the index: one run at a time writes. The operating system frees it when its holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from kb.core.errors import LockedError

LOCK_FILE = "lock"


@contextmanager
def lock(index_dir: Path) -> Iterator[None]:
    """Hold the index for writing; raises :class:`LockedError` when another process does."""
    with (index_dir / LOCK_FILE).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise LockedError(f"En anden indeksering er i gang ({file.read().strip() or 'ukendt proces'}).") from None
        file.truncate(0)
        file.write(f"proces {os.getpid()}, begyndt {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
