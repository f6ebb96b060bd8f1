"""Lessons that the reports propose: a challenge of a project, how it was handled, and what was learnt (pure).

    propose(passages_of_one_project, vectors)

Challenge and handling are the roles that indexing has given passages. Reports tell all challenges in one section and
their handling in another, so a challenge is put together with the handling and the lesson that its vector is nearest.
A proposal is known by the words of its passages: one that was turned down stays so when the index is made anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kb.core.fields import THEMES
from kb.core.models import Passage, Role
from kb.lessons.lesson import Evidence, Lesson, digest_of

_LEARNT = frozenset({Role.LESSON, Role.ADVICE})
ID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class LessonProposal:
    """A challenge and its handling in one project, with what was learnt where the report says so.

    ``likeness`` is the cosine of the first two.
    """

    id: str
    challenge: Passage
    handling: Passage
    learnt: Passage | None
    likeness: float

    @property
    def passages(self) -> tuple[Passage, ...]:
        """The passages it cites."""
        return tuple(one for one in (self.challenge, self.handling, self.learnt) if one is not None)

    @property
    def theme(self) -> str:
        """The theme that the challenge's heading names; empty where it names none."""
        headings = [heading.casefold() for heading in self.challenge.heading_path]
        return next((theme for theme in THEMES if theme in headings), "")

    def as_lesson(self) -> Lesson:
        """The draft an editor begins with: the report's own words."""
        return Lesson(
            lesson=self.learnt.text if self.learnt else "",
            event=self.challenge.text,
            handling=self.handling.text,
            evidence=tuple(Evidence.of(one.document_id, one.text) for one in self.passages),
            themes=(self.theme,) if self.theme else (),
        )


def propose(passages: Sequence[Passage], vectors: NDArray[np.float32]) -> list[LessonProposal]:
    """The proposals of one project, surest first; ``vectors`` has a unit vector for each passage.

    What the collector concluded proposes nothing: a lesson rests on the project's words.
    """
    challenges = _places(passages, frozenset({Role.CHALLENGE}))
    handlings = _places(passages, frozenset({Role.HANDLING}))
    learnt = _places(passages, _LEARNT)
    if not handlings:
        return []
    likeness = vectors @ vectors.T
    found = [_proposal(passages, likeness, challenge, handlings, learnt) for challenge in challenges]
    return sorted(found, key=lambda one: (-one.likeness, one.id))


def _places(passages: Sequence[Passage], roles: frozenset[Role]) -> list[int]:
    return [place for place, one in enumerate(passages) if one.role in roles and not one.inferred]


def _proposal(
    passages: Sequence[Passage],
    likeness: NDArray[np.float32],
    challenge: int,
    handlings: Sequence[int],
    learnt: Sequence[int],
) -> LessonProposal:
    handling = max(handlings, key=lambda place: float(likeness[challenge, place]))
    lesson = max(learnt, key=lambda place: float(likeness[challenge, place]), default=None)
    chosen = (passages[challenge], passages[handling])
    words = "\n".join(digest_of(one.text) for one in chosen)
    return LessonProposal(
        id=hashlib.sha256(words.encode()).hexdigest()[:ID_LENGTH],
        challenge=chosen[0],
        handling=chosen[1],
        learnt=passages[lesson] if lesson is not None else None,
        likeness=float(likeness[challenge, handling]),
    )
