"""Every documented problem is reached, and every error the API gives is a documented one."""

from __future__ import annotations

import errno
import io
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from numpy.typing import NDArray
from werkzeug.test import TestResponse

from kb import indexing
from kb.core.errors import StateUnavailableError
from kb.core.identity import AccessRole
from kb.http.api.operations import PREFIX
from kb.http.api.problem_details import MEDIA_TYPE, PAGE, PROBLEMS
from kb.http.server import make_app
from kb.index import builds
from kb.state.keys import KeyStore
from kb.state.runs import RunStore, Status
from tests.support import HashEmbedder, make_settings, renumber_build, write_corpus

Reach = Callable[[FlaskClient, Path], TestResponse]
REACHED: dict[str, Reach] = {}


def reaches(code: str) -> Callable[[Reach], Reach]:
    def register(reach: Reach) -> Reach:
        REACHED[code] = reach
        return reach

    return register


@reaches("ugyldigt-input")
def _unknown_parameter(client: FlaskClient, folder: Path) -> TestResponse:
    return client.get(f"{PREFIX}/search?q=data&filtre=x")


@reaches("ugyldigt-spoergsmaal")
def _empty_question(client: FlaskClient, folder: Path) -> TestResponse:
    return client.get(f"{PREFIX}/answer?q=%20")


@reaches("ugyldig-adresse")
def _invalid_utf8(client: FlaskClient, folder: Path) -> TestResponse:
    return client.get(f"{PREFIX}/search?q=%ff%fe")


@reaches("ukendt-vaert")
def _foreign_host(client: FlaskClient, folder: Path) -> TestResponse:
    return client.get(f"{PREFIX}/themes", headers={"Host": "ond.example"})


def _closed(folder: Path, **overrides: object) -> tuple[FlaskClient, dict[str, str]]:
    """A closed server, and a reader's key to it."""
    settings = make_settings(folder, access="closed", **overrides)
    _key, secret = KeyStore(settings.state_dir).create("læser", AccessRole.READER)
    return make_app(settings, HashEmbedder()).test_client(), {"Authorization": f"Bearer {secret}"}


@reaches("adgang-kraeves")
def _nobody(client: FlaskClient, folder: Path) -> TestResponse:
    return _closed(folder)[0].get(f"{PREFIX}/themes")


@reaches("ugyldig-noegle")
def _wrong_key(client: FlaskClient, folder: Path) -> TestResponse:
    return client.get(f"{PREFIX}/themes", headers={"Authorization": "Bearer kb_x"})


@reaches("ingen-adgang")
def _reader_as_editor(client: FlaskClient, folder: Path) -> TestResponse:
    held, key = _closed(folder)
    return held.get(f"{PREFIX}/builds", headers=key)


@reaches("fremmed-oprindelse")
def _foreign_page(client: FlaskClient, folder: Path) -> TestResponse:
    return client.post(f"{PREFIX}/search", headers={"Origin": "https://ond.example"})


@reaches("for-mange-kald")
def _too_often(client: FlaskClient, folder: Path) -> TestResponse:
    held, key = _closed(folder, rate_limit=1)
    held.get(f"{PREFIX}/themes", headers=key)
    return held.get(f"{PREFIX}/themes", headers=key)


@reaches("findes-ikke")
def _no_such_document(client: FlaskClient, folder: Path) -> TestResponse:
    return client.get(f"{PREFIX}/documents/findes-ikke")


@reaches("ukendt-adresse")
def _no_such_path(client: FlaskClient, folder: Path) -> TestResponse:
    return client.get(f"{PREFIX}/findes-ikke")


@reaches("metode-ikke-tilladt")
def _wrong_method(client: FlaskClient, folder: Path) -> TestResponse:
    return client.post(f"{PREFIX}/search")


