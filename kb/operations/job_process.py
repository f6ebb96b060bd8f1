"""The process that carries out one job for :mod:`kb.operations.jobs`: what it needs comes on standard input.

It holds its place in the queue while another run (``kb index`` on the command line) has the index, and writes how the
job ended to the state file itself, so that the job is finished even when the server that started it is gone.
"""

from __future__ import annotations

import logging
import os
import pickle
import sys
import time
from collections.abc import Mapping

from kb import indexing
from kb.core.errors import CancelledError, KbError, LockedError
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.index.store import ReadCache
from kb.index.verification import READINGS_CACHE
from kb.state.runs import JobFile, RunStore, Status, StoredJob

log = logging.getLogger(__name__)
NICENESS = 15
FOUND = "kan findes nu"
READING = "læser"
RETRY = 0.3


class Watcher:
    """Turns a run's progress into words about the job's files; why one cannot be read is told when it is known."""

    def __init__(self, settings: Settings, state: RunStore, job: StoredJob) -> None:
        self._settings = settings
        self._state = state
        self._job = job
        self._files = dict(job.files)
        self._stage = ""

    def stage(self, name: str, total: int) -> None:
        """A stage begins; until files are read, nothing is said of them."""
        read_now = self._stage == READING
        self._stage = name
        if name.startswith(("finder", READING)):
            return
        if read_now:
            self.tell({path: JobFile(why, over=True) for path in self._open() if (why := self._failure(path))})
        self.tell_all(JobFile(f"{name} …"))

    def step(self, count: int = 1, note: str = "") -> None:
        """``note`` is the path of the file that was read."""
        if self._stage == READING and note in self._open():
            self.tell({note: JobFile(self._failure(note) or "læst")})

    def _open(self) -> list[str]:
        return [path for path, file in self._files.items() if not file.over]

    def _failure(self, path: str) -> str:
        with ReadCache(self._settings.index_dir / READINGS_CACHE) as readings:
            return readings.failure(str(self._settings.corpus.resolve()), path)

    def tell(self, files: Mapping[str, JobFile]) -> None:
        """Put new words on some of the files."""
        if files:
            self._files.update(files)
            self._state.tell_job(self._job.id, self._files)

    def tell_all(self, words: JobFile) -> None:
        """Put the same words on all that nothing final was said of."""
        self.tell(dict.fromkeys(self._open(), words))

    def finish(self, report: indexing.RunReport) -> None:
        """Say of each file what became of it."""
        self.tell({path: JobFile(_outcome(path, report), over=True) for path in self._open()})


def _outcome(path: str, report: indexing.RunReport) -> str:
    if path in report.failed:
        return report.failed[path]["grund"]
    if path in report.partial:
        return f"{FOUND}, men kun en del er læst: {report.partial[path]}"
    there = path in {*report.added, *report.changed, *report.unchanged}
    return FOUND if there else "ligger ikke længere i mappen med rapporter"


def carry_out(settings: Settings, embedder: Embedder, job_id: str) -> None:
    """Run the job to its end, whatever it is, and write it down."""
    with RunStore(settings.state_dir) as state:
        job = state.job(job_id)
        watcher = Watcher(settings, state, job)
        try:
            report = _run(settings, embedder, state, job, watcher)
        except CancelledError:
            state.finish_job(job_id, Status.CANCELLED)
        except KbError as error:
            state.finish_job(job_id, Status.FAILED, str(error), error.advice)
        except Exception:
            log.exception("Jobbet %s fejlede uventet", job_id)
            state.finish_job(job_id, Status.FAILED, "Der skete en uventet fejl; se serverens log.")
        else:
            watcher.finish(report)
            state.finish_job(job_id, Status.DONE)


def _run(
    settings: Settings, embedder: Embedder, state: RunStore, job: StoredJob, watcher: Watcher
) -> indexing.RunReport:
    while True:
        try:
            return indexing.run(
                settings, embedder, full=job.full, started_by=job.asked_by, job=job.id, progress=watcher
            )
        except LockedError:
            if state.job(job.id).cancel:
                raise CancelledError("Indekseringen blev annulleret, før den begyndte.") from None
            watcher.tell_all(JobFile("venter på en anden indeksering"))
            time.sleep(RETRY)


if __name__ == "__main__":
    os.nice(NICENESS)
    # Only the server that started this process can write to its standard input.
    carry_out(*pickle.load(sys.stdin.buffer))  # noqa: S301
