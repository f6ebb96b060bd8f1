"""What stands on a page without being part of the report's text (pure functions).

Running headers, footers and page numbers: lines near the edges that return on several pages, or that are a number. Not
taken for them are headings that begin pages: lines whose numbers change from page to page ("Case 1", "2016") in larger
type than the text or named as parts of a report are ("Kortbilag 3"), and lines of some of the pages in a type in which
headings stand inside pages too. What a tagged file names as a heading is none of them; the numbers that it leaves out,
as those on the axes of a chart, are.
The table of contents: lines with dot leaders, or an outline title and its page's number. Footnotes are kept, but
parted from the text they interrupt.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from kb.extract.contents_list import bare
from kb.extract.pdf.lines import Line
from kb.extract.pdf.raw_page import OutlineEntry

_FEWEST_ENTRIES = 3
_NOTE_RATIO = 0.92
_EDGE_ZONE = 0.12
_GAP = 1.7
_SMALLER = 0.75
_LARGER = 1.15
_MOST_PAGES = 0.75
YEAR = re.compile(r"(?:1[89]|20|21)\d\d")
_PART = re.compile(
    r"(?:\w*bilag|case|kapitel|tema|delprojekt|projekt|anbefaling|appendiks|annex|del|trin|fase|interview|eksempel"
    r"|indsats|spor)\s+(?:\d{1,3}|[A-ZÆØÅ])\b",
    re.IGNORECASE,
)
_PAGE_NUMBER = re.compile(
    r"^(?:[-–—|\s]{0,30}(?:side|page|s\.|p\.)?\s{0,9}\d{1,4}(?:\s{0,9}(?:af|of|/)\s{0,9}\d{1,4})?[-–—|\s]{0,30}"
    r"|[-–—|\s]{0,30}(?:(?:side|page|s\.|p\.)\s{0,9})?(?=[ivxlc])c{0,2}(?:x[cl]|l?x{0,3})(?:i[xv]|v?i{0,3})"
    r"[-–—|\s]{0,30})$",
    re.IGNORECASE,
)
_LEADER = re.compile(r"(?<!\.)(?<!\.\s)(?:\.\s?){4,}\s*[\divxlc]*$|(?<!…)…{2,}\s*\d*$|(?<!_)_{4,}\s*\d+$")
_CONTENTS = re.compile(r"indhold(?:sfortegnelse)?|(?:table of )?contents", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{4}")
_TRAILING_NUMBER = re.compile(r"(?<!\s)\s*\d{1,4}$")


def without_contents(lines: dict[int, list[Line]], outline: Sequence[OutlineEntry]) -> dict[int, list[Line]]:
    """Leave out the table of contents: lines with dot leaders, or an outline title and its page's number."""
    targets = {key: entry.page for entry in outline if len(key := bare(entry.title)) > 2}

    def is_entry(line: Line) -> bool:
        if _LEADER.search(line.text):
            return True
        title = _TRAILING_NUMBER.sub("", line.text)
        return title != line.text and targets.get(bare(title), 0) > line.page

    entries = [line for page in lines.values() for line in page if is_entry(line)]
    if len(entries) < _FEWEST_ENTRIES:
        return lines
    rows = {(line.page, round(line.y)) for line in entries}
    pages = {line.page for line in entries}
    return {
        number: [
            line
            for line in page
            if (number, round(line.y)) not in rows and not (number in pages and _CONTENTS.fullmatch(line.text))
        ]
        for number, page in lines.items()
    }


def split_notes(lines: list[Line], body: float, height: float) -> tuple[list[Line], list[Line]]:
    """Part the footnotes from the text: small type at the foot of the page, the first line numbered."""
    small = [line for line in lines if line.size <= _NOTE_RATIO * body and line.y < height / 2 and not line.table]
    if not small:
        return lines, []
    small_set = set(small)
    lowest_text = min((line.y for line in lines if line not in small_set), default=0.0)
    notes = [line for line in small if line.y < lowest_text]
    if not notes or not re.match(r"^(?:\d{1,3}|[*†])\s*\S", notes[0].text):
        return lines, []
    taken = set(notes)
    return [line for line in lines if line not in taken], notes


