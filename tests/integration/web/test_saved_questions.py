"""Mine spørgsmål: saved beside an answer, seen and changed by their owner alone, and stopped by a mail's link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kb import indexing
from kb.core.access import EVERYTHING
from kb.core.identity import AccessRole
from kb.core.settings import Settings
from kb.http import gate
from kb.http.server import make_app
from kb.lessons.lesson import digest_of
from kb.state.audit import Audit
from kb.state.saved_questions import Find, Frequency, SavedQuestions
from kb.state.sessions import Session
from tests.sending import mailing_settings
from tests.support import HashEmbedder, take_readings, write_corpus

pytestmark = pytest.mark.slow
QUESTION = "Hvad er erfaringen med faldrisiko?"
HOME = {"Sec-Fetch-Site": "same-origin"}
PAGE = "/mine-spoergsmaal"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, read_once: Settings) -> Settings:
    made = mailing_settings(tmp_path_factory.mktemp("saved"), 25)
    made = made.model_copy(update={"anonymous_reading": True})
    write_corpus(made.corpus)
    take_readings(read_once, made)
    indexing.run(made, HashEmbedder())
    return made


@pytest.fixture(scope="module")
def app(settings: Settings) -> Flask:
    return make_app(settings, HashEmbedder())


@pytest.fixture
def saved(settings: Settings) -> Iterator[SavedQuestions]:
    store = SavedQuestions(settings.state_dir)
    yield store
    for one in store.all():
        store.delete(one.id, one.owner)


def signed_in(app: Flask, name: str) -> FlaskClient:
    guard: gate.Guard = app.extensions[gate.EXTENSION]
    client = app.test_client()
    token = guard.sessions.begin(Session(name, AccessRole.READER, f"id-{name}"), hours=1)
    client.set_cookie(guard.cookie, token)
    return client


@pytest.fixture
def anna(app: Flask) -> FlaskClient:
    return signed_in(app, "anna")


def save(client: FlaskClient, **filters: str) -> str:
    """Save the question; its id."""
    response = client.post(PAGE, data={"q": QUESTION, **filters}, headers=HOME)
    assert response.status_code == 303, response.text
    return str(response.location).rpartition("#")[2]


def test_a_question_is_saved_beside_its_answer_with_its_filters(anna: FlaskClient, saved: SavedQuestions) -> None:
    page = anna.get("/sporg", query_string={"q": QUESTION, "år": "2022"}).text
    form = re.search(rf'<form action="[^"]*{PAGE}"[^>]*>(.*?)</form>', page, re.S)
    assert form
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[1]))
    assert fields == {"q": QUESTION, "år": "2022"}
    save(anna, år="2022")
    (one,) = saved.of_owner("id-anna")
    assert (one.question, one.filters, one.owner_name) == (QUESTION, {"år": ("2022",)}, "anna")
    shown = anna.get(PAGE).text
    assert QUESTION in shown
    assert "Intet nyt siden sidst" in shown


def test_it_is_renamed_mailed_of_paused_and_deleted(anna: FlaskClient, saved: SavedQuestions) -> None:
    id_ = save(anna)
    sent = {"navn": "Om fald", "hvor-tit": "ugentligt", "mail": "anna@kommune.dk"}
    assert anna.post(f"{PAGE}/{id_}", data=sent, headers=HOME).status_code == 303
    one = saved.get(id_, "id-anna")
    assert (one.title, one.frequency, one.mail) == ("Om fald", Frequency.WEEKLY, "anna@kommune.dk")
    refused = anna.post(f"{PAGE}/{id_}", data={**sent, "mail": "anna@andre.dk"}, headers=HOME)
    assert refused.status_code == 400
    assert "Der sendes ikke mails til andre.dk" in refused.text
    anna.post(f"{PAGE}/{id_}/pause", headers=HOME)
    assert "Mails er på pause" in anna.get(PAGE).text
    anna.post(f"{PAGE}/{id_}/pause", headers=HOME)
    assert not saved.get(id_, "id-anna").paused
    assert anna.post(f"{PAGE}/{id_}/slet", headers=HOME).status_code == 303
    assert saved.all() == []


def test_another_sees_and_changes_nothing_of_it(app: Flask, anna: FlaskClient, saved: SavedQuestions) -> None:
    id_, bo = save(anna), signed_in(app, "bo")
    assert QUESTION not in bo.get(PAGE).text
    for path in (f"{PAGE}/{id_}", f"{PAGE}/{id_}/pause", f"{PAGE}/{id_}/slet"):
        assert bo.post(path, data={"navn": "Bos"}, headers=HOME).status_code == 404
    assert [one.title for one in saved.of_owner("id-anna")] == [""]


def test_who_reads_without_a_name_is_led_to_sign_in(app: Flask, saved: SavedQuestions) -> None:
    client = app.test_client()
    assert "Log ind for at gemme" in client.get("/sporg", query_string={"q": QUESTION}).text
    assert client.post(PAGE, data={"q": QUESTION}, headers=HOME).status_code == 401
    assert client.get(PAGE, headers={"Accept": "text/html"}).status_code == 401
    assert saved.all() == []


def test_what_is_new_is_shown_where_it_still_stands(app: Flask, anna: FlaskClient, saved: SavedQuestions) -> None:
    id_ = save(anna)
    with app.app_context():
        passage = app.extensions["kb"].holder.searcher(EVERYTHING).snapshot.passage("asta.1")
    finds = [
        Find(digest_of(passage.text), passage.id, passage.start, passage.end),
        Find(digest_of("Noget, der er rettet."), passage.id, passage.start, passage.start + 5),
    ]
    assert saved.note_answer(id_, "senere", finds) == 2
    shown = anna.get(PAGE).text
    assert "1 nyt sted siden sidst" in shown
    assert "sted=" in shown


def test_the_link_of_a_mail_stops_it_for_whoever_has_it(app: Flask, anna: FlaskClient, saved: SavedQuestions) -> None:
    id_ = save(anna)
    saved.change(replace(saved.get(id_, "id-anna"), frequency=Frequency.DAILY, mail="anna@kommune.dk"))
    link = f"/stop-mail/{saved.get(id_, 'id-anna').stop_token}"
    nobody = app.test_client()
    assert "Stop mails" in nobody.get(link).text
    assert saved.get(id_, "id-anna").is_mailed  # a mail program that follows links stops nothing
    assert nobody.post(link, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not saved.get(id_, "id-anna").is_mailed
    assert "Mails er stoppet" in nobody.get(link).text
    assert nobody.get(f"{link}0").status_code == 404


def test_the_trail_says_who_saved_and_not_what(anna: FlaskClient, saved: SavedQuestions, settings: Settings) -> None:
    id_ = save(anna)
    event = Audit(settings.state_dir).entries()[-1].event
    assert (event.action, event.who, event.target) == ("spørgsmål gemt", "anna", id_)
    assert "faldrisiko" not in event.detail


def test_what_cannot_be_asked_is_not_saved(anna: FlaskClient, saved: SavedQuestions) -> None:
    assert anna.post(PAGE, data={"q": " "}, headers=HOME).status_code == 400
    assert saved.all() == []
