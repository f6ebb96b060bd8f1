"""The runs and the jobs, in the state database.

Every indexing run has a row from its start: who or what started it, its progress, and at the end its report or error.
A run that was killed leaves its row unfinished; the next run, which holds the index's lock and so knows that no other
is running, closes it as interrupted. Jobs are the runs requested from the pages and the API, in the order of the
requests. Any process may request that a run or job be cancelled; the run notices at its next step. The table of
arrivals has, from the runs' reports, the time each file was last taken in as new or changed.
"""

from __future__ import annotations

import functools
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from kb.core.errors import NotFoundError, StateUnavailableError
from kb.core.state_place import StatePlace
from kb.state.database import Database, by_name
from kb.state.repository import repository_of

KEPT_RUNS = 1000
KEPT_JOBS = 1000
# Seconds for which work that has begun waits for a database that is away, and between two tries.
PATIENCE = 3600.0
BETWEEN_TRIES = 1.0
P = ParamSpec("P")
Answer = TypeVar("Answer")


class Status(StrEnum):
    """The state of a run or a job. The values are the words shown."""

    WAITING = "venter"
    RUNNING = "i gang"
    DONE = "færdig"
    FAILED = "fejlet"
    CANCELLED = "annulleret"
    INTERRUPTED = "afbrudt"

    @property
    def over(self) -> bool:
        """Whether the run or job has ended."""
        return self not in {Status.WAITING, Status.RUNNING}


# The final words about a job's unfinished files, by how the job ended.
UNFINISHED_FILES = {Status.CANCELLED: "annulleret", Status.FAILED: "kom ikke med"}


@dataclass(frozen=True, slots=True)
class Run:
    """One indexing run. ``total`` is 0 where the number of steps is not known; times are ISO 8601, empty before."""

    id: str
    job: str
    started_by: str
    started: str
    finished: str
    status: Status
    stage: str = ""
    done: int = 0
    total: int = 0
    note: str = ""
    stage_from: str = ""
    updated: str = ""
    cancel: bool = False
    error: Mapping[str, str] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seconds_left(self) -> float | None:
        """The estimated time left of the current stage, from its pace so far; None while it is unknown."""
        if self.status is not Status.RUNNING or not self.total or not self.done:
            return None
        spent = (_time(self.updated) - _time(self.stage_from)).total_seconds()
        return round(spent / self.done * (self.total - self.done), 1)


