"""What verbs give with ``--json`` that the API does not give, as pydantic models over the API's own.

Each is validated from the value it tells of, as the models of :mod:`kb.http.api.response_models` are.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, RootModel

from kb.http.api.curation_models import Gap
from kb.http.api.response_models import AuditEvent, Body, Build, Date, Failed, Run
from kb.lessons.exchange import FiledLesson


class Error(Body):
    """Why a verb could not do what was asked."""

    error: Failed


class RunReport(Body):
    """What an indexing run did, by file."""

    started: Date
    started_by: str
    build_id: str
    published: bool
    documents: int
    passages: int
    embedded: int
    added: list[str]
    changed: list[str]
    unchanged: list[str]
    removed: list[str]
    copies: dict[str, str]
    partial: dict[str, str]
    failed: dict[str, dict[str, str]]
    masked: dict[str, dict[str, int]]
    seconds: dict[str, float]
    run_id: str


class FailedFile(Body):
    """A file that gave no document."""

    root: str
    path: str
    content_key: str
    code: str
    reason: str


class IndexStatus(Body):
    """The build in use, what embeds with its model, and the files that gave no document."""

    id: str
    created: Date
    model: str
    model_name: str
    dimension: int
    documents: int
    passages: int
    failures: int
    projects: int
    roots: list[str]
    read_key: str
    chunk_key: str
    content: str
    version: str
    sources: str
    tuning: dict[str, Any]
    format: int
    runtimes: dict[str, str]
    failed: list[FailedFile]


class Runs(Body):
    """The latest runs, newest first."""

    runs: list[Run]


class Problem(Body):
    """Something that is damaged, and what to do about it."""

    part: str
    problem: str
    advice: str


class Verification(Body):
    """All that is damaged, with the build in use."""

    build_id: str
    problems: list[Problem]


class Diagnosis(Body):
    """What was looked at, and what is wrong around the installation."""

    looked_at: list[str]
    problems: list[Problem]


class Builds(Body):
    """The finished builds, newest first."""

    builds: list[Build]


class Backup(Body):
    """What an archive holds; ``outside`` are folders of the index in use that are not in it."""

    file: str
    created: Date
    build_id: str
    files: int
    bytes: int
    outside: list[str]


class Restored(Body):
    """What was put back from an archive; ``reindex`` says that the index must be made again."""

    file: str
    created: Date
    build_id: str
    files: int
    reindex: bool


class Upgrade(Body):
    """What an upgrade does or did: the state's schema before and after, and the archive that leads back (or none)."""

    version: str
    state_from: int | None
    state_to: int
    reindex: bool
    problems: list[Problem]
    way_back: str | None


class Key(Body):
    """A key without its secret."""

    id: str
    name: str
    role: str
    groups: list[str]
    created: str
    expires: str
    revoked: str
    last_used: str
    state: str


class NewKey(Key):
    """A key with its secret, told once."""

    secret: str


class Keys(Body):
    """The keys, newest first."""

    keys: list[Key]


class Session(Body):
    """Someone who is signed in; begun, used and address are empty where an earlier version began it."""

    id: str
    name: str
    role: str
    address: str
    begun: str
    used: str
    expires: str


class Sessions(Body):
    """Who is signed in, the last begun first."""

    sessions: list[Session]


class EndedSessions(Body):
    """How many sessions of whom were ended."""

    name: str
    ended: int


class RevokedKey(Body):
    """The key that is out of force."""

    revoked: str
    name: str


class Events(Body):
    """The audit trail, oldest first."""

    events: list[AuditEvent]


class BrokenEvents(Body):
    """The numbers of the events that are not as they were written."""

    broken: list[int]


class ForgottenEvents(Body):
    """How many events were removed."""

    forgotten: int


class PersonalData(Body):
    """What is stored about one user, by where it lies."""

    name: str
    sessions: list[dict[str, str]]
    keys: list[dict[str, str]]
    runs: list[dict[str, str]]
    saved_questions: list[dict[str, str]]
    audit: list[str]


class Erased(Body):
    """What was deleted about one user, and what is kept for how long."""

    sessions: int
    keys: int
    saved_questions: int
    renamed: int
    kept_events: int
    kept_days: int


class Measured(Body):
    """One runtime against the reference."""

    runtime: str
    question_cosine: float
    passage_cosine: float
    sway: float
    question_ms: float
    passages_per_second: float


class Model(Body):
    """A prepared model, what embeds with it, and what was measured."""

    name: str
    fingerprint: str
    dimension: int
    max_tokens: int
    query_prefix: str
    passage_prefix: str
    runtimes: dict[str, str]
    measured: list[Measured]


class ListedModel(Model):
    """One of the prepared models."""

    in_use: bool


class Models(Body):
    """The prepared models."""

    models: list[ListedModel]


class Reader(Body):
    """The reader model that was chosen."""

    name: str
    fingerprint: str


class Extraction(Body):
    """What was read of a file; ``document`` is null where nothing was."""

    path: str
    status: str
    code: str
    reason: str
    seconds: float
    document: Annotated[dict[str, Any] | None, Field(description="As kb.extract.description.describe tells it.")]


class Figures(RootModel[dict[str, Any]]):
    """The figures of a set of questions: which there are depends on the set."""

    def to_json(self, *, indent: int | None = None) -> str:
        """The figures as JSON."""
        return self.model_dump_json(indent=indent)


class StoredLesson(FiledLesson):
    """A lesson as it is stored, without where its evidence stands."""

    revision: int
    changed: Date
    confirmed: str


class Lessons(Body):
    """The lessons, the last changed first."""

    lessons: list[StoredLesson]


class ExportedLessons(Body):
    """The file that lessons were written to, and how many."""

    file: str
    lessons: int


class Reminded(Body):
    """The mails by their occasion; ``unsure`` are those a crash left it open of whether they went out."""

    sent: list[str]
    already: list[str]
    refused: dict[str, str]
    unsure: list[str]


class OpenGap(Gap):
    """A question that was not answered, with the build it was last asked of."""

    build_id: str


class Gaps(Body):
    """The open questions, those asked most first."""

    gaps: list[OpenGap]


class ExportedGaps(Body):
    """The file that questions were written to, and how many."""

    file: str
    gaps: int


class SourceStatus(Body):
    """A source as it stands; ``kind`` is empty for one that is no longer set up and whose files are still here."""

    name: str
    kind: str
    files: int
    wrong: dict[str, str]
    tried: str
    synced: str
    outcome: str
    error: str


class Sources(Body):
    """The sources by name."""

    sources: list[SourceStatus]


class SourcePreview(Body):
    """What a sync would do; of each kind the first names."""

    at: Date
    summary: str
    new: list[str]
    changed: list[str]
    renamed: dict[str, str]
    deleted: list[str]
    waiting: list[str]
    failed: dict[str, str]
    unchanged: int
    passed_over: int
    deletions: int
    loss: str


class SourcePreviews(Body):
    """What syncs would do by source, and why a source could not be looked through."""

    previews: dict[str, SourcePreview]
    failed: dict[str, Failed]


class SyncedSource(Body):
    """What a sync did, by path in the source."""

    summary: str
    new: list[str]
    changed: list[str]
    renamed: dict[str, str]
    deleted: list[str]
    waiting: list[str]
    failed: dict[str, str]
    stopped: str
    paths: list[str]


class SyncedSources(Body):
    """What syncs did by source, why a source was not synced, and the run that followed, if any."""

    synced: dict[str, SyncedSource]
    failed: dict[str, Failed]
    index: RunReport | None


class RemovedSource(Body):
    """How many copies of a source were deleted."""

    name: str
    deleted: int
