"""The process that carries out one job for :mod:`kb.operations.jobs`, which sends it its arguments on standard input.

It waits while another run (``kb index`` on the command line) holds the index, and records the outcome of the job in the
state database itself, so that the job is completed even when the server that started it is gone.
"""

from __future__ import annotations

import logging
import os
import pickle
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from kb import indexing
from kb.core.errors import CancelledError, KbError, LockedError, StateUnavailableError
from kb.core.paths import holders
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.index.store import ReadCache
from kb.index.verification import READINGS_CACHE
from kb.state.runs import PATIENCE, JobFile, RunStore, Status, StoredJob

log = logging.getLogger(__name__)
NICENESS = 15
SEARCHABLE = "kan findes nu"
READING = "læser"
RETRY = 0.3
# Seconds between two signs of life.
BEAT = 5.0


class FileStates:
    """Translates a run's progress into the states of the job's files; failures are recorded as they occur."""

    def __init__(self, settings: Settings, state: RunStore, job: StoredJob) -> None:
        self._settings = settings
        self._state = state
        self._job = job
        self._files = dict(job.files)
        self._stage = ""

    def stage(self, name: str, total: int) -> None:
        """A stage begins; the states do not change until files are read."""
        read_now = self._stage == READING
        self._stage = name
        if name.startswith(("finder", READING)):
            return
        if read_now:
            self.update({path: JobFile(why, over=True) for path in self._open() if (why := self._failure(path))})
        self.update_all(JobFile(f"{name} …"))

    def step(self, count: int = 1, note: str = "") -> None:
        """``note`` is the path of the file that was read."""
        if self._stage == READING and note in self._open():
            self.update({note: JobFile(self._failure(note) or "læst")})

    def _open(self) -> list[str]:
        return [path for path, file in self._files.items() if not file.over]

    def _failure(self, path: str) -> str:
        with ReadCache(self._settings.index_dir / READINGS_CACHE) as readings:
            return readings.failure(str(self._settings.corpus.resolve()), path)

    def update(self, files: Mapping[str, JobFile]) -> None:
        """Record new states of some of the files."""
        if files:
            self._files.update(files)
            self._state.tell_job(self._job.id, self._files)

    def update_all(self, state: JobFile) -> None:
        """Record the same state of all files that have no final one."""
        self.update(dict.fromkeys(self._open(), state))

    def finish(self, report: indexing.RunReport) -> None:
        """Record the final state of each file from the run's report."""
        self.update({path: JobFile(_outcome(path, report), over=True) for path in self._open()})


def _outcome(path: str, report: indexing.RunReport) -> str:
    if path in report.failed:
        return report.failed[path]["grund"]
    if path in report.partial:
        return f"{SEARCHABLE}, men kun en del er læst: {report.partial[path]}"
    found = {*report.added, *report.changed, *report.unchanged}
    indexed = path in found or any(path in holders(other) for other in found)
    if indexed and (unread := sum(path in holders(other) for other in report.failed)):
        return f"{SEARCHABLE}, men {unread} af filerne i den er ikke læst"
    return SEARCHABLE if indexed else "ligger ikke længere i mappen med rapporter"


def carry_out(settings: Settings, embedder: Embedder, job_id: str) -> None:
    """Run the job and record its outcome, whatever it is."""
    with RunStore(settings.state, patience=PATIENCE) as state, _beating(state, job_id):
        job = state.job(job_id)
        file_states = FileStates(settings, state, job)
        try:
            report = _run(settings, embedder, state, job, file_states)
        except CancelledError:
            state.finish_job(job_id, Status.CANCELLED)
        except StateUnavailableError:
            state.own_job(job_id, 0)  # in the middle of something: it is done again from where it came to
        except KbError as error:
            state.finish_job(job_id, Status.FAILED, str(error), error.advice)
        except Exception:
            log.exception("Jobbet %s fejlede uventet", job_id)
            state.finish_job(job_id, Status.FAILED, "Der skete en uventet fejl; se serverens log.")
        else:
            file_states.finish(report)
            state.finish_job(job_id, Status.DONE)


@contextmanager
def _beating(state: RunStore, job_id: str) -> Iterator[None]:
    """Show other machines that this process lives, where the state is theirs too."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT):
            with suppress(KbError):  # the others look again when they and this one can
                state.beat_job(job_id, os.getpid())

    if state.is_shared:
        threading.Thread(target=beat, name="kb-beat", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _run(
    settings: Settings, embedder: Embedder, state: RunStore, job: StoredJob, file_states: FileStates
) -> indexing.RunReport:
    while True:
        try:
            return indexing.run(
                settings, embedder, full=job.full, started_by=job.asked_by, job=job.id, progress=file_states
            )
        except LockedError:
            if state.job(job.id).cancel:
                raise CancelledError("Indekseringen blev annulleret, før den begyndte.") from None
            file_states.update_all(JobFile("venter på en anden indeksering"))
            time.sleep(RETRY)


if __name__ == "__main__":
    os.nice(NICENESS)
    # Only the server that started this process can write to its standard input.
    carry_out(*pickle.load(sys.stdin.buffer))  # noqa: S301
