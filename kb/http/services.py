"""What the views work with: one object, put on the application by the factory and fetched by one function."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import cached_property
from typing import Protocol, TypeVar

from flask import current_app, g
from werkzeug.exceptions import NotFound

from kb.core.access import Access
from kb.core.errors import IndexUnusableError, InputError, KbError, NotFoundError, StorageError
from kb.core.identity import Identity
from kb.core.models import Passage
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.operations.jobs import Jobs
from kb.operations.source_jobs import SourceJobs
from kb.retrieval.searcher import Searcher
from kb.retrieval.snapshot import Snapshot
from kb.state.curation import CurationStore
from kb.state.feedback import FeedbackStore
from kb.state.gaps import GapStore
from kb.state.lessons import LessonStore
from kb.state.runs import RunStore
from kb.state.saved_questions import SavedQuestions
from kb.state.shared_plans import SharedPlans
from kb.state.sources import SourceStore
from kb.state.upload_names import UploadNames

EXTENSION = "kb"


class Holder(Protocol):
    """Hands out searchers on the newest good build, as
    :class:`kb.retrieval.permitted_snapshot.PermittedSnapshotHolder` does.
    """

    embedder: Embedder

    @property
    def problem(self) -> KbError | None:
        """Why the newest build is not the one in use, if so."""
        ...

    def searcher(self, access: Access) -> Searcher:
        """What one may see of it; raises :class:`kb.core.errors.IndexUnusableError` when there is no good build."""
        ...


class Services:
    """The settings, the holder of the searcher, and what is kept below ``state/``."""

    def __init__(self, settings: Settings, holder: Holder) -> None:
        self.settings = settings
        self.holder = holder
        self.upload_names = UploadNames(settings.state)
        self.shared_plans = SharedPlans(settings.state)
        self.saved_questions = SavedQuestions(settings.state)
        self.source_store = SourceStore(settings.state)
        self.sources = SourceJobs(settings, lambda: self.jobs)

    @property
    def feedback(self) -> FeedbackStore:
        """What readers said, as far as whoever asks may know."""
        return FeedbackStore(self.settings.state, access())

    @property
    def lessons(self) -> LessonStore:
        """The lessons that rest on nothing that whoever asks may not see."""
        return LessonStore(self.settings.state, access())

    @property
    def gaps(self) -> GapStore:
        """The questions without an answer, as far as whoever asks may know."""
        return GapStore(self.settings.state, keep_days=self.settings.gap_days, access=access())

    @property
    def curation(self) -> CurationStore:
        """The house's words, and the pinned passages that whoever asks may see."""
        return CurationStore(self.settings.state, access())

    @cached_property
    def jobs(self) -> Jobs:
        """The background jobs; made when first needed, so that reading needs no writable folder."""
        return Jobs(self.settings, self.holder.embedder)

    @cached_property
    def state(self) -> RunStore:
        """The runs and what they tell; opened when first needed, as the jobs are."""
        return RunStore(self.settings.state)


Found = TypeVar("Found")


def there(value: Found | None) -> Found:
    """What was looked up by a part of the address; the page does not exist where there is nothing."""
    if value is None:
        raise NotFound
    return value


def services() -> Services:
    """The services of the application at work."""
    registered: Services = current_app.extensions[EXTENSION]
    return registered


def read_or(otherwise: Found, read: Callable[[], Found], what: str) -> Found:
    """What is read of the state, or ``otherwise`` where it cannot be: a reader gets the rest of the page."""
    try:
        return read()
    except (StorageError, sqlite3.Error) as error:
        current_app.logger.warning("%s kunne ikke læses: %s", what, error)
        return otherwise


def passage_of(passage_id: str, *, advice: str) -> Passage:
    """A passage of the build in use; raises :class:`InputError` with the advice for one that is not there."""
    try:
        return snapshot().passage(passage_id)
    except NotFoundError as error:
        raise InputError(f"Der er ingen passage med id {passage_id}.", advice=advice) from error


def access() -> Access:
    """Which reports whoever asks may see: where nobody is known to ask, those for everyone."""
    who: Identity | None = g.get("identity")
    return who.access if who is not None else Access()


def searcher() -> Searcher:
    """What whoever asks may see of the newest good build, the same for the whole of a request: no page mixes two
    builds, and what is hidden and the house's words are looked up once.
    """
    if "searcher" not in g:
        g.searcher = services().holder.searcher(access())
    held: Searcher = g.searcher
    return held


def snapshot() -> Snapshot:
    """What whoever asks may see of the newest good build."""
    return searcher().snapshot


def audience() -> frozenset[str]:
    """The groups that whoever asks has something to see by: what they write of it is for those alone."""
    try:
        named = snapshot().named_groups
    except IndexUnusableError:
        return frozenset()
    who = access()
    return named if who.everything else named & who.groups
