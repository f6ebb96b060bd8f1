"""From runs of text on pages to blocks in reading order (pure functions).

1. Runs of one baseline are joined into lines, split again where a wide gap parts columns or cells.
2. Lines that return at the top or bottom of several pages (running headers and footers), and page numbers, go.
3. Each page is cut recursively: at a gutter that two or more lines on either side respect and whose sides are filled
   like text columns, left before right; lines that cross the gutter cut the page into bands, read from the top.
4. Lines are gathered into paragraphs by leading, indentation, type and bullets; a paragraph goes on over the end of
   a column or page when it stops in the middle of a sentence. Hyphens at line ends are undone.
5. A line is a heading when the outline names it, when its type is larger than the body's, or when it is bold and
   stands alone; the level follows the outline, then the number in front of it, then the order of the type sizes.
6. Lines split into the same cells again and again are tables; their rows name their columns.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median

from kb.extract.blocks import Block, Kind
from kb.extract.pdf.model import OutlineEntry, RawPage, Run
from kb.extract.text import join_pair, one_line, strip_bullet, words_inside_lines

_SAME_BASELINE = 0.25
_WORD_GAP = 0.16
_CELL_GAP = 1.25
_GUTTER = 0.6
_EDGE_ZONE = 0.12
_HEADING_RATIO = 1.12
_MAX_HEADING = 160
_SENTENCE_END = re.compile(r"[.!?:;»”\")\]]$")
_PAGE_NUMBER = re.compile(
    r"^(?:[-–—|\s]*(?:side|page|s\.|p\.)?\s*\d{1,4}(?:\s*(?:af|of|/)\s*\d{1,4})?[-–—|\s]*|[ivxlc]{1,6})$", re.IGNORECASE
)
_SECTION_NUMBER = re.compile(r"^(\d{1,2}(?:\.\d{1,2}){0,5})\.?\s+\S")
_NUMBERED_ITEM = re.compile(r"^(?:\(?\d{1,2}[.)]|\(?[a-h][.)])\s+\S")


@dataclass(frozen=True, slots=True)
class Line:
    """Text on one baseline without wide gaps."""

    text: str
    x0: float
    x1: float
    y: float
    size: float
    bold: bool
    page: int

    @property
    def width(self) -> float:
        """Points from the first character to the last."""
        return self.x1 - self.x0


def layout(pages: Sequence[RawPage], outline: Sequence[OutlineEntry] = ()) -> list[Block]:
    """The blocks of a document in reading order."""
    lines = {page.number: page_lines(page) for page in pages}
    heights = {page.number: page.height for page in pages}
    running = find_running(lines, heights)
    style = _Style.of([line for page in lines.values() for line in page if line not in running], outline)
    vocabulary = words_inside_lines(line.text for page in lines.values() for line in page)
    builder = _Builder(style, vocabulary)
    for page in pages:
        kept = [line for line in lines[page.number] if line not in running]
        for region in reading_order(kept):
            builder.add_region(region)
        for line in _aside_lines(page):
            builder.add_region([line])
    return builder.finish()


# --- Lines ----------------------------------------------------------------------------------------------------------


def page_lines(page: RawPage) -> list[Line]:
    """The page's lines from the top down, split at wide gaps."""
    baselines: list[list[Run]] = []
    for run in sorted(page.runs, key=lambda run: (-run.y, run.x0)):
        if baselines and abs(baselines[-1][0].y - run.y) <= _SAME_BASELINE * max(run.size, baselines[-1][0].size):
            baselines[-1].append(run)
        else:
            baselines.append([run])
    return [line for runs in baselines for line in _split(sorted(runs, key=lambda run: run.x0), page.number)]


def _aside_lines(page: RawPage) -> list[Line]:
    return [line for line in page_lines(replace(page, runs=page.aside)) if len(line.text.split()) > 1]


def _split(runs: list[Run], page: int) -> list[Line]:
    groups: list[list[Run]] = []
    for run in runs:
        if groups and run.x0 - max(other.x1 for other in groups[-1]) <= _CELL_GAP * max(run.size, groups[-1][-1].size):
            groups[-1].append(run)
        else:
            groups.append([run])
    return [line for group in groups if (line := _line(group, page)).text]


def _line(runs: list[Run], page: int) -> Line:
    sizes: Counter[float] = Counter()
    for run in runs:
        sizes[run.size] += len(run.text.strip())
    size = sizes.most_common(1)[0][0]
    text = ""
    end = runs[0].x0
    for run in runs:
        if text and run.x0 - end > _WORD_GAP * size and not text.endswith(" ") and not run.text.startswith(" "):
            text += " "
        text += run.text
        end = max(end, run.x1)
    letters = sum(len(run.text.strip()) for run in runs)
    bold = sum(len(run.text.strip()) for run in runs if run.bold) > 0.8 * letters
    return Line(one_line(text), runs[0].x0, end, max(runs, key=lambda run: len(run.text)).y, size, bold, page)


