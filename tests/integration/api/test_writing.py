"""Changes by the API: what is put in can be found, what is taken out cannot, and the trail tells who did it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kb import indexing
from kb.core.identity import AccessRole
from kb.core.settings import Settings
from kb.http.api.operations import PREFIX
from kb.http.server import make_app
from kb.state.audit import Audit
from kb.state.keys import KeyStore
from tests.support import HashEmbedder, make_settings, take_readings, write_corpus
from tests.timing import until

REPORT = b"# Klimarobotten\n\nKlimarobotten maler vandstanden ved Marstal havn hver time.\n"


@pytest.fixture
def own(tmp_path: Path, read_once: Settings) -> Settings:
    """Settings of a closed server on a corpus of the test's own."""
    made = make_settings(tmp_path, access="closed", max_upload_mb=1, rate_limit=100_000)
    write_corpus(made.corpus)
    take_readings(read_once, made)
    indexing.run(made, HashEmbedder())
    return made


class Caller:
    """A client with a key."""

    def __init__(self, client: FlaskClient, secret: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {secret}"}

    def __call__(self, method: str, path: str, **options: Any) -> TestResponse:
        return self.client.open(PREFIX + path, method=method, headers=self.headers, **options)

    def upload(self, name: str, content: bytes, metadata: object = None, **fields: Any) -> TestResponse:
        data: dict[str, Any] = {"file": (io.BytesIO(content), name), **fields}
        if metadata is not None:
            data["metadata"] = json.dumps(metadata)
        return self("POST", "/documents", data=data, content_type="multipart/form-data")

    def finish(self, response: TestResponse) -> dict[str, Any]:
        """Wait for the job of a change."""
        assert response.status_code == 202, response.get_data(as_text=True)
        path = response.headers["Location"].removeprefix(PREFIX)
        until(lambda: bool(self("GET", path).get_json()["is_over"]))
        job: dict[str, Any] = self("GET", path).get_json()
        return job


@pytest.fixture
def callers(own: Settings) -> dict[AccessRole, Caller]:
    """A client of each role."""
    store = KeyStore(own.state_dir)
    secrets = {role: store.create(role.value, role)[1] for role in AccessRole}
    client = make_app(own, HashEmbedder()).test_client()
    return {role: Caller(client, secret) for role, secret in secrets.items()}


@pytest.fixture
def editor(callers: dict[AccessRole, Caller]) -> Caller:
    return callers[AccessRole.EDITOR]


def test_from_upload_to_search_and_out_again(editor: Caller, own: Settings) -> None:
    job = editor.finish(editor.upload("Klima Robot.md", REPORT, {"projekt": "Havnevagten", "år": 2025}))
    assert job["files"] == {"indlagt/klima-robot.md": {"state": "kan findes nu", "over": True}}
    found = editor("GET", "/search", query_string={"q": "vandstanden ved Marstal havn", "projekt": "Havnevagten"})
    (hit, *_) = found.get_json()["hits"]
    assert (hit["document_id"], hit["year"]) == ("indlagt-klima-robot", 2025)

    edited = {"titel": "Robotten", "temaer": ["data"]}
    editor.finish(editor("PUT", "/documents/indlagt-klima-robot/metadata", json=edited))
    metadata = editor("GET", "/documents/indlagt-klima-robot").get_json()["metadata"]
    assert (metadata["titel"], metadata["temaer"], metadata["projekt"]) == ("Robotten", ["data"], "Robotten")

    editor.finish(editor("DELETE", "/documents/indlagt-klima-robot"))
    assert editor("GET", "/documents/indlagt-klima-robot").status_code == 404
    assert not list((own.corpus / "indlagt").iterdir())

    actions = [(entry.event.action, entry.event.who) for entry in Audit(own.state_dir).entries()]
    assert actions == [("rapport lagt ind", "editor"), ("metadata ændret", "editor"), ("rapport slettet", "editor")]


def test_metadata_of_a_file_with_front_matter_are_replaced_whole(editor: Caller) -> None:
    editor.finish(editor("PUT", "/documents/asta/metadata", json={"titel": "Ny titel"}))
    metadata = editor("GET", "/documents/asta").get_json()["metadata"]
    assert (metadata["titel"], metadata["projekt"], metadata["temaer"]) == ("Ny titel", "Ny titel", [])


NAMES = (
    "../../../etc/passwd",
    "..\\..\\windows\\system32\\x.md",
    "/etc/cron.d/x.md",
    "x.md\x00.pdf",
    ".bashrc.md",
    "CON.md",
    "a" * 5000 + ".md",
    "{{7*7}}.md",
    "<script>.md",
    "%2e%2e%2fx.md",
)


def test_a_name_that_is_a_path_stays_in_its_folder(editor: Caller, own: Settings) -> None:
    responses = [editor.upload(name, REPORT) for name in NAMES]
    assert {response.status_code for response in responses} == {202}
    paths = [Path(response.get_json()["path"]) for response in responses]
    assert {path.parent for path in paths} == {Path("indlagt")}
    assert len({path.name for path in paths}) == len(NAMES)
    for path in paths:
        assert (own.corpus / path).read_bytes() == REPORT
        assert re.fullmatch(r"[a-z0-9-]{1,130}\.(md|txt)", path.name), path
    editor.finish(responses[-1])


@pytest.fixture
def bare(tmp_path: Path) -> Settings:
    """Settings of a closed server that has not indexed its reports."""
    made = make_settings(tmp_path, access="closed", max_upload_mb=1, rate_limit=100_000)
    write_corpus(made.corpus)
    return made


@pytest.fixture
def sender(bare: Settings) -> Caller:
    """An editor's client of that server."""
    _key, secret = KeyStore(bare.state_dir).create("editor", AccessRole.EDITOR)
    return Caller(make_app(bare, HashEmbedder()).test_client(), secret)


def _bomb() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", b"0" * (200 << 20))
    return held.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rapport.pdf", b"\x89PNG\r\n\x1a\n" + b"0" * 100),
        ("rapport.docx", b"MZ" + b"\0" * 100),
        ("rapport.docx", b"PK\x03\x04 ikke en zip"),
        ("tom.md", b""),
        ("kode.py", b"import os\n"),
        ("bombe.odt", _bomb()),
        ("x.meta.yaml", b"titel: x\n"),
    ],
)
def test_what_is_no_document_is_refused_and_not_kept(sender: Caller, bare: Settings, name: str, content: bytes) -> None:
    response = sender.upload(name, content)
    assert response.status_code == 415, response.get_data(as_text=True)
    assert response.get_json()["type"].endswith("#ukendt-filformat")
    assert not list((bare.corpus / "indlagt").glob("*"))


