"""The verbs of sources: list, preview, sync and remove."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from kb.cli import main

SOURCES = """[hr]
kind = "folder"
path = "drev"
settle_seconds = 0

[dav]
kind = "webdav"
url = "https://dav.kommune.dk/x"
user = "anna"
password_env = "KILDE_DAV"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KB_SOURCES_FILE", "kilder.toml")
    (tmp_path / "kilder.toml").write_text(SOURCES, encoding="utf-8")
    (tmp_path / "drev").mkdir()
    (tmp_path / "drev" / "a.md").write_text("# En", encoding="utf-8")
    return tmp_path


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == code, f"{result.output}{result.stderr}{result.exception!r}"
    return result.stdout


def test_a_source_is_previewed_synced_listed_and_removed(folder: Path) -> None:
    assert "hr: 1 ny" in run("source", "preview", "hr")
    told = json.loads(run("source", "sync", "hr", "--no-index", "--json"))
    assert told["synced"]["hr"]["paths"] == ["kilder/hr/a.md"]
    assert (folder / "corpus" / "kilder" / "hr" / "a.md").is_file()
    assert "er sat op" in CliRunner().invoke(main, ("source", "remove", "hr", "--yes")).stderr
    (folder / "kilder.toml").write_text("", encoding="utf-8")
    assert "ikke længere sat op" in run("source", "list")
    assert json.loads(run("source", "remove", "hr", "--yes", "--json")) == {"name": "hr", "deleted": 1}
    assert not (folder / "corpus" / "kilder" / "hr" / "a.md").exists()
    assert "ingen kilder" in run("source", "list")


def test_a_source_that_fails_is_told_and_stops_no_other() -> None:
    told = json.loads(run("source", "sync", "--due", "--no-index", "--json", code=1))
    assert list(told["synced"]) == ["hr"]
    assert "password_env" in told["failed"]["dav"]["message"]
    assert json.loads(run("source", "sync", "hr", "--due", "--no-index", "--json"))["synced"] == {}
