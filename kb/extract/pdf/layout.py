"""From runs of text on pages to blocks in reading order (pure functions).

1. ``lines``: runs of one baseline become lines; framed and aligned cells become tables.
2. ``furniture``: running headers and footers, page numbers and the table of contents go.
3. ``order``: the lines of a page are put in reading order.
4. Lines are gathered into paragraphs by leading, indentation, type and bullets; a paragraph goes on over the end of
   a column or page when it stops in the middle of a sentence. Hyphens at line ends are undone.
5. A line is a heading when the file's tags or its outline name it, when its type is larger than the body's, or when it
   is bold and stands alone; what the tags leave out is none. The level follows the number in front of it, the tags, the
   outline, then the order of the type sizes. An address, a date and a column of short lines in large type are none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median

from kb.extract.blocks import Block, Kind
from kb.extract.cleaning import join_pair, strip_bullet, words_inside_lines
from kb.extract.contents_list import bare, without_contents_list
from kb.extract.pdf.furniture import YEAR, find_running, split_notes, without_contents
from kb.extract.pdf.lines import Line, aside_lines, page_lines, rows_of
from kb.extract.pdf.raw_page import OutlineEntry, RawPage
from kb.extract.pdf.reading_order import reading_order
from kb.extract.pdf.tagged import with_tags
from kb.extract.tables import header_of, table_blocks

_HEADING_RATIO = 1.12
_MAX_HEADING = 160
_SENTENCE_END = re.compile(r"[.!?:;»”\")\]]$")
_ADDRESS = re.compile(r"^(?:https?://|www\.)\S+$")
_SECTION_NUMBER = re.compile(r"^(\d{1,2}(?:\.\d{1,2}){0,5})\.?\s+\S")
_POSTAL_LINE = re.compile(r"(?:DK-)?\d{4} [A-ZÆØÅ][a-zæøå]+(?: [A-ZØ]{1,2})?")
_DATE_LINE = re.compile(
    r"(?:[A-ZÆØÅ]\w{1,30},? )?(?:d(?:en|\.) )?\d{1,2}\. ?(?:januar|februar|marts|april|maj|juni|juli|august|september"
    r"|oktober|november|december) \d{4}",
    re.IGNORECASE,
)
# "Returperiode: Indtast antal år." is a paragraph with its heading in front.
_RUN_IN = re.compile(r"\w: \w")
_MOST_HEADING_LINES = 3
# A heading that ends so goes on in the next line, however far below.
_UNFINISHED = re.compile(r"(?:\b(?:af|for|fra|i|med|og|om|på|samt|til|ved|of|and|the|in|on|to)|\s–|-)$", re.IGNORECASE)
_NUMBERED_ITEM = re.compile(r"^(?:\(?\d{1,2}[.)]|\(?[a-h][.)])\s+\S")


def layout(pages: Sequence[RawPage], outline: Sequence[OutlineEntry] = ()) -> list[Block]:
    """The blocks of a document in reading order."""
    vocabulary = words_inside_lines(run.text for page in pages for run in page.runs)
    lines = {page.number: with_tags(page_lines(page, vocabulary), page.marks, _MAX_HEADING) for page in pages}
    lines = without_contents(lines, outline)
    heights = {page.number: page.height for page in pages}
    running = find_running(lines, heights)
    style = _Style.of([line for page in lines.values() for line in page if line not in running], outline)
    builder = _Builder(style, vocabulary)
    for page in pages:
        kept = [line for line in lines[page.number] if line not in running]
        body, notes = split_notes(kept, style.body, page.height)
        for region in reading_order(body):
            builder.add_region(region)
        builder.add_notes(notes)
        for line in aside_lines(page):
            builder.add_region([line])
    return without_contents_list(builder.finish())


# --- Type -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Style:
    """What the document's type tells: the body's size, the sizes of headings, and the outline's titles."""

    body: float
    levels: dict[float, int]
    titles: dict[str, int]
    bold_body: bool

    @classmethod
    def of(cls, lines: list[Line], outline: Sequence[OutlineEntry]) -> _Style:
        sizes: Counter[float] = Counter()
        bold = 0
        for line in lines:
            sizes[_rounded(line.size)] += len(line.text) + sum(len(cell) for row in line.table for cell in row) // 2
            bold += len(line.text) * line.bold
        body = sizes.most_common(1)[0][0] if sizes else 10.0
        larger = sorted((size for size in sizes if size >= body * _HEADING_RATIO), reverse=True)
        levels = {size: min(rank, 5) for rank, size in enumerate(_merged(larger), start=1)}
        ranks = {size: levels[_nearest(size, levels)] for size in larger} if levels else {}
        titles = {key: min(entry.level, 6) for entry in outline if len(key := bare(entry.title)) > 2}
        return cls(body, ranks, titles, bold > 0.5 * sum(sizes.values()))

    def level(self, line: Line) -> int:
        """The heading level the tags, the outline or the type of a line ask for, or 0."""
        if line.tag:
            return _numbered_level(line.text) or line.tag
        return 0 if line.artifact else self._level_by_look(line)

    def _level_by_look(self, line: Line) -> int:
        named = self.titles.get(bare(line.text))
        large = self.levels.get(_rounded(line.size), 0)
        if named and (large or line.bold or line.size >= self.body):
            return named
        is_year = large > 0 and YEAR.fullmatch(line.text) is not None
        if not (is_year or re.search(r"[^\W\d_]{2}", line.text)) or _ADDRESS.match(line.text):
            return 0
        if large or (line.bold and not self.bold_body and line.size >= self.body * 0.95):
            numbered = _numbered_level(line.text) if len(line.text) < _MAX_HEADING else 0
            return numbered or large or min(max(self.levels.values(), default=1) + 1, 6)
        return 0

    def is_large(self, line: Line) -> bool:
        """Whether the type of a line is larger than the text's."""
        return _rounded(line.size) in self.levels


