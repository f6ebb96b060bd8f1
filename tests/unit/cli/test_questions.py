"""The verb of saved questions, over a real index."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kb.cli import main
from kb.core.settings import Settings
from kb.embedding import embedder
from kb.index.builds import current_id
from kb.state.saved_questions import SavedQuestion, SavedQuestions
from tests.support import HashEmbedder


def notify(code: int = 0) -> Any:
    result = CliRunner().invoke(main, ("question", "notify", "--json"))
    assert result.exit_code == code, f"{result.output}{result.stderr}{result.exception!r}"
    return json.loads(result.stdout)


def test_where_nothing_is_saved_nothing_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert notify() == {"sent": [], "already": [], "refused": {}, "unsure": []}


@pytest.mark.slow
def test_every_question_is_answered_from_the_newest_build(indexed: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(indexed.state_dir.parent)
    monkeypatch.setattr(embedder, "load_embedder", lambda _settings: HashEmbedder())
    saved = SavedQuestions(indexed.state_dir)
    saved.add(SavedQuestion("anna", "Hvad er erfaringen med faldrisiko?"), "et tidligere", [])
    saved.add(SavedQuestion("bo", "Hvad er faldrisiko?", filters={"ukendt": ("x",)}), "et tidligere", [])
    assert notify()["sent"] == []
    (unanswerable, answered) = saved.all()
    assert answered.checked_build == current_id(indexed.index_dir)
    assert {one.passage_id.partition(".")[0] for one in saved.news(answered)} == {"faldrisiko"}
    assert unanswerable.checked_build == "et tidligere"  # a field that is filtered by no more stops no other