# --- Running headers and footers ------------------------------------------------------------------------------------


def find_running(lines: dict[int, list[Line]], heights: dict[int, float]) -> set[Line]:
    """The lines that are running headers, footers or page numbers."""
    edge: dict[str, list[Line]] = {}
    running: set[Line] = set()
    for number, page in lines.items():
        for line in _edge_lines(page, heights[number]):
            if _PAGE_NUMBER.match(line.text):
                running.add(line)
            else:
                edge.setdefault(_pattern(line), []).append(line)
    needed = max(2, min(4, len(lines) // 3)) if len(lines) > 2 else 99
    for found in edge.values():
        if len({line.page for line in found}) >= needed:
            running.update(found)
    return running


def _edge_lines(page: list[Line], height: float) -> list[Line]:
    low, high = height * _EDGE_ZONE, height * (1 - _EDGE_ZONE)
    return [line for line in page if line.y < low or line.y > high]


def _pattern(line: Line) -> str:
    """What a running line has in common from page to page: its words without numbers, and its height."""
    return f"{re.sub(r'[0-9]+', '#', line.text.lower())}@{round(line.y / 12)}"


# --- Reading order --------------------------------------------------------------------------------------------------


def reading_order(lines: list[Line]) -> list[list[Line]]:
    """The page's lines as regions (columns, bands), each from the top down."""
    gutter = _find_gutter(lines)
    if gutter is None:
        return [sorted(lines, key=lambda line: (-line.y, line.x0))] if lines else []
    regions: list[list[Line]] = []
    for band in _bands(lines, gutter):
        left = [line for line in band if line.x1 <= gutter + 1]
        right = [line for line in band if line.x0 >= gutter - 1]
        if len(left) + len(right) < len(band) or not left or not right:
            regions += [band] if len(band) < len(lines) else [sorted(band, key=lambda line: (-line.y, line.x0))]
        else:
            regions += reading_order(left) + reading_order(right)
    return regions


def _bands(lines: list[Line], gutter: float) -> list[list[Line]]:
    """Cut at the lines that cross the gutter: runs of crossing lines and of lines beside it, from the top."""
    bands: list[list[Line]] = []
    was_crossing: bool | None = None
    for line in sorted(lines, key=lambda line: (-line.y, line.x0)):
        crossing = line.x0 < gutter - 1 and line.x1 > gutter + 1
        if crossing != was_crossing:
            bands.append([])
        bands[-1].append(line)
        was_crossing = crossing
    return bands


def _find_gutter(lines: list[Line]) -> float | None:
    """The x of the white strip between two columns of running text, or None."""
    if len(lines) < 8:
        return None
    starts = Counter(round(line.x0 / 3) for line in lines)
    best: tuple[float, float] | None = None
    for step, count in starts.items():
        if count + starts[step + 1] + starts[step - 1] < 4:
            continue
        right_edge = min(line.x0 for line in lines if abs(round(line.x0 / 3) - step) <= 1)
        score = _gutter_score(lines, right_edge)
        if score > 0 and (best is None or score > best[0]):
            best = (score, right_edge - 1.5)
    return best[1] if best else None


def _gutter_score(lines: list[Line], edge: float) -> float:
    size = median(line.size for line in lines)
    left = [line for line in lines if line.x1 <= edge - _GUTTER * size]
    right = [line for line in lines if line.x0 >= edge - 1]
    crossing = len(lines) - len(left) - len(right)
    if min(len(left), len(right)) < 4 or crossing > 0.35 * len(lines):
        return 0.0
    overlap = min(left[0].y, right[0].y) - max(left[-1].y, right[-1].y)
    shorter = min(left[0].y - left[-1].y, right[0].y - right[-1].y)
    if overlap < 0.3 * shorter or not (_is_text_column(left) and _is_text_column(right)):
        return 0.0
    return len(left) + len(right) - 3.0 * crossing


def _is_text_column(lines: list[Line]) -> bool:
    """Whether lines fill their column as running text does; cells of a table are short or ragged."""
    width = max(line.x1 for line in lines) - min(line.x0 for line in lines)
    filled = sum(line.width > 0.6 * width for line in lines)
    return filled >= 0.4 * len(lines) and median(len(line.text) for line in lines) >= 14


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
            sizes[_rounded(line.size)] += len(line.text)
            bold += len(line.text) * line.bold
        body = sizes.most_common(1)[0][0] if sizes else 10.0
        larger = sorted((size for size in sizes if size >= body * _HEADING_RATIO), reverse=True)
        levels = {size: min(rank, 5) for rank, size in enumerate(_merged(larger), start=1)}
        ranks = {size: levels[_nearest(size, levels)] for size in larger} if levels else {}
        titles = {key: min(entry.level, 6) for entry in outline if len(key := _key(entry.title)) > 2}
        return cls(body, ranks, titles, bold > 0.5 * sum(sizes.values()))

    def level(self, line: Line) -> int:
        """The heading level the type of a line asks for, or 0."""
        named = self.titles.get(_key(line.text))
        large = self.levels.get(_rounded(line.size), 0)
        if named and (large or line.bold or line.size >= self.body):
            return named
        if not re.search(r"[^\W\d_]{2}", line.text):
            return 0
        numbered = _SECTION_NUMBER.match(line.text)
        if large or (line.bold and not self.bold_body and line.size >= self.body * 0.95):
            if numbered and len(line.text) < _MAX_HEADING:
                return min(numbered[1].count(".") + 1, 6)
            return large or min(max(self.levels.values(), default=1) + 1, 6)
        return 0


def _rounded(size: float) -> float:
    return round(size * 2) / 2


def _merged(sizes: list[float]) -> list[float]:
    """One size for each group of nearly equal ones, the largest first."""
    kept: list[float] = []
    for size in sizes:
        if not kept or size < kept[-1] * 0.94:
            kept.append(size)
    return kept


def _nearest(size: float, levels: dict[float, int]) -> float:
    return min(levels, key=lambda known: abs(known - size))


def _key(text: str) -> str:
    return re.sub(r"^[\d.\s]+|[\W_]+", "", text).lower()


# --- Paragraphs -----------------------------------------------------------------------------------------------------


@dataclass
class _Open:
    """A block being gathered."""

    kind: Kind
    level: int
    lines: list[Line]
    text: str
    breaks: list[tuple[int, int]] = field(default_factory=list)


class _Builder:
    """Gathers lines into blocks; keeps the last paragraph open across columns and pages."""

    def __init__(self, style: _Style, vocabulary: frozenset[str]) -> None:
        self._style = style
        self._vocabulary = vocabulary
        self._blocks: list[Block] = []
        self._open: _Open | None = None
        self._group = 0

    def add_region(self, lines: list[Line]) -> None:
        """Add a column or band of a page."""
        if not lines:
            return
        column = _Column.of(lines)
        for index, row in enumerate(_rows(lines)):
            if len(row) > 1:
                self._add_row(row, column)
            else:
                self._add_line(row[0], column, first=index == 0)

    def finish(self) -> list[Block]:
        """All blocks."""
        self._close()
        return self._blocks

    def _add_row(self, row: list[Line], column: _Column) -> None:
        merged = replace(row[0], text=" ".join(line.text for line in row), x1=row[-1].x1)
        self._add_line(merged, column, first=False)

    def _add_line(self, line: Line, column: _Column, *, first: bool) -> None:
        level = self._style.level(line)
        item = strip_bullet(line.text)
        if self._continues(line, level, item, column, first):
            self._extend(line)
            return
        self._close()
        if item is not None and not level:
            self._start_item(line, item)
        elif not level and _NUMBERED_ITEM.match(line.text):
            self._start_item(line, line.text)
        else:
            self._open = _Open(Kind.HEADING if level else Kind.PARAGRAPH, level, [line], line.text)

    def _start_item(self, line: Line, text: str) -> None:
        if not self._blocks or self._blocks[-1].kind is not Kind.ITEM:
            self._group += 1
        self._open = _Open(Kind.ITEM, 0, [line], f"- {text}")

    def _continues(self, line: Line, level: int, item: str | None, column: _Column, first: bool) -> bool:
        open_block = self._open
        if open_block is None or item is not None:
            return False
        last = open_block.lines[-1]
        if abs(line.size - last.size) > 0.08 * last.size and not (line.page != last.page and not level):
            return False
        if open_block.kind is Kind.HEADING:
            return self._continues_heading(open_block, line, level, first)
        if level:
            return False
        if first or line.page != last.page:
            return self._continues_elsewhere(open_block, line)
        return not self._breaks_paragraph(open_block, line, column)

    def _continues_heading(self, block: _Open, line: Line, level: int, first: bool) -> bool:
        last = block.lines[-1]
        if not level or level != block.level or first or line.page != last.page or line.bold != last.bold:
            return False
        if len(block.text) + len(line.text) > _MAX_HEADING or _SECTION_NUMBER.match(line.text):
            return False
        return last.y - line.y < 1.5 * last.size and self._style.titles.get(_key(block.text)) is None

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
        if kind is Kind.HEADING and not _can_be_heading(block.text):
            kind, level = Kind.PARAGRAPH, 0
        group = self._group if kind is Kind.ITEM else 0
        page = block.lines[0].page
        self._blocks.append(Block(kind, block.text, level, page, tuple(block.breaks), group))


def _can_be_heading(text: str) -> bool:
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


def _rows(lines: list[Line]) -> list[list[Line]]:
    """Lines on one baseline together."""
    rows: list[list[Line]] = []
    for line in lines:
        if rows and abs(rows[-1][0].y - line.y) <= _SAME_BASELINE * line.size and line.x0 >= rows[-1][-1].x1 - 1:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows
