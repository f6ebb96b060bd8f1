"""``kb session`` as an operator uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kb.cli.commands import main
from kb.core.identity import AccessRole
from kb.state.audit import Audit
from kb.state.sessions import Session, SessionStore


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of an installation where Anna is signed in twice and Bo once."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KB_STATE_DIR", str(tmp_path / "state"))
    for name in ("Anna", "Anna", "Bo"):
        SessionStore(tmp_path / "state").begin(Session(name, AccessRole.READER, name.lower()), hours=1)
    return tmp_path / "state"


def kb(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_sessions_are_listed_and_ended_one_by_one_or_a_persons_at_once(state: Path) -> None:
    listed = json.loads(kb("session", "list", "--json").stdout)["sessions"]
    assert sorted(one["name"] for one in listed) == ["Anna", "Anna", "Bo"]
    (bo,) = [one["id"] for one in listed if one["name"] == "Bo"]
    assert json.loads(kb("session", "end", bo, "--json").stdout) == {"name": "Bo", "ended": 1}
    assert json.loads(kb("session", "end", "--person", "anna", "--json").stdout)["ended"] == 2
    assert "Ingen er logget ind" in kb("session", "list").stdout
    assert [one.event.target for one in Audit(state).entries()] == ["Bo", "anna"]


@pytest.mark.parametrize("arguments", [[], ["findes-ikke"], ["x", "--person", "Anna"]], ids=str)
def test_what_names_nobody_or_two_ends_nothing(state: Path, arguments: list[str]) -> None:
    assert kb("session", "end", *arguments).exit_code == 2
    assert len(SessionStore(state).all()) == 3


def test_a_listed_login_can_be_ended_by_the_id_that_stands_there(state: Path) -> None:
    shown = kb("session", "list").stdout
    ids = [one["id"] for one in json.loads(kb("session", "list", "--json").stdout)["sessions"]]
    assert [one for one in ids if one not in shown] == []
