"""Due lessons, figures, and the proposals that a project's passages make."""

from __future__ import annotations

from datetime import date

import numpy as np

from kb.core.models import Passage, Role
from kb.lessons.lesson import Lesson, LessonStatus, LessonUse, UseOutcome
from kb.lessons.proposing import propose
from kb.lessons.reviewing import due, figures

TODAY = date(2027, 1, 31)


def lesson(id_: str, review_by: str, status: LessonStatus = LessonStatus.CONFIRMED) -> Lesson:
    return Lesson(lesson="Begynd i god tid.", id=id_, review_by=review_by, status=status)


LESSONS = [
    lesson("ny", "2027-02-01"),
    lesson("i dag", "2027-01-31"),
    lesson("gammel", "2025-01-01"),
    lesson("kladde", "2025-01-01", LessonStatus.DRAFT),
    lesson("ude", "2025-01-01", LessonStatus.OUTDATED),
]


def test_what_someone_stands_behind_is_due_from_its_day_on_longest_overdue_first() -> None:
    assert [one.id for one in due(LESSONS, TODAY)] == ["gammel", "i dag"]


def test_figures_count_each_lesson_and_each_use() -> None:
    uses = [
        LessonUse("ny", "A", UseOutcome.WORKED),
        LessonUse("ny", "B", UseOutcome.FAILED),
        LessonUse("ude", "C", UseOutcome.WORKED),
    ]
    found = figures(LESSONS, uses, TODAY, asked=10, refused=3)
    assert found.by_status == {LessonStatus.DRAFT: 1, LessonStatus.CONFIRMED: 3, LessonStatus.OUTDATED: 1}
    assert (found.due, found.uses, found.reused, found.asked, found.refused) == (2, 3, 2, 10, 3)
    assert found.by_outcome[UseOutcome.WORKED] == 2
    assert found.most_used == (("ny", 2), ("ude", 1))


def passage(number: int, role: Role, text: str, *, heading: str = "", inferred: bool = False) -> Passage:
    path = ("Rapport", heading) if heading else ("Rapport",)
    return Passage(f"a.{number}", "a", number, text, 0, len(text), path, role=role, inferred=inferred)


PASSAGES = [
    passage(0, Role.CHALLENGE, "Hjemlen var uklar.", heading="Jura"),
    passage(1, Role.CHALLENGE, "Data var spredt."),
    passage(2, Role.HANDLING, "Juristerne kom med fra begyndelsen."),
    passage(3, Role.HANDLING, "Data blev samlet."),
    passage(4, Role.LESSON, "Begynd med hjemlen."),
    passage(5, Role.HANDLING, "Det var heldigt.", inferred=True),
]
VECTORS = np.array([[1, 0], [0, 1], [0.8, 0.6], [0, 1], [1, 0], [1, 0]], dtype=np.float32)


def test_a_challenge_is_put_together_with_the_handling_and_lesson_it_is_nearest() -> None:
    found = propose(PASSAGES, VECTORS)
    assert [(one.challenge.ordinal, one.handling.ordinal) for one in found] == [(1, 3), (0, 2)]
    assert found[1].theme == "jura"
    draft = found[1].as_lesson()
    assert (draft.lesson, draft.event) == ("Begynd med hjemlen.", "Hjemlen var uklar.")
    assert [one.quote for one in draft.evidence] == [one.text for one in found[1].passages]
    assert draft.status is LessonStatus.DRAFT


def test_a_proposal_is_known_again_when_its_passages_have_other_places() -> None:
    moved = [passage(one.ordinal + 7, one.role, one.text, inferred=one.inferred) for one in PASSAGES]
    assert {one.id for one in propose(moved, VECTORS)} == {one.id for one in propose(PASSAGES, VECTORS)}


def test_without_a_handling_nothing_is_proposed() -> None:
    assert propose(PASSAGES[:2], VECTORS[:2]) == []
