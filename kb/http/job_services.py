"""What pages and API share of indexing jobs: starting them, and what of them whoever asks may know.

Where reports can be for some groups, a job tells how many files there are and what became of each, of everyone's. So an
editor sees the jobs they started, and of those the files they sent; administrators see all. That holds whatever is in
the index, so that it tells nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from flask import g

from kb.core.errors import NotFoundError
from kb.core.identity import Via
from kb.http.services import access, services
from kb.operations.jobs import Job


def who() -> str:
    """Whom a run is told to be started by: the one signed in, or the desk where nobody needs to be."""
    return str(g.identity.name) if g.identity.via is not Via.LOCAL else "redaktionen"


def sees_all() -> bool:
    """Whether whoever asks may know of every file: everyone where none is for some alone, else administrators."""
    return not services().settings.access_groups or access().everything


def start(*, files: Sequence[str] = (), refused: Mapping[str, str] | None = None, full: bool = False) -> Job:
    """Start a run, or join one that waits and that may be known of."""
    own = services().settings.access_groups
    return _told(services().jobs.start(by=who(), files=files, refused=refused, full=full, only_own=own))


def newest() -> list[Job]:
    """The latest jobs that may be known of, newest first."""
    return [_told(job) for job in services().jobs.newest() if _is_known(job)]


def get(job_id: str) -> Job:
    """One of them; raises :class:`NotFoundError`."""
    job = services().jobs.get(job_id)
    if job is None or not _is_known(job):
        raise NotFoundError(f"Der er intet job med id {job_id}.")
    return _told(job)


def cancel(job_id: str) -> Job:
    """Cancel one of them; raises :class:`NotFoundError`."""
    get(job_id)
    return _told(services().jobs.cancel(job_id))


def _is_known(job: Job) -> bool:
    return sees_all() or job.by == who()


def _told(job: Job) -> Job:
    if sees_all():
        return job
    error = "Indekseringen lykkedes ikke." if job.error else ""
    advice = "Bed en administrator om at se på kørslen." if job.error else ""
    return replace(
        job, stage="", done=0, total=0, file="", seconds_left=None, report={}, run_id="", error=error, advice=advice
    )
