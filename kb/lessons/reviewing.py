"""Which lessons are due for review, and the figures of what became of them (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from kb.lessons.lesson import Lesson, LessonStatus, LessonUse, UseOutcome


@dataclass(frozen=True, slots=True)
class Figures:
    """What the lessons amount to: how many by status, how many are due, how they were used, and what was asked.

    ``reused`` counts the lessons that were used at least once, ``asked`` and ``refused`` questions.
    """

    by_status: Mapping[LessonStatus, int]
    due: int
    uses: int
    reused: int
    by_outcome: Mapping[UseOutcome, int]
    most_used: tuple[tuple[str, int], ...]
    asked: int
    refused: int


def is_due(lesson: Lesson, today: date) -> bool:
    """Whether someone should ask now whether a lesson that is stood behind still holds."""
    return lesson.is_confirmed and lesson.review_by <= today.isoformat()


def due(lessons: Iterable[Lesson], today: date) -> list[Lesson]:
    """The lessons due for review, longest overdue first."""
    return sorted((one for one in lessons if is_due(one, today)), key=lambda one: (one.review_by, one.id))


def use_counts(uses: Iterable[LessonUse]) -> Mapping[str, int]:
    """How often each lesson was used, by its id."""
    return Counter(use.lesson_id for use in uses)


def figures(
    lessons: Sequence[Lesson], uses: Sequence[LessonUse], today: date, *, asked: int, refused: int, most: int = 10
) -> Figures:
    """The figures of all lessons and their uses; ``most`` used ones are named."""
    statuses = Counter(one.status for one in lessons)
    outcomes = Counter(use.outcome for use in uses)
    counts = use_counts(uses)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return Figures(
        by_status={status: statuses[status] for status in LessonStatus},
        due=len(due(lessons, today)),
        uses=len(uses),
        reused=len(counts),
        by_outcome={outcome: outcomes[outcome] for outcome in UseOutcome},
        most_used=tuple(ranked[:most]),
        asked=asked,
        refused=refused,
    )
