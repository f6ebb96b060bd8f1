"""The verbs of gaps and words, which need neither index nor model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from kb.cli import main
from kb.curation.words import Curation, checked_group
from kb.state.curation import CurationStore
from kb.state.gaps import GapStore


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == code, f"{result.output}{result.stderr}{result.exception!r}"
    return result.stdout


def test_gaps_are_listed_and_written_as_csv_without_formulas(folder: Path) -> None:
    store = GapStore(folder / "state", keep_days=30)
    store.note_refused("=Hvornår tømmes skraldet?", "b", "intet om emnet")
    assert "skraldet" in run("gap", "list")
    (one,) = json.loads(run("gap", "list", "--json"))["gaps"]
    assert (one["refused"], one["not_useful"]) == (1, 0)
    assert json.loads(run("gap", "export", "alle.csv", "--json")) == {"file": "alle.csv", "gaps": 1}
    assert "'=Hvornår tømmes skraldet?" in (folder / "alle.csv").read_text("utf-8-sig")


def test_words_are_listed_and_the_last_change_is_undone(folder: Path) -> None:
    assert "intet at fortryde" in CliRunner().invoke(main, ("word", "undo")).stderr
    held = Curation().with_group(checked_group(["skraldebil", "renovationskøretøj"]))
    CurationStore(folder / "state").put(held, "ord tilføjet", based_on=0)
    assert "skraldebil = renovationskøretøj" in run("word", "list")
    assert json.loads(run("word", "undo", "--json"))["groups"] == []
    assert json.loads(run("word", "list", "--json"))["version"] == 2
