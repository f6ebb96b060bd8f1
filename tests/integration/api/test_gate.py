"""The gate: whatever changes something needs a role and the browser's word for where it was sent from, and is audited.

The endpoints are those the application has, so that a new one is held to the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import Mock

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kb.core.errors import StorageError
from kb.core.identity import AccessRole
from kb.core.settings import Settings
from kb.http import gate
from kb.http.audit_trail import ACTION
from kb.http.server import make_app
from kb.state.audit import Audit
from kb.state.keys import KeyStore
from kb.state.sessions import Session
from tests.support import HashEmbedder, make_settings

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
# Where one makes oneself known, everyone may come in.
SIGNING_IN = {"login.by_key", "login.sign_out", "login.sign_out_by_provider", "logins.end_own", "logins.end_others"}
# Who says that an answer was useful is promised not to be kept.
UNNAMED = {"aendringer.give_feedback", "tilbagemelding.send"}
# Where a lesson was used is for readers to say.
READERS = {"erfaringer.note_use", "erfaringer_api.note_lesson_use"}
# A plan is compared for a reader, and kept where one asks for it.
COMPARING = {
    "aendringer.project_start", "projektstart.compare", "projektstart.word", "projektstart.checklist",
    "projektstart.share", "projektstart.unshare",
}  # fmt: skip
# Questions are saved by readers, each their own, and a mail's link stops its mails for whoever has it.
SAVING = {"gemte.save", "gemte.change", "gemte.pause", "gemte.delete", "gemte.stop"}
# What only reads and takes something out of the base is audited too.
TAKING_OUT = {
    "aendringer.list_feedback", "aendringer.audit_trail", "redaktion.feedback_csv", "udtraek.hits_csv",
    "udtraek.hits_xlsx", "udtraek.answer_docx", "dokumenter.original", "login.back",
    "erfaringer.lessons_csv", "erfaringer.lessons_json", "mangler.gaps_csv", "mangler_api.list_gaps",
}  # fmt: skip
FOREIGN: tuple[Mapping[str, str], ...] = (
    {"Origin": "https://ond.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
)


@dataclass(frozen=True)
class Change:
    """A method of a path that changes something."""

    endpoint: str
    method: str
    path: str


def changes(app: Flask) -> list[Change]:
    """Every one the application has, asked of what is not there."""
    return [
        Change(rule.endpoint, method, re.sub(r"<[^>]+>", "findes-ikke", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) & CHANGING)
    ]


def unaudited(app: Flask) -> set[str]:
    return {one.endpoint for one in changes(app) if not hasattr(app.view_functions[one.endpoint], ACTION)}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a closed server."""
    return make_settings(tmp_path_factory.mktemp("gate"), access="closed", rate_limit=1_000_000)


@pytest.fixture(scope="module")
def app(settings: Settings) -> Flask:
    KeyStore(settings.state_dir).create("første", AccessRole.ADMIN)
    return make_app(settings, HashEmbedder())


@pytest.fixture
def client(app: Flask) -> Iterator[FlaskClient]:
    with app.test_client() as client:
        yield client


def sign_in(client: FlaskClient, settings: Settings, role: AccessRole) -> None:
    """A browser's session of someone with a role."""
    guard: gate.Guard = client.application.extensions[gate.EXTENSION]
    client.set_cookie(guard.cookie, guard.sessions.begin(Session("anna", role, "anna"), hours=1))


def test_there_is_something_to_guard(app: Flask) -> None:
    assert {one.method for one in changes(app)} == {"POST", "PUT", "DELETE"}
    assert len(changes(app)) > 15


def test_nobody_unknown_changes_anything(app: Flask, client: FlaskClient) -> None:
    told = {one.endpoint: client.open(one.path, method=one.method).status_code for one in changes(app)}
    assert {endpoint: status for endpoint, status in told.items() if status != 401} == {
        "login.sign_out": 303,
        "login.sign_out_by_provider": 404,
        "gemte.stop": 404,
    }


def test_a_reader_changes_nothing_but_has_plans_compared_and_says_what_answers_are_worth(
    app: Flask, client: FlaskClient, settings: Settings
) -> None:
    _key, secret = KeyStore(settings.state_dir).create("læser", AccessRole.READER)
    told = {
        one.endpoint: client.open(
            one.path, method=one.method, headers={"Authorization": f"Bearer {secret}"}
        ).status_code
        for one in changes(app)
    }
    allowed = UNNAMED | READERS | SIGNING_IN | COMPARING | SAVING
    assert {endpoint for endpoint, status in told.items() if status != 403} == allowed


