"""The process that carries out one job for :mod:`kb.jobs`: settings, embedder and the job's id come on standard input.

It holds its place in the queue while another run (``kb index`` on the command line) has the index, and writes how the
job ended to the state file itself, so that the job is finished even when the server that started it is gone.
"""

from __future__ import annotations

import logging
import os
import pickle
import sys
import time

from kb import indexing
from kb.embed import Embedder
from kb.errors import CancelledError, KbError, LockedError
from kb.settings import Settings
from kb.state import State, Status, StoredJob

log = logging.getLogger(__name__)
NICENESS = 15
WAITING_FOR_LOCK = "venter på en anden indeksering"
FOUND = "kan findes nu"
READING = "læser"
RETRY = 0.3


class Watcher:
    """Turns a run's progress into words about the job's files."""

    def __init__(self, state: State, job: StoredJob) -> None:
        self._state = state
        self._job = job
        self._files = dict(job.files)
        self._stage = ""

    def stage(self, name: str, total: int) -> None:
        """A stage begins; until files are read, nothing is said of them."""
        self._stage = name
        if not name.startswith(("finder", READING)):
            self.tell(dict.fromkeys(self._files, f"{name} …"))

    def step(self, count: int = 1, note: str = "") -> None:
        """``note`` is the path of the file that was read."""
        if self._stage == READING and note in self._files:
            self.tell({note: "læst"})

    def tell(self, files: dict[str, str]) -> None:
        """Put new words on some of the files."""
        if files:
            self._files |= files
            self._state.tell_job(self._job.id, self._files)

    def tell_all(self, words: str) -> None:
        """Put the same words on all of them."""
        self.tell(dict.fromkeys(self._files, words))


def carry_out(settings: Settings, embedder: Embedder, job_id: str) -> None:
    """Run the job to its end, whatever it is, and write it down."""
    with State(settings.state_dir) as state:
        job = state.job(job_id)
        watcher = Watcher(state, job)
        try:
            report = _run(settings, embedder, state, job, watcher)
        except CancelledError:
            watcher.tell_all("annulleret")
            state.finish_job(job_id, Status.CANCELLED)
        except KbError as error:
            state.finish_job(job_id, Status.FAILED, str(error), error.advice)
        except Exception:
            log.exception("Jobbet %s fejlede uventet", job_id)
            state.finish_job(job_id, Status.FAILED, "Der skete en uventet fejl; se serverens log.")
        else:
            failed = report.failed
            watcher.tell({path: failed[path]["grund"] if path in failed else FOUND for path in job.files})
            state.finish_job(job_id, Status.DONE)


def _run(
    settings: Settings, embedder: Embedder, state: State, job: StoredJob, watcher: Watcher
) -> indexing.RunReport:
    while True:
        try:
            return indexing.run(
                settings, embedder, full=job.full, started_by=job.asked_by, job=job.id, progress=watcher
            )
        except LockedError:
            if state.job(job.id).cancel:
                raise CancelledError("Indekseringen blev annulleret, før den begyndte.") from None
            watcher.tell_all(WAITING_FOR_LOCK)
            time.sleep(RETRY)


if __name__ == "__main__":
    os.nice(NICENESS)
    # Only the server that started this process can write to its standard input.
    carry_out(*pickle.load(sys.stdin.buffer))  # noqa: S301