def test_a_file_is_what_it_holds_and_not_what_it_is_called(sender: Caller) -> None:
    page = b"<!doctype html><html><body><h1>Havn</h1><p>Vandstanden ved Marstal havn.</p></body></html>"
    assert sender.upload("rapport.pdf", page).get_json()["path"] == "indlagt/rapport.html"


def test_an_oversized_upload_is_refused(sender: Caller, bare: Settings) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="stor.md"\r\n\r\n'
    form = head + b"x" * (1 << 20) + b"\r\n--x--\r\n"
    response = sender("POST", "/documents", data=form, content_type="multipart/form-data; boundary=x")
    assert response.status_code == 413
    assert not (bare.corpus / "indlagt").exists()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"metadata": "{"}, 400),
        ({"metadata": '{"ukendt": 1}'}, 400),
        ({"metadata": '{"år": "2021"}'}, 400),
        ({"metadata": '{"titel": "a\\u0000b"}'}, 400),
        ({"metadata": "[" * 10_000}, 400),
        ({"sti": "/etc"}, 400),
        ({"file2": (io.BytesIO(REPORT), "b.md")}, 400),
    ],
)
def test_a_form_that_is_wrong_changes_nothing(sender: Caller, bare: Settings, fields: Any, status: int) -> None:
    assert sender.upload("a.md", REPORT, **fields).status_code == status
    assert not (bare.corpus / "indlagt").exists()


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"id": "andet"}', "application/json", 400),
        (b'{"type": "privat"}', "application/json", 400),
        (b'{"titel": "' + b"x" * 300_000 + b'"}', "application/json", 413),
    ],
)
def test_metadata_that_are_wrong_change_nothing(
    editor: Caller, own: Settings, body: bytes, content_type: str, status: int
) -> None:
    response = editor("PUT", "/documents/asta/metadata", data=body, content_type=content_type)
    assert response.status_code == status, response.get_data(as_text=True)
    assert not list(own.corpus.glob("*.meta.yaml"))


