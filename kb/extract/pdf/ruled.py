"""Tables framed by drawn lines (pure functions).

Rules that touch each other form a frame; its distinct verticals and horizontals are the grid. A cell reaches over a
grid line where no rule is drawn and its text does (a merged cell). Text belongs to the cell its middle lies in. Lines
that end where text ends, under it or around it, are underlining and highlighting. A table ruled only between its rows
has its columns where white strips stay open all the way down. A frame counts as a table when it has at least two
columns and two rows and text in a fair share of its cells; a framed text, a chart's grid and a page laid out by boxes
do not.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from kb.extract.pdf.raw_page import Rule, Run

_TOUCH = 3.0
_SAME = 2.5
_MAX_RULES = 4000
_MIN_FILLED = 0.3
_MAX_CELL_SHARE = 0.35
_MAX_CELL = 900
_ROW_GAP = 60.0
_FEWEST_BANDS = 3
_FEWEST_ALONE = 3
_STRIP = 0.7
# How near to the text's own edges highlighting ends; the edge of a cell stands off.
_TIGHT = 1.5
_LARGER = 1.15


@dataclass(frozen=True)
class Frame:
    """A table: its box, and per row and column the runs of each cell (empty in the shadow of a merged cell)."""

    x0: float
    x1: float
    bottom: float
    top: float
    cells: tuple[tuple[tuple[Run, ...], ...], ...]


def find_tables(rules: Sequence[Rule], runs: Sequence[Run]) -> list[Frame]:
    """The tables on a page, from the top down."""
    drawn = _without_highlights(rules[:_MAX_RULES], runs)
    groups = _stacked(_touching(_joined(drawn)), runs)
    frames = (_frame(group, runs) for group in groups)
    return sorted((frame for frame in frames if frame is not None), key=lambda frame: -frame.top)


def _without_highlights(rules: Sequence[Rule], runs: Sequence[Run]) -> list[Rule]:
    """The rules without those that only underline or highlight text: they begin and end where the text does."""
    in_order = sorted(runs, key=lambda run: run.y)
    heights = [run.y for run in in_order]
    tallest = max((run.size for run in runs), default=0.0)

    def is_highlight(rule: Rule) -> bool:
        low, high = bisect_left(heights, rule.y0 - tallest), bisect_right(heights, rule.y1 + tallest)
        near = [run for run in in_order[low:high] if _bounds(rule, run)]
        if rule.y0 == rule.y1:
            return any(abs(run.x0 - rule.x0) <= _TIGHT for run in near) and any(
                abs(run.x1 - rule.x1) <= _TIGHT for run in near
            )
        return any(min(abs(run.x0 - rule.x0), abs(run.x1 - rule.x0)) <= _TIGHT for run in near)

    return [rule for rule in rules if not is_highlight(rule)]


def _bounds(rule: Rule, run: Run) -> bool:
    """Whether a rule is as near to a run as the edge of a box around it; an upright one must be no taller."""
    low, high = run.y - 0.4 * run.size, run.y + 1.1 * run.size
    return low <= rule.y0 <= high and low <= rule.y1 <= high


def _joined(rules: Sequence[Rule]) -> list[Rule]:
    """Pieces of one line put together: borders are often drawn cell by cell."""
    horizontal = _joined_along([(r.y0, r.x0, r.x1) for r in rules if r.y0 == r.y1])
    vertical = _joined_along([(r.x0, r.y0, r.y1) for r in rules if r.y0 != r.y1])
    return [Rule(a, at, b, at) for at, a, b in horizontal] + [Rule(at, a, at, b) for at, a, b in vertical]


def _joined_along(lines: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Lines given as (place across, from, to); those at nearly the same place that meet become one."""
    joined: list[tuple[float, float, float]] = []
    for at, start, end in sorted(lines, key=lambda line: (round(line[0] / _SAME), line[1])):
        for index in range(len(joined) - 1, max(-1, len(joined) - 4), -1):
            other = joined[index]
            if abs(other[0] - at) <= _SAME and start <= other[2] + _TOUCH:
                joined[index] = (other[0], min(other[1], start), max(other[2], end))
                break
        else:
            joined.append((at, start, end))
    return joined


