"""One form of every result: what the API answers is what the command line prints with ``--json``."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from kb.cli.commands import main
from kb.core.settings import Settings
from kb.http.api.operations import PREFIX
from tests.support import HashEmbedder

QUESTION = "Hvad var erfaringen med faldrisiko?"


@pytest.fixture(autouse=True)
def _same_base(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.embedding.embedder.load_embedder", lambda settings: HashEmbedder())
    for name in ("corpus", "index_dir", "state_dir"):
        monkeypatch.setenv(f"KB_{name.upper()}", str(getattr(settings, name)))


def printed(*arguments: str) -> Any:
    return json.loads(CliRunner().invoke(main, [*arguments, "--json"]).stdout)


def answered(client: FlaskClient, path: str, **query: object) -> Any:
    return client.get(PREFIX + path, query_string=query).get_json()


def test_an_answer(client: FlaskClient) -> None:
    assert printed("ask", QUESTION) == answered(client, "/answer", q=QUESTION)


@pytest.mark.parametrize("explain", [False, True])
def test_a_search(client: FlaskClient, explain: bool) -> None:
    page = answered(client, "/search", q=QUESTION, top=5, explain=str(explain).lower())
    del page["next"]  # the command line has no pages
    assert printed("search", QUESTION, "--top", "5", *(["--explain"] if explain else [])) == page


def test_the_runs_and_the_builds(client: FlaskClient) -> None:
    assert printed("status", "--runs")["runs"] == answered(client, "/runs")["items"]
    assert printed("builds")["builds"] == answered(client, "/builds")["items"]


def test_the_audit_trail(client: FlaskClient) -> None:
    listed = answered(client, "/audit")["items"]
    assert printed("audit", "export")["events"][: len(listed)] == listed
