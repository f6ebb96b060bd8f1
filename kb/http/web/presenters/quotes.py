"""Quoted text: cut into marked and unmarked runs, with the place it stands and the source to copy along."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kb.core.models import DocumentRecord, Match, Metadata, Passage


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text, marked or not; ``anchor`` is set on the first marked run of a cited passage."""

    text: str
    marked: bool = False
    anchor: str = ""


def marked(text: str, matches: Sequence[Match]) -> tuple[Segment, ...]:
    """The text cut at its matches; neighbouring matches with only a hyphen or space between become one."""
    segments: list[Segment] = []
    done = 0
    for start, end in _joined((match.start, match.end) for match in matches):
        if start >= len(text):
            break
        segments += [Segment(text[done:start]), Segment(text[start:end], marked=True)]
        done = end
    segments.append(Segment(text[done:]))
    return tuple(segment for segment in segments if segment.text)


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


@dataclass(frozen=True, slots=True)
class Cited:
    """The range to mark and the anchor that its first run carries."""

    start: int = 0
    end: int = 0
    anchor: str = ""

    def cut(self, text: str, start: int, end: int, skip: int = 0) -> tuple[Segment, ...]:
        """The line ``[start, end)`` without its first ``skip`` characters, cut at the edges of the cited range."""
        anchor = self.anchor if start <= self.start else ""
        start += skip
        first, last = max(start, self.start), min(end, self.end)
        if first >= last:
            return (Segment(text[start:end]),)
        parts = (Segment(text[start:first]), Segment(text[first:last], True, anchor), Segment(text[last:end]))
        return tuple(part for part in parts if part.text)


def pages(first: int | None, last: int | None = None) -> str:
    """Where in a paged document: "side 4" or "side 4-5"; empty where there are no pages."""
    if first is None:
        return ""
    return f"side {first}" if last in (None, first) else f"side {first}-{last}"


def page(number: int | None, label: str = "") -> str:
    """One page, with what is printed on it where that is another: "side 7 (trykt iv)"; empty without pages."""
    printed = f" (trykt {label})" if label not in ("", str(number)) else ""
    return f"{pages(number)}{printed}" if number else ""


def section(path: Sequence[str], title: str) -> str:
    """The headings a passage stands under, the report's own title left out."""
    return " › ".join(heading for heading in path if heading != title)


def byline(metadata: Metadata) -> str:
    """Project, authority and year on one line, what is unknown left out, and a project that the title names already."""
    project = "" if metadata.titel.startswith(metadata.projekt) else metadata.projekt
    parts = [project, metadata.myndighed, str(metadata.år or "")]
    return " · ".join(part for part in dict.fromkeys(parts) if part)


def citation_text(passage: Passage, record: DocumentRecord) -> str:
    """The passage as a quotation with its source, ready to paste into a case."""
    metadata = record.metadata
    source = [metadata.titel, metadata.myndighed, str(metadata.år or ""), pages(passage.page_first, passage.page_last)]
    where = ", ".join(part for part in source if part)
    under = " › ".join(passage.heading_path[1:] or passage.heading_path)
    return f"»{passage.text.strip()}«\n{where}{f', afsnittet {under}' if under else ''} ({passage.id})"


def foreign(language: str) -> str:
    """The language of a text for its ``lang`` attribute; empty for Danish, which the page says already."""
    return "" if language == "da" else language
