"""The progress of a run: its stages and steps, reported to a listener and recorded in the state database."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Protocol

from kb.core.errors import CancelledError, KbError, StorageError
from kb.indexing.run_report import RunReport
from kb.state.runs import RunStore, Status

log = logging.getLogger(__name__)
# Seconds between two records of the progress, and between two checks for a request to cancel.
PROGRESS_INTERVAL = 0.25


class Progress(Protocol):
    """Receives the progress of a run. An error raised by a method ends the run without changing the index."""

    def stage(self, name: str, total: int) -> None:
        """A stage begins: a Danish name and the number of steps, 0 where it is not known."""
        ...

    def step(self, count: int = 1, note: str = "") -> None:
        """``count`` steps of the stage are done; ``note`` names the item (a file's path)."""
        ...


class Silent:
    """Ignores the progress."""

    def stage(self, name: str, total: int) -> None:
        """Do nothing."""

    def step(self, count: int = 1, note: str = "") -> None:
        """Do nothing."""


class Recorder:
    """Records the progress in the run's row and passes it on; raises :class:`CancelledError` on a request to cancel."""

    def __init__(self, state: RunStore, run_id: str, progress: Progress) -> None:
        self.run_id = run_id
        self.report: RunReport | None = None
        self._state = state
        self._progress = progress
        self._done = 0
        self._recorded_at = time.monotonic()

    def stage(self, name: str, total: int) -> None:
        """A stage begins."""
        self._done = 0
        self._raise_if_cancelled()
        self._state.begin_stage(self.run_id, name, total)
        self._progress.stage(name, total)

    def step(self, count: int = 1, note: str = "") -> None:
        """Steps are done; recorded a few times a second."""
        self._done += count
        if time.monotonic() - self._recorded_at >= PROGRESS_INTERVAL:
            self._state.advance(self.run_id, self._done, note)
            self._raise_if_cancelled()
            self._recorded_at = time.monotonic()
        self._progress.step(count, note)

    def _raise_if_cancelled(self) -> None:
        if self._state.is_cancelled(self.run_id):
            raise CancelledError("Indekseringen blev annulleret. Det nuværende indeks er uændret.")


@contextmanager
def recorded(state: RunStore, started_by: str, job: str, progress: Progress) -> Iterator[Recorder]:
    """Insert the run's row, and complete it with the run's report or its error."""
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


def _close(state: RunStore, run_id: str, status: Status, **outcome: Any) -> None:
    try:
        state.finish_run(run_id, status, **outcome)
    # The run is over; its outcome must not depend on whether it could be recorded.
    except (StorageError, sqlite3.Error) as error:
        log.warning("Kørslens rapport kunne ikke gemmes: %s", error)


def _described(error: BaseException) -> dict[str, str]:
    if isinstance(error, KbError):
        return {"code": error.code, "message": str(error), "advice": error.advice}
    if isinstance(error, KeyboardInterrupt):
        return {"code": CancelledError.code, "message": "Indekseringen blev afbrudt fra tastaturet.", "advice": ""}
    return {"code": KbError.code, "message": f"{type(error).__name__}: {error}", "advice": ""}


class Stages:
    """The stages of a run, reported as they begin; ``seconds`` has the duration of each completed stage."""

    def __init__(self, progress: Progress) -> None:
        self.seconds: dict[str, float] = {}
        self.step = progress.step
        self._progress = progress

    @contextmanager
    def stage(self, name: str, total: int = 0) -> Iterator[None]:
        """A stage of ``total`` steps, 0 where the number is not known."""
        begun = time.perf_counter()
        self._progress.stage(name, total)
        yield
        self.seconds[name] = round(time.perf_counter() - begun, 3)