def _touching(rules: list[Rule]) -> list[list[Rule]]:
    """Groups of rules that touch or cross, directly or by way of others."""
    parents = list(range(len(rules)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    horizontal = [index for index, rule in enumerate(rules) if rule.y0 == rule.y1]
    vertical = [index for index, rule in enumerate(rules) if rule.y0 != rule.y1]
    for v in vertical:
        for h in horizontal:
            if _cross(rules[h], rules[v]):
                parents[root(h)] = root(v)
    groups: dict[int, list[Rule]] = {}
    for index, rule in enumerate(rules):
        groups.setdefault(root(index), []).append(rule)
    return list(groups.values())


def _stacked(groups: list[list[Rule]], runs: Sequence[Run]) -> list[list[Rule]]:
    """Groups with only a row of cells between them put together: in striped tables every second row is bare."""
    stacked: list[list[Rule]] = []
    for group in sorted(groups, key=lambda group: -max(rule.y1 for rule in group)):
        above = next((other for other in stacked if _goes_on(other, group, runs)), None)
        if above is None:
            stacked.append(list(group))
        else:
            above.extend(group)
    return stacked


def _goes_on(above: list[Rule], below: list[Rule], runs: Sequence[Run]) -> bool:
    high, low = min(rule.y0 for rule in above), max(rule.y1 for rule in below)
    if not _same_sides(above, below) or high - low > _ROW_GAP:
        return False
    xs = _distinct([rule.x0 for rule in above if rule.y0 != rule.y1])
    between = [run for run in runs if low < run.y < high and xs and xs[0] <= _middle(run) <= xs[-1]]
    in_table = [run.size for run in runs if min(rule.y0 for rule in above) <= run.y <= max(rule.y1 for rule in above)]
    if any(run.size > _LARGER * max(in_table, default=run.size) for run in between):
        return False  # a heading parts two tables
    crossing = any(run.x0 < x - 1 < x + 1 < run.x1 for run in between for x in xs[1:-1])
    return not crossing and len({_interval(xs, _middle(run)) for run in between}) > 1


def _same_sides(a: list[Rule], b: list[Rule]) -> bool:
    return (
        abs(min(r.x0 for r in a) - min(r.x0 for r in b)) <= _TOUCH
        and abs(max(r.x1 for r in a) - max(r.x1 for r in b)) <= _TOUCH
    )


def _cross(h: Rule, v: Rule) -> bool:
    return h.x0 - _TOUCH <= v.x0 <= h.x1 + _TOUCH and v.y0 - _TOUCH <= h.y0 <= v.y1 + _TOUCH


def _frame(rules: list[Rule], runs: Sequence[Run]) -> Frame | None:
    xs = _distinct([rule.x0 for rule in rules if rule.y0 != rule.y1])
    ys = _distinct([rule.y0 for rule in rules if rule.y0 == rule.y1])[::-1]
    if len(xs) < 3 and len(ys) > _FEWEST_BANDS:
        xs, ys = _strips(rules, ys, runs)
    if len(xs) < 3 or len(ys) < 2:
        return None
    inside = [run for run in runs if xs[0] - 1 <= _middle(run) <= xs[-1] + 1 and ys[-1] - 1 <= run.y <= ys[0]]
    if not inside:
        return None
    owners = _owners(rules, xs, ys, inside)
    cells: dict[tuple[int, int], list[Run]] = {}
    for run in inside:
        row, column = _interval(ys, run.y + 0.3 * run.size), _interval(xs, _middle(run))
        cells.setdefault(owners[row, column], []).append(run)
    if not _is_table(cells, len(set(owners.values()))):
        return None
    rows = tuple(
        tuple(tuple(cells.get((row, column), ())) for column in range(len(xs) - 1)) for row in range(len(ys) - 1)
    )
    return Frame(xs[0], xs[-1], ys[-1], ys[0], rows)


def _strips(rules: list[Rule], ys: list[float], runs: Sequence[Run]) -> tuple[list[float], list[float]]:
    """The columns of a table ruled only between its rows: the white strips that stay open from top to bottom.

    The heading row may stand above the first rule.
    """
    left, right = min(rule.x0 for rule in rules), max(rule.x1 for rule in rules)
    inside = [run for run in runs if left - 2 <= run.x0 and run.x1 <= right + 2 and ys[-1] - 1 <= run.y <= ys[0]]
    if not inside:
        return [], ys
    size = max(run.size for run in inside)
    above = [run for run in runs if left - 2 <= run.x0 and run.x1 <= right + 2 and ys[0] < run.y <= ys[0] + 1.8 * size]
    xs = _open_strips([*inside, *above], left, right, size)
    if len(xs) >= 3 and above:
        return xs, [max(run.y + run.size for run in above), *ys]
    return _open_strips(inside, left, right, size), ys


def _open_strips(runs: Sequence[Run], left: float, right: float, size: float) -> list[float]:
    edges = [left]
    end = left
    for run in sorted(runs, key=lambda run: run.x0):
        if run.x0 - end > _STRIP * size and end > left:
            edges.append((end + run.x0) / 2)
        end = max(end, run.x1)
    return [*edges, right]


def _is_table(cells: dict[tuple[int, int], list[Run]], count: int) -> bool:
    lengths = sorted(sum(len(run.text) for run in runs) for runs in cells.values())
    columns, rows = len({column for _, column in cells}), len({row for row, _ in cells})
    # One row alone is the heading of a table that goes on overleaf.
    if columns < 2 or (rows < 2 and columns < _FEWEST_ALONE):
        return False
    long_cells = sum(length > _MAX_CELL for length in lengths)
    return len(cells) >= _MIN_FILLED * count and long_cells <= _MAX_CELL_SHARE * len(lengths)


def _middle(run: Run) -> float:
    return (run.x0 + run.x1) / 2


def _distinct(values: list[float]) -> list[float]:
    distinct: list[float] = []
    for value in sorted(values):
        if not distinct or value - distinct[-1] > _SAME + 1.5:
            distinct.append(value)
    return distinct


def _interval(edges: list[float], value: float) -> int:
    """Which interval between neighbouring edges a value lies in, the nearest when outside."""
    falling = edges[0] > edges[-1]
    for index in range(len(edges) - 2):
        edge = edges[index + 1]
        if (value > edge) if falling else (value < edge):
            return index
    return len(edges) - 2


def _owners(
    rules: list[Rule], xs: list[float], ys: list[float], runs: Sequence[Run]
) -> dict[tuple[int, int], tuple[int, int]]:
    """For each cell of the grid the cell it is merged into: itself, or one to the left or above.

    Where a row has no rule at a column's edge, text that runs across it tells that cells are merged.
    """
    owners: dict[tuple[int, int], tuple[int, int]] = {}
    for row in range(len(ys) - 1):
        middle_y = (ys[row] + ys[row + 1]) / 2
        for column in range(len(xs) - 1):
            middle_x = (xs[column] + xs[column + 1]) / 2
            owner = (row, column)
            crossed = any(r.x0 < xs[column] - 1 < xs[column] + 1 < r.x1 and ys[row + 1] <= r.y <= ys[row] for r in runs)
            if column and crossed and not _has_vertical(rules, xs[column], middle_y):
                owner = owners[row, column - 1]
            elif row and not _has_horizontal(rules, ys[row], middle_x):
                owner = owners[row - 1, column]
            owners[row, column] = owner
    return owners


def _has_vertical(rules: list[Rule], x: float, y: float) -> bool:
    return any(rule.y0 != rule.y1 and abs(rule.x0 - x) <= _SAME + 1.5 and rule.y0 <= y <= rule.y1 for rule in rules)


def _has_horizontal(rules: list[Rule], y: float, x: float) -> bool:
    return any(rule.y0 == rule.y1 and abs(rule.y0 - y) <= _SAME + 1.5 and rule.x0 <= x <= rule.x1 for rule in rules)
