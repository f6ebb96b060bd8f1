"""Blocks: what every reader makes, and how they become a document's canonical text.

A reader turns its file into a sequence of blocks (headings, paragraphs, list items, table rows, lines). ``assemble``
masks each block, then lays them one after another and notes where headings and pages fell. Because masking comes
first, every offset is right in the masked text, and nothing downstream ever sees what was masked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from kb.core.models import Heading, Page, ReadWarning
from kb.core.privacy import mask


class Kind(StrEnum):
    """What a block is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    ROW = "row"
    LINE = "line"


# Neighbours of one of these kinds stand on lines right below each other: a list, a table, lines kept as they were.
_TIGHT = frozenset({Kind.ITEM, Kind.ROW, Kind.LINE})


@dataclass(frozen=True, slots=True)
class Block:
    """One line of the canonical text.

    ``page`` is the page it begins on (from 1; 0 in documents without pages). ``breaks`` holds, for a paragraph that
    runs over a page's end, pairs of (offset into ``text``, page that begins there). ``group`` tells one list or
    table from the next.
    """

    kind: Kind
    text: str
    level: int = 0
    page: int = 0
    breaks: tuple[tuple[int, int], ...] = ()
    group: int = 0


@dataclass(frozen=True, slots=True)
class Properties:
    """What a file says of itself; all may be missing. When it was made tells of its template, and is left out.

    ``published`` says that the title was given for readers, as a book's is, and is no leftover of a template; ``cover``
    that the text may open with a title, as a report does and a table does not.
    """

    title: str = ""
    language: str = ""
    published: bool = False
    cover: bool = True


@dataclass(frozen=True, slots=True)
class PageInfo:
    """A page of the file: ``label`` as printed, ``ocr`` when its text was recognised from its image."""

    number: int
    label: str = ""
    ocr: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """What a reader got out of one file, before metadata and masking."""

    reader: str
    blocks: tuple[Block, ...]
    properties: Properties = Properties()
    pages: tuple[PageInfo, ...] = ()
    warnings: tuple[ReadWarning, ...] = ()
    front_matter: Mapping[str, object] | None = None
    # Of persons, to be masked wherever they stand.
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assembled:
    """The canonical text with the places of headings and pages in it, and what was masked by kind."""

    text: str
    headings: tuple[Heading, ...]
    pages: tuple[Page, ...]
    masked: Mapping[str, int] = field(default_factory=dict)


def assemble(
    blocks: Sequence[Block], pages: Sequence[PageInfo] = (), *, contacts: bool = True, names: Sequence[str] = ()
) -> Assembled:
    """Mask the blocks, lay them out as one text, and note where headings and pages are."""
    masked: Counter[str] = Counter()
    parts: list[str] = []
    headings: list[Heading] = []
    marks: list[tuple[int, int]] = []
    ends: dict[int, int] = {}
    position = 0
    previous: Block | None = None
    for original in blocks:
        block = _masked(original, masked, contacts, names)
        if not block.text:
            continue
        if previous is not None:
            gap = "\n" if _tight(previous, block) else "\n\n"
            parts.append(gap)
            position += len(gap)
        end = position + len(block.text)
        if block.kind is Kind.HEADING:
            headings.append(Heading(block.level, block.text, position, end))
        _mark_pages(block, position, end, marks, ends)
        parts.append(block.text)
        position, previous = end, block
    return Assembled("".join(parts), tuple(headings), _pages(pages, marks, ends), dict(masked))


def _masked(block: Block, counts: Counter[str], contacts: bool, names: Sequence[str]) -> Block:
    result = mask(block.text, contacts=contacts, names=names)
    counts.update(result.counts)
    if not result.spans:
        return block
    breaks = tuple((result.translate(offset), page) for offset, page in block.breaks)
    return replace(block, text=result.text, breaks=breaks)


def _tight(above: Block, below: Block) -> bool:
    return above.kind is below.kind and above.kind in _TIGHT and above.group == below.group


def _mark_pages(block: Block, start: int, end: int, marks: list[tuple[int, int]], ends: dict[int, int]) -> None:
    """Note where pages begin inside this block (``marks``) and how far each page reaches (``ends``)."""
    inside = [(start, block.page), *((start + offset, page) for offset, page in block.breaks)]
    for index, (offset, page) in enumerate(inside):
        marks.append((page, offset))
        ends[page] = inside[index + 1][0] if index + 1 < len(inside) else end


def _pages(pages: Sequence[PageInfo], marks: Sequence[tuple[int, int]], ends: Mapping[int, int]) -> tuple[Page, ...]:
    starts: dict[int, int] = {}
    for page, offset in marks:
        starts.setdefault(page, offset)
    spans: list[Page] = []
    reached = 0
    for info in pages:
        start = max(reached, starts.get(info.number, reached))
        reached = max(start, ends.get(info.number, start))
        spans.append(Page(info.number, start, reached, info.label, info.ocr))
    return tuple(spans)


def hidden_slides(numbers: Sequence[int]) -> tuple[ReadWarning, ...]:
    """What is said of the slides that a presentation hides; nothing when there are none."""
    if not numbers:
        return ()
    shown = ", ".join(map(str, numbers[:20])) + (" m.fl." if len(numbers) > 20 else "")
    return (ReadWarning("skjulte-slides", f"Skjulte slides er ikke læst: {shown}."),)