def _numbered_level(text: str) -> int:
    """The level that the number in front of a heading tells; 0 where there is none."""
    numbered = _SECTION_NUMBER.match(text)
    return min(numbered[1].count(".") + 1, 6) if numbered else 0


def _rounded(size: float) -> float:
    return round(size * 2) / 2


def _merged(sizes: list[float]) -> list[float]:
    """One size for each group of nearly equal ones, the largest first."""
    distinct: list[float] = []
    for size in sizes:
        if not distinct or size < distinct[-1] * 0.94:
            distinct.append(size)
    return distinct


def _nearest(size: float, levels: dict[float, int]) -> float:
    return min(levels, key=lambda known: abs(known - size))


# --- Paragraphs -----------------------------------------------------------------------------------------------------


@dataclass
class _Open:
    """A block being gathered, and the column it began in."""

    kind: Kind
    level: int
    lines: list[Line]
    text: str
    column: _Column
    breaks: list[tuple[int, int]] = field(default_factory=list)


class _Builder:
    """Gathers lines into blocks; keeps the last paragraph open across columns and pages."""

    def __init__(self, style: _Style, vocabulary: frozenset[str]) -> None:
        self._style = style
        self._vocabulary = vocabulary
        self._blocks: list[Block] = []
        self._open: _Open | None = None
        self._group = 0
        self._header: list[str] = []

    def add_region(self, lines: list[Line]) -> None:
        """Add a column or band of a page."""
        if not lines:
            return
        column = _Column.of([line for line in lines if not line.table] or lines)
        for index, row in enumerate(rows_of(lines)):
            if row[0].table:
                self._add_table(row[0])
            elif len(row) > 1:
                self._add_row(row, column)
            else:
                self._add_line(row[0], column, first=index == 0)

    def add_notes(self, lines: list[Line]) -> None:
        """Add footnotes before the paragraph that is still open, so that it can go on over the page's end."""
        if not lines:
            return
        held, self._open = self._open, None
        self.add_region(lines)
        self._close()
        self._open = held

    def finish(self) -> list[Block]:
        """All blocks."""
        self._close()
        return _with_levels_from_one(self._blocks)

    def _add_table(self, line: Line) -> None:
        """Add a table; one that goes on from the page before keeps that page's column names."""
        self._close()
        rows = [list(row) for row in line.table]
        goes_on = bool(self._blocks) and self._blocks[-1].kind is Kind.ROW and self._blocks[-1].page == line.page - 1
        if goes_on and len(self._header) == len(rows[0]):
            rows = rows if rows[0] == self._header else [self._header, *rows]
            blocks = table_blocks(rows, header_rows=1, page=line.page, group=self._group)
        else:
            self._group += 1
            blocks = table_blocks(rows, labelled=line.labelled, page=line.page, group=self._group)
            self._header = [] if line.labelled else header_of(rows)
        self._blocks += blocks

    def _add_row(self, row: list[Line], column: _Column) -> None:
        merged = replace(row[0], text=" ".join(line.text for line in row), x1=row[-1].x1)
        self._add_line(merged, column, first=False)

    def _add_line(self, line: Line, column: _Column, *, first: bool) -> None:
        level = self._style.level(line)
        item = strip_bullet(line.text)
        if item is not None and line.text[0] != "–" and not (line.tag or self._style.is_large(line)):
            level = 0  # a list may be set in bold, and a subtitle may begin with a dash
        if self._continues(line, level, item, column, first):
            self._extend(line)
            return
        self._close()
        if item is not None and not level:
            self._start_item(line, item, column)
        elif not level and _NUMBERED_ITEM.match(line.text):
            self._start_item(line, line.text, column)
        else:
            self._open = _Open(Kind.HEADING if level else Kind.PARAGRAPH, level, [line], line.text, column)

    def _start_item(self, line: Line, text: str, column: _Column) -> None:
        if not self._blocks or self._blocks[-1].kind is not Kind.ITEM:
            self._group += 1
        self._open = _Open(Kind.ITEM, 0, [line], f"- {text}", column)

    def _continues(self, line: Line, level: int, item: str | None, column: _Column, first: bool) -> bool:
        open_block = self._open
        if open_block is None or item is not None:
            return False
        last = open_block.lines[-1]
        if abs(line.size - last.size) > 0.08 * last.size and not (line.page != last.page and not level):
            return False
        if open_block.kind is Kind.HEADING:
            return self._continues_heading(open_block, line, level, column, first)
        if level:
            return self._runs_on_in_bold(open_block, line)
        if first or line.page != last.page:
            return self._continues_elsewhere(open_block, line)
        return not self._breaks_paragraph(open_block, line, column)

    def _continues_heading(self, block: _Open, line: Line, level: int, column: _Column, first: bool) -> bool:
        last = block.lines[-1]
        if line.element or last.element:
            return line.element == last.element and line.page == last.page
        if not level or first or line.page != last.page or line.bold != last.bold:
            return False
        numbered = _SECTION_NUMBER.match(block.text)
        if (level != block.level and not numbered) or _SECTION_NUMBER.match(line.text):
            return False
        if len(block.text) + len(line.text) > _MAX_HEADING and not self._is_bold_text(block, column):
            return False
        apart = 2.6 if _UNFINISHED.search(block.text) else 1.5
        return last.y - line.y < apart * last.size and self._style.titles.get(bare(block.text)) is None

    def _is_bold_text(self, block: _Open, column: _Column) -> bool:
        """Whether a block too long for a heading is a paragraph set as headings are, or a column of short lines."""
        return not _SENTENCE_END.search(block.text) or block.lines[-1].x1 > column.x1 - 0.25 * column.width

    def _runs_on_in_bold(self, block: _Open, line: Line) -> bool:
        """Whether a bold line is no heading but the rest of a bold list item, or of a sentence that ends in bold."""
        last, column = block.lines[-1], block.column
        if line.tag or line.page != last.page or _SECTION_NUMBER.match(line.text) or self._style.is_large(line):
            return False
        if block.kind is Kind.ITEM:
            return last.bold and line.bold and not self._breaks_paragraph(block, line, column)
        is_full = last.x1 > column.x1 - 0.15 * column.width and abs(line.x0 - last.x0) < 2 * line.size
        return is_full and not _SENTENCE_END.search(last.text) and 0 < last.y - line.y < column.leading * 1.1

    def _continues_elsewhere(self, block: _Open, line: Line) -> bool:
        """Over the end of a column or page: only in the middle of a sentence."""
        if _SENTENCE_END.search(block.text) or block.kind is Kind.HEADING:
            return False
        return (
            block.text.endswith("-")
            or line.text[0].islower()
            or (len(block.lines) > 1 and line.text[0].isdigit() and block.kind is Kind.PARAGRAPH)
        )

    def _breaks_paragraph(self, block: _Open, line: Line, column: _Column) -> bool:
        last = block.lines[-1]
        if last.y - line.y > column.leading * 1.35 + 0.1 or line.y > last.y:
            return True
        if _NUMBERED_ITEM.match(line.text) and (block.kind is Kind.ITEM or _SENTENCE_END.search(block.text)):
            return True
        ended = bool(_SENTENCE_END.search(last.text))
        short = last.x1 < column.x1 - 0.25 * column.width
        indented = line.x0 > min(other.x0 for other in block.lines) + 0.8 * line.size
        if block.kind is Kind.ITEM:
            # The lines of an item hang below its text; what begins further left is a new paragraph.
            return line.x0 < block.lines[0].x0 - 1 or (ended and short and line.x0 < block.lines[0].x0 + 2)
        if ended and (short or indented):
            return True
        return short and line.text[0].isupper() and last.x1 < column.x1 - 0.45 * column.width

    def _extend(self, line: Line) -> None:
        block = self._open
        assert block is not None
        before = block.text
        block.text = join_pair(before, line.text, self._vocabulary)
        if line.page != block.lines[-1].page:
            block.breaks.append((len(block.text) - len(line.text), line.page))
        block.lines.append(line)

    def _close(self) -> None:
        block, self._open = self._open, None
        if block is None:
            return
        kind, level = block.kind, block.level
        if kind is Kind.HEADING and _are_short_lines(block.lines):
            self._group += 1
            self._blocks += [Block(Kind.LINE, line.text, page=line.page, group=self._group) for line in block.lines]
            return
        if kind is Kind.HEADING and not _can_be_heading(block.text):
            kind, level = Kind.PARAGRAPH, 0
        group = self._group if kind is Kind.ITEM else 0
        page = block.lines[0].page
        self._blocks.append(Block(kind, block.text, level, page, tuple(block.breaks), group))


