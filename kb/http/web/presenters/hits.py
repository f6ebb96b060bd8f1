"""Passages on a list: the hits of a question, the findings of a project, the places of a theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb.core.models import DocumentRecord, Hit, Match, Passage
from kb.http.web.presenters import quotes
from kb.http.web.presenters.labels import ROLE_LABELS
from kb.http.web.presenters.quotes import Segment


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


def passage_view(
    passage: Passage,
    record: DocumentRecord,
    *,
    rank: int = 0,
    matches: Sequence[Match] = (),
    duplicates: tuple[Duplicate, ...] = (),
) -> HitView:
    """What a list shows of a passage."""
    return HitView(
        rank=rank,
        passage_id=passage.id,
        document_id=passage.document_id,
        title=record.metadata.titel,
        byline=quotes.byline(record.metadata),
        section=quotes.section(passage.heading_path, record.metadata.titel),
        page=quotes.pages(passage.page_first, passage.page_last),
        role=ROLE_LABELS[passage.role],
        inferred=passage.inferred,
        ocr=passage.ocr,
        quote=quotes.marked(passage.text, matches),
        citation=quotes.citation_text(passage, record),
        lang=quotes.foreign(record.metadata.sprog),
        duplicates=duplicates,
    )
