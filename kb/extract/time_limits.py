"""A limit of processor time on a piece of work that cannot be asked to stop.

Processor time, not the clock's: on a busy machine the same file must be read in the same way. In the main thread of
a process (where the isolated readers work) a signal interrupts the work in the middle; elsewhere, and on systems
without that signal, the work must call ``check`` now and then.
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
        self._until = time.process_time() + seconds

    def check(self) -> None:
        """Raise :class:`TooSlow` when the time is up."""
        if time.process_time() > self._until:
            raise TooSlow


@contextmanager
def time_limit(seconds: float) -> Iterator[Clock]:
    """Raise :class:`TooSlow` inside the block when it takes more than ``seconds`` of processor time."""
    clock = Clock(seconds)
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "ITIMER_VIRTUAL"):
        yield clock
        return

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGVTALRM, interrupt)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield clock
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
