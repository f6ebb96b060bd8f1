"""The pages of sessions: one's own, and everyone's for admins."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kb.core.identity import AccessRole
from kb.http import gate
from kb.http.server import make_app
from kb.state.audit import Audit
from kb.state.keys import KeyStore
from kb.state.sessions import Session, id_of
from tests.support import HashEmbedder, make_settings

SAME = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    settings = make_settings(tmp_path, access="closed")
    KeyStore(settings.state_dir).create("første", AccessRole.ADMIN)
    return make_app(settings, HashEmbedder())


def signed_in(app: Flask, name: str, role: AccessRole = AccessRole.READER) -> tuple[FlaskClient, str]:
    """A browser of someone, and the id of its session."""
    guard: gate.Guard = app.extensions[gate.EXTENSION]
    token = guard.sessions.begin(Session(name.title(), role, name, address="192.0.2.7"), hours=1)
    client = app.test_client()
    client.set_cookie(guard.cookie, token)
    return client, id_of(token)


def test_one_sees_and_ends_ones_own_and_nobody_elses(app: Flask) -> None:
    here, _own = signed_in(app, "anna")
    there, other = signed_in(app, "anna")
    bo, his = signed_in(app, "bo")
    page = here.get("/mine-login").text
    assert page.count("<h2") == 2
    assert "192.0.2.7" in page
    assert his not in page
    assert here.post(f"/mine-login/{his}/afslut", headers=SAME).status_code == 404
    assert here.post(f"/mine-login/{other}/afslut", headers=SAME).status_code == 303
    assert [client.get("/mine-login").status_code for client in (here, there, bo)] == [200, 401, 200]


def test_one_ends_all_others_at_once(app: Flask) -> None:
    here, there, bo = (signed_in(app, who)[0] for who in ("anna", "anna", "bo"))
    here.post("/mine-login/andre/afslut", headers=SAME)
    assert [client.get("/mine-login").status_code for client in (here, there, bo)] == [200, 401, 200]


def test_an_admin_ends_anyones_and_it_is_written_down(app: Flask) -> None:
    drift, _ = signed_in(app, "drift", AccessRole.ADMIN)
    anna, hers = signed_in(app, "anna", AccessRole.EDITOR)
    assert 'href="/admin/login"' in drift.get("/admin").text
    assert "Anna" in drift.get("/admin/login").text
    assert anna.get("/admin/login").status_code == 403
    assert 'href="/admin/login"' not in anna.get("/admin").text
    assert drift.post(f"/admin/login/{hers}/afslut", headers=SAME).status_code == 303
    assert anna.get("/mine-login").status_code == 401
    event = Audit(app.extensions[gate.EXTENSION].settings.state_dir).entries()[-1].event
    assert (event.action, event.who, event.target) == ("andens login afsluttet", "Drift", "Anna")


def test_who_has_no_session_has_no_page_of_them(app: Flask) -> None:
    keys = KeyStore(app.extensions[gate.EXTENSION].settings.state_dir)
    headers = {"Authorization": f"Bearer {keys.create('fagsystem', AccessRole.READER)[1]}"}
    assert app.test_client().get("/mine-login", headers=headers).status_code == 404
