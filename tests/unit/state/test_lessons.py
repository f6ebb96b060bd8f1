"""Lessons in the state database: what is stored comes back, and nobody overwrites what another has changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kb.core.errors import InputError, NotFoundError
from kb.core.stages import Phase
from kb.core.state_place import StatePlace
from kb.lessons.lesson import Evidence, Lesson, LessonStatus, LessonUse, UseOutcome
from kb.state.lessons import Decision, ImportCounts, LessonStore, QuestionCounts
from tests.stored import holds_nothing

LESSON = Lesson(
    lesson="Begynd med hjemlen.",
    context="Kommunal drift",
    event="Driften manglede hjemmel.",
    handling="Juristerne kom med.",
    evidence=(Evidence.of("air", "Driften manglede hjemmel."), Evidence.of("asta", "Juristerne kom sent.")),
    phase=Phase.LAW_AND_DATA,
    themes=("jura",),
    applies_to="kommuner",
    owner="digital@kommune.dk",
    review_by="2027-01-31",
    status=LessonStatus.CONFIRMED,
)


@pytest.fixture
def store(place: StatePlace) -> LessonStore:
    return LessonStore(place)


def test_reading_makes_no_file(store: LessonStore, place: StatePlace) -> None:
    assert (store.all(), store.uses(), store.decisions()) == ([], [], {})
    assert store.question_counts() == QuestionCounts(0, 0)
    assert holds_nothing(place)


def test_a_lesson_comes_back_whole(store: LessonStore) -> None:
    added = store.add(LESSON)
    assert added == replace(
        LESSON, id=added.id, revision=1, made=added.made, changed=added.changed, confirmed=added.changed
    )
    assert store.get(added.id) == added
    assert store.all() == [added]


def test_a_change_counts_and_one_of_another_is_not_lost(store: LessonStore) -> None:
    added = store.add(LESSON)
    saved = store.replace(added.id, replace(LESSON, lesson="Begynd med juristerne.", evidence=()), revision=1)
    assert (saved.revision, saved.evidence, saved.made) == (2, (), added.made)
    with pytest.raises(InputError, match="ændret af en anden"):
        store.replace(added.id, LESSON, revision=1)
    assert store.get(added.id) == saved


def test_an_outdated_lesson_tells_when_it_was_last_stood_behind_and_a_draft_never(store: LessonStore) -> None:
    added = store.add(LESSON)
    outdated = store.replace(added.id, replace(LESSON, status=LessonStatus.OUTDATED), revision=1)
    assert outdated.confirmed == added.confirmed
    assert store.replace(added.id, replace(LESSON, status=LessonStatus.DRAFT), revision=2).confirmed == ""


def test_a_deleted_lesson_takes_its_uses_along(store: LessonStore) -> None:
    added = store.add(LESSON)
    store.note_use(LessonUse(added.id, "Ruter", UseOutcome.WORKED, "godt"))
    assert [(use.project, use.outcome, use.note) for use in store.uses()] == [("Ruter", UseOutcome.WORKED, "godt")]
    store.delete(added.id)
    assert (store.all(), store.uses()) == ([], [])
    for use in (store.get, store.delete):
        with pytest.raises(NotFoundError):
            use(added.id)
    with pytest.raises(NotFoundError):
        store.note_use(LessonUse(added.id, "Ruter", UseOutcome.WORKED))


def test_a_file_taken_in_twice_changes_nothing_the_second_time(store: LessonStore) -> None:
    file = [replace(LESSON, id="a"), replace(LESSON, id="b")]
    assert store.take_in(file) == ImportCounts(added=2, changed=0, unchanged=0)
    assert store.take_in(file) == ImportCounts(added=0, changed=0, unchanged=2)
    assert store.take_in([replace(file[0], owner="it@kommune.dk")]) == ImportCounts(added=0, changed=1, unchanged=0)
    assert (store.get("a").owner, store.get("a").revision) == ("it@kommune.dk", 2)


def test_a_proposal_is_decided_on_once_for_all(store: LessonStore) -> None:
    store.turn_down("nej")
    store.add(LESSON, proposal_id="ja")
    assert store.decisions() == {"nej": Decision.TURNED_DOWN, "ja": Decision.TAKEN}


def test_questions_are_counted_by_day(store: LessonStore) -> None:
    for refused in (False, True, False):
        store.count_question(refused=refused)
    assert store.question_counts() == QuestionCounts(asked=3, refused=1)
    assert store.question_counts(since="9999-01-01") == QuestionCounts(0, 0)
