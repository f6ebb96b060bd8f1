"""The plain frozen dataclasses that flow through everything.

    file -> Document -> Passage -> (vector, lexical entry) -> Hit -> Answer

Every offset is a half-open range of characters ``[start, end)`` into ``Document.text``, the one canonical text of a
document: ``document.text[p.start:p.end] == p.text`` holds for each of its passages. Metadata attributes carry the
Danish keys that editors write, so that no table of translations stands between a file and a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any


class Role(StrEnum):
    """What a passage tells. The values are the words shown to readers."""

    PURPOSE = "formål"
    DATA = "data"
    METHOD = "metode"
    CHALLENGE = "udfordring"
    HANDLING = "håndtering"
    LESSON = "læring"
    ADVICE = "råd"
    RESULT = "resultat"
    OTHER = "andet"


THEMES = ("jura", "data", "it-infrastruktur", "organisation", "etik", "økonomi", "leverandør", "klinisk")
DOCUMENT_TYPES = ("kommunal", "regional", "statslig", "tværgående")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a document's facts come from (the metadata key ``kilder``)."""

    url: str
    titel: str = ""
    dato: str = ""


@dataclass(frozen=True, slots=True)
class Metadata:
    """A document's metadata under its Danish keys; empty values mean unknown.

    ``inferred`` names the keys whose value was not written by an editor but taken from the file's own properties,
    its first heading or its path.
    """

    id: str
    titel: str
    projekt: str = ""
    myndighed: str = ""
    type: str = ""
    område: str = ""
    emne: str = ""
    periode: str = ""
    år: int | None = None
    status: str = ""
    temaer: tuple[str, ...] = ()
    sprog: str = ""
    kilder: tuple[Source, ...] = ()
    inferred: frozenset[str] = frozenset()

    def as_dict(self) -> dict[str, Any]:
        """The metadata as JSON-ready values; ``inferred`` becomes a sorted list under ``udledt``."""
        values: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "inferred"}
        values["temaer"] = list(self.temaer)
        values["kilder"] = [{"url": s.url, "titel": s.titel, "dato": s.dato} for s in self.kilder]
        values["udledt"] = sorted(self.inferred)
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Metadata:
        """The inverse of :meth:`as_dict`."""
        known = {f.name for f in fields(cls)} - {"inferred", "temaer", "kilder"}
        return cls(
            **{key: values[key] for key in known if key in values},
            temaer=tuple(values.get("temaer", ())),
            kilder=tuple(Source(**source) for source in values.get("kilder", ())),
            inferred=frozenset(values.get("udledt", ())),
        )


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


@dataclass(frozen=True, slots=True)
class ReadWarning:
    """Something a reader wants a person to know: a stable ``code`` and a Danish sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Document:
    """What a reader made of one file.

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
    marks a passage that is the collector's own reading and not the project's.
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
    """A document as an index knows it, without its text."""

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
    """How a word of a question met a word of a passage."""

    EXACT = "ord"
    STEM = "stamme"
    COMPOUND = "del af sammensætning"
    SYNONYM = "synonym"
    CORRECTED = "rettet"


@dataclass(frozen=True, slots=True)
class Match:
    """One word of a passage that met the question; offsets are into the passage's text."""

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
