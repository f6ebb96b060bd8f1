"""From runs to lines and tables on one page (pure functions).

Runs of one baseline are joined into lines, split again where a wide gap parts columns or cells, or the strip between
columns that are drawn across it. Text inside a frame of drawn rules, and cells standing under each other, become
tables. Raised note marks are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from statistics import median

from kb.extract.cleaning import join_lines, one_line
from kb.extract.pdf.aligned import find_aligned
from kb.extract.pdf.columns import Band, find_bands
from kb.extract.pdf.raw_page import RawPage, Run
from kb.extract.pdf.ruled import Frame, find_tables

_SAME_BASELINE = 0.25
_ONE_ROW = 0.4
_X_HEIGHT = 0.7
_WORD_GAP = 0.16
_CELL_GAP = 1.25
_STRAY_GAP = 0.4
# The narrowest strip between columns.
_STRIP_GAP = 0.7
_STREWN = 300
_STREWN_LETTERS = 3
_UNIT = re.compile(r"\b(?:[kcdm]?m|10|x)$")


@dataclass(frozen=True, slots=True)
class Line:
    """Text on one baseline without wide gaps; or, with ``table``, the rows of a table whose top is at ``y``.

    ``labelled`` tells of a table whose rows begin with their own headings. ``order`` and ``last`` are the places of the
    first and last run in the order the file draws them. ``tag`` is the level of the heading, and ``element`` its number
    on the page, that the file's tags name the line as; ``artifact`` says that they leave it out.
    """

    text: str
    x0: float
    x1: float
    y: float
    size: float
    bold: bool
    page: int
    order: int = 0
    last: int = 0
    table: tuple[tuple[str, ...], ...] = ()
    labelled: bool = False
    tag: int = 0
    element: int = 0
    artifact: bool = False

    @property
    def width(self) -> float:
        """Points from the first character to the last."""
        return self.x1 - self.x0


def page_lines(page: RawPage, vocabulary: frozenset[str] = frozenset()) -> list[Line]:
    """The page's lines and tables from the top down, lines split at wide gaps."""
    page = _without_pattern(page)
    tables = find_tables(page.rules, page.runs)
    in_tables = {id(run) for table in tables for row in table.cells for cell in row for run in cell}
    bands = _bands(page, in_tables)
    lines = sorted(_lines_of(page.runs, page.number, in_tables, bands), key=lambda line: (-line.y, line.x0))
    in_columns = [line for line in lines if _column(line, bands) is not None]
    lines = _with_aligned([line for line in lines if _column(line, bands) is None], vocabulary)
    lines += _column_by_column(in_columns, bands)
    places = {id(run): index for index, run in enumerate(page.runs)}
    lines += [_table_line(table, page.number, places, vocabulary) for table in tables]
    return sorted(lines, key=lambda line: (-line.y, line.x0))


def _bands(page: RawPage, leave_out: Set[int]) -> list[Band]:
    """The columns that are drawn line by line across the strip between them."""
    lines = _lines_of(page.runs, page.number, leave_out, gap=_STRIP_GAP)
    # Loosely: the columns need not have their lines at quite the same height.
    return find_bands(rows_of(sorted(lines, key=lambda line: (-line.y, line.x0)), _ONE_ROW))


def _column(line: Line, bands: Sequence[Band]) -> tuple[int, int] | None:
    """The band, and the column of it, in which a line stands."""
    for number, band in enumerate(bands):
        column = band.column(line.x0, line.y)
        if column is not None:
            return number, column
    return None


def _column_by_column(lines: list[Line], bands: Sequence[Band]) -> list[Line]:
    """The lines of columns with their places in the drawing dealt out anew, the first column before the next."""
    in_order = sorted(lines, key=lambda line: (_column(line, bands), -line.y, line.x0))
    places = sorted(line.order for line in lines)
    return [replace(line, order=place, last=place) for line, place in zip(in_order, places, strict=True)]


def _without_pattern(page: RawPage) -> RawPage:
    """Leave out letters strewn over the page as decoration: hundreds of runs of a letter or two."""
    strewn = [run for run in page.runs if len(run.text.strip()) <= _STREWN_LETTERS]
    if len(strewn) < _STREWN or len(strewn) < 0.5 * len(page.runs):
        return page
    return replace(page, runs=tuple(run for run in page.runs if len(run.text.strip()) > _STREWN_LETTERS))


def has_cells(page: RawPage) -> bool:
    """Whether a table is found on the page, or columns that are drawn across the strip between them."""
    return any(line.table for line in page_lines(page)) or bool(_bands(page, frozenset()))


def _with_aligned(lines: list[Line], vocabulary: frozenset[str]) -> list[Line]:
    """The lines with each table found by alignment made one."""
    rows = rows_of(lines)
    result: list[Line] = []
    done = 0
    for table in find_aligned(rows, vocabulary):
        cells = [line for row in rows[table.first : table.last] for line in row]
        result += [line for row in rows[done : table.first] for line in row]
        result.append(
            replace(
                cells[0],
                text="",
                x0=min(line.x0 for line in cells),
                x1=max(line.x1 for line in cells),
                bold=False,
                order=min(line.order for line in cells),
                last=max(line.last for line in cells),
                table=table.rows,
            )
        )
        done = table.last
    return result + [line for row in rows[done:] for line in row]


