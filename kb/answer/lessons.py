"""Lessons against one build: where their evidence stands, which of them belong to an answer, and what is proposed.

    stand = Stand.of(searcher.snapshot, lesson)
    belonging(searcher, answer(searcher, question), confirmed)

A lesson belongs to an answer that cites the words it rests on, or whose question is as near it in meaning as
:data:`LIKENESS` says. One whose evidence no longer stands in any report belongs to none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kb.core.errors import NotFoundError
from kb.core.models import Answer, Passage
from kb.lessons.anchoring import Anchor, AnchorState, anchor
from kb.lessons.lesson import Evidence, Lesson
from kb.lessons.proposing import LessonProposal, propose
from kb.retrieval.caches import Cache, Owned
from kb.retrieval.searcher import Searcher
from kb.retrieval.snapshot import Snapshot
from kb.retrieval.text_vectors import TextVectors

# The least cosine of a question and a lesson that belong together, chosen on the dev half: .89 of what it shows belongs
# there, and .97 in the test half (benchmarks/lesson_likeness.py, docs/decisions/answers.md).
LIKENESS = 0.89
# Lessons that stand above one answer.
MOST_IN_ANSWER = 3
# Lessons that stand above what a plan is told.
MOST_IN_CHECK = 9
ANCHORS_REMEMBERED = 4096
VECTORS_REMEMBERED = 4096
# Words of a quote by which other reports are looked up: a phrase that no two passages share by chance.
PHRASE_WORDS = 8


@dataclass(frozen=True, slots=True)
class Stand:
    """A lesson with where each piece of its evidence stands in a build."""

    lesson: Lesson
    anchors: tuple[Anchor, ...]

    @classmethod
    def of(cls, snapshot: Snapshot, lesson: Lesson) -> Stand:
        """How a lesson stands in a build."""
        return cls(lesson, tuple(anchored(snapshot, one) for one in lesson.evidence))

    @classmethod
    def unchecked(cls, lesson: Lesson) -> Stand:
        """A lesson where there is no build to look in."""
        return cls(lesson, tuple(Anchor(one, AnchorState.UNCHECKED) for one in lesson.evidence))

    @property
    def is_supported(self) -> bool:
        """Whether any of its evidence stands in a report."""
        return any(one.state.stands for one in self.anchors)

    @property
    def is_shaken(self) -> bool:
        """Whether any of its evidence is gone or changed, so that an editor must look at it."""
        return any(one.state.is_lost for one in self.anchors)

    @property
    def document_ids(self) -> tuple[str, ...]:
        """The reports that its evidence stands in."""
        return tuple(dict.fromkeys(one.document_id for one in self.anchors if one.state.stands))


def _no_anchors(_snapshot: Snapshot) -> Cache[Evidence, Anchor]:
    return Cache(ANCHORS_REMEMBERED)


def _found(snapshot: Snapshot) -> list[LessonProposal]:
    together = [project.document_ids for project in snapshot.projects()]
    alone = [(id_,) for id_, stored in snapshot.records.items() if not stored.record.metadata.projekt]
    found = [one for ids in (*together, *alone) for one in _proposed(snapshot, ids)]
    return sorted(found, key=lambda one: (-one.likeness, one.id))


_ANCHORS = Owned(_no_anchors)
# A lesson's vector outlives the build it was first compared on.
_VECTORS = TextVectors(VECTORS_REMEMBERED, lambda embedder, texts: embedder.embed_passages(texts))
_PROPOSALS = Owned(_found)


def anchored(snapshot: Snapshot, evidence: Evidence) -> Anchor:
    """Where a piece of evidence stands in a build; looked for once."""
    return _ANCHORS.of(snapshot).get(evidence, lambda: anchor(evidence, SnapshotTexts(snapshot)))


class SnapshotTexts:
    """The reports of a build as :class:`kb.lessons.anchoring.Texts`."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def text_of(self, document_id: str) -> str | None:
        """A report's text; None where there is no such report or it was deleted."""
        try:
            return self._snapshot.document(document_id).document.text
        except NotFoundError:
            return None

    def passages_of(self, document_id: str) -> Sequence[Passage]:
        """A report's passages in order."""
        return self._snapshot.passages_of(document_id)

    def likely_to_hold(self, quote: str) -> Iterable[str]:
        """The reports with a passage that has the first words of a quote as a phrase."""
        words = " ".join(quote.replace('"', " ").split()[:PHRASE_WORDS])
        phrases = self._snapshot.analyser.question(f'"{words}"').quoted
        if not phrases:
            return ()
        keys = [int(key) for key in self._snapshot.sparse.containing(phrases)]
        stored = self._snapshot.store.passages(keys)
        return tuple(dict.fromkeys(stored[key].passage.document_id for key in keys))


def belonging(searcher: Searcher, answer: Answer, lessons: Iterable[Lesson]) -> tuple[Stand, ...]:
    """The confirmed lessons that belong to an answer, nearest first; none to a refusal."""
    if answer.refused:
        return ()
    stands = [Stand.of(searcher.snapshot, one) for one in lessons if one.is_confirmed]
    supported = [one for one in stands if one.is_supported]
    if not supported:
        return ()
    cosines = likenesses(searcher, answer.question, [one.lesson for one in supported])
    ranked = sorted(
        (not _is_cited(stand, answer), -cosine, stand.lesson.id, stand)
        for stand, cosine in zip(supported, cosines, strict=True)
        if cosine >= LIKENESS or _is_cited(stand, answer)
    )
    return tuple(stand for *_, stand in ranked[:MOST_IN_ANSWER])


def resting_on(snapshot: Snapshot, document_ids: Sequence[str], lessons: Iterable[Lesson]) -> tuple[Stand, ...]:
    """The confirmed lessons with evidence in some reports, those of the first report first."""
    stands = [Stand.of(snapshot, one) for one in lessons if one.is_confirmed]
    places = {id_: place for place, id_ in reversed(list(enumerate(document_ids)))}
    ranked = sorted(
        (min(places[id_] for id_ in stand.document_ids if id_ in places), stand.lesson.id, stand)
        for stand in stands
        if not places.keys().isdisjoint(stand.document_ids)
    )
    return tuple(stand for *_, stand in ranked[:MOST_IN_CHECK])


def likenesses(searcher: Searcher, question: str, lessons: Sequence[Lesson]) -> list[float]:
    """The cosine of a question with each lesson."""
    vectors = _VECTORS.of(searcher.embedder, [one.text for one in lessons])
    return [float(cosine) for cosine in vectors @ searcher.vector_of(question)]


def _is_cited(stand: Stand, answer: Answer) -> bool:
    """Whether an answer cites words that the lesson rests on."""
    return any(
        one.document_id == citation.document_id and one.start < citation.end and citation.start < one.end
        for one in stand.anchors
        if one.state.stands
        for citation in answer.citations
    )


def proposals_of(snapshot: Snapshot) -> list[LessonProposal]:
    """What the reports of a build propose as lessons, surest first."""
    return _PROPOSALS.of(snapshot)


def _proposed(snapshot: Snapshot, document_ids: Iterable[str]) -> list[LessonProposal]:
    stored = [
        one
        for id_ in document_ids
        if id_ in snapshot.records and not snapshot.records[id_].copy_of
        for one in snapshot.store.passages_of(id_)
    ]
    if not stored:
        return []
    vectors = snapshot.dense.vectors(np.array([one.row for one in stored], dtype=np.int64))
    return propose([one.passage for one in stored], vectors)
