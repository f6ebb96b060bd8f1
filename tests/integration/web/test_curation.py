"""What was not found, and what editors do about it, through the pages and the API of one closed server."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from kb import indexing
from kb.core.identity import AccessRole
from kb.core.settings import Settings
from kb.curation.words import Curation
from kb.http.server import make_app
from kb.state.audit import DONE, Audit
from kb.state.curation import CurationStore
from kb.state.feedback import FeedbackStore
from kb.state.gaps import GapStore
from kb.state.keys import KeyStore
from tests.support import HashEmbedder, make_settings, write_corpus

pytestmark = pytest.mark.slow
REFUSED = "Hvornår kører bus 5C fra Nørreport?"
LIKE_IT = "Hvornår kører bus 5c fra Nørreport?"
WORDS = {"handling": "ord", "navne": "rumfartøj\nfaldrisiko", "version": "0"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = make_settings(tmp_path_factory.mktemp("curation"), access="closed")
    write_corpus(made.corpus)
    indexing.run(made, HashEmbedder())
    return made


@pytest.fixture(scope="module")
def clients(base: Settings) -> Mapping[AccessRole, FlaskClient]:
    """A client of each role on one closed server."""
    roles = (AccessRole.READER, AccessRole.EDITOR)
    secrets = {role: KeyStore(base.state_dir).create(role.value, role)[1] for role in roles}
    app = make_app(base, HashEmbedder())
    made = {}
    for role, secret in secrets.items():
        made[role] = app.test_client()
        made[role].environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    return made


@pytest.fixture
def reader(clients: Mapping[AccessRole, FlaskClient]) -> FlaskClient:
    return clients[AccessRole.READER]


@pytest.fixture
def editor(clients: Mapping[AccessRole, FlaskClient], base: Settings) -> Iterator[FlaskClient]:
    """An editor's client; what was decided is undone afterwards, and no gap is left open."""
    yield clients[AccessRole.EDITOR]
    store, gaps = CurationStore(base.state_dir), gaps_of(base)
    store.put(Curation(), "intet", based_on=store.number())
    gaps.close([one.question for one in gaps.open()], "ordnet")


def gaps_of(base: Settings) -> GapStore:
    return GapStore(base.state_dir, keep_days=30)


def version(base: Settings) -> str:
    return str(CurationStore(base.state_dir).number())


def asked(client: FlaskClient, question: str) -> str:
    page = client.get(f"/sporg?q={quote(question)}")
    assert page.status_code == 200
    return unescape(page.text)


def test_a_refused_question_is_a_gap_until_an_editor_closes_it(
    reader: FlaskClient, editor: FlaskClient, base: Settings
) -> None:
    for question in (REFUSED, REFUSED, LIKE_IT):
        assert "Det kan rapporterne ikke svare på" in asked(reader, question)
    assert reader.get("/admin/spoergsmaal").status_code == 403
    page = unescape(editor.get("/admin/spoergsmaal").text)
    assert "3 gange uden svar" in page, "wordings that are alike stand together"
    assert "Spurgt på 2 måder" in page
    listed = editor.get("/api/v1/gaps").get_json()
    assert (listed["total"], listed["items"][0]["question"], listed["items"][0]["times"]) == (1, REFUSED, 3)

    closing = {"q": [REFUSED, LIKE_IT], "grund": "ligger uden for Erfaringsbasen"}
    assert editor.post("/admin/spoergsmaal/luk", data={**closing, "grund": ""}).status_code == 400
    assert editor.post("/admin/spoergsmaal/luk", data=closing).status_code == 303
    assert gaps_of(base).open() == []
    rows = editor.get("/admin/spoergsmaal.csv").data.decode("utf-8-sig").splitlines()
    assert rows[0].startswith("gruppe;spørgsmål;uden svar;ikke nyttigt")
    assert any(REFUSED in row and "ligger uden for Erfaringsbasen" in row for row in rows)
    asked(reader, REFUSED)
    assert [one.refused for one in gaps_of(base).open()] == [3], "asked again it is open again"
    assert editor.post("/api/v1/gaps/close", json={"questions": [REFUSED], "reason": "ordnet"}).get_json() == {
        "closed": 1
    }


def test_what_was_not_useful_is_a_gap_too(reader: FlaskClient, editor: FlaskClient, base: Settings) -> None:
    question = "Hvad var erfaringen med faldrisiko?"
    for useful in (True, False):
        sent = {"question": question, "useful": useful}
        assert reader.post("/api/v1/feedback", json=sent).status_code == 201
    assert [(one.question, one.refused, one.not_useful) for one in gaps_of(base).open()] == [(question, 0, 1)]
    assert "1 gang ikke nyttigt" in editor.get("/admin/spoergsmaal").text


