"""Indexing as a job beside a server: one at a time, queued, its progress visible, cancellable, remembered.

``Jobs.start`` returns at once. While a job is at work, what is asked for next waits and then runs once, however many
asked: a run takes in everything that lies in the corpus when it begins. A job is the run that ``kb index`` makes, in a
process of its own (:mod:`kb.operations.job_process`) with the lowest of priorities and one processor left alone, so
that questions are answered meanwhile as fast as ever; should it crash or eat the memory, the server goes on.

Jobs are kept in the state file. A job whose process died together with the server (a power cut) goes back to its place
in the queue when the server comes up, and carries on from what was read and embedded; one whose process lived on is
left to finish.
"""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kb.core.errors import InstallationError, NotFoundError
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.state.runs import JobFile, Run, RunStore, StoredJob
from kb.state.runs import Status as JobState

__all__ = ["Job", "JobState", "Jobs"]

log = logging.getLogger(__name__)
SHOWN = 20
PROCESS = "kb.operations.job_process"
# Seconds between looks at a process at work, and how long one asked to stop may take before it is made to.
LOOK = 0.1
GRACE = 10.0


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands. ``files`` are the corpus paths it was started for, and the names of files refused with them.

    ``stage`` is the stage at work with ``done`` of ``total`` steps (0: not known), ``file`` the file it is at and
    ``seconds_left`` an estimate for the stage (None: not known). ``report`` is what the run did, by file
    (:class:`kb.indexing.RunReport`); ``error`` why it failed, with ``advice``. ``stopping`` when it has been
    asked to stop and has not yet.
    """

    id: str
    created: str
    by: str
    state: JobState = JobState.WAITING
    stage: str = ""
    done: int = 0
    total: int = 0
    file: str = ""
    seconds_left: float | None = None
    files: Mapping[str, JobFile] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    advice: str = ""
    ended: str = ""
    run_id: str = ""
    stopping: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state.over


class Jobs:
    """The jobs of one server.

    jobs = Jobs(settings, embedder)
    job = jobs.start(by="redaktionen", files=["indlagt/rapport.pdf"])
    jobs.get(job.id).state
    """

    def __init__(self, settings: Settings, embedder: Embedder) -> None:
        self._settings = settings
        self._embedder = embedder
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._at_work = ""
        self._state = RunStore(settings.state_dir)
        self._take_up()

    def start(
        self, *, by: str, files: Sequence[str] = (), refused: Mapping[str, str] | None = None, full: bool = False
    ) -> Job:
        """Start a run, or join the one that waits; returns its job.

        ``refused`` are files sent together with the others that could not be taken in: why, by their names. ``full``
        reads every file again.
        """
        told = {name: JobFile(why, over=True) for name, why in (refused or {}).items()}
        stored = self._state.add_job(by, full=full, files={**dict.fromkeys(files, JobFile()), **told})
        self._ensure_worker()
        return self._view(stored)

    def get(self, job_id: str) -> Job | None:
        """A job by id."""
        try:
            return self._view(self._state.job(job_id))
        except NotFoundError:
            return None

    def newest(self) -> list[Job]:
        """The latest jobs, newest first."""
        self._take_up()
        return [self._view(stored) for stored in self._state.jobs(SHOWN)]

    def cancel(self, job_id: str) -> Job:
        """Cancel a waiting job at once, and ask one at work to stop; raises :class:`NotFoundError`."""
        return self._view(self._state.cancel_job(job_id))

    def _view(self, stored: StoredJob) -> Job:
        run = self._state.run_of_job(stored.id) or _NO_RUN
        return Job(
            id=stored.id,
            created=stored.created,
            by=stored.asked_by,
            state=stored.status,
            stage=run.stage,
            done=run.done,
            total=run.total,
            file=run.note,
            seconds_left=run.seconds_left,
            files=stored.files,
            report=run.report,
            error=stored.error,
            advice=stored.advice,
            ended=stored.finished,
            run_id=run.id,
            stopping=stored.cancel and not stored.status.over,
        )

    def _take_up(self) -> None:
        """Put jobs whose process is gone back in the queue, and see to it that someone works at the queue."""
        with self._lock:
            lost = [job for job in self._state.jobs_at_work() if job.id != self._at_work and not _is_alive(job.owner)]
        for job in lost:
            self._state.own_job(job.id, 0)
        if self._state.has_waiting_job():
            self._ensure_worker()

    def _ensure_worker(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="kb-jobs", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._carry_out(job)
            except Exception:
                log.exception("Jobbet %s kunne ikke udføres", job.id)
                self._state.finish_job(job.id, JobState.FAILED, "Der skete en uventet fejl; se serverens log.")

    def _next(self) -> StoredJob | None:
        with self._lock:
            job = self._state.claim_job(os.getpid())
            self._at_work = job.id if job else ""
            if job is None:
                self._thread = None
            return job

    def _carry_out(self, job: StoredJob) -> None:
        """Run the job in a process of its own and wait for its end."""
        with subprocess.Popen(
            [sys.executable, "-P", "-m", PROCESS],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,  # an interrupt of the server is not meant for it
        ) as process:
            self._state.own_job(job.id, process.pid)
            assert process.stdin is not None
            with suppress(BrokenPipeError):
                pickle.dump((self._settings, self._embedder, job.id), process.stdin)
                process.stdin.close()
            self._wait(job.id, process)
        after = self._state.job(job.id)
        if after.cancel and not after.status.over:
            self._state.finish_job(job.id, JobState.CANCELLED)
        elif not after.status.over:
            self._state.finish_job(job.id, JobState.FAILED, *_why_ended(process.returncode))

    def _wait(self, job_id: str, process: subprocess.Popen[bytes]) -> None:
        asked_at = 0.0
        while process.poll() is None:
            if not asked_at and self._state.job(job_id).cancel:
                asked_at = time.monotonic()
            if asked_at and time.monotonic() - asked_at > GRACE:
                process.kill()  # runs survive being killed at any moment
            time.sleep(LOOK)


_NO_RUN = Run(id="", job="", started_by="", started="", finished="", status=JobState.WAITING)


def _why_ended(code: int) -> tuple[str, str]:
    """What to say of a process that ended without writing how its job went, and what to do next."""
    if code > 0:  # it gave up by itself: its modules cannot be loaded
        error = f"Indekseringen kunne ikke begynde (kode {code}). Det nuværende indeks er uændret."
        return error, f"Se serverens log. {InstallationError.advice}"
    error = "Indekseringen gik ned, måske fordi hukommelsen slap op. Det nuværende indeks er uændret."
    return error, "Start den igen; det, der er nået, går ikke tabt."


def _is_alive(owner: int) -> bool:
    """Whether a job's process is at work; a number that now belongs to another program does not count."""
    try:
        os.kill(owner, 0)
    except (ProcessLookupError, PermissionError, OverflowError):
        return False
    try:
        return PROCESS.encode() in Path(f"/proc/{owner}/cmdline").read_bytes()
    except OSError:
        return True  # a system without /proc


def _environment() -> dict[str, str]:
    """The process finds what this one can import, and leaves a processor to those who ask questions."""
    threads = str(max(1, (os.cpu_count() or 1) - 1))
    path = os.pathsep.join([str(Path(__file__).parents[2]), *(entry for entry in sys.path if entry)])
    return {"OMP_NUM_THREADS": threads, **os.environ, "PYTHONPATH": path}
