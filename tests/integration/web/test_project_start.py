"""The errand of Projektstart-tjek without a browser: file, text and fields, Word, sharing, and what is refused."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import docx
import pytest
from flask.testing import FlaskClient

from kb import indexing
from kb.core.settings import Settings
from kb.http.server import make_app
from kb.lessons.lesson import Evidence, Lesson, LessonStatus
from kb.project_start import checking
from kb.state.audit import Audit
from kb.state.lessons import LessonStore
from kb.state.shared_plans import SharedPlans
from tests.support import CORPUS, HashEmbedder, make_settings, write_corpus

pytestmark = pytest.mark.slow
PLAN = "Vi vil undersøge isbjerge i tre kommuner. Anna And har CPR-nummer 010190-1234."
SEA = """---
titel: Isbjerge i fjorden
projekt: Iskort
myndighed: Vandby Kommune
---
# Isbjerge i fjorden

## Formål

Projektet undersøgte isbjerge i tre kommuner. Kontakt: Afdelingen for Havmiljø.
"""
HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = make_settings(tmp_path_factory.mktemp("projektstart"))
    write_corpus(made.corpus, {**CORPUS, "iskort.md": SEA})
    indexing.run(made, HashEmbedder())
    return made


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[FlaskClient]:
    with make_app(settings, HashEmbedder()).test_client() as made:
        yield made


def test_a_plan_is_compared_masked_and_not_kept(client: FlaskClient, settings: Settings) -> None:
    page = client.post("/projektstart", data={"plan": PLAN}, headers=HERE)
    assert page.status_code == 200
    assert "CPR-nummer skjult" in page.text
    assert "010190" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert not any(b"isbjerge i tre" in file.read_bytes() for file in settings.state_dir.iterdir())


def test_a_file_is_read_and_its_name_is_not_noted(client: FlaskClient, settings: Settings) -> None:
    sent = {"fil": (io.BytesIO(PLAN.encode()), "hemmelig plan.txt")}
    assert "isbjerge i tre kommuner" in client.post("/projektstart", data=sent, headers=HERE).text
    entries = Audit(settings.state_dir).entries()
    assert {entry.event.action for entry in entries} == {"plan sammenlignet"}
    assert "hemmelig" not in str(list(entries))


@pytest.mark.parametrize("sent", [{}, {"plan": "  "}, {"hvad": "AI"}])
def test_an_empty_plan_is_told_what_to_do(client: FlaskClient, sent: dict[str, str]) -> None:
    page = client.post("/projektstart", data=sent, headers=HERE)
    assert page.status_code == 400
    assert "Skriv med nogle sætninger" in page.text


def test_a_file_that_no_reader_takes_is_told_with_the_reason(client: FlaskClient) -> None:
    sent = {"fil": (io.BytesIO(bytes(range(32)) * 20), "plan.pdf")}
    page = client.post("/projektstart", data=sent, headers=HERE)
    assert page.status_code == 400
    assert "Planen kan ikke læses" in page.text


@pytest.mark.parametrize(("path", "text"), [("word", "Projekter, der ligner"), ("tjekliste", "Hjemmel og lovgrundlag")])
def test_the_check_and_the_checklist_open_in_word(client: FlaskClient, path: str, text: str) -> None:
    sent = client.post(f"/projektstart/{path}", data={"plan": PLAN}, headers=HERE)
    document = docx.Document(io.BytesIO(sent.data))
    assert any(text in paragraph.text for paragraph in document.paragraphs)


@pytest.fixture
def similar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever comes near a plan is called similar; what is is not what is tested here."""
    monkeypatch.setattr(checking, "SIMILAR", 0.0)


@pytest.mark.usefixtures("similar")
def test_whom_to_ask_is_a_unit_with_the_words_that_name_it(client: FlaskClient) -> None:
    found = client.post("/api/v1/project-start", json={"plan": PLAN}, headers=HERE).get_json()
    [ask] = [one["ask"] for one in found["similar"] if one["project"]["name"] == "Iskort"]
    assert (ask["authority"], ask["unit"]) == ("Vandby Kommune", "Afdelingen for Havmiljø")
    assert found["citations"][ask["told"]["citation"] - 1]["quote"] == "Afdelingen for Havmiljø"
    page = client.post("/projektstart", data={"plan": PLAN}, headers=HERE).text
    assert "Vandby Kommune, Afdelingen for" in page


@pytest.mark.usefixtures("similar")
def test_confirmed_lessons_of_similar_projects_stand_in_page_word_and_api(
    client: FlaskClient, settings: Settings
) -> None:
    quote = "Projektet undersøgte isbjerge i tre kommuner."
    given = Lesson(
        lesson="Mål isen om foråret.", evidence=(Evidence.of("iskort", quote),), owner="hav@vandby.dk",
        review_by="2999-01-01", status=LessonStatus.CONFIRMED,
    )  # fmt: skip
    store = LessonStore(settings.state_dir)
    made = [store.add(given), store.add(replace(given, lesson="Et udkast.", status=LessonStatus.DRAFT))]
    try:
        assert "Mål isen om foråret." in client.post("/projektstart", data={"plan": PLAN}, headers=HERE).text
        sent = client.post("/projektstart/word", data={"plan": PLAN}, headers=HERE)
        words = [paragraph.text for paragraph in docx.Document(io.BytesIO(sent.data)).paragraphs]
        assert "Mål isen om foråret." in words
        assert any(quote in line for line in words)
        found = client.post("/api/v1/project-start", json={"plan": PLAN}, headers=HERE).get_json()
        assert [one["lesson"] for one in found["lessons"]] == ["Mål isen om foråret."]
    finally:
        for one in made:
            store.delete(one.id)


def test_a_plan_is_shared_when_asked_for_and_gone_when_deleted(client: FlaskClient, settings: Settings) -> None:
    made = client.post("/projektstart/del", data={"plan": PLAN, "dage": "7"}, headers=HERE)
    link = made.headers["Location"]
    assert "isbjerge" in client.get(link).text
    kept = SharedPlans(settings.state_dir).find(link.rsplit("/", 1)[-1])
    assert kept is not None
    assert "010190" not in kept.plan
    client.post(f"{link}/slet", headers=HERE)
    assert client.get(link).status_code == 404
    assert client.post("/projektstart/del", data={"plan": PLAN, "dage": "9999"}, headers=HERE).status_code == 400


def test_the_api_gives_the_same(client: FlaskClient) -> None:
    found = client.post("/api/v1/project-start", json={"plan": PLAN}, headers=HERE).get_json()
    assert set(found) >= {"similar", "challenges", "gaps", "citations", "masked"}
    assert found["masked"] == {"cpr": 1}
