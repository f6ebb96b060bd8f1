"""What the state keeps of reports for some groups is for those alone, also when the report is gone."""

from __future__ import annotations

import pytest

from kb.core.access import EVERYTHING, Access
from kb.core.errors import NotFoundError
from kb.core.identity import AccessRole
from kb.core.state_place import StatePlace
from kb.curation.words import Curation, checked_group, checked_pin
from kb.lessons.lesson import Evidence, Lesson, LessonUse, UseOutcome
from kb.state.curation import CurationStore
from kb.state.feedback import FeedbackStore
from kb.state.gaps import GapStore
from kb.state.keys import KeyStore
from kb.state.lessons import LessonStore
from kb.state.restricted import RestrictedReports
from kb.state.sessions import Session, SessionStore

HR, NONE = Access(frozenset({"HR"})), Access()
LESSON = Lesson(lesson="Tal om løn.", evidence=(Evidence.of("sag", "Det gik godt."),))


def test_a_reports_groups_are_remembered_until_it_is_for_everyone(place: StatePlace) -> None:
    restricted = RestrictedReports(place)
    assert restricted.known() == {}
    restricted.remember({"sag": ("HR",), "anden": ("Jura",)})
    restricted.forget(["sag", "ukendt"])
    assert restricted.known() == {"anden": ("Jura",)}


def test_a_lesson_on_a_hidden_report_is_not_there(place: StatePlace) -> None:
    RestrictedReports(place).remember({"sag": ("HR",)})
    added = LessonStore(place, HR).add(LESSON)
    LessonStore(place, HR).note_use(LessonUse(added.id, "Projekt", UseOutcome.WORKED, ""))
    for access in (HR, EVERYTHING):
        assert [one.id for one in LessonStore(place, access).all()] == [added.id]
        assert len(LessonStore(place, access).uses()) == 1
    other = LessonStore(place, NONE)
    assert (other.all(), other.uses()) == ([], [])
    for ask in (other.get, other.delete):
        with pytest.raises(NotFoundError):
            ask(added.id)
    RestrictedReports(place).forget(["sag"])
    assert other.get(added.id) == added


def test_a_lesson_by_someone_who_only_guessed_the_reports_id_stays_theirs(place: StatePlace) -> None:
    RestrictedReports(place).remember({"sag": ("HR",)})
    added = LessonStore(place, NONE).add(LESSON)
    assert LessonStore(place, NONE).get(added.id) == added


def test_a_question_asked_within_a_group_is_for_the_group_until_another_asks_it(place: StatePlace) -> None:
    def seen(access: Access) -> list[str]:
        return [one.question for one in GapStore(place, keep_days=9, access=access).open()]

    store = GapStore(place, keep_days=9)
    store.note_refused("Hvem fik løn?", "b", "intet", groups=["HR"])
    store.note_not_useful("Hvad er klokken?", "b")
    assert (seen(NONE), seen(HR)) == (["Hvad er klokken?"], ["Hvad er klokken?", "Hvem fik løn?"])
    assert GapStore(place, keep_days=9, access=NONE).close(["Hvem fik løn?"], "ordnet") == 0
    store.note_refused("Hvem fik løn?", "b", "intet")
    assert "Hvem fik løn?" in seen(NONE)


def test_feedback_is_for_the_group_of_who_gave_it(place: StatePlace) -> None:
    for question, groups in (("Løn?", ["HR"]), ("Vand?", [])):
        FeedbackStore(place).add(question, "b", useful=True, comment="", citations=[], groups=groups)
    assert [one.question for one in FeedbackStore(place, NONE).all()] == ["Vand?"]
    assert len(FeedbackStore(place, HR).all()) == 2


def test_a_hidden_pin_stays_whatever_others_put_in_its_place(place: StatePlace) -> None:
    pin = checked_pin("Hvad er løn?", "sag", "Det gik godt.", ("HR",))
    CurationStore(place, HR).put(Curation().with_pin(pin), "sted fremhævet", based_on=0)
    other = CurationStore(place, NONE)
    assert other.current().curation.pins == ()
    group = checked_group(["skraldebil", "renovationsbil"])
    assert other.put(other.current().curation.with_group(group), "ord", based_on=1).curation.pins == ()
    other.undo(based_on=2)
    assert CurationStore(place, HR).current().curation == Curation(pins=(pin,))


def test_keys_and_sessions_carry_groups(place: StatePlace) -> None:
    made, secret = KeyStore(place).create("loen", AccessRole.READER, groups=["HR ", "HR", "Jura"])
    assert made.groups == KeyStore(place).check(secret).groups == {"HR", "Jura"}
    token = SessionStore(place).begin(Session("Anna", AccessRole.READER, "a", frozenset({"HR"})), hours=1)
    session = SessionStore(place).find(token)
    assert session is not None
    assert session.groups == {"HR"}
