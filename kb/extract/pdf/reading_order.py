"""Reading order on a page (pure functions).

The file's own drawing order is right inside a column and cannot be trusted between columns. So lines drawn one after
another and standing right below each other first form chunks of one type; then the chunks are put in order by two
rules (T. Breuel, "High performance document layout analysis", 2003):

* of two chunks that share some width, the higher comes first;
* a chunk entirely to the left of another comes first, unless a wide chunk stands between them in height, or its
  whole column begins below the other.

Neighbouring chunks of one column are returned together as a region.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kb.extract.pdf.lines import Line

_LEADING = 1.9
_SHARE = 0.3
_MAX_CHUNKS = 150


@dataclass(frozen=True)
class _Chunk:
    lines: tuple[Line, ...]
    x0: float
    x1: float
    top: float
    bottom: float

    @classmethod
    def of(cls, lines: Sequence[Line]) -> _Chunk:
        return cls(
            tuple(lines),
            min(line.x0 for line in lines),
            max(line.x1 for line in lines),
            max(line.y + line.size for line in lines),
            min(line.y for line in lines),
        )

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


def reading_order(lines: Sequence[Line]) -> list[list[Line]]:
    """The page's lines as regions in reading order, each from the top down."""
    chunks = _chunks(sorted(lines, key=lambda line: line.order))
    regions: list[list[Line]] = []
    last: _Chunk | None = None
    for chunk in _sorted(chunks):
        if last is not None and _is_one_column(last, chunk):
            regions[-1] += chunk.lines
        else:
            regions.append(list(chunk.lines))
        last = chunk
    return regions


def _is_one_column(above: _Chunk, below: _Chunk) -> bool:
    """Whether a chunk goes on right below another, in the same type and with the same edges."""
    size = above.lines[-1].size
    return (
        0 < above.bottom - below.lines[0].y <= _LEADING * size
        and abs(below.lines[0].size - size) <= 0.08 * size
        and abs(above.x0 - below.x0) <= size
        and abs(above.x1 - below.x1) <= 0.25 * (above.x1 - above.x0)
    )


def _chunks(lines: Sequence[Line]) -> list[_Chunk]:
    groups: list[list[Line]] = []
    for line in lines:
        if groups and _goes_on(groups[-1], line):
            groups[-1].append(line)
        else:
            groups.append([line])
    return [_Chunk.of(group) for group in groups]


def _goes_on(group: list[Line], line: Line) -> bool:
    """Whether a line stands beside or right below the last one drawn, in the same type."""
    last = group[-1]
    if line.table or last.table:
        return False
    step = last.y - line.y
    if abs(step) <= 0.3 * line.size:
        return line.x0 >= last.x1 - 1 and line.order == last.last + 1
    if abs(line.size - last.size) > 0.08 * last.size or line.bold != last.bold:
        return False
    row = [other for other in group if abs(other.y - last.y) <= 0.3 * last.size]
    x0, x1 = min(other.x0 for other in row), max(other.x1 for other in row)
    shared = min(line.x1, x1) - max(line.x0, x0)
    return 0 < step <= _LEADING * line.size and shared > _SHARE * min(line.width, x1 - x0)


def _sorted(chunks: list[_Chunk]) -> list[_Chunk]:
    """Topological order by the two rules; where they go in a circle, the highest chunk first."""
    if len(chunks) > _MAX_CHUNKS:
        return sorted(chunks, key=lambda chunk: (-round(chunk.top), chunk.x0))
    wide = _wide(chunks)
    before = {
        index: {other for other, a in enumerate(chunks) if other != index and _precedes(a, b, chunks, wide)}
        for index, b in enumerate(chunks)
    }
    order: list[_Chunk] = []
    left = set(before)
    while left:
        free = [index for index in left if not before[index] & left] or list(left)
        chosen = _next(free, chunks, order[-1] if order else None)
        order.append(chunks[chosen])
        left.discard(chosen)
    return order


def _next(free: list[int], chunks: list[_Chunk], last: _Chunk | None) -> int:
    """Of the chunks that may come next: the one below the last in its column, else the highest."""
    if last is not None:
        below = [i for i in free if _shares_width(last, chunks[i]) and chunks[i].middle < last.middle]
        if below:
            return max(below, key=lambda i: (chunks[i].top, -chunks[i].x0))
    return min(free, key=lambda i: (-round(chunks[i].top), chunks[i].x0))


def _wide(chunks: list[_Chunk]) -> list[_Chunk]:
    left, right = min((c.x0 for c in chunks), default=0.0), max((c.x1 for c in chunks), default=0.0)
    return [chunk for chunk in chunks if chunk.x1 - chunk.x0 > 0.4 * (right - left)]


def _precedes(a: _Chunk, b: _Chunk, chunks: list[_Chunk], wide: list[_Chunk]) -> bool:
    if _overlaps(a, b):
        return a.middle > b.middle
    if a.x1 > b.x0 + 1:
        return False
    if a.top < b.bottom and not any(c.x1 <= b.x0 + 1 and c.top > b.bottom and _overlaps(c, a) for c in chunks):
        return False  # nothing of the left column stands as high as the chunk to the right: it is no column beside it
    low, high = sorted((a.middle, b.middle))
    return not any(low < c.middle < high and _overlaps(c, a) and _overlaps(c, b) for c in wide)


def _overlaps(a: _Chunk, b: _Chunk) -> bool:
    return min(a.x1, b.x1) - max(a.x0, b.x0) > 1


def _shares_width(a: _Chunk, b: _Chunk) -> bool:
    return min(a.x1, b.x1) - max(a.x0, b.x0) > _SHARE * min(a.x1 - a.x0, b.x1 - b.x0)
