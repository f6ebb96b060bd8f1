"""Chunks a document into passages along its headings and sentences (pure).

The text between two headings is a section. Its lines (paragraphs, list items, table rows) are cut into sentences, and
sentences are packed in order into passages of about ``target`` tokens: a passage ends where the next sentence would
make it too long, at the end of its section at the latest, and a short last passage joins the one before it. A sentence
that introduces a list ("Kommunen vil:") is packed with the whole list where that fits in a passage, else with its first
item: neither says anything without the other. A sentence longer than ``limit`` is cut at a space. Every passage is an
exact range of the document's text, and what is embedded for it (:mod:`kb.language.embedding_text`: title and headings,
a newline, the text) never exceeds ``limit`` tokens, so the model silently drops nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from kb.core.models import Document, Passage
from kb.language.danish import sentences
from kb.language.embedding_text import embedding_prefix
from kb.language.roles import is_inferred, role_of

CHUNKER_VERSION = 3

TokenCounter = Callable[[str], int]
Span = tuple[int, int]
Unit = tuple[Span, int]

_ITEM = re.compile(r"- |\d{1,2}[.)] |\(?[a-z]\) ")


@dataclass(frozen=True, slots=True)
class ChunkSize:
    """Sizes in the model's tokens: ``target`` to aim at, ``limit`` never to pass, ``least`` worth a passage.

    The target was chosen by measurement on documents of several passages; docs/decisions/search.md has the figures.
    """

    target: int = 250
    limit: int = 480
    least: int = 40

    def __post_init__(self) -> None:
        if not 0 < self.least <= self.target <= self.limit:
            raise ValueError("0 < least <= target <= limit")


@dataclass(frozen=True, slots=True)
class _Section:
    start: int
    end: int
    heading_path: tuple[str, ...]


def chunk(document: Document, count_tokens: TokenCounter, size: ChunkSize | None = None) -> list[Passage]:
    """The document's passages in order; ``count_tokens`` counts as the model that will embed them does."""
    size = size or ChunkSize()
    page_starts = [page.start for page in document.pages]
    passages: list[Passage] = []
    for section in _sections(document):
        prefix = count_tokens(embedding_prefix(document.metadata.titel, section.heading_path))
        room = ChunkSize(min(size.target, size.limit - prefix), size.limit - prefix, size.least)
        for start, end in _pack(document.text, section, count_tokens, room):
            passages.append(_passage(document, section, len(passages), start, end, page_starts))
    return passages


def _sections(document: Document) -> Iterator[_Section]:
    path: list[tuple[int, str]] = []
    start = 0
    for heading in document.headings:
        yield _Section(start, heading.start, tuple(text for _, text in path))
        path = [entry for entry in path if entry[0] < heading.level] + [(heading.level, heading.text)]
        start = heading.end
    yield _Section(start, len(document.text), tuple(text for _, text in path))


def _pack(text: str, section: _Section, count_tokens: TokenCounter, size: ChunkSize) -> Iterator[Span]:
    """Ranges of whole sentences, in order, each at most ``size.limit`` tokens."""
    done: list[Unit] = []
    open_span: Span | None = None
    open_tokens = 0
    units = list(_units(text, section, count_tokens, size.limit))
    for (start, end), tokens in _with_lists(text, units, count_tokens, size):
        if open_span and open_tokens + tokens > size.target:
            done.append((open_span, open_tokens))
            open_span = None
        open_span, open_tokens = ((open_span[0], end), open_tokens + tokens) if open_span else ((start, end), tokens)
    if open_span:
        if done and open_tokens < size.least and done[-1][1] + open_tokens <= size.limit:
            (start, _), _ = done.pop()
            open_span = (start, open_span[1])
        done.append((open_span, open_tokens))
    return (span for span, _ in done)


def _with_lists(text: str, units: Sequence[Unit], count_tokens: TokenCounter, size: ChunkSize) -> Iterator[Unit]:
    """The units with each sentence that introduces a list put together with the list, or with its first item."""
    place = 0
    while place < len(units):
        last = _end_of_list(text, units, place)
        tokens = sum(tokens for _, tokens in units[place:last])
        if last > place + 1 and tokens > size.target:
            last = place + 2
            tokens = count_tokens(text[units[place][0][0] : units[place + 1][0][1]])
            if tokens > size.limit:
                last, tokens = place + 1, units[place][1]
        yield (units[place][0][0], units[last - 1][0][1]), tokens
        place = last


def _end_of_list(text: str, units: Sequence[Unit], place: int) -> int:
    """Where the list ends that the unit here introduces; the next place when it introduces none."""
    (_, end), _ = units[place]
    if text[end - 1] != ":":
        return place + 1
    last = place + 1
    while last < len(units) and (
        _begins_item(text, units[last]) or (last > place + 1 and _same_line(text, units, last))
    ):
        last += 1
    return last


def _begins_item(text: str, unit: Unit) -> bool:
    (start, _), _ = unit
    return text[start - 1] == "\n" and _ITEM.match(text, start) is not None


def _same_line(text: str, units: Sequence[Unit], place: int) -> bool:
    """Whether a unit is a further sentence of the item before it."""
    return "\n" not in text[units[place - 1][0][1] : units[place][0][0]]


def _units(text: str, section: _Section, count_tokens: TokenCounter, limit: int) -> Iterator[Unit]:
    """The section's sentences with their token counts, blank ones left out, over-long ones cut at a space."""
    body = text[section.start : section.end]
    for start, end in sentences(body):
        for span in _within(body, _strip(body, start, end), count_tokens, limit):
            if span[0] < span[1]:
                tokens = count_tokens(body[span[0] : span[1]])
                yield (section.start + span[0], section.start + span[1]), tokens


def _within(body: str, span: Span, count_tokens: TokenCounter, limit: int) -> Iterable[Span]:
    """``span``, halved at the space nearest its middle until every part is within the limit."""
    start, end = span
    if end - start < 2 or count_tokens(body[start:end]) <= limit:
        return [span]
    middle = (start + end) // 2
    before, after = body.rfind(" ", start + 1, middle), body.find(" ", middle, end - 1)
    places = [place for place in (before, after) if place > start]
    cut = min(places, key=lambda place: abs(place - middle)) if places else middle
    left = _within(body, _strip(body, start, cut), count_tokens, limit)
    right = _within(body, _strip(body, cut, end), count_tokens, limit)
    return [*left, *right]


def _strip(body: str, start: int, end: int) -> Span:
    while start < end and body[start].isspace():
        start += 1
    while end > start and body[end - 1].isspace():
        end -= 1
    return start, end


def _passage(
    document: Document, section: _Section, ordinal: int, start: int, end: int, page_starts: Sequence[int]
) -> Passage:
    below_title = [heading for heading in section.heading_path if heading != document.metadata.titel]
    first = max(bisect_right(page_starts, start) - 1, 0)
    last = max(bisect_right(page_starts, end - 1) - 1, 0)
    pages = document.pages[first : last + 1]
    return Passage(
        id=f"{document.id}.{ordinal + 1}",
        document_id=document.id,
        ordinal=ordinal,
        text=document.text[start:end],
        start=start,
        end=end,
        heading_path=section.heading_path,
        page_first=pages[0].number if pages else None,
        page_last=pages[-1].number if pages else None,
        role=role_of(below_title),
        inferred=is_inferred(below_title),
        ocr=any(page.ocr for page in pages),
    )