@dataclass(frozen=True, slots=True)
class JobFile:
    """The state of a file of a job in words; ``over`` when it is final."""

    state: str = "venter"
    over: bool = False


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A run requested from the pages or the API, with the ``files`` it was requested for by path.

    A file that was refused on upload is among them under its name, and is over from the start. ``owner`` is the process
    that carries it out, on the machine ``host``, and ``beats`` changes as long as that process lives.
    """

    id: str
    asked_by: str
    created: str
    full: bool
    status: Status
    owner: int = 0
    finished: str = ""
    cancel: bool = False
    files: Mapping[str, JobFile] = field(default_factory=dict)
    error: str = ""
    advice: str = ""
    host: str = ""
    beats: int = 0


def _patiently(
    method: Callable[Concatenate[RunStore, P], Answer],
) -> Callable[Concatenate[RunStore, P], Answer]:
    """Do it again until the database answers, or the store's patience is at its end.

    For what may be done twice: whether it was done, nobody knows when the answer to the commit did not come.
    """

    @functools.wraps(method)
    def done(store: RunStore, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        until = time.monotonic() + store.patience
        while True:
            try:
                return method(store, *args, **kwargs)
            except StateUnavailableError:
                if time.monotonic() >= until:
                    raise
                time.sleep(BETWEEN_TRIES)

    return done


class RunStore:
    """The tables of runs and jobs, kept open; safe to use from several threads and processes.

        with RunStore(settings.state) as store:
            store.runs(10)

    What a run and the process of a job need is waited for ``patience`` seconds while the database is away. Raises what
    :class:`kb.state.repository.Repository` raises.
    """

    def __init__(self, place: StatePlace, *, patience: float = 0) -> None:
        repository = repository_of(place)
        self.patience = patience
        self.is_shared = repository.is_shared
        self._held = repository.kept()

    def __enter__(self) -> RunStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._held.close()

    # --- Runs ---

    @_patiently
    def begin_run(self, started_by: str, job: str = "") -> str:
        """Insert a run and return its id. The caller holds the index's lock, so runs marked as running have died."""
        now = _now()
        with self._write() as db:
            crashed = (Status.INTERRUPTED.value, now, Status.RUNNING.value)
            db.execute("UPDATE runs SET status = ?, finished = ? WHERE status = ?", crashed)
            run_id = _new_id(db, "runs")
            db.execute(
                "INSERT INTO runs VALUES (?,?,?,?,'',?,'',0,0,'',?,?,0,'','')",
                (run_id, job, started_by, now, Status.RUNNING.value, now, now),
            )
            _trim(db, "runs", KEPT_RUNS)
        return run_id

    @_patiently
    def begin_stage(self, run_id: str, stage: str, total: int) -> None:
        """Record that the run begins a stage of ``total`` steps (0: not known)."""
        now = _now()
        with self._write() as db:
            db.execute(
                "UPDATE runs SET stage = ?, done = 0, total = ?, note = '', stage_from = ?, updated = ? WHERE id = ?",
                (stage, total, now, now, run_id),
            )

    @_patiently
    def advance(self, run_id: str, done: int, note: str) -> None:
        """Record that ``done`` steps of the stage are done; ``note`` names the file."""
        with self._write() as db:
            sql = "UPDATE runs SET done = ?, note = ?, updated = ? WHERE id = ?"
            db.execute(sql, (done, note, _now(), run_id))

    @_patiently
    def finish_run(
        self,
        run_id: str,
        status: Status,
        *,
        report: Mapping[str, Any] | None = None,
        error: Mapping[str, str] | None = None,
    ) -> None:
        """Record the end of a run with its report or error."""
        now = _now()
        values = (status.value, now, _dump(report), _dump(error), run_id)
        with self._write() as db:
            db.execute("UPDATE runs SET status = ?, finished = ?, report = ?, error = ? WHERE id = ?", values)
            _note_arrivals(db, report or {}, now)

    def runs(self, limit: int = 20, offset: int = 0) -> list[Run]:
        """Runs, newest first."""
        sql = "SELECT * FROM runs ORDER BY id DESC LIMIT ? OFFSET ?"
        return [_run(row) for row in self._all(sql, limit, offset)]

    def run(self, run_id: str) -> Run:
        """One run; raises :class:`NotFoundError`."""
        for row in self._all("SELECT * FROM runs WHERE id = ?", run_id):
            return _run(row)
        raise NotFoundError(f"Der er ingen kørsel med id {run_id}.", advice="Se dem med: kb status --runs")

    @_patiently
    def run_of_job(self, job_id: str) -> Run | None:
        """The newest run of a job, or None before it has begun."""
        rows = self._all("SELECT * FROM runs WHERE job = ? ORDER BY id DESC LIMIT 1", job_id)
        return _run(rows[0]) if rows else None

    def cancel_run(self, run_id: str) -> None:
        """Ask a run to stop at its next step; raises :class:`NotFoundError`."""
        self.run(run_id)
        with self._write() as db:
            db.execute("UPDATE runs SET cancel = 1 WHERE id = ?", (run_id,))

    @_patiently
    def is_cancelled(self, run_id: str) -> bool:
        """Whether a request to cancel the run, or its job, has been made."""
        sql = "SELECT 1 FROM runs LEFT JOIN jobs ON jobs.id = runs.job WHERE runs.id = ?"
        return bool(self._all(f"{sql} AND (runs.cancel = 1 OR jobs.cancel = 1)", run_id))

    def arrival(self, path: str) -> str:
        """When a file was last taken in as new or changed; empty when no run has recorded it."""
        rows = self._all("SELECT at FROM arrivals WHERE path = ?", path)
        return str(rows[0]["at"]) if rows else ""

    # --- Jobs ---

    def add_job(
        self, asked_by: str, *, full: bool = False, files: Mapping[str, JobFile] | None = None, only_own: bool = False
    ) -> StoredJob:
        """Queue a job, or join one of the same kind that is waiting: that will find the newest files too.

        With ``only_own`` one that was asked for by the same.
        """
        with self._write() as db:
            conditions = 'status = ? AND "full" = ? AND (asked_by = ? OR ? = 0)'
            sql = f"SELECT * FROM jobs WHERE {conditions} ORDER BY id LIMIT 1{db.dialect.locked}"
            found = by_name(db.execute(sql, (Status.WAITING.value, int(full), asked_by, int(only_own))))
            waiting = found[0] if found else None
            if waiting is None:
                job_id, together = _new_id(db, "jobs"), dict(files or {})
                values = (job_id, asked_by, _now(), int(full), Status.WAITING.value, _dump_files(together))
                columns = 'id, asked_by, created, "full", status, files, owner, finished, cancel, error, advice'
                db.execute(f"INSERT INTO jobs ({columns}) VALUES (?,?,?,?,?,?,0,'',0,'','')", values)
                _trim(db, "jobs", KEPT_JOBS)
            else:
                job_id, together = waiting["id"], {**_job(waiting).files, **(files or {})}
                db.execute("UPDATE jobs SET files = ? WHERE id = ?", (_dump_files(together), job_id))
        return self.job(job_id)

    @_patiently
    def claim_job(self, owner: int) -> StoredJob | None:
        """Assign the job that has waited longest to the process ``owner``; None when none waits.

        Of several servers that take at once, each gets another one.
        """
        with self._write(immediate=not self.is_shared) as db:
            sql = f"SELECT id FROM jobs WHERE status = ? ORDER BY id LIMIT 1{db.dialect.skip_locked}"
            row = db.execute(sql, (Status.WAITING.value,)).fetchone()
            if row is None:
                return None
            _assign(db, row[0], owner)
        return self.job(row[0])

    @_patiently
    def own_job(self, job_id: str, owner: int) -> None:
        """Reassign a claimed job to another process, or with 0 put it back in the queue."""
        with self._write() as db:
            _assign(db, job_id, owner)

    def beat_job(self, job_id: str, owner: int) -> None:
        """Show that the process of a job lives."""
        with self._write(immediate=False) as db:
            sql = "UPDATE jobs SET beats = beats + 1 WHERE id = ? AND owner = ? AND host = ?"
            db.execute(sql, (job_id, owner, this_host()))

    def requeue_job(self, job: StoredJob) -> bool:
        """Put a job whose process is gone back in the queue; False where it has shown life, or someone else has."""
        with self._write() as db:
            held = "id = ? AND status = ? AND owner = ? AND host = ? AND beats = ?"
            sql = f"UPDATE jobs SET status = ?, owner = 0, host = '', beats = beats + 1 WHERE {held}"
            known = (job.id, Status.RUNNING.value, job.owner, job.host, job.beats)
            return db.execute(sql, (Status.WAITING.value, *known)).rowcount == 1

    @_patiently
    def tell_job(self, job_id: str, files: Mapping[str, JobFile]) -> None:
        """Record the state of each file of a job."""
        with self._write() as db:
            db.execute("UPDATE jobs SET files = ? WHERE id = ?", (_dump_files(files), job_id))

    @_patiently
    def finish_job(self, job_id: str, status: Status, error: str = "", advice: str = "") -> None:
        """Record the end of a job and of its unfinished files."""
        with self._write() as db:
            sql = "UPDATE jobs SET status = ?, finished = ?, error = ?, advice = ?, owner = 0 WHERE id = ?"
            db.execute(sql, (status.value, _now(), error, advice, job_id))
            _close_files(db, job_id, UNFINISHED_FILES.get(status, ""))

    def cancel_job(self, job_id: str) -> StoredJob:
        """Cancel a waiting job at once, or request that a running one stop; raises :class:`NotFoundError`."""
        with self._write() as db:
            db.execute("UPDATE jobs SET cancel = 1 WHERE id = ?", (job_id,))
            sql = "UPDATE jobs SET status = ?, finished = ? WHERE id = ? AND status = ?"
            if db.execute(sql, (Status.CANCELLED.value, _now(), job_id, Status.WAITING.value)).rowcount:
                _close_files(db, job_id, UNFINISHED_FILES[Status.CANCELLED])
        return self.job(job_id)

    @_patiently
    def job(self, job_id: str) -> StoredJob:
        """One job; raises :class:`NotFoundError`."""
        for row in self._all("SELECT * FROM jobs WHERE id = ?", job_id):
            return _job(row)
        raise NotFoundError(f"Der er intet job med id {job_id}.")

    def jobs(self, limit: int = 20, offset: int = 0) -> list[StoredJob]:
        """Jobs, newest first."""
        sql = "SELECT * FROM jobs ORDER BY id DESC LIMIT ? OFFSET ?"
        return [_job(row) for row in self._all(sql, limit, offset)]

    @_patiently
    def has_waiting_job(self) -> bool:
        """Whether any job is waiting."""
        return bool(self._all("SELECT 1 FROM jobs WHERE status = ? LIMIT 1", Status.WAITING.value))

    @_patiently
    def jobs_at_work(self) -> list[StoredJob]:
        """Jobs marked as running; their process may have died."""
        return [_job(row) for row in self._all("SELECT * FROM jobs WHERE status = ?", Status.RUNNING.value)]

    # --- Persons ---

    def of_person(self, name: str) -> list[dict[str, str]]:
        """The runs and jobs that someone of this name asked for: kind, id, by whom and when."""
        rows = self._all(
            "SELECT 'kørsel' AS kind, id, started_by AS who, started AS at FROM runs WHERE started_by IN (?, ?, ?)"
            " UNION ALL SELECT 'job', id, asked_by, created FROM jobs WHERE asked_by IN (?, ?, ?) ORDER BY at, kind",
            *_by(name), *_by(name),
        )  # fmt: skip
        return rows

    def rename_person(self, name: str, other: str) -> int:
        """Write ``other`` where someone of this name asked for a run or a job; returns in how many places."""
        with self._write() as db:
            runs = db.execute("UPDATE runs SET started_by = ? WHERE started_by IN (?, ?, ?)", (other, *_by(name)))
            jobs = db.execute("UPDATE jobs SET asked_by = ? WHERE asked_by IN (?, ?, ?)", (other, *_by(name)))
            return runs.rowcount + jobs.rowcount

    def _all(self, sql: str, *values: object) -> list[dict[str, Any]]:
        with self._held.reading() as db:
            return by_name(db.execute(sql, values))

    @contextmanager
    def _write(self, *, immediate: bool = True) -> Iterator[Database]:
        """A transaction; unless told otherwise no other one comes between."""
        with self._held.transaction(immediate=immediate) as db:
            yield db


