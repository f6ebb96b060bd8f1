"""From the model's objects to what a template shows (pure functions).

Templates hold no logic beyond loops and conditions: what a date looks like, where a link goes, which words are marked
and how a text falls into paragraphs is decided here. Links to a place in the application are made by the views; a
presenter only knows the parts of an address it is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from kb.models import (
    Answer,
    Certainty,
    Citation,
    Document,
    DocumentRecord,
    Finding,
    Hit,
    Match,
    Metadata,
    Page,
    Passage,
    ProjectAnswer,
    Role,
)

MONTHS = (
    "januar", "februar", "marts", "april", "maj", "juni", "juli", "august", "september", "oktober", "november",
    "december",
)  # fmt: skip
FIELD_LABELS = {
    "projekt": "Projekt", "myndighed": "Myndighed", "type": "Slags projekt", "område": "Område", "temaer": "Tema",
    "år": "År", "status": "Status", "sprog": "Sprog", "læser": "Filformat", "rolle": "Hvad passagen fortæller",
}  # fmt: skip
# The filters offered on the answer page, in this order.
SHOWN_FACETS = ("temaer", "rolle", "projekt", "myndighed", "område", "type", "år")
ROLE_LABELS = {
    Role.PURPOSE: "Formål", Role.DATA: "Data", Role.METHOD: "Metode", Role.CHALLENGE: "Udfordring",
    Role.HANDLING: "Håndtering", Role.LESSON: "Læring", Role.ADVICE: "Råd", Role.RESULT: "Resultat", Role.OTHER: "",
}  # fmt: skip
# The order in which a project's findings tell its story.
STORY = (
    Role.PURPOSE, Role.DATA, Role.METHOD, Role.CHALLENGE, Role.HANDLING, Role.RESULT, Role.LESSON, Role.ADVICE,
)  # fmt: skip
THEME_LABELS = {
    "jura": "Jura", "data": "Data", "it-infrastruktur": "It-infrastruktur", "organisation": "Organisation",
    "etik": "Etik", "økonomi": "Økonomi", "leverandør": "Leverandør", "klinisk": "Klinisk",
}  # fmt: skip
THEME_TEXTS = {
    "jura": "Hjemmel, GDPR, databehandleraftaler og aktindsigt.",
    "data": "Adgang til data, datakvalitet og mængden af data.",
    "it-infrastruktur": "Drift, integrationer og forbindelsen til fagsystemer.",
    "organisation": "Ledelse, medarbejdere og nye arbejdsgange.",
    "etik": "Bias, gennemsigtighed og borgernes tillid.",
    "økonomi": "Gevinster, udgifter og finansiering.",
    "leverandør": "Udbud, kontrakter og samarbejde med leverandører.",
    "klinisk": "Afprøvning, medicinsk udstyr og brug i behandling.",
}
# The metadata an editor fills in as text, in the form's order.
EDITED_FIELDS = (
    ("titel", "Titel"), ("projekt", "Projekt"), ("myndighed", "Myndighed"), ("område", "Område"), ("emne", "Emne"),
    ("periode", "Periode"), ("år", "År"), ("status", "Status"),
)  # fmt: skip
FORMATS = {
    "application/pdf": "PDF",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "PowerPoint",
    "application/vnd.oasis.opendocument.text": "OpenDocument",
    "application/msword": "Word (ældre)",
    "application/rtf": "RTF",
    "text/html": "Webside",
    "text/markdown": "Markdown",
    "text/plain": "Tekst",
}


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text, marked or not; ``anchor`` is set on the first marked run of a cited passage."""

    text: str
    marked: bool = False
    anchor: str = ""


def danish_date(moment: date) -> str:
    """A date in words: 23. november 2026."""
    return f"{moment.day}. {MONTHS[moment.month - 1]} {moment.year}"


def danish_timestamp(iso: str) -> str:
    """An ISO time in words, in the machine's own time zone; what is no time is returned as it is."""
    try:
        return danish_date(datetime.fromisoformat(iso).astimezone())
    except ValueError:
        return iso


