"""Who gets in, who may do what, how often, and what is left in logs and measurements."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kb import indexing
from kb.core.errors import ConfigurationError, SettingsError
from kb.core.identity import AccessRole
from kb.core.settings import Settings
from kb.http import gate
from kb.http.api.operations import PREFIX
from kb.http.request_log import JsonLines
from kb.http.server import make_app
from kb.state.keys import KeyStore
from kb.state.sessions import Session
from tests.support import HashEmbedder, make_settings, take_readings, write_corpus

ASK = f"{PREFIX}/search?q=faldrisiko"
INTRANET = "https://intranet.kommune.dk"


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory, read_once: Settings) -> Settings:
    """Settings of a server that listens beyond the machine."""
    made = make_settings(
        tmp_path_factory.mktemp("closed"),
        host="0.0.0.0",  # noqa: S104
        rate_limit=20,
        rate_limit_failures=3,
    )
    write_corpus(made.corpus)
    take_readings(read_once, made)
    indexing.run(made, HashEmbedder())
    return made


@pytest.fixture
def keys(closed: Settings) -> Iterator[dict[AccessRole, str]]:
    """A key of each role."""
    store = KeyStore(closed.state_dir)
    made = {role: store.create(f"nøgle til {role.value}", role) for role in AccessRole}
    yield {role: secret for role, (_key, secret) in made.items()}
    for key, _secret in made.values():
        store.revoke(key.id)


@pytest.fixture
def client(closed: Settings, keys: dict[AccessRole, str]) -> FlaskClient:
    """A client of the closed server, with limits that nobody has used of."""
    return make_app(closed, HashEmbedder()).test_client()


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_a_closed_server_does_not_start_without_a_way_in(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="adgang"):
        make_app(make_settings(tmp_path, host="0.0.0.0"), HashEmbedder())  # noqa: S104


def test_a_closed_server_wants_a_key_everywhere_but_where_it_says(client: FlaskClient) -> None:
    for path in (ASK, f"{PREFIX}/documents", f"{PREFIX}/nej", "/", "/dokumenter", "/sporg?q=data", "/nej"):
        response = client.get(path)
        assert response.status_code == 401, path
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    for path in ("health/live", "health/ready", "openapi.json", "dokumentation"):
        assert client.get(f"{PREFIX}/{path}").status_code == 200, path


@pytest.mark.parametrize("role", list(AccessRole))
def test_every_role_may_read(client: FlaskClient, keys: dict[AccessRole, str], role: AccessRole) -> None:
    assert client.get(ASK, headers=bearer(keys[role])).status_code == 200


@pytest.mark.parametrize(
    "given", ["Bearer", "Bearer ", "Basic YTpi", "kb_x", "Bearer kb_000000000000_" + "a" * 43, "Bearer \xff\xfe"]
)
def test_a_key_that_is_none_is_refused(client: FlaskClient, given: str) -> None:
    response = client.get(ASK, headers={"Authorization": given})
    assert response.status_code == 401
    assert response.get_json()["type"].endswith("#ugyldig-noegle")


def test_a_wrong_key_is_refused_also_where_no_key_is_needed(app: Flask) -> None:
    assert app.test_client().get(ASK, headers=bearer("kb_forkert")).status_code == 401


def test_guessing_keys_is_stopped_and_the_right_one_with_it(client: FlaskClient, keys: dict[AccessRole, str]) -> None:
    statuses = [client.get(ASK, headers=bearer(f"kb_{number}")).status_code for number in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    held = client.get(ASK, headers=bearer(keys[AccessRole.ADMIN]))
    assert held.status_code == 429
    assert 1 <= int(held.headers["Retry-After"]) <= 60


def test_a_key_has_its_own_limit(client: FlaskClient, keys: dict[AccessRole, str]) -> None:
    path = f"{PREFIX}/documents?top=1"
    statuses = [client.get(path, headers=bearer(keys[AccessRole.READER])).status_code for _ in range(21)]
    assert statuses == [200] * 20 + [429]
    assert client.get(path, headers=bearer(keys[AccessRole.EDITOR])).status_code == 200


def test_anonymous_reading_is_reading_only(closed: Settings) -> None:
    app = make_app(Settings(**{**closed.model_dump(), "anonymous_reading": True}), HashEmbedder())
    client = app.test_client()
    assert client.get(ASK).status_code == 200
    assert client.get("/admin").status_code == 401


def test_a_reader_does_not_get_into_the_editors_pages(client: FlaskClient, keys: dict[AccessRole, str]) -> None:
    assert client.get("/admin", headers=bearer(keys[AccessRole.READER])).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "127.0.0.1:8000"}, 200),
        ({"Host": "[::1]:8000"}, 200),
        ({"Host": "ond.example"}, 400),
        ({"X-Forwarded-For": "127.0.0.1"}, 401),
        ({"Via": "1.1 proxy"}, 401),
    ],
)
def test_an_open_server_is_open_to_its_own_machine_only(app: Flask, headers: dict[str, str], status: int) -> None:
    assert app.test_client().get(ASK, headers=headers).status_code == status


def test_an_open_server_is_closed_to_other_machines(app: Flask) -> None:
    assert app.test_client().get(ASK, environ_base={"REMOTE_ADDR": "192.0.2.1"}).status_code == 401


def test_the_public_address_is_the_one_set(closed: Settings, keys: dict[AccessRole, str]) -> None:
    app = make_app(Settings(**{**closed.model_dump(), "public_url": "https://kb.kommune.dk"}), HashEmbedder())
    headers = {**bearer(keys[AccessRole.READER]), "Host": "ond.example"}
    feed = app.test_client().get("/sporg.atom?q=faldrisiko", headers=headers).get_data(as_text=True)
    assert "https://kb.kommune.dk/dokumenter/" in feed
    assert "ond.example" not in feed


def test_measurements_tell_what_was_done(client: FlaskClient, keys: dict[AccessRole, str]) -> None:
    client.get(f"{PREFIX}/answer?q=Hvad var erfaringen med faldrisiko?", headers=bearer(keys[AccessRole.READER]))
    client.get(f"{PREFIX}/answer?q=Hvad siger xylofonisten om zeppelinere?", headers=bearer(keys[AccessRole.READER]))
    client.get("/sporg?q=Hvad siger xylofonisten om zeppelinere?", headers=bearer(keys[AccessRole.READER]))
    text = client.get("/metrics").get_data(as_text=True)
    assert 'kb_requests_total{method="GET",route="/api/v1/answer",status="200"} 2.0' in text
    assert 'kb_answers_total{outcome="' in text
    assert "kb_embedding_seconds_count 0.0" not in text
    assert "kb_search_seconds_count 3.0" in text
    assert sum(float(count) for count in re.findall(r'kb_answers_total{outcome="\w+"} (\S+)', text)) == 3
    assert "kb_index_documents 4.0" in text
    assert re.search(r"^kb_index_checked_age_seconds \d", text, re.M)
    assert "faldrisiko" not in text


def test_measurements_are_for_those_who_may_read_them(client: FlaskClient, keys: dict[AccessRole, str]) -> None:
    elsewhere = {"REMOTE_ADDR": "192.0.2.1"}
    assert client.get("/metrics", environ_base=elsewhere).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 404
    reader, admin = (bearer(keys[role]) for role in (AccessRole.READER, AccessRole.ADMIN))
    assert client.get("/metrics", environ_base=elsewhere, headers=reader).status_code == 404
    assert client.get("/metrics", environ_base=elsewhere, headers=admin).status_code == 200


@pytest.mark.parametrize("questions", [True, False])
def test_the_log_has_the_question_masked_or_not_at_all_and_no_key(
    closed: Settings, keys: dict[AccessRole, str], caplog: pytest.LogCaptureFixture, questions: bool
) -> None:
    client = make_app(Settings(**{**closed.model_dump(), "log_questions": questions}), HashEmbedder()).test_client()
    secret = keys[AccessRole.READER]
    with caplog.at_level(logging.INFO, "kb.requests"):
        client.get(f"{PREFIX}/search?q=Hvad med 070761-4285 i projektet", headers=bearer(secret))
    line = JsonLines().format(caplog.records[-1])
    values = json.loads(line)
    assert values["route"] == "/api/v1/search"
    assert values["status"] == 200
    assert values["who"] == "nøgle til reader"
    assert values.get("question", "").startswith("Hvad med") is questions
    assert "070761" not in line
    assert secret not in line


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://intranet.kommune.dk", True),
        ("https://intranet.kommune.dk.ond.example", False),
        ("http://intranet.kommune.dk", False),
        ("null", False),
    ],
)
def test_only_named_sites_pages_may_read(closed: Settings, origin: str, allowed: bool) -> None:
    values = {**closed.model_dump(), "anonymous_reading": True, "cors_origins": INTRANET}
    client = make_app(Settings(**values), HashEmbedder()).test_client()
    for method, path in (("GET", ASK), ("OPTIONS", ASK), ("GET", f"{PREFIX}/nej")):
        headers = client.open(path, method=method, headers={"Origin": origin}).headers
        assert headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
        assert "Access-Control-Allow-Credentials" not in headers
        assert "Origin" in headers["Vary"]


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("path", "method"), [("/answer", "GET"), ("/feedback", "POST"), ("/audit", None), ("/documents", None)]
)
def test_a_named_sites_page_asks_and_tells_as_its_reader_and_nothing_else(
    closed: Settings, path: str, method: str | None
) -> None:
    client = make_app(Settings(**{**closed.model_dump(), "cors_origins": INTRANET}), HashEmbedder()).test_client()
    headers = client.options(f"{PREFIX}{path}", headers={"Origin": INTRANET}).headers
    assert headers.get("Access-Control-Allow-Credentials") == ("true" if method else None)
    assert headers["Access-Control-Allow-Methods"] == (method or "GET")
    assert "Access-Control-Allow-Credentials" not in client.get(f"{PREFIX}{path}").headers
    refused = client.get(f"{PREFIX}{path}", headers={"Origin": INTRANET})
    assert refused.headers["Access-Control-Allow-Origin"] == INTRANET  # or the page could not say what to do


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("origin", "path", "status"),
    [
        (INTRANET, "/feedback", 201),
        ("https://ond.example", "/feedback", 403),
        ("null", "/feedback", 403),
        (INTRANET, "/project-start", 403),
    ],
)
def test_a_word_on_an_answer_comes_from_named_sites_alone(
    closed: Settings, origin: str, path: str, status: int
) -> None:
    app = make_app(Settings(**{**closed.model_dump(), "cors_origins": INTRANET}), HashEmbedder())
    guard, client = app.extensions[gate.EXTENSION], app.test_client()
    client.set_cookie(guard.cookie, guard.sessions.begin(Session("anna", AccessRole.READER, "anna"), hours=1))
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
    body = {"question": "Hvad kostede det?", "useful": True}
    assert client.post(f"{PREFIX}{path}", json=body, headers=headers).status_code == status


@pytest.mark.parametrize("origin", ["*", "intranet.kommune.dk", "https://intranet.kommune.dk/sti"])
def test_a_site_that_is_none_is_refused(closed: Settings, origin: str) -> None:
    with pytest.raises(SettingsError, match="cors_origins"):
        make_app(Settings(**{**closed.model_dump(), "anonymous_reading": True, "cors_origins": origin}), HashEmbedder())


def test_the_component_may_be_loaded_from_anywhere_and_nothing_else(client: FlaskClient) -> None:
    held = client.get("/static/erfarings-soegning.js")
    assert (held.status_code, held.headers["Cross-Origin-Resource-Policy"]) == (200, "cross-origin")
    assert client.get("/static/app.js").headers["Cross-Origin-Resource-Policy"] == "same-origin"