@reaches("adresse-for-lang")
def _thousands_of_parameters(client: FlaskClient, folder: Path) -> TestResponse:
    return client.get(f"{PREFIX}/search?q=data&" + "&".join(f"projekt=p{n}" for n in range(3000)))


@reaches("for-stort")
def _too_big(client: FlaskClient, folder: Path) -> TestResponse:
    return client.post(f"{PREFIX}/feedback", data=b"x" * (1 << 19), content_type="application/json")


@reaches("forkert-medietype")
def _wrong_media_type(client: FlaskClient, folder: Path) -> TestResponse:
    return client.post(f"{PREFIX}/feedback", data="question=x")


@reaches("ukendt-filformat")
def _no_document(client: FlaskClient, folder: Path) -> TestResponse:
    settings = make_settings(folder)
    form = {"file": (io.BytesIO(b"\x89PNG\r\n"), "billede.pdf")}
    held = make_app(settings, HashEmbedder()).test_client()
    return held.post(f"{PREFIX}/documents", data=form, content_type="multipart/form-data")


@reaches("indeksering-i-gang")
def _while_indexing(client: FlaskClient, folder: Path) -> TestResponse:
    settings = make_settings(folder)
    write_corpus(settings.corpus)
    indexing.run(settings, HashEmbedder())
    with indexing.lock(settings.index_dir):
        return make_app(settings, HashEmbedder()).test_client().post(f"{PREFIX}/builds/x/use")


@reaches("intern-fejl")
def _bug(client: FlaskClient, folder: Path) -> TestResponse:
    settings = make_settings(folder)
    write_corpus(settings.corpus)
    indexing.run(settings, HashEmbedder())
    app = make_app(settings, _Broken())
    return app.test_client().get(f"{PREFIX}/search?q=faldrisiko")


class _Broken(HashEmbedder):
    """A model whose library fails."""

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        raise RuntimeError("hemmelig sti")


@reaches("tilstand-utilgaengelig")
def _no_database(client: FlaskClient, folder: Path) -> TestResponse:
    app = make_app(make_settings(folder), HashEmbedder())
    away = StateUnavailableError("Databasen med tilstanden svarer ikke lige nu.", reason="hemmelig vært")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("kb.state.keys.KeyStore.check", Mock(side_effect=away))
        return app.test_client().get(f"{PREFIX}/themes", headers={"Authorization": "Bearer kb_x"})


@reaches("indeks-mangler")
def _no_index(client: FlaskClient, folder: Path) -> TestResponse:
    return make_app(make_settings(folder), HashEmbedder()).test_client().get(f"{PREFIX}/search?q=data")


@reaches("indeks-beskadiget")
def _damaged_index(client: FlaskClient, folder: Path) -> TestResponse:
    settings = make_settings(folder)
    write_corpus(settings.corpus)
    report = indexing.run(settings, HashEmbedder())
    shutil.rmtree(settings.index_dir / "builds" / report.build_id / "lexical")
    return make_app(settings, HashEmbedder()).test_client().get(f"{PREFIX}/search?q=data")


@reaches("indeks-anden-version")
def _newer_index(client: FlaskClient, folder: Path) -> TestResponse:
    settings = make_settings(folder)
    write_corpus(settings.corpus)
    report = indexing.run(settings, HashEmbedder())
    renumber_build(settings, report.build_id, builds.FORMAT + 1)
    return make_app(settings, HashEmbedder()).test_client().get(f"{PREFIX}/search?q=data")


@reaches("indeks-optaget")
def _busy_machine(client: FlaskClient, folder: Path) -> TestResponse:
    settings = make_settings(folder)
    write_corpus(settings.corpus)
    indexing.run(settings, HashEmbedder())
    with pytest.MonkeyPatch.context() as patched:
        too_many = OSError(errno.EMFILE, "Too many open files")
        patched.setattr("kb.index.lexical.tempfile.mkdtemp", Mock(side_effect=too_many))
        return make_app(settings, HashEmbedder()).test_client().get(f"{PREFIX}/search?q=data")


