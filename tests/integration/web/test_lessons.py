"""The pages of lessons: written by editors, read and used by readers, kept apart from drafts."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path

import docx
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kb import indexing
from kb.core.identity import AccessRole
from kb.core.settings import Settings
from kb.http.server import make_app
from kb.state.audit import DONE, Audit, Entry
from kb.state.keys import KeyStore
from kb.state.lessons import LessonStore
from tests.support import HashEmbedder, make_settings, write_corpus

pytestmark = pytest.mark.slow
WHOLE = {
    "lesson": "Begynd med journalnotaterne.",
    "passage": "asta.1",
    "owner": "digital@kommune.dk",
    "review_by": "2999-01-01",
    "status": "bekræftet",
    "themes": "data",
    "phase": "drift",
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = make_settings(tmp_path_factory.mktemp("lessons"), access="closed", anonymous_reading=True)
    write_corpus(made.corpus)
    indexing.run(made, HashEmbedder())
    return made


@pytest.fixture(scope="module")
def clients(settings: Settings) -> Mapping[AccessRole, FlaskClient]:
    """A client of each role on one closed server."""
    app = make_app(settings, HashEmbedder())
    made = {}
    for role in (AccessRole.READER, AccessRole.EDITOR):
        secret = KeyStore(settings.state_dir).create(role.value, role)[1]
        made[role] = app.test_client()
        made[role].environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    return made


@pytest.fixture
def editor(clients: Mapping[AccessRole, FlaskClient]) -> FlaskClient:
    return clients[AccessRole.EDITOR]


@pytest.fixture
def reader(clients: Mapping[AccessRole, FlaskClient]) -> FlaskClient:
    return clients[AccessRole.READER]


def added(editor: FlaskClient, **changes: str) -> str:
    """The address of a new lesson."""
    response = editor.post("/erfaringer/ny", data={**WHOLE, **changes})
    assert response.status_code == 303, response.text
    return response.location


def form_of(page: TestResponse) -> dict[str, str | list[str]]:
    """What a form would send as it stands."""
    values: dict[str, str | list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", page.text):
        name, value = (re.search(rf'\b{key}="([^"]*)"', tag) for key in ("name", "value"))
        if name and value and ('type="checkbox"' not in tag or " checked" in tag):
            values[name[1]] = value[1]
    for name_of, text in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>\n?([^<]*)</textarea>', page.text):
        values[name_of] = text
    for name_of, text in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>.*?<option value="([^"]*)" selected', page.text):
        values[name_of] = text
    return values


def done(settings: Settings) -> list[Entry]:
    """What was done, by the audit trail; what was refused stands there too."""
    return [entry for entry in Audit(settings.state_dir).entries() if entry.result == DONE]


def test_a_lesson_is_written_read_used_changed_and_deleted(
    editor: FlaskClient, reader: FlaskClient, settings: Settings
) -> None:
    address = added(editor)
    page = reader.get(address).text
    assert "Begynd med journalnotaterne." in page
    assert "Bekræftet af digital@kommune.dk" in page
    assert "/dokumenter/asta?passage=asta.1" in page
    assert "Ret erfaringen" not in page

    use = {"projekt": "Ruter", "hvordan": "virkede delvist", "note": "Spørg anna.and@kommune.dk"}
    assert reader.post(f"{address}/brugt", data=use).status_code == 303
    page = reader.get(address).text
    assert "Ruter: virkede delvist" in page
    assert "[e-mailadresse skjult]" in page

    sent = {**form_of(editor.get(f"{address}/ret")), "lesson": "Begynd i god tid.", "status": "forældet"}
    assert editor.post(f"{address}/ret", data=sent).status_code == 303
    page = reader.get(address).text
    assert "Erfaringen er forældet" in page
    assert "/dokumenter/asta?passage=asta.1" in page
    late = editor.post(f"{address}/ret", data=sent)
    assert late.status_code == 400
    assert "ændret af en anden" in late.text

    assert editor.post(f"{address}/slet", data={}).status_code == 400
    assert editor.post(f"{address}/slet", data={"bekraeft": "ja"}).status_code == 303
    assert reader.get(address).status_code == 404
    actions = [entry.event.action for entry in done(settings)]
    assert actions[-4:] == ["erfaring oprettet", "erfaring brugt", "erfaring ændret", "erfaring slettet"]


def test_a_form_that_cannot_be_saved_comes_back_as_it_was_sent(editor: FlaskClient, settings: Settings) -> None:
    before = len(done(settings))
    response = editor.post("/erfaringer/ny", data={**WHOLE, "owner": "", "event": "Det <b>gik</b> galt."})
    assert response.status_code == 400
    assert "skal have en ejer" in response.text
    sent = form_of(response)
    assert (sent["lesson"], sent["passage"], sent["phase"]) == (WHOLE["lesson"], "asta.1", "drift")
    assert "Det &lt;b&gt;gik&lt;/b&gt; galt." in response.text
    assert len(done(settings)) == before
    assert "ingen passage med id vejr.1" in editor.post("/erfaringer/ny", data={**WHOLE, "passage": "vejr.1"}).text


def test_a_draft_is_for_editors_and_who_has_no_name_says_nothing_of_use(
    editor: FlaskClient, reader: FlaskClient
) -> None:
    draft = added(editor, status="kladde", lesson="En kladde for os selv.")
    assert editor.get(draft).status_code == 200
    assert reader.get(draft).status_code == 404
    assert "En kladde for os selv." not in reader.get("/erfaringer").text
    assert "En kladde for os selv." in editor.get("/erfaringer?status=kladde").text
    nobody = reader.application.test_client()
    published = added(editor)
    assert nobody.get(published).status_code == 200
    use = {"projekt": "Ruter", "hvordan": "virkede"}
    same_site = {"Sec-Fetch-Site": "same-origin"}
    assert nobody.post(f"{published}/brugt", data=use, headers=same_site).status_code == 401


def test_lessons_stand_on_the_pages_of_their_project_and_theme(editor: FlaskClient, reader: FlaskClient) -> None:
    address = added(editor, lesson="Journalnotater kræver tid.")
    added(editor, lesson="Den gælder ikke mere.", status="forældet")
    for page in (reader.get("/projekter/asta").text, reader.get("/temaer/data").text):
        assert address in page
        assert page.index("Journalnotater kræver tid.") < page.index("Den gælder ikke mere.")
        assert "Forældet" in page
    assert address not in reader.get("/projekter/falddetektion").text
    assert address not in reader.get("/temaer/jura").text


def test_a_lesson_stands_above_the_answer_in_word_with_who_stands_behind_it(editor: FlaskClient) -> None:
    made = editor.get("/api/v1/answer?q=Hvad+er+erfaringen+med+journalnotater").get_json()["citations"][0]
    added(editor, lesson="Spørg journalfolkene.", passage=made["passage_id"])
    sent = editor.get("/sporg.docx?q=Hvad+er+erfaringen+med+journalnotater")
    words = [paragraph.text for paragraph in docx.Document(io.BytesIO(sent.data)).paragraphs]
    assert words.index("Spørg journalfolkene.") < words.index("Svaret") < words.index("Kilder")
    assert any(line.startswith("Bekræftet af digital@kommune.dk") for line in words)


def test_lessons_are_taken_along_and_put_back(editor: FlaskClient, settings: Settings) -> None:
    added(editor, lesson="=1+1 er ikke en formel.")
    store = LessonStore(settings.state_dir)
    before = store.all()
    for name in ("csv", "json"):
        content = editor.get(f"/erfaringer/alle.{name}").data
        assert b";=1+1" not in content
        for one in store.all():
            store.delete(one.id)
        file = (io.BytesIO(content), f"erfaringer.{name}")
        assert editor.post("/erfaringer/indlaes", data={"fil": file}).status_code == 303
        found = {one.id: (one.lesson, one.evidence, one.status, one.themes) for one in store.all()}
        assert found == {one.id: (one.lesson, one.evidence, one.status, one.themes) for one in before}
    wrong = editor.post("/erfaringer/indlaes", data={"fil": (io.BytesIO(b"\xff\xfe\x00"), "x.csv")})
    assert (wrong.status_code, "ikke i UTF-8" in wrong.text) == (400, True)


def test_figures_count_what_was_asked(reader: FlaskClient, settings: Settings) -> None:
    before = LessonStore(settings.state_dir).question_counts().asked
    reader.get("/sporg?q=faldrisiko")
    reader.get("/api/v1/answer?q=faldrisiko")
    assert LessonStore(settings.state_dir).question_counts().asked == before + 2
    assert "Skal ses efter nu" in reader.get("/erfaringer/tal").text


def test_lessons_can_be_read_without_an_index(tmp_path: Path) -> None:
    client = make_app(make_settings(tmp_path), HashEmbedder()).test_client()
    same_site = {"Sec-Fetch-Site": "same-origin"}
    response = client.post("/erfaringer/ny", data={"lesson": "Begynd i god tid."}, headers=same_site)
    assert response.status_code == 303
    assert client.get(response.location).status_code == 200
    assert client.get("/erfaringer").status_code == 200