def _with_levels_from_one(blocks: list[Block]) -> list[Block]:
    """Heading levels without gaps: the largest type of a report is often on its cover and heads nothing."""
    ranks = {level: rank for rank, level in enumerate(sorted({b.level for b in blocks if b.kind is Kind.HEADING}), 1)}
    return [replace(block, level=ranks[block.level]) if block.kind is Kind.HEADING else block for block in blocks]


def _are_short_lines(lines: Sequence[Line]) -> bool:
    """Whether what looks like a heading is an address or a column of short lines, each of which begins anew."""
    if len(lines) > 1 and _POSTAL_LINE.fullmatch(lines[-1].text):
        return True
    anew = all(line.text[0].isupper() or line.text[0].isdigit() for line in lines)
    return anew and len(lines) > _MOST_HEADING_LINES and not lines[0].tag


def _can_be_heading(text: str) -> bool:
    if _DATE_LINE.fullmatch(text) or (_RUN_IN.search(text) and text.endswith(".")):
        return False
    return len(text) <= _MAX_HEADING and not text.endswith((",", ";", "-")) and text.count(". ") < 2


@dataclass(frozen=True, slots=True)
class _Column:
    """The measure of a region: its edges and its usual leading."""

    x0: float
    x1: float
    leading: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @classmethod
    def of(cls, lines: list[Line]) -> _Column:
        steps = [
            above.y - below.y
            for above, below in pairwise(lines)
            if 0.8 * below.size < above.y - below.y < 2.5 * below.size
        ]
        size = median(line.size for line in lines)
        usual = Counter(round(step * 2) / 2 for step in steps).most_common(1)
        return cls(
            min(line.x0 for line in lines), max(line.x1 for line in lines), usual[0][0] if usual else 1.25 * size
        )