@reaches("indeks-utilgaengeligt")
def _server_away(client: FlaskClient, folder: Path) -> TestResponse:
    pytest.importorskip("pymilvus", reason="UDEN pymilvus ER DET IKKE PRØVET, HVAD API'ET SIGER, NÅR MILVUS ER VÆK")
    settings = make_settings(folder, index_url="http://127.0.0.1:9", index_timeout=0.2, index_retries=0)
    return make_app(settings, HashEmbedder()).test_client().get(f"{PREFIX}/search?q=data")


@reaches("anden-model")
def _other_model(client: FlaskClient, folder: Path) -> TestResponse:
    settings = make_settings(folder)
    write_corpus(settings.corpus)
    indexing.run(settings, HashEmbedder())
    return make_app(settings, HashEmbedder("anden")).test_client().get(f"{PREFIX}/search?q=data")


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_every_documented_problem_is_reached(code: str, client: FlaskClient, tmp_path: Path) -> None:
    response = REACHED[code](client, tmp_path)
    body = response.get_json()
    known = PROBLEMS[code]
    assert response.status_code == known.status, body
    assert response.mimetype == MEDIA_TYPE
    assert body["type"] == f"{PAGE}#{code}"
    assert body["type"].isascii()
    assert (body["title"], body["status"]) == (known.title, known.status)
    assert body["request_id"] == response.headers["X-Request-Id"]
    assert body["detail"].endswith(".")
    assert "Traceback" not in response.get_data(as_text=True)
    assert "hemmelig" not in response.get_data(as_text=True)


def test_nothing_is_reached_that_is_not_documented() -> None:
    assert set(REACHED) == set(PROBLEMS)


def test_a_result_that_is_not_as_described_is_the_servers_fault(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    with RunStore(settings.state_dir) as state:
        run_id = state.begin_run("prøven")
        state.finish_run(run_id, Status.FAILED, error={"message": "En fejl uden kode."})
    response = make_app(settings, HashEmbedder()).test_client().get(f"{PREFIX}/runs/{run_id}")
    assert (response.status_code, response.get_json()["type"]) == (500, f"{PAGE}#intern-fejl")


def test_the_page_explains_every_problem(client: FlaskClient) -> None:
    page = client.get(PAGE).get_data(as_text=True)
    for known in PROBLEMS.values():
        assert f'id="{known.code}"' in page
        assert known.title in page


@pytest.mark.parametrize(
    ("query", "name", "said"),
    [
        ("q=data&top=0", "top", "top skal mindst være 1."),
        ("q=data&top=1e2", "top", "top skal være et helt tal."),
        ("q=data&top=101", "top", "top må højst være 100."),
        ("q=data&top=5&top=6", "top", "top er givet flere gange."),
        ("q=data&explain=ja", "explain", "explain skal være true eller false."),
        ("q=data&rolle=helt", "rolle.0", "rolle.0 skal være en af"),
        ("q=data&fields=quote,x", "fields", "fields nævner et felt, der ikke findes: x."),
        ("q=data&projekt=", "projekt.0", "projekt.0 må ikke være tom."),
        ("top=5", "q", "q mangler."),
        ("q=data&__class__=x", "__class__", "__class__ findes ikke."),
    ],
)
def test_what_is_wrong_is_said_in_danish(client: FlaskClient, query: str, name: str, said: str) -> None:
    response = client.get(f"{PREFIX}/search?{query}")
    assert response.status_code == 400
    (error,) = response.get_json()["errors"]
    assert error["name"] == name
    assert error["detail"].startswith(said)


def test_a_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    assert "GET" in client.delete(f"{PREFIX}/search").headers["Allow"]


def test_no_problem_is_kept_by_a_cache(app: Flask, client: FlaskClient) -> None:
    assert client.get(f"{PREFIX}/documents/nej").headers["Cache-Control"] == "no-store"
