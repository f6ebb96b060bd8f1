"""A report's page: its text in headings, paragraphs and lists, its contents and its metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kb.core.fields import FACTS, MetadataField
from kb.core.models import Document, DocumentRecord, Page, Passage
from kb.facts.dates import in_words
from kb.facts.standing import Standing
from kb.http.web.presenters.labels import counted, file_format
from kb.http.web.presenters.quotes import Cited, Segment


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
    listed = [(index, heading) for index, heading in enumerate(document.headings) if not _is_title(document, index)]
    top = min((heading.level for _, heading in listed), default=1)
    return tuple(
        ContentsEntry(heading.text, _heading_anchor(index), heading.level > top)
        for index, heading in listed
        if heading.level <= top + 1
    )


def _is_title(document: Document, index: int) -> bool:
    return index == 0 and " ".join(document.headings[0].text.split()) == " ".join(document.metadata.titel.split())


def _heading_anchor(index: int) -> str:
    return f"afsnit-{index + 1}"


def document_pages(document: Document, passage: Passage | None = None) -> tuple[PageBlocks, ...]:
    """The text as headings, paragraphs and lists by page; the passage is marked and its id anchors the first mark."""
    pages = document.pages or (Page(0, 0, len(document.text)),)
    cited = Cited(passage.start, passage.end, passage.id) if passage else Cited()
    return tuple(
        PageBlocks(page.number, page.label, page.ocr, tuple(_blocks(document, page.start, page.end, cited)))
        for page in pages
    )


def _blocks(document: Document, start: int, end: int, cited: Cited) -> Iterator[Block]:
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


def _text_block(text: str, lines: Sequence[tuple[int, int]], cited: Cited) -> Block:
    is_list = all(_LIST_ITEM.match(text[first:last]) for first, last in lines)
    items = []
    for first, last in lines:
        bullet = _BULLET.match(text[first:last]) if is_list else None
        items.append(cited.cut(text, first, last, skip=bullet.end() if bullet else 0))
    return Block("list" if is_list else "paragraph", tuple(items))


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a document's metadata; ``inferred`` when no editor wrote it."""

    label: str
    value: str
    inferred: bool = False


def facts(record: DocumentRecord) -> tuple[Fact, ...]:
    """A document's metadata in reading order, what is unknown left out; project and themes are shown as links."""
    metadata = record.metadata
    rows = ((field, _shown(field, metadata.value(field.name))) for field in FACTS)
    known = [Fact(field.label, shown, field.name in metadata.inferred) for field, shown in rows if shown]
    pages = f", {counted(record.pages, 'side', 'sider')}" if record.pages else ""
    return (*known, Fact("Fil", f"{file_format(record.media_type)}{pages}"))


@dataclass(frozen=True, slots=True)
class ToldStatus:
    """The status that a report tells of its project, and the passage and range of the text that do."""

    text: str
    passage_id: str
    place: str


def told_status(standing: Standing) -> ToldStatus | None:
    """The status that counts because metadata name none; None where they do."""
    if standing.evidence is None:
        return None
    said = standing.evidence
    when = f" ({in_words(said.date)})" if said.date else ""
    return ToldStatus(f"{said.value.capitalize()}{when}", said.passage_id, f"{said.start}-{said.end}")


def _shown(field: MetadataField, value: Any) -> str:
    values = value if isinstance(value, tuple) else (value,)
    return ", ".join(label for one in values if one and (label := field.label_of(str(one))))