def test_feedback_is_kept_masked_and_read_by_editors_only(callers: dict[AccessRole, Caller]) -> None:
    said = {"question": "Hvad med 070761-4285?", "useful": False, "comment": "Ring til 070761-4285"}
    assert callers[AccessRole.READER]("POST", "/feedback", json=said).status_code == 201
    assert callers[AccessRole.READER]("GET", "/feedback").status_code == 403
    held = callers[AccessRole.EDITOR]("GET", "/feedback").get_json()
    assert held["total"] == 1
    assert "070761" not in json.dumps(held)


def test_an_older_build_is_taken_in_use_by_admins_only(callers: dict[AccessRole, Caller]) -> None:
    editor, admin = callers[AccessRole.EDITOR], callers[AccessRole.ADMIN]
    editor.finish(editor("DELETE", "/documents/asta"))
    newest, older = (build["id"] for build in editor("GET", "/builds").get_json()["items"])
    assert editor("POST", f"/builds/{older}/use").status_code == 403
    assert admin("POST", f"/builds/{older}/use").get_json() == {"build_id": older}
    assert admin("GET", "/documents/asta").status_code == 200
    assert admin("POST", "/builds/findes-ikke/use").status_code == 404
    assert newest > older


def test_the_trail_is_read_by_admins_and_reading_it_is_in_it(callers: dict[AccessRole, Caller]) -> None:
    admin = callers[AccessRole.ADMIN]
    assert callers[AccessRole.EDITOR]("GET", "/audit").status_code == 403
    admin("GET", "/audit")
    (event,) = admin("GET", "/audit").get_json()["items"]
    assert (event["action"], event["who"], event["via"]) == ("hændelseslog udtrukket", "admin", "nøgle")
    assert event["address"] == "127.0.0.1"


@pytest.mark.parametrize("site", [{"Origin": "https://ond.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_foreign_page_cannot_make_a_browser_change_anything(tmp_path: Path, site: dict[str, str]) -> None:
    settings = make_settings(tmp_path)
    write_corpus(settings.corpus)
    indexing.run(settings, HashEmbedder())
    client = make_app(settings, HashEmbedder()).test_client()
    assert client.delete(f"{PREFIX}/documents/asta", headers=site).status_code == 403
    assert (settings.corpus / "asta.md").exists()


def test_an_editor_sees_the_indexes_and_is_told_who_puts_one_in_use(callers: dict[AccessRole, Caller]) -> None:
    pages = {
        role: callers[role].client.get("/admin/indekser", headers=callers[role].headers).text
        for role in (AccessRole.EDITOR, AccessRole.ADMIN)
    }
    assert all("4 rapporter" in page for page in pages.values())
    assert {role: "Det gør en administrator" in page for role, page in pages.items()} == {
        AccessRole.EDITOR: True,
        AccessRole.ADMIN: False,
    }


def test_what_is_done_on_the_pages_is_in_the_trail_too(callers: dict[AccessRole, Caller], own: Settings) -> None:
    editor = callers[AccessRole.EDITOR]
    headers = {**editor.headers, "Sec-Fetch-Site": "same-origin"}
    form = {"filer": [(io.BytesIO(REPORT), "klima.md"), (io.BytesIO(REPORT + b"."), "010190-1238.md")]}
    page = editor.client.post("/admin/filer", data=form, headers=headers, content_type="multipart/form-data")
    assert page.status_code == 303
    editor.client.get("/sporg.csv?q=faldrisiko", headers=headers)
    events = [(entry.event.action, entry.event.who, entry.event.detail) for entry in Audit(own.state_dir).entries()]
    assert events == [
        ("rapport lagt ind", "editor", "klima.md, [CPR-nummer skjult].md"), ("svar udtrukket", "editor", ""),
    ]  # fmt: skip
    (job,) = editor("GET", "/jobs").get_json()["items"]
    assert job["by"] == "editor"
    until(lambda: bool(editor("GET", f"/jobs/{job['id']}").get_json()["is_over"]))
    assert editor("GET", "/documents/indlagt-klima").status_code == 200