def find_running(lines: dict[int, list[Line]], heights: dict[int, float]) -> set[Line]:
    """The lines that are running headers, footers or page numbers."""
    body = _body_size(line for page in lines.values() for line in page)
    edge: dict[str, list[Line]] = {}
    running: set[Line] = set()
    for number, page in lines.items():
        lowest = min((line.y for line in page), default=0.0)
        running.update(line for line in page if line.y == lowest < heights[number] / 3 and _is_page_number(line, body))
        for line in _edge_lines(page, heights[number]):
            if _is_page_number(line, body):
                running.add(line)
            else:
                edge.setdefault(_pattern(line), []).append(line)
    apart = {line for number, page in lines.items() for line in _apart(page, heights[number])}
    types = _heading_types(lines, heights, body)
    for alike in edge.values():
        if _are_headings(alike, body) or _have_heading_type(alike, types, len(lines)):
            continue
        if len({line.page for line in alike}) >= _needed(len(lines), apart.issuperset(alike)):
            running.update(alike)
    sizes: dict[str, float] = {}
    for line in (line for page in lines.values() for line in page):
        sizes[line.text] = max(sizes.get(line.text, 0.0), line.size)
    # The title said again in small type at the top of a report of one page.
    running |= {line for line in apart if line.size < _SMALLER * sizes[line.text]}
    running |= {line for page in lines.values() for line in page if line.artifact and not _WORD.search(line.text)}
    running = {line for line in running if not line.tag}
    everything = {line for page in lines.values() for line in page}
    return set() if running >= everything else running


def _body_size(lines: Iterable[Line]) -> float:
    """The type size of most of the letters."""
    letters: Counter[float] = Counter()
    for line in lines:
        letters[round(line.size, 1)] += len(line.text)
    return letters.most_common(1)[0][0] if letters else 0.0


def _is_page_number(line: Line, body: float) -> bool:
    """Whether a line is a page's number; a year in larger type than the text is a heading."""
    return bool(_PAGE_NUMBER.match(line.text)) and not (YEAR.fullmatch(line.text) and line.size > _LARGER * body)


def _are_headings(lines: Sequence[Line], body: float) -> bool:
    """Whether lines alike but for their numbers are headings: no two the same, and larger than the text or parts.

    The size of a part is not asked: that of recognised text is not told well.
    """
    if len({line.text for line in lines}) < len(lines) or len(lines) == 1:
        return False
    return all(line.size > _LARGER * body or _PART.match(line.text) for line in lines)


def _heading_types(
    lines: dict[int, list[Line]], heights: dict[int, float], body: float
) -> frozenset[tuple[float, bool]]:
    """The types larger than the text's in which several lines stand inside pages: those of headings."""
    texts: dict[tuple[float, bool], set[str]] = {}
    for number, page in lines.items():
        edges = set(_edge_lines(page, heights[number]))
        for line in page:
            if line.size > _LARGER * body and line not in edges and not line.table:
                texts.setdefault((line.size, line.bold), set()).add(line.text)
    return frozenset(look for look, shown in texts.items() if len(shown) > 1)


def _have_heading_type(lines: Sequence[Line], types: frozenset[tuple[float, bool]], pages: int) -> bool:
    """Whether lines that return look as headings do, and not on nearly every page as running headers do."""
    on_pages = len({line.page for line in lines})
    return on_pages <= _MOST_PAGES * pages and all((line.size, line.bold) in types for line in lines)


def _needed(pages: int, apart: bool) -> float:
    """On how many pages a line must return to be running; on more when it stands close to the text."""
    if pages < 3:
        return 2 if apart else math.inf
    return max(2, min(4, pages // 3)) if apart else max(3, 0.6 * pages)


def _apart(page: list[Line], height: float) -> set[Line]:
    """The lines at the page's edges that white space parts from the text."""
    ordered = sorted(page, key=lambda line: line.y)
    return _up_to_gap(ordered, height) | _up_to_gap(ordered[::-1], height)


def _up_to_gap(ordered: list[Line], height: float) -> set[Line]:
    for index, (line, following) in enumerate(pairwise(ordered), start=1):
        if min(line.y, height - line.y) > height * _EDGE_ZONE:
            break
        if abs(following.y - line.y) > _GAP * max(line.size, following.size):
            return set(ordered[:index])
    return set()


def _edge_lines(page: list[Line], height: float) -> list[Line]:
    low, high = height * _EDGE_ZONE, height * (1 - _EDGE_ZONE)
    return [line for line in page if (line.y < low or line.y > high) and not line.table]


def _pattern(line: Line) -> str:
    """What a running line has in common from page to page: its words without numbers, and its height."""
    return f"{re.sub(r'[0-9]+', '#', line.text.lower())}@{round(line.y / 12)}"
