"""Indexing as a job in the background of a server: one at a time, its progress visible, its end remembered.

``Jobs.start`` returns at once. While a job is at work, what is asked for next waits and then runs once, however many
asked: a run takes in everything that lies in the corpus when it begins. Every job is kept in ``state/jobs.sqlite``, so
that its page still tells how it went after the server was started again; one that the server died under is "afbrudt".
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import uuid4

from kb import indexing
from kb.embed import Embedder
from kb.errors import KbError
from kb.settings import Settings

log = logging.getLogger(__name__)
FILE = "jobs.sqlite"
SHOWN = 20


class JobState(StrEnum):
    """Where a job is. The values are the words shown."""

    WAITING = "venter"
    RUNNING = "i gang"
    DONE = "færdig"
    FAILED = "fejlet"
    INTERRUPTED = "afbrudt"


ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.INTERRUPTED})


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands. ``files`` are the corpus paths it was started for, each with its state in words.

    ``stage`` is the stage at work with ``done`` of ``total`` steps (0: not known). ``report`` is what the run did, by
    file (:meth:`kb.indexing.RunReport.as_dict`); ``error`` why it failed, with ``advice``.
    """

    id: str
    created: str
    by: str
    state: JobState = JobState.WAITING
    stage: str = ""
    done: int = 0
    total: int = 0
    files: Mapping[str, str] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    advice: str = ""
    ended: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ENDED

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self)


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
        self._jobs: dict[str, Job] = {}
        self._thread: threading.Thread | None = None
        self._store = _JobStore(settings.state_dir / FILE)
        for job in self._store.load():
            over = job if job.is_over else replace(job, state=JobState.INTERRUPTED, ended=_now())
            self._jobs[job.id] = over
            if over is not job:
                self._store.save(over)

    def start(self, *, by: str, files: Sequence[str] = ()) -> Job:
        """Start a run, or join the one that waits; returns its job."""
        with self._lock:
            waiting = next((job for job in self._jobs.values() if job.state is JobState.WAITING), None)
            job = waiting or Job(id=uuid4().hex, created=_now(), by=by)
            job = replace(job, files={**job.files, **dict.fromkeys(files, "venter")})
            self._jobs[job.id] = job
            self._store.save(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="kb-jobs", daemon=True)
                self._thread.start()
            return job

    def get(self, job_id: str) -> Job | None:
        """A job by id."""
        with self._lock:
            return self._jobs.get(job_id)

    def newest(self) -> list[Job]:
        """The latest jobs, newest first."""
        with self._lock:
            return sorted(self._jobs.values(), key=lambda job: job.created, reverse=True)[:SHOWN]

    def _work(self) -> None:
        while (job := self._next()) is not None:
            self._run(job)

    def _next(self) -> Job | None:
        with self._lock:
            job = next((job for job in self._jobs.values() if job.state is JobState.WAITING), None)
            if job is None:
                self._thread = None
                return None
            self._jobs[job.id] = running = replace(job, state=JobState.RUNNING)
            self._store.save(running)
            return running

    def _run(self, job: Job) -> None:
        try:
            done = indexing.run(self._settings, self._embedder, started_by=job.by, progress=_Watcher(self, job.id))
            # As the file gives it back: lists for tuples.
            report = json.loads(json.dumps(done.as_dict()))
            failed = report["failed"]
            files = {path: failed[path]["grund"] if path in failed else "kan findes nu" for path in job.files}
            self.change(job.id, state=JobState.DONE, report=report, files=files, ended=_now())
        except KbError as error:
            self.change(job.id, state=JobState.FAILED, error=str(error), advice=error.advice, ended=_now())
        except Exception:
            log.exception("Indekseringen %s fejlede uventet", job.id)
            error_text = "Der skete en uventet fejl; se serverens log."
            self.change(job.id, state=JobState.FAILED, error=error_text, ended=_now())
        ended = self.get(job.id)
        assert ended is not None
        self._store.save(ended)

    def change(self, job_id: str, **changes: Any) -> None:
        """Put new values on a job."""
        with self._lock:
            self._jobs[job_id] = replace(self._jobs[job_id], **changes)


class _Watcher:
    """Turns a run's progress into the job's."""

    def __init__(self, jobs: Jobs, job_id: str) -> None:
        self._jobs = jobs
        self._id = job_id

    def _job(self) -> Job:
        job = self._jobs.get(self._id)
        assert job is not None
        return job

    def stage(self, name: str, total: int) -> None:
        """A stage begins."""
        files = self._job().files
        if not name.startswith(("plan", "læser")):
            files = dict.fromkeys(files, f"{name} …")
        self._jobs.change(self._id, stage=name, done=0, total=total, files=files)

    def step(self, count: int = 1, note: str = "") -> None:
        """Steps are done; ``note`` is the path of the file they were on."""
        job = self._job()
        files = {**job.files, note: "læst"} if note in job.files and job.stage == "læser" else job.files
        self._jobs.change(self._id, done=job.done + count, files=files)


class _JobStore:
    """The jobs' file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=10)
        connection.execute("CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, job TEXT NOT NULL) STRICT")
        return connection

    def save(self, job: Job) -> None:
        with closing(self._open()) as connection, connection:
            connection.execute("INSERT OR REPLACE INTO jobs VALUES (?, ?)", (job.id, json.dumps(job.as_dict())))

    def load(self) -> list[Job]:
        with closing(self._open()) as connection:
            rows = connection.execute("SELECT job FROM jobs").fetchall()
        kept = [json.loads(row[0]) for row in rows]
        return [Job(**{**values, "state": JobState(values["state"])}) for values in kept]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
