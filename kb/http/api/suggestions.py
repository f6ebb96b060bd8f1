"""Suggestions for the search field: names and headings of the base that go on from what was written (pure).

What begins with the text comes first, then what has a word that begins with it; among those projects before
authorities, reports, themes and headings, and then the alphabet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from kb.core.fields import THEMES
from kb.retrieval.caches import Owned
from kb.retrieval.snapshot import Snapshot

KINDS = ("projekt", "myndighed", "rapport", "tema", "afsnit")
MAX_HEADING = 80


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be suggested; ``folded`` is its text as it is compared."""

    text: str
    kind: str
    url: str
    folded: str


def suggest(snapshot: Snapshot, written: str, top: int) -> list[Entry]:
    """The ``top`` best suggestions for what was written."""
    wanted = _fold(written)
    if not wanted:
        return []
    ranked = [(place, entry) for entry in _ENTRIES.of(snapshot) if (place := _place(entry.folded, wanted)) is not None]
    ranked.sort(key=lambda item: (item[0], KINDS.index(item[1].kind), item[1].folded))
    return [entry for _, entry in ranked[:top]]


def _fold(text: str) -> str:
    return " ".join(re.findall(r"[\w-]+", text.casefold()))


def _place(folded: str, wanted: str) -> int | None:
    if folded.startswith(wanted):
        return 0
    return 1 if f" {wanted}" in folded else None


def _entries(snapshot: Snapshot) -> tuple[Entry, ...]:
    entries: dict[tuple[str, str], Entry] = {}

    def add(text: str, kind: str, url: str) -> None:
        if text:
            entries.setdefault((kind, _fold(text)), Entry(text, kind, url, _fold(text)))

    for project in snapshot.projects():
        add(project.name, "projekt", f"/projekter/{project.slug}")
    records = [stored for stored in snapshot.records.values() if not stored.copy_of]
    for stored in records:
        metadata = stored.record.metadata
        add(metadata.myndighed, "myndighed", f"/dokumenter?{urlencode({'myndighed': metadata.myndighed})}")
        add(metadata.titel, "rapport", f"/dokumenter/{stored.record.id}")
        for heading in stored.headings:
            if len(heading.text) <= MAX_HEADING:
                add(heading.text, "afsnit", f"/sporg?{urlencode({'q': heading.text})}")
    used = {theme for stored in records for theme in stored.record.metadata.temaer}
    for theme in THEMES:
        if theme in used:
            add(theme, "tema", f"/temaer/{theme}")
    return tuple(entries.values())


_ENTRIES = Owned(_entries)
