"""Where a lesson's evidence stands now: found by its words, whatever was indexed, renamed or rewritten since.

    anchor(evidence, texts).state

The words are looked for in the report they were taken from, then in the others. Where a report no longer has them, the
passage that is most like them is told, so that an editor sees what stands there instead.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Protocol

from rapidfuzz import fuzz

from kb.core.models import Passage
from kb.lessons.lesson import Evidence

# From this likeness on (of 100) a passage is taken for a rewritten one.
REWRITTEN = 60.0


class AnchorState(StrEnum):
    """What became of a lesson's evidence. The values are the words shown."""

    INTACT = "uændret"
    MOVED = "flyttet til en anden rapport"
    CHANGED = "ændret i rapporten"
    GONE = "væk"
    UNCHECKED = "ikke efterset"

    @property
    def stands(self) -> bool:
        """Whether the words still stand in a report."""
        return self in {AnchorState.INTACT, AnchorState.MOVED}

    @property
    def is_lost(self) -> bool:
        """Whether the words no longer stand in any report, so that an editor must look at the lesson."""
        return self in {AnchorState.CHANGED, AnchorState.GONE}


@dataclass(frozen=True, slots=True)
class Anchor:
    """The place of a piece of evidence now: ``[start, end)`` of a document's text, and the passage it begins in.

    Of changed evidence the passage is the one most like it, of evidence that is gone there is none.
    """

    evidence: Evidence
    state: AnchorState
    document_id: str = ""
    passage_id: str = ""
    start: int = 0
    end: int = 0


class Texts(Protocol):
    """The reports that evidence is looked for in."""

    def text_of(self, document_id: str) -> str | None:
        """A report's text; None where there is no such report."""
        ...

    def passages_of(self, document_id: str) -> Sequence[Passage]:
        """A report's passages in order."""
        ...

    def likely_to_hold(self, quote: str) -> Iterable[str]:
        """The ids of the reports that may hold some words."""
        ...


def anchor(evidence: Evidence, texts: Texts) -> Anchor:
    """Where the evidence stands now."""
    own = texts.text_of(evidence.document_id)
    if own is not None and (place := find_words(own, evidence.quote)):
        return _placed(evidence, AnchorState.INTACT, evidence.document_id, place, texts)
    for document_id in texts.likely_to_hold(evidence.quote):
        text = texts.text_of(document_id)
        if document_id != evidence.document_id and text is not None and (place := find_words(text, evidence.quote)):
            return _placed(evidence, AnchorState.MOVED, document_id, place, texts)
    if own is None:
        return Anchor(evidence, AnchorState.GONE)
    return _rewritten(evidence, texts.passages_of(evidence.document_id))


def find_words(text: str, quote: str) -> tuple[int, int] | None:
    """The range of a text that has a quote's words, whatever white space is between them; None where none has."""
    exact = text.find(quote)
    if exact >= 0 and quote:
        return exact, exact + len(quote)
    wanted = " ".join(quote.split())
    words = text.split()
    found = f" {' '.join(words)} ".find(f" {wanted} ") if wanted else -1
    if found < 0:
        return None
    return _range_of_words(text, words, found, wanted.count(" ") + 1)


def _range_of_words(text: str, words: Sequence[str], found: int, count: int) -> tuple[int, int]:
    """The range of ``count`` words, the first of which stands ``found`` characters into the words joined by spaces."""
    begins = [0, *accumulate(len(word) + 1 for word in words)]
    first = bisect_right(begins, found) - 1
    place = start = 0
    for number, word in enumerate(words[: first + count]):
        place = text.index(word, place)
        start = place if number == first else start
        place += len(word)
    return start, place


def _placed(evidence: Evidence, state: AnchorState, document_id: str, place: tuple[int, int], texts: Texts) -> Anchor:
    start, end = place
    passage = next((one for one in texts.passages_of(document_id) if one.start <= start < one.end), None)
    return Anchor(evidence, state, document_id, passage.id if passage else "", start, end)


def _rewritten(evidence: Evidence, passages: Sequence[Passage]) -> Anchor:
    likest = max(passages, key=lambda one: _likeness(evidence, one), default=None)
    if likest is None or _likeness(evidence, likest) < REWRITTEN:
        return Anchor(evidence, AnchorState.GONE)
    return Anchor(evidence, AnchorState.CHANGED, likest.document_id, likest.id, likest.start, likest.end)


def _likeness(evidence: Evidence, passage: Passage) -> float:
    return float(fuzz.ratio(evidence.quote, passage.text))