@pytest.mark.parametrize("role", list(AccessRole))
@pytest.mark.parametrize("headers", [*FOREIGN, {}], ids=str)
def test_a_page_elsewhere_makes_no_ones_browser_change_anything(
    app: Flask, client: FlaskClient, settings: Settings, role: AccessRole, headers: dict[str, str]
) -> None:
    sign_in(client, settings, role)
    told = {one: client.open(one.path, method=one.method, headers=headers).status_code for one in changes(app)}
    assert {one: status for one, status in told.items() if status != 403} == {}


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_nor_that_of_the_machines_own_user(tmp_path: Path, headers: dict[str, str]) -> None:
    app = make_app(make_settings(tmp_path), HashEmbedder())
    client = app.test_client()
    told = {one: client.open(one.path, method=one.method, headers=headers).status_code for one in changes(app)}
    assert {one: status for one, status in told.items() if status != 403} == {}


def test_whatever_changes_something_is_audited(app: Flask) -> None:
    assert unaudited(app) == UNNAMED


def test_what_is_one_action_needs_one_role_on_the_pages_and_over_the_api(app: Flask) -> None:
    roles: dict[str, set[AccessRole | None]] = {}
    for rule in app.url_map.iter_rules():
        action = getattr(app.view_functions[rule.endpoint], ACTION, "")
        method = min((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if action:
            with app.test_request_context(re.sub(r"<[^>]+>", "findes-ikke", rule.rule), method=method):
                roles.setdefault(action, set()).add(gate.needed_role())
    assert roles["indeks taget i brug"] == {AccessRole.ADMIN}
    assert {action: found for action, found in roles.items() if len(found) > 1} == {}


def test_a_view_that_is_forgotten_is_found(settings: Settings) -> None:
    app = make_app(settings, HashEmbedder())
    app.add_url_rule("/glemt", "glemt", lambda: "", methods=["PATCH"])
    assert unaudited(app) == {"glemt", *UNNAMED}


def test_what_is_taken_out_is_audited(app: Flask) -> None:
    audited = {endpoint for endpoint, view in app.view_functions.items() if hasattr(view, ACTION)}
    assert audited - {one.endpoint for one in changes(app)} == TAKING_OUT


def test_a_change_is_in_the_trail_with_its_result(client: FlaskClient, settings: Settings) -> None:
    sign_in(client, settings, AccessRole.EDITOR)
    home = {"Sec-Fetch-Site": "same-origin"}
    already = len(Audit(settings.state_dir).entries())
    closing = {"q": "Hvem er Anna?", "grund": "ordnet"}
    assert client.post("/admin/spoergsmaal/luk", headers=home).status_code == 400
    assert client.post("/admin/koersler/findes-ikke/afbryd", headers=home).status_code == 404
    assert client.post("/admin/spoergsmaal/luk", headers=home, data=closing).status_code == 303
    assert client.post("/log-ud", headers=home).status_code == 303
    entries = Audit(settings.state_dir).entries()[already:]
    assert {entry.event.who for entry in entries} == {"anna"}
    found = [(one.event.action, one.event.target, one.event.detail, one.result) for one in entries]
    assert found == [
        ("spørgsmål lukket afvist", "", "HTTP 400", "afvist"),
        ("kørsel standset afvist", "findes-ikke", "HTTP 404", "afvist"),
        ("spørgsmål lukket", "", "0 spørgsmål: ordnet", "udført"),
        ("logget ud", "", "", "udført"),
    ]


def test_a_change_that_cannot_be_written_down_is_told_of_and_reading_goes_on(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client, settings, AccessRole.EDITOR)
    monkeypatch.setattr(Audit, "write", Mock(side_effect=StorageError("Disken er fuld.")))
    home = {"Sec-Fetch-Site": "same-origin"}
    assert client.get("/admin/tilbagemeldinger.csv").status_code == 200
    closing = {"q": "Hvem?", "grund": "ordnet"}
    assert client.post("/admin/spoergsmaal/luk", headers=home, data=closing).status_code == 500