def _lines_of(
    runs: Sequence[Run],
    page: int,
    leave_out: Set[int] = frozenset(),
    bands: Sequence[Band] = (),
    gap: float = _CELL_GAP,
) -> list[Line]:
    order = {id(run): index for index, run in enumerate(runs)}
    baselines: list[list[Run]] = []
    for run in sorted(runs, key=lambda run: (-run.y, run.x0)):
        if id(run) in leave_out:
            continue
        if baselines and _on_one_line(max(baselines[-1], key=lambda other: other.size), run):
            baselines[-1].append(run)
        else:
            baselines.append([run])
    rows = [sorted(group, key=lambda run: run.x0) for group in baselines]
    parts = [part for row in rows for part in _split(row, order, bands, gap)]
    return [line for part in parts if (line := _line(part, order, page)).text]


def _on_one_line(first: Run, second: Run) -> bool:
    """Whether the letters of two runs overlap by half in height; raised and lowered marks do."""
    low, high = max(first.y, second.y), min(first.y + _X_HEIGHT * first.size, second.y + _X_HEIGHT * second.size)
    return high - low > 0.5 * _X_HEIGHT * min(first.size, second.size)


def _table_line(table: Frame, page: int, places: Mapping[int, int], vocabulary: frozenset[str]) -> Line:
    rows = tuple(tuple(_cell_text(cell, page, vocabulary) for cell in row) for row in table.cells)
    runs = [run for row in table.cells for cell in row for run in cell]
    order = [places[id(run)] for run in runs]
    size = median(run.size for run in runs)
    labelled = all(_is_labelled(row) for row in table.cells if any(row))
    return Line("", table.x0, table.x1, table.top, size, False, page, min(order), max(order), rows, labelled)


def _is_labelled(row: Sequence[Sequence[Run]]) -> bool:
    """Whether the first cell of a row alone is in bold: the heading of the row."""
    first, rest = row[0], [run for cell in row[1:] for run in cell]
    return bool(first) and bool(rest) and all(run.bold for run in first) and not any(run.bold for run in rest)


def _cell_text(cell: Sequence[Run], page: int, vocabulary: frozenset[str]) -> str:
    return one_line(join_lines((line.text for line in _lines_of(cell, page)), vocabulary))


def aside_lines(page: RawPage) -> list[Line]:
    """Text that runs in another direction than the page's: margin notes, labels of axes; single words are left out."""
    return [line for line in page_lines(replace(page, runs=page.aside)) if len(line.text.split()) > 1]


def _split(runs: list[Run], order: Mapping[int, int], bands: Sequence[Band], widest: float) -> list[list[Run]]:
    """Part a baseline at wide gaps; at narrow ones too between runs that the file does not draw one after another.

    The strip between two columns can be narrower than the widest gap between words of a justified line, but the file
    draws a column's lines together, so that its neighbours across the strip come much later.
    """
    groups: list[list[Run]] = []
    for run in runs:
        last = max(groups[-1], key=lambda other: other.x1) if groups else None
        follows = last is not None and order[id(run)] - order[id(last)] in (1, 2)
        gap = widest if follows else min(widest, _STRAY_GAP)
        parted = last is not None and any(band.parts(last.x1, run.x0, run.y) for band in bands)
        if last is not None and run.x0 - last.x1 <= gap * max(run.size, last.size) and not parted:
            groups[-1].append(run)
        else:
            groups.append([run])
    return groups


def _line(runs: list[Run], order: Mapping[int, int], page: int) -> Line:
    places = [order[id(run)] for run in runs]
    sizes: Counter[float] = Counter()
    for run in runs:
        sizes[run.size] += len(run.text.strip())
    size = sizes.most_common(1)[0][0]
    baseline = max(runs, key=lambda run: len(run.text)).y
    marks = [index > 0 and _is_note_mark(run, runs[index - 1], size, baseline) for index, run in enumerate(runs)]
    runs = [run for run, is_mark in zip(runs, marks, strict=True) if not is_mark]
    text = ""
    end, last_size = runs[0].x0, size
    for run in runs:
        gap = run.x0 - end
        em = min(max(run.size, last_size), 1.5 * min(run.size, last_size))
        if text.endswith(" ") and gap < 0.5 * _WORD_GAP * em and _is_small_capitals(text, run.text):
            text = text.rstrip()
        if text and gap > _WORD_GAP * em and not text.endswith(" ") and not run.text.startswith(" "):
            text += " "
        text += run.text
        end, last_size = max(end, run.x1), run.size
    letters = sum(len(run.text.strip()) for run in runs)
    bold = sum(len(run.text.strip()) for run in runs if run.bold) > 0.8 * letters
    # A soft hyphen at a line's end is seen there: the word goes on in the next line.
    shown = one_line(text) + ("-" if text.rstrip().endswith("\u00ad") else "")
    return Line(shown, runs[0].x0, end, baseline, size, bold, page, min(places), max(places))


def _is_small_capitals(before: str, after: str) -> bool:
    """Whether a capital is followed by the rest of its word in small capitals, which some programs space apart."""
    return bool(re.search(r"(?:^|[\s\W])[A-ZÆØÅ]\s$", before)) and after.strip().isupper() and len(after.strip()) > 1


def _is_note_mark(run: Run, before: Run, size: float, baseline: float) -> bool:
    """A raised small number after a word: the mark of a footnote, not a part of the text."""
    mark = run.text.strip()
    raised = run.size < 0.8 * size and run.y > baseline + 0.15 * size
    return raised and mark.isdigit() and len(mark) < 4 and not _UNIT.search(before.text.rstrip())


def rows_of(lines: Sequence[Line], apart: float = _SAME_BASELINE) -> list[list[Line]]:
    """Lines on one baseline together; ``apart`` is how far baselines may differ, in type sizes."""
    rows: list[list[Line]] = []
    for line in lines:
        if (
            rows
            and not (line.table or rows[-1][0].table)
            and abs(rows[-1][0].y - line.y) <= apart * line.size
            and line.x0 >= rows[-1][-1].x1 - 1
        ):
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows
