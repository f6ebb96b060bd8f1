"""What the API and the command line give, as pydantic models: every JSON body and the OpenAPI description are theirs.

    response_models.Job.model_validate(job).to_json()
    response_models.Answer.from_domain(answer).to_json()

A model whose members are the attributes of a value of the layers below is validated from that value; one that is laid
out otherwise has ``from_domain``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializationInfo,
    create_model,
    model_validator,
)

from kb.core import models
from kb.core.fields import FIELDS, FieldKind
from kb.core.models import Certainty, QuestionKind, Role

if TYPE_CHECKING:
    # What the client of the API need not have installed.
    from kb.index import builds, store
    from kb.operations.finished_builds import FinishedBuild
    from kb.retrieval.snapshot import ProjectSummary
    from kb.state import audit, runs

Date = Annotated[str, Field(description="Tidspunkt efter ISO 8601.", examples=["2026-11-23T15:30:37+00:00"])]


def _below_root(path: str, info: SerializationInfo) -> str:
    return ((info.context or {}).get("root") or "") + path


# The path of a page of our own; as JSON below the path that the server's address has, or as a full address.
OwnPath = Annotated[str, PlainSerializer(_below_root, return_type=str)]
# What is empty where there is nothing, and null in JSON.
EMPTY_IS_NULL = BeforeValidator(lambda value: value or None)


def document_path(document_id: str) -> str:
    """The path of a document's page."""
    return f"/dokumenter/{document_id}"


def passage_path(document_id: str, passage_id: str) -> str:
    """The path of a document's page that opens it at a passage."""
    return f"{document_path(document_id)}?passage={passage_id}#{passage_id}"


class Body(BaseModel):
    """A JSON object without other members than those named; what is not set is left out of it."""

    # Built when first used: a verb of the command line needs few of them.
    model_config = ConfigDict(extra="forbid", from_attributes=True, defer_build=True)

    def to_json(self, *, indent: int | None = None, root: str = "") -> str:
        """The object as JSON, Danish letters as they are, with ``root`` before the paths of our own pages."""
        return self.model_dump_json(exclude_unset=True, indent=indent, context={"root": root})


def _shared(model: type[Body], value: object) -> dict[str, Any]:
    """The attributes of a value that are members of a model, by name."""
    return {name: getattr(value, name) for name in model.model_fields if hasattr(value, name)}


def _nothing_required(schema: dict[str, Any]) -> None:
    """The caller chooses the fields."""
    schema.pop("required", None)


class Chosen(Body):
    """A list's item, of which the caller may ask for some fields only."""

    model_config = ConfigDict(json_schema_extra=_nothing_required)

    def only(self, names: Sequence[str]) -> Self:
        """The item with the named fields alone; all of them where none is named."""
        chosen = {name: getattr(self, name) for name in names if name in self.model_fields_set}
        return self.model_construct(**chosen) if names else self


class Source(Body):
    """Where a document's facts come from."""

    url: str
    titel: str
    dato: str


_TYPES: dict[FieldKind, Any] = {
    FieldKind.YEAR: int | None,
    FieldKind.WORDS: list[str],
    FieldKind.GROUPS: list[str],
    FieldKind.SOURCES: list[Source],
}
if TYPE_CHECKING:

    class Metadata(Body):
        """A document's metadata; what members it has is known when the table has been read."""

        def __getattr__(self, name: str) -> Any:
            """The value of a field."""
else:

    class _OfMetadata(Body):
        """Takes the values of all fields of the table, those that are no attributes too."""

        @model_validator(mode="before")
        @classmethod
        def _values(cls, given: Any) -> Any:
            return given.as_dict() if isinstance(given, models.Metadata) else given

    Metadata = create_model(
        "Metadata",
        __base__=_OfMetadata,
        __doc__="A document's metadata under their Danish keys; ``udledt`` names those that no editor wrote.",
        **{field.name: (_TYPES.get(field.kind, str), ...) for field in FIELDS},
        udledt=(list[str], ...),
    )


class ReadWarning(Body):
    """Something the reader of the file wants a person to know."""

    code: str
    message: str


def _facts(stored: store.StoredRecord) -> dict[str, Any]:
    """What a build knows of a document, by the names of :class:`DocumentFacts`."""
    record = stored.record
    return {
        **_shared(DocumentFacts, record),
        "partial": stored.partial,
        "copy_of": stored.copy_of,
        "url": document_path(record.id),
    }


