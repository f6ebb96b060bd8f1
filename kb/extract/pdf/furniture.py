"""What stands on a page without being part of the report's text (pure functions).

Running headers, footers and page numbers: lines near the edges that return on several pages, or that are a number.
The table of contents: lines with dot leaders, or an outline title and its page's number. Footnotes are kept, but
parted from the text they interrupt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.extract.pdf.lines import Line
from kb.extract.pdf.model import OutlineEntry

_FEWEST_ENTRIES = 3
_NOTE_RATIO = 0.92
_EDGE_ZONE = 0.12
_PAGE_NUMBER = re.compile(
    r"^(?:[-–—|\s]*(?:side|page|s\.|p\.)?\s*\d{1,4}(?:\s*(?:af|of|/)\s*\d{1,4})?[-–—|\s]*|[ivxlc]{1,6})$", re.IGNORECASE
)
_LEADER = re.compile(r"(?:\.\s?){4,}\s*[\divxlc]*$|…{2,}\s*\d*$|_{4,}\s*\d+$")
_CONTENTS = re.compile(r"indhold(?:sfortegnelse)?|(?:table of )?contents", re.IGNORECASE)
_TRAILING_NUMBER = re.compile(r"\s*\d{1,4}$")


def without_contents(lines: dict[int, list[Line]], outline: Sequence[OutlineEntry]) -> dict[int, list[Line]]:
    """Leave out the table of contents: lines with dot leaders, or an outline title and its page's number."""
    targets = {key: entry.page for entry in outline if len(key := title_key(entry.title)) > 2}

    def is_entry(line: Line) -> bool:
        if _LEADER.search(line.text):
            return True
        bare = _TRAILING_NUMBER.sub("", line.text)
        return bare != line.text and targets.get(title_key(bare), 0) > line.page

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
    edge: dict[str, list[Line]] = {}
    running: set[Line] = set()
    for number, page in lines.items():
        lowest = min((line.y for line in page), default=0.0)
        running.update(
            line for line in page if line.y == lowest < heights[number] / 3 and _PAGE_NUMBER.match(line.text)
        )
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
    return [line for line in page if (line.y < low or line.y > high) and not line.table]


def _pattern(line: Line) -> str:
    """What a running line has in common from page to page: its words without numbers, and its height."""
    return f"{re.sub(r'[0-9]+', '#', line.text.lower())}@{round(line.y / 12)}"


def title_key(text: str) -> str:
    """A title without its number, spaces and punctuation, to be compared with another."""
    return re.sub(r"^[\d.\s]+|[\W_]+", "", text).lower()