def test_a_word_is_previewed_in_force_at_once_and_undone_by_one_click(
    reader: FlaskClient, editor: FlaskClient, base: Settings
) -> None:
    question = "Hvad lærte de om rumfartøjet?"
    FeedbackStore(base.state_dir).add(question, "b", useful=True, comment="", citations=[])
    before, etag = asked(reader, question), reader.get(f"/api/v1/search?q={quote(question)}").headers["ETag"]
    assert "Vi læser spørgsmålet som" not in before
    preview = unescape(editor.get("/admin/ord/se", query_string=WORDS).text)
    assert re.search(r"1 spørgsmål får andre svar, af \d+ gemt", preview)
    assert asked(reader, question) == before, "a preview changes nothing"

    assert editor.post("/admin/ord", data={**WORDS, "version": version(base)}).status_code == 303
    assert "Vi læser spørgsmålet som: »Hvad lærte de om faldrisiko?«" in asked(reader, question)
    assert reader.get(f"/api/v1/search?q={quote(question)}").headers["ETag"] != etag
    late = editor.post("/admin/ord", data={**WORDS, "navne": "a1, b1", "version": "0"})
    assert "ændret af en anden" in late.text

    assert editor.post("/admin/ord/fortryd", data={"version": version(base)}).status_code == 303
    assert "Vi læser spørgsmålet som" not in asked(reader, question)
    actions = [entry.event.action for entry in Audit(base.state_dir).entries() if entry.result == DONE]
    assert actions[-2:] == ["ord ændret", "ord fortrudt"]


def test_words_that_cannot_be_used_come_back_in_their_form(editor: FlaskClient) -> None:
    page = editor.get("/admin/ord/se", query_string={"handling": "ord", "navne": "rumfartøj\nog", "note": "Hvorfor"})
    assert page.status_code == 400
    assert "småord" in page.text
    assert ">\nrumfartøj\nog" in page.text.replace("\r", "")
    assert 'value="Hvorfor"' in page.text


def test_a_pinned_passage_stands_above_a_refusal_and_above_what_is_like_it_and_closes_the_gap(
    reader: FlaskClient, editor: FlaskClient, base: Settings
) -> None:
    asked(reader, REFUSED)
    pin = {"handling": "fremhaev", "q": REFUSED, "passage": "asta.1", "version": version(base)}
    assert "Fremhæv" in editor.get("/admin/fremhaev", query_string={"q": REFUSED, "soeg": "journalnotater"}).text
    assert editor.post("/admin/ord", data=pin).location.startswith("/admin/ord?q=")
    assert gaps_of(base).open() == []
    for question in (REFUSED, LIKE_IT):
        page = asked(reader, question)
        assert "Fremhævet af redaktionen" in page
        assert "Det kan rapporterne ikke svare på" in page
        assert page.index("Fremhævet af redaktionen") < page.index("Det kan rapporterne ikke svare på")
    assert gaps_of(base).open() == [], "what editors answered by a passage is no gap"
    assert "Fremhævet af redaktionen" not in asked(reader, "Hvad var erfaringen med journalnotater?")
    found = reader.get(f"/api/v1/pins/for-answer?q={quote(REFUSED)}").get_json()
    assert [one["passage_id"] for one in found["items"]] == ["asta.1"]


def test_the_whole_is_written_previewed_and_undone_through_the_api(
    reader: FlaskClient, editor: FlaskClient, base: Settings
) -> None:
    whole = {
        "version": int(version(base)),
        "groups": [{"names": ["rumfartøj", "faldrisiko"]}],
        "switched_off": ["hospital"],
        "pins": [{"question": REFUSED, "document_id": "asta", "quote": "Projektet undersøgte journalnotater"}],
    }
    assert reader.get("/api/v1/words").status_code == 403
    assert editor.post("/api/v1/words/preview", json=whole).status_code == 200
    assert version(base) == str(whole["version"])
    saved = editor.put("/api/v1/words", json=whole)
    assert saved.status_code == 200, saved.text
    assert editor.get("/api/v1/words").get_json() == saved.get_json()
    assert editor.put("/api/v1/words", json=whole).status_code == 400, "the version that was read is not in force"
    undone = editor.post("/api/v1/words/undo", json={"version": saved.get_json()["version"]})
    assert undone.get_json()["groups"] == []


def test_a_letter_to_a_project_is_ready_to_go(editor: FlaskClient) -> None:
    page = unescape(editor.get("/admin/spoergsmaal/spoerg", query_string={"q": "Hvad med faldrisiko i Odense?"}).text)
    assert "mailto:?subject=Sp%C3%B8rgsm%C3%A5l%20om%20projektet%20Falddetektion" in page
    assert "Send mailen" not in page, "no mail server is set up"
    letter = {"til": "a@b.dk", "emne": "E", "tekst": "T"}
    assert editor.post("/admin/spoergsmaal/spoerg", data=letter).status_code >= 400


def test_nothing_is_kept_of_what_is_asked_where_the_settings_say_so(tmp_path: Path, base: Settings) -> None:
    silent = make_settings(tmp_path, index_dir=base.index_dir, corpus=base.corpus, gap_days=0)
    client = make_app(silent, HashEmbedder()).test_client()
    assert "Det kan rapporterne ikke svare på" in asked(client, REFUSED)
    client.post("/api/v1/feedback", json={"question": REFUSED, "useful": False})
    assert gaps_of(silent).all() == []
    assert "Nye spørgsmål bliver ikke gemt" in client.get("/admin/spoergsmaal").text
