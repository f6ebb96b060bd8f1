"""What the tags of a file say of each line (pure functions).

A line belongs to the heading that nearly all of it is tagged as; a heading that runs into its paragraph is none of a
line's own, and a whole paragraph tagged as a heading is a paragraph. A line that no tag holds is an artifact.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from kb.extract.pdf.lines import Line
from kb.extract.pdf.raw_page import ARTIFACT, Mark

_NEARLY_ALL = 0.9
_ONE_LINE = 0.4


def with_tags(lines: Sequence[Line], marks: Sequence[Mark], longest: int) -> list[Line]:
    """The lines of a page with their tags; headings of more than ``longest`` characters are not told."""
    if not marks:
        return list(lines)
    in_order = sorted(marks, key=lambda mark: mark.y)
    heights = [mark.y for mark in in_order]
    told = [line if line.table else _told(line, in_order, heights) for line in lines]
    lengths: Counter[int] = Counter()
    for line in told:
        lengths[line.element] += len(line.text)
    return [replace(line, tag=0, element=0) if line.tag and lengths[line.element] > longest else line for line in told]


def _told(line: Line, marks: Sequence[Mark], heights: Sequence[float]) -> Line:
    widths: Counter[tuple[int, int]] = Counter()
    low, high = line.y - _ONE_LINE * line.size, line.y + _ONE_LINE * line.size
    for mark in marks[bisect_left(heights, low) : bisect_right(heights, high)]:
        shared = min(mark.x1, line.x1) - max(mark.x0, line.x0)
        if shared > 0:
            widths[mark.level, mark.element] += round(100 * shared)
    if not widths:
        return line
    (level, element), width = widths.most_common(1)[0]
    if width < _NEARLY_ALL * widths.total() or not level:
        return line
    return replace(line, artifact=True) if level == ARTIFACT else replace(line, tag=level, element=element)
