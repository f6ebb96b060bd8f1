"""What a run tells of itself while it works, and the row in the state file that keeps it."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Protocol

from kb.core.errors import CancelledError, KbError
from kb.indexing.run_report import RunReport
from kb.state.runs import RunStore, Status

log = logging.getLogger(__name__)
# How often, in seconds, progress is written down and a wish to cancel is looked for.
PROGRESS_INTERVAL = 0.25


class Progress(Protocol):
    """What a run tells of its progress. Raising from a method cancels the run, which then leaves no trace."""

    def stage(self, name: str, total: int) -> None:
        """A stage begins: a Danish name and the number of steps, 0 where it is not known."""
        ...

    def step(self, count: int = 1, note: str = "") -> None:
        """``count`` steps of the stage are done; ``note`` says of what (a file's path)."""
        ...


class Silent:
    """Progress nobody looks at."""

    def stage(self, name: str, total: int) -> None:
        """Say nothing."""

    def step(self, count: int = 1, note: str = "") -> None:
        """Say nothing."""


class Recorder:
    """Progress that is also written to the run's row; raises :class:`CancelledError` when someone asks it to stop."""

    def __init__(self, state: RunStore, run_id: str, progress: Progress) -> None:
        self.run_id = run_id
        self.report: RunReport | None = None
        self._state = state
        self._progress = progress
        self._done = 0
        self._written = time.monotonic()

    def stage(self, name: str, total: int) -> None:
        """A stage begins."""
        self._done = 0
        self._stop_if_asked()
        self._state.begin_stage(self.run_id, name, total)
        self._progress.stage(name, total)

    def step(self, count: int = 1, note: str = "") -> None:
        """Steps are done; written down a few times a second."""
        self._done += count
        if time.monotonic() - self._written >= PROGRESS_INTERVAL:
            self._state.advance(self.run_id, self._done, note)
            self._stop_if_asked()
            self._written = time.monotonic()
        self._progress.step(count, note)

    def _stop_if_asked(self) -> None:
        if self._state.is_cancelled(self.run_id):
            raise CancelledError("Indekseringen blev annulleret. Det nuværende indeks er uændret.")


@contextmanager
def recorded(state: RunStore, started_by: str, job: str, progress: Progress) -> Iterator[Recorder]:
    """Give the run its row, and close it with the run's report or its error."""
    record = Recorder(state, state.begin_run(started_by, job), progress)
    try:
        yield record
    except BaseException as error:
        cancelled = isinstance(error, CancelledError | KeyboardInterrupt)
        status = Status.CANCELLED if cancelled else Status.FAILED
        _close(state, record.run_id, status, error=_described(error))
        raise
    assert record.report is not None
    _close(state, record.run_id, Status.DONE, report=asdict(record.report))


def _close(state: RunStore, run_id: str, status: Status, **how: Any) -> None:
    try:
        state.finish_run(run_id, status, **how)
    except sqlite3.Error as error:  # the run itself is over, and how it went must not depend on its minutes
        log.warning("Kørslens rapport kunne ikke gemmes: %s", error)


def _described(error: BaseException) -> dict[str, str]:
    if isinstance(error, KbError):
        return {"code": error.code, "message": str(error), "advice": error.advice}
    if isinstance(error, KeyboardInterrupt):
        return {"code": CancelledError.code, "message": "Indekseringen blev afbrudt fra tastaturet.", "advice": ""}
    return {"code": KbError.code, "message": f"{type(error).__name__}: {error}", "advice": ""}


class Stages:
    """A run's stages, told to its progress as they begin; ``seconds`` has the time of each that is over."""

    def __init__(self, progress: Progress) -> None:
        self.seconds: dict[str, float] = {}
        self.step = progress.step
        self._progress = progress

    @contextmanager
    def stage(self, name: str, total: int = 0) -> Iterator[None]:
        """Do a stage of so many steps, 0 where it is not known."""
        begun = time.perf_counter()
        self._progress.stage(name, total)
        yield
        self.seconds[name] = round(time.perf_counter() - begun, 3)
