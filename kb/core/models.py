"""The data model: the frozen dataclasses that the layers exchange.

    file -> Document -> Passage -> (vector, lexical entry) -> Hit -> Answer

Every offset is a half-open range of characters ``[start, end)`` into ``Document.text``, the one canonical text of a
document: ``document.text[p.start:p.end] == p.text`` holds for each of its passages. Metadata attributes carry the
Danish keys that editors write, so that no table of translations is needed between a file and a page.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from kb.core.fields import BY_NAME, FIELDS, FieldKind


class Role(StrEnum):
    """What a passage tells of a project. The values are the words shown to readers."""

    PURPOSE = "formål"
    DATA = "data"
    METHOD = "metode"
    CHALLENGE = "udfordring"
    HANDLING = "håndtering"
    LESSON = "læring"
    ADVICE = "råd"
    RESULT = "resultat"
    OTHER = "andet"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a document's facts come from (the metadata key ``kilder``)."""

    url: str
    titel: str = ""
    dato: str = ""


@dataclass(frozen=True, slots=True)
class Metadata:
    """A document's metadata under its Danish keys; empty values mean unknown.

    An attribute is a field of :data:`kb.core.fields.FIELDS` that code asks for by name; the values of its other fields
    are in ``more``, and :meth:`value` has them all. ``inferred`` names the keys whose value was not written by an
    editor but taken from the file's cover, its own properties or its path; a report of no project is its own, and
    ``projekt`` is then its title and inferred.
    """

    id: str
    titel: str
    projekt: str = ""
    myndighed: str = ""
    type: str = ""
    område: str = ""
    omfang: str = ""
    emne: str = ""
    periode: str = ""
    år: int | None = None
    status: str = ""
    temaer: tuple[str, ...] = ()
    sprog: str = ""
    adgang: tuple[str, ...] = ()
    kilder: tuple[Source, ...] = ()
    inferred: frozenset[str] = frozenset()
    more: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, Any], *, inferred: Iterable[str] = ()) -> Metadata:
        """Metadata with the given values by field name."""
        attributes = {name: value for name, value in values.items() if name in _ATTRIBUTES}
        # Known values alone and in one order, so that equal metadata are equal however they were read.
        others = {name: value for name, value in values.items() if name not in _ATTRIBUTES and value not in _EMPTY}
        return cls(**attributes, inferred=frozenset(inferred), more=tuple(sorted(others.items())))

    def value(self, name: str) -> Any:
        """The value of a field of the table; an empty one where it is unknown."""
        return getattr(self, name) if name in _ATTRIBUTES else dict(self.more).get(name, BY_NAME[name].kind.empty)

    def as_dict(self) -> dict[str, Any]:
        """The metadata as JSON-ready values; ``inferred`` becomes a sorted list under ``udledt``."""
        values = {field.name: _plain(self.value(field.name)) for field in FIELDS}
        return {**values, "udledt": sorted(self.inferred)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Metadata:
        """The inverse of :meth:`as_dict`; values of fields that are no longer in the table are left out."""
        typed = {field.name: _typed(field.kind, values[field.name]) for field in FIELDS if field.name in values}
        return cls.of(typed, inferred=values.get("udledt", ()))


_ATTRIBUTES = frozenset(one.name for one in fields(Metadata)) - {"inferred", "more"}
_EMPTY = tuple(kind.empty for kind in FieldKind)


def _plain(value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    return [asdict(one) if isinstance(one, Source) else one for one in value]


def _typed(kind: FieldKind, value: Any) -> Any:
    if kind is FieldKind.SOURCES:
        return tuple(Source(**source) for source in value)
    return tuple(value) if kind in {FieldKind.WORDS, FieldKind.GROUPS} else value


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading in a document's text; ``level`` 1 is the outermost."""

    level: int
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a paged document.

    ``number`` counts from 1; ``label`` is the printed page label where the file names one ("iv", "A-3"). ``ocr`` says
    that the page's text was read by character recognition.
    """

    number: int
    start: int
    end: int
    label: str = ""
    ocr: bool = False


def page_at(pages: Sequence[Page], offset: int) -> Page | None:
    """The page an offset of a document's text lies on; None in a document without pages."""
    if not pages:
        return None
    return pages[max(bisect_right(pages, offset, key=lambda page: page.start) - 1, 0)]


@dataclass(frozen=True, slots=True)
class ReadWarning:
    """A warning about a file that was read: a stable ``code`` and a Danish sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Document:
    """The result of reading one file.

    ``path`` is relative to the corpus root, with forward slashes. ``sha256`` is of the file's bytes; ``content_key``
    of bytes and metadata sidecar together, so that a changed sidecar counts as a changed document. ``text`` has
    blocks (paragraphs, headings, list items, table rows) separated by newlines, paragraphs by an empty line.
    ``masked`` counts masked personal data by kind ("cpr", "email", "telefon").
    """

    path: str
    sha256: str
    media_type: str
    reader: str
    metadata: Metadata
    text: str
    headings: tuple[Heading, ...] = ()
    pages: tuple[Page, ...] = ()
    warnings: tuple[ReadWarning, ...] = ()
    masked: Mapping[str, int] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The document's stable slug."""
        return self.metadata.id


@dataclass(frozen=True, slots=True)
class Passage:
    """The cited unit: consecutive sentences of one section.

    ``id`` is made of the document's id and the passage's position (``ordinal``, from 0), never of its text: two
    reports may share a sentence. ``page_first`` and ``page_last`` are None in documents without pages. ``inferred``
    marks a passage that is the collector's own interpretation and not the project's words.
    """

    id: str
    document_id: str
    ordinal: int
    text: str
    start: int
    end: int
    heading_path: tuple[str, ...] = ()
    page_first: int | None = None
    page_last: int | None = None
    role: Role = Role.OTHER
    inferred: bool = False
    ocr: bool = False


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A document's entry in an index, without its text."""

    id: str
    path: str
    sha256: str
    media_type: str
    reader: str
    metadata: Metadata
    pages: int
    passages: int
    characters: int
    warnings: tuple[ReadWarning, ...] = ()
    masked: Mapping[str, int] = field(default_factory=dict)


class MatchKind(StrEnum):
    """How a word of a passage matched a word of the question."""

    EXACT = "ord"
    STEM = "stamme"
    COMPOUND = "del af sammensætning"
    SYNONYM = "synonym"
    CORRECTED = "rettet"


@dataclass(frozen=True, slots=True)
class Match:
    """One word of a passage that matched the question; offsets are into the passage's text."""

    start: int
    end: int
    kind: MatchKind
    term: str


@dataclass(frozen=True, slots=True)
class Scores:
    """A hit's scores by engine. Ranks count from 1 and are None where the engine did not find the passage."""

    fused: float
    dense: float | None = None
    dense_rank: int | None = None
    lexical: float | None = None
    lexical_rank: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question, with its document and why it was found."""

    rank: int
    passage: Passage
    document: DocumentRecord
    scores: Scores
    matches: tuple[Match, ...] = ()
    duplicates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The hits for one question on one build.

    ``corrections`` maps a word of the question that the corpus does not know to the words searched for as well.
    ``total`` is the number of passages that passed the filters.
    """

    question: str
    build_id: str
    hits: tuple[Hit, ...]
    total: int
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    corrections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class QuestionKind(StrEnum):
    """What a question asks for, which decides the order of the answering sentences."""

    NUMBER = "tal"
    DATE = "dato"
    NAME = "navn"
    YES_NO = "ja-nej"
    WHICH_PROJECTS = "hvilke projekter"
    HOW_MANY_PROJECTS = "hvor mange projekter"
    OPEN = "åbent"


class Certainty(StrEnum):
    """How probable it is that what is shown answers, from a calibrated probability. The values are the words shown."""

    SURE = "sikkert"
    LIKELY = "sandsynligt"
    UNSURE = "usikkert"


class RefusalReason(StrEnum):
    """Why there is no answer."""

    NO_SUBJECT = "intet om emnet"
    NOT_SAID = "emnet findes, men ikke det spurgte"
    ELSEWHERE = "gælder et andet projekt eller sted"
    OWN_CASE = "spørgsmålet gælder en enkelt sag"
    NOTHING_UNDER_FILTER = "intet under filteret"
    TOO_VAGUE = "spørgsmålet er for uklart"
    SEARCH_ONLY = "her søges der kun"


@dataclass(frozen=True, slots=True)
class Citation:
    """A place in a document: ``quote`` is exactly ``document.text[start:end]``. ``number`` counts from 1 in an answer.

    ``page`` is the one that the quote begins on, None in documents without pages; ``page_label`` what is printed there
    in its place ("iv"), where the file says so. ``project`` is empty for reports that are not about one project.
    ``inferred`` marks the collector's own interpretation.
    """

    number: int
    document_id: str
    passage_id: str
    start: int
    end: int
    quote: str
    title: str
    project: str = ""
    heading_path: tuple[str, ...] = ()
    page: int | None = None
    page_label: str = ""
    role: Role = Role.OTHER
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """A sentence of the short answer: a citation's quote on one line, with " … " where it was cut."""

    text: str
    citations: tuple[int, ...]
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence of a project that speaks to the question; ``inferred`` where it is the collector's own.

    ``role_certain`` is False where the role comes from the sentence's words and not from a heading.
    """

    role: Role
    text: str
    citation: int
    inferred: bool = False
    role_certain: bool = True


@dataclass(frozen=True, slots=True)
class ProjectRef:
    """A project as it is listed; ``slug`` is its address among the projects, empty for a report of none."""

    name: str
    slug: str
    document_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProjectAnswer:
    """The findings of one project, or of one report across projects, for the question.

    ``cross_cutting`` reports belong to no project: ``name`` is then the report's title and ``slug`` empty. ``reasons``
    are metadata that matched the question ("år: 2020"), as Danish text.
    """

    name: str
    slug: str
    document_ids: tuple[str, ...]
    authority: str
    cross_cutting: bool
    certainty: Certainty
    findings: tuple[Finding, ...]
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which of the base's projects (those that pass the filters) speak to the question, and which do not."""

    speaking: tuple[ProjectRef, ...]
    silent: tuple[ProjectRef, ...]

    @property
    def of(self) -> int:
        """The number of projects that pass the filters."""
        return len(self.speaking) + len(self.silent)

    @property
    def sentence(self) -> str:
        """The coverage as a Danish sentence; empty where there is no project to count."""
        if not self.of:
            return ""
        noun = "projekt" if self.of == 1 else "projekter"
        return f"{len(self.speaking)} af {self.of} {noun} taler om dette"


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a disagreement, with its citation."""

    project: str
    text: str
    citation: int


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Reports that contradict each other; ``about`` says in Danish on what."""

    about: str
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no answer: a stable ``reason``, a Danish ``message``, and ``nearest``, the citations nearest to one.

    ``missing`` are the words of the question that are in no report.
    """

    reason: RefusalReason
    message: str
    nearest: tuple[int, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question on one build; the same question on the same build gives an equal one.

    ``created`` is when the build was made (ISO 8601). A refused answer has a ``refusal``, no sentences and no
    projects, and its citations are the nearest places. ``lead`` is a line before the sentences where facts of the
    reports were compared: yes or no, a count, the values in short.
    """

    question: str
    kind: QuestionKind
    build_id: str
    created: str
    filters: Mapping[str, tuple[str, ...]]
    sentences: tuple[AnswerSentence, ...]
    projects: tuple[ProjectAnswer, ...]
    coverage: Coverage
    certainty: Certainty
    citations: tuple[Citation, ...]
    disagreements: tuple[Disagreement, ...] = ()
    refusal: Refusal | None = None
    lead: str = ""
    corrections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether the question was refused."""
        return self.refusal is not None

    def citation(self, number: int) -> Citation:
        """The citation of a number."""
        return self.citations[number - 1]