def danish_clock(iso: str) -> str:
    """An ISO time as date and clock time in words."""
    try:
        moment = datetime.fromisoformat(iso).astimezone()
    except ValueError:
        return iso
    return f"{danish_date(moment)} kl. {moment:%H.%M}"


def number(value: int) -> str:
    """A whole number with the Danish thousands mark."""
    return f"{value:,}".replace(",", ".")


def counted(value: int, one: str, many: str) -> str:
    """A number with its noun: 1 rapport, 2 rapporter."""
    return f"{number(value)} {one if value == 1 else many}"


def listed(words: Sequence[str]) -> str:
    """Words joined the Danish way: a, b og c."""
    return words[0] if len(words) == 1 else " og ".join((", ".join(words[:-1]), words[-1])) if words else ""


def marked(text: str, matches: Sequence[Match]) -> tuple[Segment, ...]:
    """The text cut at its matches; neighbouring matches with only a hyphen or space between become one."""
    segments: list[Segment] = []
    done = 0
    for start, end in _joined((match.start, match.end) for match in matches):
        if start >= len(text):
            break
        segments += [Segment(text[done:start]), Segment(text[start:end], marked=True)]
        done = end
    segments.append(Segment(text[done:]))
    return tuple(segment for segment in segments if segment.text)


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def page_label(passage: Passage) -> str:
    """Where in a paged document: "side 4" or "side 4-5"; empty where there are no pages."""
    if passage.page_first is None:
        return ""
    if passage.page_last in (None, passage.page_first):
        return f"side {passage.page_first}"
    return f"side {passage.page_first}-{passage.page_last}"


def byline(metadata: Metadata) -> str:
    """Project, authority and year on one line, what is unknown left out."""
    parts = [metadata.projekt, metadata.myndighed, str(metadata.år or "")]
    return " · ".join(part for part in dict.fromkeys(parts) if part)


def citation_text(passage: Passage, record: DocumentRecord) -> str:
    """The passage as a quotation with its source, ready to paste into a case."""
    metadata = record.metadata
    source = [metadata.titel, metadata.myndighed, str(metadata.år or ""), page_label(passage)]
    where = ", ".join(part for part in source if part)
    section = " › ".join(passage.heading_path[1:] or passage.heading_path)
    return f"»{passage.text.strip()}«\n{where}{f', afsnittet {section}' if section else ''} ({passage.id})"


def inert(cell: str | int) -> str | int:
    """A cell that no spreadsheet takes for a formula: neither reports nor readers are trusted to run anything."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


@dataclass(frozen=True, slots=True)
class HitView:
    """One passage on a list."""

    rank: int
    passage_id: str
    document_id: str
    title: str
    byline: str
    section: str
    page: str
    role: str
    inferred: bool
    ocr: bool
    quote: tuple[Segment, ...]
    citation: str
    lang: str
    duplicates: tuple[Duplicate, ...]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Another place with much the same text."""

    passage_id: str
    document_id: str
    title: str


def hit_view(hit: Hit, titles: Mapping[str, str]) -> HitView:
    """What a list shows of a hit; ``titles`` are the reports' titles by id."""
    duplicates = tuple(
        Duplicate(passage_id, document_id, titles[document_id])
        for passage_id in hit.duplicates
        if (document_id := passage_id.rpartition(".")[0]) in titles
    )
    return passage_view(hit.passage, hit.document, rank=hit.rank, matches=hit.matches, duplicates=duplicates)


def foreign(language: str) -> str:
    """The language of a text for its ``lang`` attribute; empty for Danish, which the page says already."""
    return "" if language == "da" else language


def passage_view(
    passage: Passage,
    record: DocumentRecord,
    *,
    rank: int = 0,
    matches: Sequence[Match] = (),
    duplicates: tuple[Duplicate, ...] = (),
) -> HitView:
    """What a list shows of a passage."""
    path = [heading for heading in passage.heading_path if heading != record.metadata.titel]
    return HitView(
        rank=rank,
        passage_id=passage.id,
        document_id=passage.document_id,
        title=record.metadata.titel,
        byline=byline(record.metadata),
        section=" › ".join(path),
        page=page_label(passage),
        role=ROLE_LABELS[passage.role],
        inferred=passage.inferred,
        ocr=passage.ocr,
        quote=marked(passage.text, matches),
        citation=citation_text(passage, record),
        lang=foreign(record.metadata.sprog),
        duplicates=duplicates,
    )


