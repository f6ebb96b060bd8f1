"""Indexing jobs beside a server: queued, run one at a time, with progress, cancellable, recorded.

``Jobs.start`` returns at once. Requests that come while a job runs are joined into one job that runs next, as a run
takes in everything in the corpus when it begins. A job does what ``kb index`` does, in a process of its own
(:mod:`kb.operations.job_process`) at low priority and with one processor left free, so that questions are answered
without delay meanwhile; if it crashes or runs out of memory, the server goes on.

Jobs are stored in the state database. A job whose process died together with the server (a power cut) returns to its
place in the queue when the server starts, and continues from what was read and embedded; one whose process survived is
left to finish. Of a server's several workers, any takes jobs in, and whoever holds the queue's lock carries them out.
Where servers on several machines have the same state, each takes a job that no other has; one whose machine shows no
life is put back in the queue by the others. While the database is away, work that has begun waits for it.
"""

from __future__ import annotations

import logging
import os
import pickle
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from kb.core.child_process import environment_of_child
from kb.core.errors import InstallationError, KbError, NotFoundError, StateUnavailableError
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.state.runs import PATIENCE, JobFile, Run, RunStore, StoredJob, this_host
from kb.state.runs import Status as JobState

__all__ = ["Job", "JobState", "Jobs"]

log = logging.getLogger(__name__)
SHOWN = 20
QUEUE_LOCK = "jobs.lock"
PROCESS = "kb.operations.job_process"
# Seconds between two checks of a running process, and seconds from a request to cancel until it is killed.
POLL_INTERVAL = 0.1
GRACE_PERIOD = 10.0
# Seconds between two looks for jobs whose process is gone, and how many must find no new sign of life of another
# machine's; its process gives one every :data:`kb.operations.job_process.BEAT` seconds.
RECOVERY_INTERVAL = 2.0
LOOKS_UNTIL_LOST = 30