class DocumentFacts(Body):
    """What is known of a document; ``url`` opens it."""

    id: str
    path: str
    sha256: str
    media_type: str
    reader: str
    pages: int
    passages: int
    characters: int
    warnings: list[ReadWarning]
    masked: dict[str, int]
    metadata: Metadata
    partial: Annotated[str, Field(description="Hvorfor kun en del af filen er læst; ellers tom.")]
    copy_of: Annotated[str, Field(description="Id på den rapport, denne er en udgave af; ellers tom.")]
    url: OwnPath


class Document(DocumentFacts, Chosen):
    """A document without its text."""

    @classmethod
    def from_domain(cls, stored: store.StoredRecord) -> Self:
        """The document as a build knows it."""
        return cls.model_validate(_facts(stored))


class Heading(Body):
    """A heading in a document's text."""

    level: int
    text: str
    start: int
    end: int


class Page(Body):
    """A page of a paged document, as a range of its text."""

    number: int
    start: int
    end: int
    label: str
    ocr: bool


class WholeDocument(DocumentFacts):
    """A document with its text (unless left out), headings and pages; offsets count characters of ``text``."""

    headings: list[Heading]
    page_ranges: list[Page]
    text: str | None

    @classmethod
    def from_domain(cls, stored: store.StoredRecord, document: models.Document, *, with_text: bool) -> Self:
        """The document as a build knows it, and as it was read."""
        read = {"headings": document.headings, "page_ranges": document.pages}
        return cls.model_validate({**_facts(stored), **read, "text": document.text if with_text else None})


def _place(passage: models.Passage, metadata: models.Metadata) -> dict[str, Any]:
    """Where a passage of a document stands, by the names of :class:`Place`."""
    return {
        **_shared(Place, passage),
        "title": metadata.titel,
        "project": metadata.projekt,
        "page": passage.page_first,
        "url": passage_path(passage.document_id, passage.id),
    }


class Place(Body):
    """Where a passage stands; ``start`` and ``end`` are offsets into its document's text."""

    document_id: str
    title: str
    project: str
    role: Role
    inferred: bool
    ocr: bool
    heading_path: list[str]
    page: int | None
    page_last: int | None
    start: int
    end: int
    url: OwnPath


class Passage(Place):
    """A passage."""

    id: str
    ordinal: int
    text: str

    @classmethod
    def from_domain(cls, passage: models.Passage, metadata: models.Metadata) -> Self:
        """A passage of the document that the metadata are of."""
        own = {"id": passage.id, "ordinal": passage.ordinal, "text": passage.text}
        return cls.model_validate({**_place(passage, metadata), **own})


class Engine(Body):
    """What one engine said of a passage."""

    score: float | None
    rank: int | None


class Matched(Body):
    """A word of the passage that met the question."""

    start: int
    end: int
    word: str
    kind: str
    term: str