@functools.cache
def this_host() -> str:
    """The name of this machine, as the jobs that it carries out have it; of a container that has its own numbers of
    processes, that container's.
    """
    try:
        return f"{socket.gethostname()} {Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return socket.gethostname()


def _assign(db: Database, job_id: str, owner: int) -> None:
    """Give a job to a process of this machine, or with 0 to nobody."""
    status = Status.RUNNING if owner else Status.WAITING
    sql = "UPDATE jobs SET status = ?, owner = ?, host = ?, beats = beats + 1 WHERE id = ?"
    db.execute(sql, (status.value, owner, this_host() if owner else "", job_id))


def _by(name: str) -> tuple[str, str, str]:
    """How a person is written who asked for a run: on a page, and by the command line."""
    return name, f"kb index ({name})", f"kb index --watch ({name})"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _new_id(db: Database, table: str) -> str:
    """An id by time that sorts after every other of the table, even within the clock's resolution."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    newest = db.execute(f"SELECT coalesce(max(id), '') FROM {table}").fetchone()[0]
    return now if now > newest else f"{newest}x"


def _trim(db: Database, table: str, count: int) -> None:
    db.execute(f"DELETE FROM {table} WHERE id NOT IN (SELECT id FROM {table} ORDER BY id DESC LIMIT ?)", (count,))


def _dump(values: Mapping[str, Any] | None) -> str:
    return json.dumps(dict(values), ensure_ascii=False) if values else ""


def _dump_files(files: Mapping[str, JobFile]) -> str:
    return _dump({path: asdict(file) for path, file in files.items()})


def _close_files(db: Database, job_id: str, words: str) -> None:
    found = by_name(db.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)))
    if found and words:
        files = _job(found[0]).files
        closed = {path: file if file.over else JobFile(words, over=True) for path, file in files.items()}
        db.execute("UPDATE jobs SET files = ? WHERE id = ?", (_dump_files(closed), job_id))


def _note_arrivals(db: Database, report: Mapping[str, Any], now: str) -> None:
    """Record the times of new and changed files; a file that is new to an emptied index keeps its earlier time."""
    insert = "INSERT INTO arrivals VALUES (?,?) ON CONFLICT (path) DO"
    db.executemany(f"{insert} NOTHING", [(path, now) for path in report.get("added", ())])
    db.executemany(f"{insert} UPDATE SET at = excluded.at", [(path, now) for path in report.get("changed", ())])
    db.executemany("DELETE FROM arrivals WHERE path = ?", [(path,) for path in report.get("removed", ())])


def _run(row: Mapping[str, Any]) -> Run:
    values = dict(row)
    values |= {"status": Status(row["status"]), "cancel": bool(row["cancel"])}
    values |= {name: json.loads(row[name]) if row[name] else {} for name in ("error", "report")}
    return Run(**values)


def _job(row: Mapping[str, Any]) -> StoredJob:
    values = dict(row)
    values |= {"full": bool(row["full"]), "cancel": bool(row["cancel"]), "status": Status(row["status"])}
    files = json.loads(row["files"]) if row["files"] else {}
    values |= {"files": {path: JobFile(**file) for path, file in files.items()}}
    return StoredJob(**values)