@dataclass(frozen=True, slots=True)
class Job:
    """The state of a job. ``files`` are the corpus paths it was started for, and the names of files refused with them.

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
        """Whether the job has ended."""
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
        self._state = RunStore(settings.state)
        # What carries jobs out waits for the database; what answers requests does not.
        self._patient = RunStore(settings.state, patience=PATIENCE)
        self._elsewhere = OtherMachines()
        self.recover()

    def start(
        self,
        *,
        by: str,
        files: Sequence[str] = (),
        refused: Mapping[str, str] | None = None,
        full: bool = False,
        only_own: bool = False,
    ) -> Job:
        """Start a run, or join the one that waits (``only_own``: one that the same asked for); returns its job.

        ``refused`` are files sent together with the others that could not be taken in: why, by their names. ``full``
        reads every file again.
        """
        refusals = {name: JobFile(why, over=True) for name, why in (refused or {}).items()}
        told = {**dict.fromkeys(files, JobFile()), **refusals}
        stored = self._state.add_job(by, full=full, files=told, only_own=only_own)
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
        self.recover()
        return [self._view(stored) for stored in self._state.jobs(SHOWN)]

    def cancel(self, job_id: str) -> Job:
        """Cancel a waiting job at once, or request that a running one stop; raises :class:`NotFoundError`."""
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

    def recover(self) -> None:
        """Requeue jobs whose process has died, and start the worker if any job is waiting."""
        with self._lock:
            if self._thread is None:
                # Whoever holds the queue requeues them itself, before each job it takes.
                with suppress(Timeout), self._queue(blocking=False):
                    self._requeue_lost()
        if self._state.has_waiting_job():
            self._ensure_worker()

    def _queue(self, *, blocking: bool) -> FileLock:
        """The queue's lock: who holds it knows that no other process is between taking a job and owning it."""
        path = self._settings.state_dir / QUEUE_LOCK
        return FileLock(path, blocking=blocking, poll_interval=POLL_INTERVAL, fallback_to_soft=False)

    def _requeue_lost(self) -> None:
        for job in self._state.jobs_at_work():
            # A file is of this machine alone, whatever it was called when the job began (a container's name changes).
            here = not self._state.is_shared or job.host in {"", this_host()}
            if not _is_alive(job.owner) if here else self._elsewhere.is_lost(job, time.monotonic()):
                self._state.requeue_job(job)

    def _ensure_worker(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="kb-jobs", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        try:
            with self._queue(blocking=True):
                while (job := self._next()) is not None:
                    self._try(job)
        finally:
            with self._lock:
                if self._thread is threading.current_thread():  # the queue could not be held: whoever asks next tries
                    self._thread = None

    def _try(self, job: StoredJob) -> None:
        try:
            self._carry_out(job)
        except Exception:
            log.exception("Jobbet %s kunne ikke udføres", job.id)
            self._patient.finish_job(job.id, JobState.FAILED, "Der skete en uventet fejl; se serverens log.")

    def _next(self) -> StoredJob | None:
        with self._lock:
            try:
                self._requeue_lost()
                job = self._state.claim_job(os.getpid())
            except StateUnavailableError:  # whoever looks for jobs when it answers again begins anew
                job = None
            if job is None:
                self._thread = None
            return job

    def _carry_out(self, job: StoredJob) -> None:
        """Run the job in a process of its own and wait until it ends."""
        with subprocess.Popen(
            [sys.executable, "-P", "-m", PROCESS],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,  # an interrupt from the server's terminal must not reach it
        ) as process:
            self._patient.own_job(job.id, process.pid)
            assert process.stdin is not None
            with suppress(BrokenPipeError):
                pickle.dump((self._settings, self._embedder, job.id), process.stdin)
                process.stdin.close()
            self._wait(job.id, process)
        after = self._patient.job(job.id)
        if after.cancel and not after.status.over:
            self._patient.finish_job(job.id, JobState.CANCELLED)
        elif after.status is JobState.RUNNING and after.owner == process.pid:
            self._patient.finish_job(job.id, JobState.FAILED, *_why_ended(process.returncode))

    def _is_cancelled(self, job_id: str) -> bool:
        try:
            return self._state.job(job_id).cancel
        except StateUnavailableError:
            return False

    def _wait(self, job_id: str, process: subprocess.Popen[bytes]) -> None:
        asked_at = 0.0
        while process.poll() is None:
            if not asked_at and self._is_cancelled(job_id):
                asked_at = time.monotonic()
            if asked_at and time.monotonic() - asked_at > GRACE_PERIOD:
                process.kill()  # runs survive being killed at any moment
            time.sleep(POLL_INTERVAL)


class OtherMachines:
    """Whether the processes of other machines' jobs live, judged by this process's clock alone.

    Looks that find the same sign of life are counted, so that the time in which nobody could look counts for nothing.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[tuple[str, int, int], int, float]] = {}

    def is_lost(self, job: StoredJob, now: float) -> bool:
        """Look at a job that is marked as running."""
        sign = (job.host, job.owner, job.beats)
        known, looks, at = self._seen.get(job.id, (None, 0, 0.0))
        if known != sign:
            self._seen[job.id] = (sign, 0, now)
        elif now - at >= RECOVERY_INTERVAL:
            looks += 1
            self._seen[job.id] = (sign, looks, now)
        return known == sign and looks >= LOOKS_UNTIL_LOST


def keep_recovering(jobs: Callable[[], Jobs], stop: threading.Event) -> None:
    """Look for jobs whose process is gone, of this machine and others, until ``stop`` is set."""
    while not stop.wait(RECOVERY_INTERVAL):
        try:
            jobs().recover()
        except (KbError, OSError, sqlite3.Error) as error:
            log.warning("Job kunne ikke ses efter: %s", error)


_NO_RUN = Run(id="", job="", started_by="", started="", finished="", status=JobState.WAITING)


def _why_ended(code: int) -> tuple[str, str]:
    """The error and advice for a process that ended without recording the outcome of its job."""
    if code > 0:  # it exited by itself: a module cannot be loaded
        error = f"Indekseringen kunne ikke begynde (kode {code}). Det nuværende indeks er uændret."
        return error, f"Se serverens log. {InstallationError.advice}"
    error = "Indekseringen gik ned, måske fordi hukommelsen slap op. Det nuværende indeks er uændret."
    return error, "Start den igen; det, der er nået, går ikke tabt."


def _is_alive(owner: int) -> bool:
    """Whether the process of a job is running; False where its number now belongs to another program."""
    try:
        os.kill(owner, 0)
    except (ProcessLookupError, PermissionError, OverflowError):
        return False
    try:
        return PROCESS.encode() in Path(f"/proc/{owner}/cmdline").read_bytes()
    except OSError:
        return True  # a system without /proc


def _environment() -> dict[str, str]:
    """The environment of the process: one processor less for computing."""
    threads = str(max(1, (os.cpu_count() or 1) - 1))
    return {"OMP_NUM_THREADS": threads, **environment_of_child()}
