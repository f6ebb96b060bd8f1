"""``kb key`` and ``kb audit`` as an operator uses them."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kb.cli.commands import main
from kb.core.identity import AccessRole
from kb.state.keys import KeyRefused, KeyStore


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of an installation of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KB_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


def kb(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_a_key_is_shown_once_and_works_until_it_is_revoked(state: Path) -> None:
    made = json.loads(kb("key", "create", "intranet", "--role", "editor", "--days", "30", "--json").stdout)
    assert KeyStore(state).check(made["secret"]).role is AccessRole.EDITOR
    (listed,) = json.loads(kb("key", "list", "--json").stdout)["keys"]
    assert "secret" not in listed
    assert (listed["name"], listed["role"], listed["state"]) == ("intranet", "editor", "gælder")
    assert listed["last_used"]
    assert listed["expires"] > listed["created"]
    assert kb("key", "revoke", "intranet").exit_code == 0
    with pytest.raises(KeyRefused):
        KeyStore(state).check(made["secret"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("key", "revoke", "findes-ikke"), "Ingen nøgle"),
        (("key", "create", "  ", "--role", "reader"), "1 til 80 tegn"),
        (("key", "create", "x", "--role", "chef"), "chef"),
        (("key", "create", "x"), "--role"),
    ],
)
def test_what_cannot_be_done_is_said(state: Path, arguments: tuple[str, ...], said: str) -> None:
    result = kb(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_trail_tells_who_made_and_revoked_keys(state: Path) -> None:
    secret = json.loads(kb("key", "create", "intranet", "--role", "admin", "--json").stdout)["secret"]
    kb("key", "revoke", "intranet")
    text = kb("audit", "export").stdout
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert [row["action"] for row in rows] == ["nøgle lavet", "nøgle trukket tilbage"]
    assert all(row["via"] == "kommandolinje" and row["who"] for row in rows)
    assert secret not in text
    later = json.loads(kb("audit", "export", "--json", "--since", rows[1]["at"]).stdout)["events"]
    assert [event["action"] for event in later] == ["nøgle trukket tilbage", "hændelseslog udtrukket"]


def test_a_changed_trail_is_found(state: Path) -> None:
    kb("key", "create", "intranet", "--role", "admin")
    assert kb("audit", "verify").exit_code == 0
    with sqlite3.connect(state / "state.sqlite") as connection:
        connection.execute("DROP TRIGGER audit_is_not_changed")
        connection.execute("UPDATE audit SET who = 'en anden'")
    result = kb("audit", "verify")
    assert result.exit_code == 1
    assert "brudt" in result.stdout
