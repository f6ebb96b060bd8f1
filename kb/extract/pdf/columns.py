"""Columns of running text that the file draws line by line across the strip between them (pure functions).

Drawn so, a line of the left column is followed by the one beside it and not by the one below it, and neither the order
of drawing nor the gap (it may be narrower than a wide space) tells the columns apart. What tells them is the strip that
stays open from line to line, as in a table, and that the text under each other reads on: most lines begin in small
letters. Rows of a table begin anew, and in all columns at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from kb.extract.pdf.aligned import Cell, Span, drawn_by_row, grow

_MIN_ROWS = 3
_BESIDE = 0.6
_SHORTEST = 12
_READS_ON = 0.5
_READS_ON_EACH = 0.3
_ENDED = re.compile(r"[.!?:»”\")]$")


@dataclass(frozen=True, slots=True)
class Band:
    """Columns beside each other between two heights, from the left."""

    top: float
    bottom: float
    columns: tuple[Span, ...]

    def column(self, x: float, y: float) -> int | None:
        """The number of the column in which text that begins here stands; None outside the band."""
        if not self.bottom <= y <= self.top:
            return None
        return next((index for index, (_, end) in enumerate(self.columns) if x <= end), None)

    def parts(self, left: float, right: float, y: float) -> bool:
        """Whether the strip between two columns lies between text that ends and text that begins here."""
        if not self.bottom <= y <= self.top:
            return False
        return any(left <= after[0] - 1 and before[1] + 1 <= right for before, after in self.strips())

    def strips(self) -> list[tuple[Span, Span]]:
        """The columns on either side of each strip."""
        return list(zip(self.columns, self.columns[1:], strict=False))


def find_bands(rows: Sequence[Sequence[Cell]]) -> list[Band]:
    """The bands of columns among a page's rows of cells, from the top down."""
    bands: list[Band] = []
    index = 0
    while index < len(rows):
        last, columns = grow(rows, index)
        taken = rows[index:last]
        if _are_columns(taken, columns):
            size = taken[0][0].size
            lowest = min(cell.y for cell in taken[-1])
            bands.append(Band(taken[0][0].y + size, lowest - 0.3 * size, tuple(columns)))
            index = last
        else:
            index += 1
    return bands


def _are_columns(rows: Sequence[Sequence[Cell]], columns: Sequence[Span]) -> bool:
    beside = [row for row in rows if len(row) > 1]
    if len(columns) < 2 or len(beside) < max(_MIN_ROWS, _BESIDE * len(rows)) or not drawn_by_row(beside):
        return False
    texts = [[_text_in(row, start, end) for row in rows] for start, end in columns]
    filled = [[text for text in column if text] for column in texts]
    if any(len(column) < _MIN_ROWS or median(map(len, column)) < _SHORTEST for column in filled):
        return False
    shares = [sum(text[0].islower() for text in column[1:]) / (len(column) - 1) for column in filled]
    return min(shares) >= _READS_ON_EACH and sum(shares) >= _READS_ON * len(shares) and not _begin_together(texts)


def _text_in(row: Sequence[Cell], start: float, end: float) -> str:
    return " ".join(cell.text for cell in row if start - 1 <= cell.x0 <= end).strip()


def _begin_together(texts: Sequence[Sequence[str]]) -> bool:
    """Whether the columns begin anew on the same lines, as the cells of a table's rows do."""
    starts = [
        {row for row in range(1, len(column)) if column[row] and not column[row][0].islower() and _ended(column, row)}
        for column in texts
    ]
    shared, fewest = set.intersection(*starts), min(map(len, starts))
    return len(shared) > 1 and len(shared) > 0.5 * fewest


def _ended(column: Sequence[str], row: int) -> bool:
    """Whether the text above a line had come to an end."""
    return not column[row - 1] or bool(_ENDED.search(column[row - 1])) or column[row][0].isupper()
