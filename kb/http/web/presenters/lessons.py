"""Lessons laid out: each with its evidence, what became of that, and who stands behind it; and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from kb.answer.lessons import Stand
from kb.core.errors import InputError
from kb.core.fields import THEME_LABELS
from kb.http.web.presenters import labels, quotes
from kb.lessons import exchange, reviewing
from kb.lessons.anchoring import Anchor, AnchorState
from kb.lessons.lesson import Lesson, LessonStatus
from kb.lessons.proposing import LessonProposal
from kb.retrieval.snapshot import Snapshot

BADGES = {
    LessonStatus.DRAFT: "badge-info",
    LessonStatus.CONFIRMED: "badge-success",
    LessonStatus.OUTDATED: "badge-warning",
}
# What readers are told of evidence; nothing where all is well.
_WARNINGS = {
    AnchorState.INTACT: "",
    AnchorState.MOVED: "Står nu i en anden rapport.",
    AnchorState.CHANGED: "Rapporten siger det ikke længere sådan.",
    AnchorState.GONE: "Stedet findes ikke mere i rapporterne.",
    AnchorState.UNCHECKED: "Kan ikke efterses, så længe der intet indeks er.",
}


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A piece of evidence: its words, the report and the place, and a warning where it no longer stands.

    ``stands`` says that the words are in a report, so that readers may see them; ``now`` is the passage most like
    them where the report was changed.
    """

    document_id: str
    quote: str
    title: str
    project: str
    passage_id: str
    place: str
    page: str
    warning: str
    stands: bool
    now: str


@dataclass(frozen=True, slots=True)
class LessonView:
    """A lesson with its evidence and what is said of it; ``stands_behind`` names owner and date of a confirmed one."""

    lesson: Lesson
    badge: str
    themes: tuple[str, ...]
    stands_behind: str
    evidence: tuple[EvidenceView, ...]
    is_due: bool
    is_shaken: bool
    used: int

    @property
    def outdated(self) -> bool:
        """Whether it no longer holds."""
        return self.lesson.status is LessonStatus.OUTDATED


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A proposal: its project, and each cited passage under the word for its role."""

    id: str
    project: str
    theme: str
    passages: tuple[tuple[str, EvidenceView], ...]


def view(stand: Stand, held: Snapshot | None, counts: Mapping[str, int]) -> LessonView:
    """What the pages show of a lesson; ``counts`` says how often each was used."""
    lesson = stand.lesson
    return LessonView(
        lesson=lesson,
        badge=BADGES[lesson.status],
        themes=tuple(THEME_LABELS[theme] for theme in lesson.themes if theme in THEME_LABELS),
        stands_behind=_stands_behind(lesson),
        evidence=tuple(evidence_view(one, held) for one in stand.anchors),
        is_due=reviewing.is_due(lesson, date.today()),
        is_shaken=stand.is_shaken,
        used=counts.get(lesson.id, 0),
    )


def heading(count: int) -> str:
    """What stands over so many confirmed lessons."""
    return "Bekræftet erfaring" if count == 1 else "Bekræftede erfaringer"


def byline(view: LessonView) -> str:
    """Who stands behind a lesson, where it applies, and what a reader must know of it."""
    applies = f"gælder {view.lesson.applies_to}" if view.lesson.applies_to else ""
    due = "skal ses efter" if view.is_due else ""
    return " · ".join(part for part in (view.stands_behind, applies, due) if part)


def _stands_behind(lesson: Lesson) -> str:
    if not lesson.confirmed:
        return ""
    word = "Bekræftet" if lesson.is_confirmed else "Blev bekræftet"
    return f"{word} af {lesson.owner} {labels.danish_timestamp(lesson.confirmed)}"


def evidence_view(anchor: Anchor, held: Snapshot | None) -> EvidenceView:
    """What the pages show of a passage by content."""
    document_id = anchor.document_id or anchor.evidence.document_id
    stored = held.records.get(document_id) if held else None
    passage = held.passage(anchor.passage_id) if held and anchor.passage_id else None
    changed = anchor.state is AnchorState.CHANGED
    return EvidenceView(
        document_id=document_id,
        quote=anchor.evidence.quote,
        title=stored.record.metadata.titel if stored else document_id,
        project=stored.record.metadata.projekt if stored else "",
        passage_id=anchor.passage_id,
        place=f"{anchor.start}-{anchor.end}" if anchor.state.stands else "",
        page=quotes.pages(passage.page_first, passage.page_last) if passage else "",
        warning=_WARNINGS[anchor.state],
        stands=anchor.state.stands,
        now=passage.text if passage and changed else "",
    )


def proposal_view(proposal: LessonProposal, held: Snapshot) -> ProposalView:
    """What editors see of a proposal."""
    metadata = held.records[proposal.challenge.document_id].record.metadata
    stand = Stand.of(held, proposal.as_lesson())
    return ProposalView(
        id=proposal.id,
        project=metadata.projekt or metadata.titel,
        theme=THEME_LABELS.get(proposal.theme, ""),
        passages=tuple(
            (labels.ROLE_LABELS[passage.role], evidence_view(anchor, held))
            for passage, anchor in zip(proposal.passages, stand.anchors, strict=True)
        ),
    )


def csv_text(lessons: Iterable[Lesson]) -> str:
    """Lessons as CSV for a Danish spreadsheet: semicolons, no cell a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerow(exchange.COLUMNS.values())
    writer.writerows([labels.inert(cell) for cell in row] for row in exchange.rows(lessons))
    return text.getvalue()


def lessons_of_file(content: bytes) -> list[Lesson]:
    """The lessons of a file, JSON or CSV by what it begins with; raises :class:`InputError`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("Filen er ikke i UTF-8.", advice="Gem den som »CSV UTF-8«, og prøv igen.") from error
    if text.lstrip().startswith("{"):
        return exchange.from_json(text)
    first = text.partition("\n")[0]
    try:
        table = list(csv.reader(io.StringIO(text), delimiter=";" if ";" in first else ",", strict=True))
    except csv.Error as error:
        raise InputError(f"Filen er ikke gyldig CSV: {error}.", advice="Gem den som CSV igen.") from error
    return exchange.from_rows([[labels.live(cell) for cell in row] for row in table])