# --- Answers --------------------------------------------------------------------------------------------------------

CERTAINTY = {
    Certainty.SURE: ("Sikkert", "badge-success"),
    Certainty.LIKELY: ("Sandsynligt", "badge-info"),
    Certainty.UNSURE: ("Usikkert", "badge-warning"),
}


@dataclass(frozen=True, slots=True)
class CitationView:
    """A source of an answer: the passage it stands in, with the cited words marked.

    ``place`` is the cited range of the report's text, as its page takes it.
    """

    number: int
    document_id: str
    passage_id: str
    place: str
    title: str
    project: str
    section: str
    page: str
    inferred: bool
    context: tuple[Segment, ...]
    citation: str
    lang: str


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """A project's findings of one role."""

    label: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class ProjectView:
    """What one project, or one report across projects, says; ``document_id`` is of a report across projects."""

    name: str
    slug: str
    document_id: str
    authority: str
    certainty: str
    badge: str
    groups: tuple[FindingGroup, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnswerView:
    """An answer laid out: sentences, projects, reports across projects, sources, and the whole as text to copy."""

    answer: Answer
    certainty: str
    badge: str
    projects: tuple[ProjectView, ...]
    cross_cutting: tuple[ProjectView, ...]
    citations: tuple[CitationView, ...]
    text: str


def answer_view(answer: Answer, passages: Mapping[str, Passage], languages: Mapping[str, str]) -> AnswerView:
    """What the answer page shows of an answer.

    ``passages`` holds the cited passages by id, ``languages`` the language of each report by id.
    """
    certainty, badge = CERTAINTY[answer.certainty]
    projects = [(project.cross_cutting, _project_view(project)) for project in answer.projects]
    return AnswerView(
        answer=answer,
        certainty=certainty,
        badge=badge,
        projects=tuple(view for crossing, view in projects if not crossing),
        cross_cutting=tuple(view for crossing, view in projects if crossing),
        citations=tuple(
            _citation_view(citation, passages[citation.passage_id], languages.get(citation.document_id, ""))
            for citation in answer.citations
        ),
        text=answer_text(answer),
    )


def _project_view(project: ProjectAnswer) -> ProjectView:
    certainty, badge = CERTAINTY[project.certainty]
    roles = dict.fromkeys(finding.role for finding in project.findings)
    groups = tuple(
        FindingGroup(ROLE_LABELS[role], tuple(finding for finding in project.findings if finding.role is role))
        for role in roles
    )
    documents = project.document_ids
    return ProjectView(
        project.name, project.slug, documents[0] if documents else "", project.authority, certainty, badge, groups,
        project.reasons,
    )  # fmt: skip


def _citation_view(citation: Citation, passage: Passage, language: str) -> CitationView:
    cited = _Cited(citation.start - passage.start, citation.end - passage.start)
    path = [heading for heading in citation.heading_path if heading != citation.title]
    return CitationView(
        number=citation.number,
        document_id=citation.document_id,
        passage_id=citation.passage_id,
        place=f"{citation.start}-{citation.end}",
        title=citation.title,
        project=citation.project,
        section=" › ".join(path),
        page=f"side {citation.page}" if citation.page else "",
        inferred=citation.inferred,
        context=cited.cut(passage.text, 0, len(passage.text)),
        citation=_source_text(citation),
        lang=foreign(language),
    )


def _source_text(citation: Citation) -> str:
    parts = [citation.title, f"side {citation.page}" if citation.page else "", citation.passage_id]
    return f"»{' '.join(citation.quote.split())}« ({', '.join(part for part in parts if part)})"


def answer_text(answer: Answer) -> str:
    """The answer with its sources as text to paste."""
    lines = [answer.question, ""]
    lines += [f"{sentence.text} {references(sentence.citations)}" for sentence in answer.sentences]
    if answer.refusal:
        lines.append(answer.refusal.message)
    used = {number for sentence in answer.sentences for number in sentence.citations}
    sources = [citation for citation in answer.citations if citation.number in used]
    lines += ["", answer.coverage.sentence + ".", ""] if answer.coverage.of else [""]
    lines += [f"[{citation.number}] {_source_text(citation)}" for citation in sources]
    return "\n".join(lines).strip()


def references(numbers: Sequence[int]) -> str:
    """Citation numbers as text: [1][4]."""
    return "".join(f"[{number}]" for number in numbers)


# --- Filters --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a filter: what is sent, what is shown, how many there are, and whether it is chosen."""

    value: str
    label: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One filter with its values; ``open`` when a value of it is chosen."""

    field: str
    label: str
    options: tuple[Option, ...]
    open: bool


@dataclass(frozen=True, slots=True)
class ActiveFilter:
    """A chosen value, and the filters that remain when it is removed."""

    field: str
    field_label: str
    label: str
    without: Mapping[str, tuple[str, ...]]


def facet_views(
    counts: Mapping[str, Mapping[str, int]], chosen: Mapping[str, Sequence[str]], shown: Sequence[str] = SHOWN_FACETS
) -> tuple[Facet, ...]:
    """The filters worth showing: those with a choice to make, or one made."""
    facets = []
    for field in shown:
        picked = tuple(chosen.get(field, ()))
        values = dict.fromkeys([*counts.get(field, {}), *picked])
        options = tuple(
            Option(value, value_label(field, value), counts.get(field, {}).get(value, 0), value in picked)
            for value in values
            if value_label(field, value)
        )
        if len(options) > 1 or picked:
            facets.append(Facet(field, FIELD_LABELS[field], _in_order(field, options), bool(picked)))
    return tuple(facets)


def _in_order(field: str, options: tuple[Option, ...]) -> tuple[Option, ...]:
    if field == "år":
        return tuple(sorted(options, key=lambda option: option.value, reverse=True))
    if field == "rolle":
        labels = [role.value for role in STORY]
        return tuple(sorted(options, key=lambda option: labels.index(option.value)))
    return options


def value_label(field: str, value: str) -> str:
    """What a reader sees of a filter's value; empty for one not worth showing."""
    if field == "rolle":
        return ROLE_LABELS.get(Role(value), "") if value in set(Role) else ""
    if field == "temaer":
        return THEME_LABELS.get(value, value)
    return value[:1].upper() + value[1:] if field in {"type", "område", "status"} else value


def active_filters(chosen: Mapping[str, Sequence[str]]) -> tuple[ActiveFilter, ...]:
    """Every chosen value with the filters that remain without it."""
    return tuple(
        ActiveFilter(field, FIELD_LABELS[field], value_label(field, value) or value, _without(chosen, field, value))
        for field, values in chosen.items()
        for value in values
    )


def _without(chosen: Mapping[str, Sequence[str]], field: str, value: str) -> dict[str, tuple[str, ...]]:
    kept = {name: tuple(v for v in values if (name, v) != (field, value)) for name, values in chosen.items()}
    return {name: values for name, values in kept.items() if values}


# --- A document's text ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, paragraph or list of a document. ``items`` are the runs of its lines; a heading has ``level``."""

    kind: str
    items: tuple[tuple[Segment, ...], ...]
    level: int = 0
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class PageBlocks:
    """The blocks of one page, or of the whole text where there are no pages (``number`` 0)."""

    number: int
    label: str
    ocr: bool
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class ContentsEntry:
    """A heading in the list of contents; ``deeper`` when it stands under another."""

    text: str
    anchor: str
    deeper: bool


_BULLET = re.compile(r"[-•*–]\s+")
_LIST_ITEM = re.compile(r"(?:[-•*–]|\d{1,2}[.)])\s+")


def contents(document: Document) -> tuple[ContentsEntry, ...]:
    """The headings as a list of contents, the title itself and all but the two outer levels left out."""
    kept = [(index, heading) for index, heading in enumerate(document.headings) if not _is_title(document, index)]
    top = min((heading.level for _, heading in kept), default=1)
    return tuple(
        ContentsEntry(heading.text, _heading_anchor(index), heading.level > top)
        for index, heading in kept
        if heading.level <= top + 1
    )


def _is_title(document: Document, index: int) -> bool:
    return index == 0 and " ".join(document.headings[0].text.split()) == " ".join(document.metadata.titel.split())


def _heading_anchor(index: int) -> str:
    return f"afsnit-{index + 1}"


@dataclass(frozen=True, slots=True)
class _Cited:
    """The range to mark and the anchor that its first run carries."""

    start: int = 0
    end: int = 0
    anchor: str = ""

    def cut(self, text: str, start: int, end: int, skip: int = 0) -> tuple[Segment, ...]:
        """The line ``[start, end)`` without its first ``skip`` characters, cut at the edges of the cited range."""
        anchor = self.anchor if start <= self.start else ""
        start += skip
        first, last = max(start, self.start), min(end, self.end)
        if first >= last:
            return (Segment(text[start:end]),)
        parts = (Segment(text[start:first]), Segment(text[first:last], True, anchor), Segment(text[last:end]))
        return tuple(part for part in parts if part.text)


def document_pages(document: Document, passage: Passage | None = None) -> tuple[PageBlocks, ...]:
    """The text as headings, paragraphs and lists by page; the passage is marked and its id anchors the first mark."""
    pages = document.pages or (Page(0, 0, len(document.text)),)
    cited = _Cited(passage.start, passage.end, passage.id) if passage else _Cited()
    return tuple(
        PageBlocks(page.number, page.label, page.ocr, tuple(_blocks(document, page.start, page.end, cited)))
        for page in pages
    )


def _blocks(document: Document, start: int, end: int, cited: _Cited) -> Iterator[Block]:
    headings = {heading.start: index for index, heading in enumerate(document.headings)}
    lines: list[tuple[int, int]] = []
    for first, last in _lines(document.text, start, end):
        index = headings.get(first)
        if lines and (first == last or index is not None):
            yield _text_block(document.text, lines, cited)
            lines = []
        if index is None and first < last:
            lines.append((first, last))
        elif index is not None and not _is_title(document, index):
            level = min(max(document.headings[index].level, 2), 6)
            yield Block("heading", (cited.cut(document.text, first, last),), level, _heading_anchor(index))
    if lines:
        yield _text_block(document.text, lines, cited)


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    position = start
    for line in text[start:end].split("\n"):
        yield position, position + len(line.rstrip())
        position += len(line) + 1


def _text_block(text: str, lines: Sequence[tuple[int, int]], cited: _Cited) -> Block:
    is_list = all(_LIST_ITEM.match(text[first:last]) for first, last in lines)
    items = []
    for first, last in lines:
        bullet = _BULLET.match(text[first:last]) if is_list else None
        items.append(cited.cut(text, first, last, skip=bullet.end() if bullet else 0))
    return Block("list" if is_list else "paragraph", tuple(items))


# --- Metadata -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a document's metadata; ``inferred`` when no editor wrote it."""

    label: str
    value: str
    inferred: bool = False


def facts(record: DocumentRecord) -> tuple[Fact, ...]:
    """A document's metadata in reading order, what is unknown left out; project and themes are shown as links."""
    metadata = record.metadata
    rows = (
        ("Myndighed", "myndighed", metadata.myndighed),
        ("Slags projekt", "type", value_label("type", metadata.type)),
        ("Område", "område", value_label("område", metadata.område)),
        ("Emne", "emne", metadata.emne),
        ("Periode", "periode", metadata.periode),
        ("År", "år", str(metadata.år or "")),
        ("Status", "status", metadata.status[:1].upper() + metadata.status[1:]),
        ("Sprog", "sprog", {"da": "Dansk", "en": "Engelsk", "sv": "Svensk", "no": "Norsk"}.get(metadata.sprog, "")),
    )
    found = [Fact(label, value, key in metadata.inferred) for label, key, value in rows if value]
    pages = f", {counted(record.pages, 'side', 'sider')}" if record.pages else ""
    return (*found, Fact("Fil", f"{file_format(record.media_type)}{pages}"))


def file_format(media_type: str) -> str:
    """A media type in words."""
    return FORMATS.get(media_type, media_type.rpartition("/")[2].upper())