class Explanation(Body):
    """Why a passage was found."""

    dense: Engine
    lexical: Engine
    matches: list[Matched]

    @classmethod
    def from_domain(cls, hit: models.Hit) -> Self:
        """Each engine's score and rank, and the words that met the question."""
        scores, text = hit.scores, hit.passage.text
        return cls(
            dense=Engine(score=_rounded(scores.dense), rank=scores.dense_rank),
            lexical=Engine(score=_rounded(scores.lexical), rank=scores.lexical_rank),
            matches=[
                Matched(
                    start=one.start, end=one.end, word=text[one.start : one.end], kind=one.kind.value, term=one.term
                )
                for one in hit.matches
            ],
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


class Hit(Place, Chosen):
    """A passage found for a question."""

    rank: int
    score: float
    passage_id: str
    authority: str
    year: int | None
    quote: str
    duplicates: list[str]
    explanation: Explanation | None = None

    @classmethod
    def from_domain(cls, hit: models.Hit, *, explain: bool = False) -> Self:
        """A hit, with ``explain`` why it was found."""
        metadata = hit.document.metadata
        values = {
            **_place(hit.passage, metadata),
            "rank": hit.rank,
            "score": round(hit.scores.fused, 4),
            "passage_id": hit.passage.id,
            "authority": metadata.myndighed,
            "year": metadata.år,
            "quote": hit.passage.text,
            "duplicates": hit.duplicates,
        }
        return cls.model_validate({**values, "explanation": Explanation.from_domain(hit)} if explain else values)


Next = Annotated[str | None, Field(description="Adressen på næste side; null ved listens slutning.")]


class Listed(Body):
    """A page of a list of ``total`` items."""

    total: int
    next: Next


class ListedOfBuild(Listed):
    """A page of a list that a build gives."""

    build_id: str


class FoundPassages(Body):
    """The hits for a question. ``total`` is the number of passages that passed the filters."""

    question: str
    build_id: str
    total: int
    filters: dict[str, list[str]]
    corrections: dict[str, list[str]]
    facets: dict[str, dict[str, int]]
    hits: list[Hit]

    @classmethod
    def from_domain(cls, result: models.SearchResult, *, explain: bool = False) -> FoundPassages:
        """A search result, with ``explain`` why each of its hits was found."""
        hits = [Hit.from_domain(hit, explain=explain) for hit in result.hits]
        return FoundPassages.model_validate({**_shared(FoundPassages, result), "hits": hits})


class SearchResult(FoundPassages, Listed):
    """The hits for a question. ``total`` is the number of passages that passed the filters."""

    @classmethod
    def page(cls, passages: FoundPassages, fields: Sequence[str], following: str | None) -> Self:
        """A page of what was found: the chosen fields of its hits, and the address of the next page."""
        hits = [hit.only(fields) for hit in passages.hits]
        return cls.model_construct(**{**dict(passages), "hits": hits, "next": following})


class AnswerSentence(Body):
    """A sentence of the short answer with the numbers of its citations."""

    text: str
    citations: list[int]
    certainty: Certainty


class Finding(Body):
    """One thing a project's report says to the question."""

    role: Role
    text: str
    citation: int
    inferred: bool
    role_certain: bool


class ProjectAnswer(Body):
    """What one project, or one report across projects, says."""

    project: Annotated[str, Field(validation_alias=AliasChoices("project", "name"))]
    slug: str
    document_ids: list[str]
    authority: str
    cross_cutting: bool
    certainty: Certainty
    findings: list[Finding]
    reasons: list[str]


class ProjectRef(Body):
    """A project in the coverage."""

    name: str
    slug: str
    document_ids: list[str]


class Coverage(Body):
    """How many of the projects speak to the question, and which."""

    speaking: int
    of: int
    sentence: str
    projects: list[ProjectRef]
    silent: list[ProjectRef]

    @classmethod
    def from_domain(cls, coverage: models.Coverage) -> Self:
        """How many and which."""
        return cls.model_validate(
            {
                "speaking": len(coverage.speaking),
                "of": coverage.of,
                "sentence": coverage.sentence,
                "projects": coverage.speaking,
                "silent": coverage.silent,
            }
        )


class Side(Body):
    """One side of a disagreement."""

    project: str
    text: str
    citation: int


class Disagreement(Body):
    """Reports that point different ways."""

    about: str
    sides: list[Side]


class AnswerBody(Body):
    """The answer, or with ``refused`` the reason why there is none."""

    refused: bool
    reason: str
    message: str
    nearest: list[int]
    missing: list[str]
    lead: str
    kind: QuestionKind
    certainty: Certainty
    sentences: list[AnswerSentence]
    projects: list[ProjectAnswer]
    coverage: Coverage
    disagreements: list[Disagreement]

    @classmethod
    def from_domain(cls, answer: models.Answer) -> Self:
        """What is answered, or why nothing is."""
        refusal = answer.refusal
        return cls.model_validate(
            {
                **_shared(AnswerBody, answer),
                "reason": refusal.reason.value if refusal else "",
                "message": refusal.message if refusal else "",
                "nearest": refusal.nearest if refusal else (),
                "missing": refusal.missing if refusal else (),
                "coverage": Coverage.from_domain(answer.coverage),
            }
        )


class Citation(Body):
    """A place in a document; ``quote`` is exactly what stands from ``start`` to ``end`` of its text."""

    number: int
    document_id: str
    passage_id: str
    page: int | None
    page_label: str
    quote: str
    start: int
    end: int
    title: str
    project: str
    heading_path: list[str]
    role: Role
    inferred: bool


class Told(Body):
    """A sentence of a report and the number of its citation."""

    text: str
    citation: int
    inferred: bool


class SharedTrait(Body):
    """Why a project is like a plan, with the sentence that shows it."""

    trait: Annotated[str, Field(description="Fx samme slags data eller samme teknik.")]
    value: str
    told: Told


class Outcome(Body):
    """How a project went; ``date`` is when that held, empty where no report says it."""

    status: str
    date: str
    told: Told


class Contact(Body):
    """Whom to ask of a project: an authority and a unit of it, never a person; empty where nobody says it."""

    authority: str
    unit: Annotated[str, Field(description="Afdelingen eller funktionen.")]
    told: Annotated[Told | None, Field(description="Stedet i rapporten; null, når en redaktør har skrevet den.")]


class SimilarProject(Body):
    """A project that is like a plan."""

    project: ProjectRef
    probability: float
    reasons: list[SharedTrait]
    outcome: Outcome | None
    ask: Contact


class MetChallenge(Body):
    """That a project met a challenge, how it handled it and what it learnt."""

    project: ProjectRef
    challenge: Told
    handling: Told | None
    lesson: Told | None


class ProjectChallenge(Body):
    """A kind of challenge, the question it raises, and the similar projects that met it."""

    kind: str
    label: str
    phase: str
    question: str
    mentioned: Annotated[bool, Field(description="Om planen nævner det.")]
    met: list[MetChallenge]


class StoppedProject(Body):
    """A similar project that stopped, and why."""

    project: ProjectRef
    outcome: Outcome
    reasons: list[Told]


class Reusable(Body):
    """What a report names as ready to be used again."""

    project: ProjectRef
    told: Told
    links: list[Source]


class ProjectStart(Body):
    """What the base has to tell a plan; ``gaps`` are the challenges that the plan does not mention."""

    similar: list[SimilarProject]
    nearest: list[ProjectRef]
    challenges: list[ProjectChallenge]
    gaps: list[ProjectChallenge]
    stopped: list[StoppedProject]
    reusable: list[Reusable]
    citations: list[Citation]
    notices: list[str]
    masked: dict[str, int]
    build_id: str
    created: Date


class Answer(Body):
    """The answer to a question with its citations."""

    question: str
    build_id: str
    created: Date
    filters: dict[str, list[str]]
    corrections: dict[str, list[str]]
    answer: AnswerBody
    citations: list[Citation]

    @classmethod
    def from_domain(cls, answer: models.Answer) -> Self:
        """An answer with its citations."""
        return cls.model_validate({**_shared(Answer, answer), "answer": AnswerBody.from_domain(answer)})


class Documents(ListedOfBuild):
    """A page of the documents."""

    items: list[Document]


class Passages(ListedOfBuild):
    """A page of a document's passages in order."""

    items: list[Passage]


class Project(Chosen):
    """A project with its documents, newest first."""

    slug: str
    name: str
    authorities: list[str]
    themes: list[str]
    document_ids: list[str]
    url: OwnPath

    @classmethod
    def from_domain(cls, project: ProjectSummary) -> Self:
        """A project of a build."""
        return cls.model_validate({**_shared(Project, project), "url": f"/projekter/{project.slug}"})


class Projects(ListedOfBuild):
    """A page of the projects by name."""

    items: list[Project]


class Theme(Body):
    """A theme with how many documents and projects have it."""

    name: str
    documents: int
    projects: int
    url: OwnPath


class Themes(Body):
    """All themes."""

    items: list[Theme]
    build_id: str


class Suggestion(Body):
    """Something of the base that begins as what was written; ``kind`` says what it is."""

    text: str
    kind: Annotated[str, Field(pattern="^(projekt|myndighed|rapport|tema|afsnit)$")]
    url: OwnPath


class Suggestions(Body):
    """Suggestions for the search field."""

    items: list[Suggestion]
    build_id: str


class Build(Body):
    """A finished build; ``problem`` says in Danish why it cannot be used, if so."""

    id: str
    in_use: bool
    created: Date | None
    documents: int | None
    passages: int | None
    projects: int | None
    failures: int | None
    model: str | None
    problem: str | None

    @classmethod
    def from_domain(cls, build: FinishedBuild) -> Self:
        """A build, with nothing but its name and its problem where it cannot be used."""
        manifest = build.manifest
        told = {**_shared(Build, manifest), "model": manifest.model_name} if manifest else {}
        own = {"id": build.id, "in_use": build.in_use, "problem": build.problem}
        return cls.model_validate({**dict.fromkeys(Build.model_fields), **told, **own})


class Builds(Body):
    """The finished builds, newest first."""

    items: list[Build]


class Live(Body):
    """The process answers."""

    status: Annotated[str, Field(pattern="^levende$")]
    version: str


class Health(Body):
    """Whether questions can be answered, and on which build."""

    status: Annotated[str, Field(pattern="^(klar|klar på et ældre indeks)$")]
    build_id: str
    created: Date
    documents: int
    passages: int
    problem: str | None

    @classmethod
    def from_domain(cls, manifest: builds.Manifest, problem: Exception | None) -> Self:
        """The build that answers, and why it is not the newest if so."""
        return cls.model_validate(
            {
                **_shared(Health, manifest),
                "status": "klar" if problem is None else "klar på et ældre indeks",
                "build_id": manifest.id,
                "problem": None if problem is None else str(problem),
            }
        )


class JobFile(Body):
    """How far a job is with a file; ``over`` when what ``state`` says is final."""

    state: Annotated[str, Field(description="I ord, fx «læst», «kan findes nu» eller grunden til, at det gik galt.")]
    over: bool


class Job(Body):
    """An indexing job; ``done`` of ``total`` steps of ``stage`` are over (0: not known), ``report`` is by file."""

    id: str
    created: Date
    by: Annotated[str, Field(description="Hvem der satte jobbet i gang.")]
    state: Annotated[str, Field(description="venter, i gang, færdig, fejlet eller annulleret.")]
    is_over: bool
    stage: str
    done: int
    total: int
    file: Annotated[str, Field(description="Filen, der arbejdes på.")]
    seconds_left: Annotated[float | None, Field(description="Skøn over, hvor længe trinnet varer endnu.")]
    stopping: Annotated[bool, Field(description="Om jobbet er bedt om at standse og endnu ikke har gjort det.")]
    run_id: Annotated[
        str | None, EMPTY_IS_NULL, Field(description="Kørslen, der udfører jobbet; null, til den er begyndt.")
    ]
    files: Annotated[dict[str, JobFile], Field(description="Filerne, jobbet blev startet for, og hvordan det går dem.")]
    report: dict[str, Any]
    error: str
    advice: str
    ended: str


class Jobs(Body):
    """The latest jobs, newest first."""

    items: list[Job]


class Uploaded(Body):
    """Where the file was put, and the job that takes it in."""

    path: str
    job: Job


class Changed(Body):
    """The document that was changed, and the job that takes the change in."""

    document_id: str
    job: Job


class Used(Body):
    """The build that is in use now."""

    build_id: str


class Received(Body):
    """A reader's word was kept."""

    status: Annotated[str, Field(pattern="^modtaget$")]


class FeedbackItem(Body):
    """A reader's word on an answer."""

    created: Date
    question: str
    build_id: str
    useful: bool
    comment: str
    citations: list[str]


class FeedbackList(Listed):
    """A page of what readers said, newest first."""

    items: list[FeedbackItem]


class AuditEvent(Body):
    """Something that was done."""

    seq: int
    at: Date
    action: str
    who: str
    via: str
    address: str
    target: str
    request_id: str
    detail: str

    @classmethod
    def from_domain(cls, entry: audit.Entry) -> Self:
        """An event of the trail."""
        return cls.model_validate({**_shared(AuditEvent, entry.event), "seq": entry.seq, "at": entry.at})


class AuditTrail(Listed):
    """A page of the audit trail, oldest first."""

    items: list[AuditEvent]


class Progress(Body):
    """How far a run is; ``seconds_left`` is an estimate for the stage at work."""

    stage: str
    done: int
    total: int
    file: Annotated[str, Field(validation_alias=AliasChoices("file", "note"))]
    seconds_left: float | None


class Failed(Body):
    """Why a run failed."""

    code: str
    message: str
    advice: str


class Run(Body):
    """An indexing run with its progress, and at its end its report by file or its error."""

    id: str
    job: str
    started_by: str
    started: Date
    finished: str
    status: Annotated[str, Field(description="i gang, færdig, fejlet, annulleret eller afbrudt.")]
    progress: Progress
    error: Annotated[Failed | None, EMPTY_IS_NULL]
    report: Annotated[dict[str, Any] | None, EMPTY_IS_NULL]

    @classmethod
    def from_domain(cls, run: runs.Run) -> Self:
        """A run as it stands."""
        return cls.model_validate({**_shared(Run, run), "progress": run})


class Runs(Body):
    """A page of the runs, newest first."""

    items: list[Run]
    next: Next
