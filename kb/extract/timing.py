"""A limit of time on a piece of work that cannot be asked to stop.

In the main thread of a process (where the isolated readers work) an alarm interrupts it in the middle; elsewhere the
work must call ``check`` now and then.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TooSlow(Exception):
    """The work took longer than it was given."""


class Clock:
    """Tells the work whether its time is up."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def check(self) -> None:
        """Raise :class:`TooSlow` when the time is up."""
        if time.monotonic() > self._until:
            raise TooSlow


@contextmanager
def time_limit(seconds: float) -> Iterator[Clock]:
    """Raise :class:`TooSlow` inside the block when it takes longer than ``seconds``."""
    clock = Clock(seconds)
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield clock
        return

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield clock
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
