"""Passages that editors pinned: which of them stand above the answer to a question.

    pinned(searcher, "Hvornår tømmes skraldet?", curation.pins)

A pin belongs to its own question and to those as like it as ``SAME_FOR_READERS`` says, answered or refused. It is a
passage by content, as a lesson's evidence is: where it stands is found anew in every build, and one whose words no
longer stand in any report is not shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from kb.answer.lessons import anchored
from kb.answer.question_likeness import SAME_FOR_READERS, vectors_of
from kb.core.privacy import mask
from kb.curation.words import Pin
from kb.embedding.embedder import Embedder
from kb.lessons.anchoring import Anchor
from kb.retrieval.searcher import Searcher

MOST_SHOWN = 3


def belonging(embedder: Embedder, question: str, pins: Sequence[Pin]) -> list[Pin]:
    """The pins of a question and of those like it, likest first; a pin's question is masked as questions are stored."""
    if not pins:
        return []
    asked = mask(question).text
    vectors = vectors_of(embedder, [asked, *(pin.question for pin in pins)])
    cosines = zip(pins, vectors[1:] @ vectors[0], strict=True)
    likeness = [1.0 if pin.question == asked else float(cosine) for pin, cosine in cosines]
    ranked = sorted(zip(likeness, pins, strict=True), key=lambda pair: -pair[0])
    return [pin for cosine, pin in ranked if cosine >= SAME_FOR_READERS]


def pinned(searcher: Searcher, question: str, pins: Sequence[Pin]) -> tuple[Anchor, ...]:
    """The pinned passages of a cleaned question, where they stand in the searcher's build."""
    anchors = (anchored(searcher.snapshot, pin.evidence) for pin in belonging(searcher.embedder, question, pins))
    return tuple(dict.fromkeys(one for one in anchors if one.state.stands))[:MOST_SHOWN]
