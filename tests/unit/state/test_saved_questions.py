"""Saved questions: whose they are, what is new of them, which mail tells of it, and the links that stop mails."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from kb.core.errors import InputError, NotFoundError
from kb.core.state_place import StatePlace
from kb.state import saved_questions
from kb.state.saved_questions import Find, Frequency, SavedQuestion, SavedQuestions
from kb.state.sent_mail import SentMail
from tests.stored import holds_nothing

TODAY = date(2027, 2, 1)
FIRST, SECOND = Find("a" * 64, "asta.1", 0, 10), Find("b" * 64, "asta.2", 20, 30)
DAILY = SavedQuestion("anna", "Hvad kostede det?", frequency=Frequency.DAILY, mail="anna@kommune.dk")


@pytest.fixture
def saved(place: StatePlace) -> SavedQuestions:
    return SavedQuestions(place)


def waiting(saved: SavedQuestions, question: SavedQuestion, today: date = TODAY) -> list[list[Find]]:
    """What is in each mail that is to be sent."""
    saved.batch(question.id, today)
    return [[replace(one, found="") for one in batch] for batch in saved.open_batches(question.id).values()]


def test_looking_creates_nothing(saved: SavedQuestions, place: StatePlace) -> None:
    assert (saved.all(), saved.of_owner("anna"), saved.of_token("x.y"), saved.of_person("anna")) == ([], [], None, [])
    assert holds_nothing(place)


def test_a_question_is_its_owners_alone_and_saved_once(saved: SavedQuestions) -> None:
    added = saved.add(replace(DAILY, filters={"år": ("2020", "2021")}), "et", [FIRST])
    assert saved.add(replace(DAILY, filters={"år": ("2020", "2021")}), "to", []) == added
    assert saved.get(added.id, "anna") == added
    assert saved.of_owner("bo") == []
    for act in (saved.get, saved.delete):
        with pytest.raises(NotFoundError):
            act(added.id, "bo")
    saved.change(replace(added, title="Prisen", paused=True))
    assert saved.get(added.id, "anna") == replace(added, title="Prisen", paused=True)


def test_nobody_saves_without_end(saved: SavedQuestions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_questions, "MOST", 2)
    for number in range(2):
        saved.add(replace(DAILY, question=f"Hvad kostede {number}?"), "et", [])
    with pytest.raises(InputError, match="gemt 2"):
        saved.add(DAILY, "et", [])


def test_what_an_earlier_answer_cited_is_never_new(saved: SavedQuestions) -> None:
    question = saved.add(DAILY, "et", [FIRST])
    assert saved.note_answer(question.id, "to", [SECOND]) == 1
    assert saved.note_answer(question.id, "tre", [FIRST, SECOND]) == 0
    assert [one.digest for one in saved.news(question)] == [SECOND.digest]
    assert waiting(saved, question) == [[SECOND]]


def test_what_is_new_stays_new_for_the_rest_of_a_visit() -> None:
    question = replace(DAILY, visited="2027-02-01T08:00:00+00:00", visited_before="2027-01-01T08:00:00+00:00")
    soon, later = question.seen("2027-02-01T08:20:00+00:00"), question.seen("2027-02-01T09:00:00+00:00")
    assert soon.visited_before == question.visited_before
    assert later.visited_before == question.visited


@pytest.mark.parametrize(
    ("change", "due"),
    [
        ({}, True),
        ({"mailed": "2027-01-31"}, True),
        ({"mailed": "2027-02-01"}, False),
        ({"mailed": "2027-01-26", "frequency": Frequency.WEEKLY}, False),
        ({"mailed": "2027-01-25", "frequency": Frequency.WEEKLY}, True),
        ({"frequency": Frequency.NEVER}, False),
        ({"paused": True}, False),
        ({"mail": ""}, False),
    ],
    ids=str,
)
def test_a_mail_is_due_daily_or_weekly_where_it_is_wanted(change: dict[str, object], due: bool) -> None:
    assert replace(DAILY, **change).is_due(TODAY) is due  # type: ignore[arg-type]


def test_each_find_is_in_one_mail_which_stays_the_same_until_it_is_handed_over(
    saved: SavedQuestions, place: StatePlace
) -> None:
    question = saved.add(DAILY, "et", [])
    assert waiting(saved, question) == []
    saved.note_answer(question.id, "to", [FIRST])
    assert waiting(saved, question) == [[FIRST]]
    (key,) = saved.open_batches(question.id)
    saved.note_answer(question.id, "tre", [SECOND])
    assert waiting(saved, question) == [[FIRST]]  # the next is not due today
    assert list(saved.open_batches(question.id)) == [key]
    SentMail(place).begin(key, question.mail)
    assert waiting(saved, question) == []
    assert waiting(saved, question, TODAY + timedelta(days=1)) == [[SECOND]]


def test_what_is_found_while_no_mail_is_wanted_is_never_mailed(saved: SavedQuestions) -> None:
    question = saved.add(replace(DAILY, paused=True), "et", [])
    saved.note_answer(question.id, "to", [FIRST])
    assert waiting(saved, question) == []
    saved.change(replace(question, paused=False))
    assert waiting(saved, question) == []
    assert [one.digest for one in saved.news(question)] == [FIRST.digest]


def test_a_token_stops_its_own_question_alone(saved: SavedQuestions) -> None:
    one, other = saved.add(DAILY, "et", []), saved.add(replace(DAILY, owner="bo"), "et", [])
    assert saved.of_token(one.stop_token) == one
    signature = other.stop_token.partition(".")[2]
    for forged in (f"{one.id}.{signature}", one.id, "", f"{one.id}.\udcff", f"{one.stop_token}0"):
        assert saved.of_token(forged) is None


def test_a_deleted_question_leaves_nothing(saved: SavedQuestions, place: StatePlace) -> None:
    question = saved.add(DAILY, "et", [FIRST])
    saved.note_answer(question.id, "to", [SECOND])
    saved.batch(question.id, TODAY)
    (key,) = saved.open_batches(question.id)
    SentMail(place).begin(key, question.mail)
    assert saved.delete_all("anna") == 1
    assert (saved.all(), saved.open_batches(question.id), SentMail(place).unsure()) == ([], {}, [])
    assert saved.note_answer(question.id, "tre", [FIRST]) == 0  # it was deleted while it was answered
