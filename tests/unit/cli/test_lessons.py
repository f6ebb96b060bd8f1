"""The verbs of lessons, which need neither index nor model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kb.cli import main
from kb.lessons.lesson import Evidence, Lesson, LessonStatus
from kb.state.lessons import LessonStore

LESSON = Lesson(
    lesson="Begynd med hjemlen.",
    evidence=(Evidence.of("air", "Hjemlen manglede."),),
    owner="digital@kommune.dk",
    review_by="2001-01-31",
    status=LessonStatus.CONFIRMED,
)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LessonStore:
    monkeypatch.chdir(tmp_path)
    made = LessonStore(tmp_path / "state")
    made.add(LESSON)
    made.add(Lesson(lesson="En kladde."))
    return made


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, ("lesson", *arguments))
    assert result.exit_code == code, f"{result.output}{result.stderr}{result.exception!r}"
    return result.stdout


def values(*arguments: str, code: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", code=code))


def test_lessons_are_listed_and_those_to_be_looked_at() -> None:
    assert len(values("list")["lessons"]) == 2
    assert [one["lesson"] for one in values("list", "--due")["lessons"]] == [LESSON.lesson]
    assert "En kladde." in run("list", "--status", "kladde")


@pytest.mark.parametrize("name", ["alle.csv", "alle.json"])
def test_lessons_are_written_to_a_file_and_taken_in_from_it(store: LessonStore, name: str) -> None:
    before = {one.id: (one.lesson, one.evidence, one.status) for one in store.all()}
    assert values("export", name)["lessons"] == 2
    assert values("import", name) == {"added": 0, "changed": 0, "unchanged": 2}
    for one in store.all():
        store.delete(one.id)
    assert values("import", name)["added"] == 2
    assert {one.id: (one.lesson, one.evidence, one.status) for one in store.all()} == before


def test_figures_and_reminders() -> None:
    assert values("figures")["due"] == 1
    assert "Skal ses efter: 1" in run("figures")
    assert "mailserver" in values("remind", code=3)["error"]["message"]


def test_a_file_that_is_not_there_or_has_another_name_is_told() -> None:
    assert "kan ikke læses" in values("import", "findes-ikke.csv", code=2)["error"]["message"]
    assert "hverken .csv eller .json" in values("export", "alle.txt", code=2)["error"]["message"]
