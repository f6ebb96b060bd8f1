"""Tables without drawn lines: rows whose cells stand under each other (pure functions).

From a line split into three or more cells the search grows downwards as long as the white strips between the columns
stay open; a line that closes one ends the table. Two columns count only when they are short like labels and values,
since two columns of long lines are running text, and so are columns the file draws one after the other. A row whose
first cell is empty continues the row above it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Protocol

from kb.extract.cleaning import join_lines
from kb.extract.pdf.raw_page import BoxedText

_STRIP = 0.7
_MAX_GAP = 2.6
_MIN_ROWS = 3
_LABEL = 40
_NEXT = 4


class Cell(BoxedText, Protocol):
    """What is asked of a piece of a line."""

    @property
    def size(self) -> float: ...  # noqa: D102
    @property
    def order(self) -> int: ...  # noqa: D102
    @property
    def last(self) -> int: ...  # noqa: D102


_COUNTER = re.compile(r"^\W*(?:\d{1,3}(?:\.\d{1,2})*[.)]?|[a-zæøå][.)]|[ivxlc]{1,5}[.)]?|Ad \d+)?$", re.IGNORECASE)

Span = tuple[float, float]


@dataclass(frozen=True)
class Aligned:
    """A table: which of the given rows it takes (``first`` up to ``last``, exclusive), and its cells' texts."""

    first: int
    last: int
    rows: tuple[tuple[str, ...], ...]


def find_aligned(rows: Sequence[Sequence[Cell]], vocabulary: frozenset[str] = frozenset()) -> list[Aligned]:
    """The tables among a region's rows of cells, from the top down."""
    tables: list[Aligned] = []
    index = 0
    while index < len(rows):
        last, columns = grow(rows, index)
        if _is_table(rows[index:last], columns):
            tables.append(Aligned(index, last, _texts(rows[index:last], columns, vocabulary)))
            index = last
        else:
            index += 1
    return tables


def grow(rows: Sequence[Sequence[Cell]], first: int) -> tuple[int, list[Span]]:
    """How far cells stand under each other from this row on, and their columns."""
    seed = rows[first]
    columns: list[Span] = [(cell.x0, cell.x1) for cell in seed]
    last = first + 1
    if len(columns) < 2:
        return last, columns
    strip = _STRIP * seed[0].size
    while last < len(rows):
        row, above = rows[last], rows[last - 1]
        if above[0].y - row[0].y > _MAX_GAP * seed[0].size or abs(row[0].size - seed[0].size) > 0.12 * seed[0].size:
            break
        widened = _merged([*columns, *((cell.x0, cell.x1) for cell in row)], strip)
        if len(widened) < len(columns):
            break
        columns = widened
        last += 1
    while last > first + 1 and len(rows[last - 1]) == 1 and rows[last - 1][0].x0 < columns[1][0] - strip:
        last -= 1  # single cells in the first column below a table are the text that follows it
    return last, columns


def _merged(spans: list[Span], strip: float) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start - merged[-1][1] < strip:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _is_table(rows: Sequence[Sequence[Cell]], columns: list[Span]) -> bool:
    several = [row for row in rows if len(row) > 1]
    if len(columns) < 2 or len(several) < _MIN_ROWS or len(several) < 0.4 * len(rows) or not drawn_by_row(several):
        return False
    if len(columns) == 2:
        labels = [row[0] for row in rows if row[0].x0 < columns[1][0] - 1]
        if sum(bool(_COUNTER.match(cell.text)) for cell in labels) > 0.5 * len(labels):
            return False  # the numbers of a list, of sections or of a table of contents
        return len(several) > _MIN_ROWS and all(len(cell.text) <= _LABEL for cell in labels) and _is_ragged(labels)
    full = sum(len(row) >= len(columns) - 1 for row in rows)
    return full >= 2 and not _is_running_text(rows, columns)


def drawn_by_row(rows: Sequence[Sequence[Cell]]) -> bool:
    """Whether the file draws the cells of a row one after another; it draws columns of text column by column."""
    neighbours = [(left, right) for row in rows for left, right in pairwise(row)]
    return sum(0 < right.order - left.last <= _NEXT for left, right in neighbours) >= 0.6 * len(neighbours)


def _is_ragged(cells: list[Cell]) -> bool:
    """Labels differ in length; lines of running text all fill their column."""
    widths = [cell.x1 - cell.x0 for cell in cells]
    return median(widths) < 0.75 * max(widths)


def _is_running_text(rows: Sequence[Sequence[Cell]], columns: list[Span]) -> bool:
    """Whether the columns are filled line for line, as columns of a newsletter are."""
    cells = [cell for row in rows for cell in row]
    filled = sum(
        cell.x1 - cell.x0 > 0.85 * (end - start)
        for cell in cells
        for start, end in columns
        if start - 1 <= cell.x0 <= end
    )
    return filled > 0.6 * len(cells) and median(len(cell.text) for cell in cells) > 18


def _texts(
    rows: Sequence[Sequence[Cell]], columns: list[Span], vocabulary: frozenset[str]
) -> tuple[tuple[str, ...], ...]:
    """The cells' texts by logical row: a row without a first cell goes on with the one above."""
    gathered: list[list[list[str]]] = []
    for row in rows:
        placed: list[list[str]] = [[] for _ in columns]
        for cell in row:
            column = next((i for i, (_, end) in enumerate(columns) if cell.x0 <= end), len(columns) - 1)
            placed[column].append(cell.text)
        if gathered and not placed[0]:
            for texts, cells in zip(gathered[-1], placed, strict=True):
                texts.extend(cells)
        else:
            gathered.append(placed)
    return tuple(tuple(join_lines(cells, vocabulary) for cells in placed) for placed in gathered)
