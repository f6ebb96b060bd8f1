"""Previews and syncs of sources beside a server: asked for on the pages, or due, and carried out one after another.

    work = SourceJobs(settings, lambda: jobs)
    work.start("hr", Action.SYNC, by="drift")
    keep_syncing(work, stop=stop)       # every source, each as often as it is set up to be

A sync that changed something starts an indexing job. What came of it is in the source's state
(:mod:`kb.state.sources`), so nothing is lost with the server; what had not begun is due again when it starts.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from kb.core.errors import KbError
from kb.core.settings import Settings
from kb.operations.jobs import Jobs
from kb.operations.syncing import preview, sync
from kb.sources.configuration import Source, find_source, load_sources
from kb.state.sources import SourceState, SourceStore

log = logging.getLogger(__name__)
CHECKED_EVERY = 60.0
BY_ITSELF = "serveren"
# The files that a job tells of one by one; the run's report has them all.
MOST_TOLD = 200


class Action(StrEnum):
    """What is done to a source. The values are the words shown."""

    PREVIEW = "ses efter"
    SYNC = "synkroniseres"


@dataclass(frozen=True, slots=True)
class _Wanted:
    name: str
    action: Action
    by: str
    via: str = ""
    confirmed: int = 0


class SourceJobs:
    """The work on sources of one server, in a thread that ends when there is no more."""

    def __init__(self, settings: Settings, jobs: Callable[[], Jobs]) -> None:
        self.settings = settings
        self._jobs = jobs
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[_Wanted] = queue.SimpleQueue()
        self._busy: dict[str, Action] = {}
        self._thread: threading.Thread | None = None

    def busy(self) -> dict[str, Action]:
        """What is being done, or waits to be, by source."""
        with self._lock:
            return dict(self._busy)

    def start(self, name: str, action: Action, *, by: str, via: str = "", confirmed: int = 0) -> bool:
        """Ask for something to be done to a source; False where it is being worked on.

        Raises :class:`kb.core.errors.NotFoundError` for a source that is not set up.
        """
        find_source(self.settings, name)
        with self._lock:
            if name in self._busy:
                return False
            self._busy[name] = action
            self._queue.put(_Wanted(name, action, by, via, confirmed))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="kb-sources", daemon=True)
                self._thread.start()
        return True

    def start_due(self) -> None:
        """Ask for every source that is due; raises :class:`kb.core.errors.SettingsError`."""
        states = SourceStore(self.settings.state).states()
        for source in load_sources(self.settings).values():
            if is_due(source, states.get(source.name), datetime.now(UTC)):
                self.start(source.name, Action.SYNC, by=BY_ITSELF)

    def _work(self) -> None:
        while (wanted := self._next()) is not None:
            try:
                self._carry_out(wanted)
            except KbError as error:
                log.warning("Kilden %s: %s", wanted.name, error)  # its state says so too
            except Exception:
                log.exception("Kilden %s kunne ikke behandles", wanted.name)
            finally:
                with self._lock:
                    self._busy.pop(wanted.name, None)

    def _next(self) -> _Wanted | None:
        with self._lock:
            try:
                return self._queue.get_nowait()
            except queue.Empty:
                self._thread = None
                return None

    def _carry_out(self, wanted: _Wanted) -> None:
        source = find_source(self.settings, wanted.name)
        if wanted.action is Action.PREVIEW:
            preview(self.settings, source)
            return
        report = sync(self.settings, source, by=wanted.by, via=wanted.via, confirmed=wanted.confirmed)
        if report.changes:
            self._jobs().start(by=f"kilden {source.name}", files=report.paths[:MOST_TOLD])


def is_due(source: Source, state: SourceState | None, now: datetime) -> bool:
    """Whether a source is to be synced by itself; one that is only synced when asked for never is."""
    if not source.every_minutes:
        return False
    if state is None or not state.tried:
        return True
    return datetime.fromisoformat(state.tried) + timedelta(minutes=source.every_minutes) <= now


def keep_syncing(work: SourceJobs, *, stop: threading.Event, every: float = CHECKED_EVERY) -> threading.Thread | None:
    """Sync what is due in the background until ``stop`` is set; None where the server is not to."""
    if work.settings.sources_file is None or not work.settings.sync_sources:
        return None

    def keep() -> None:
        while not stop.wait(every):
            try:
                work.start_due()
            except (KbError, sqlite3.Error) as error:
                log.warning("Kilderne kunne ikke ses efter: %s", error)

    thread = threading.Thread(target=keep, name="sources", daemon=True)
    thread.start()
    return thread
