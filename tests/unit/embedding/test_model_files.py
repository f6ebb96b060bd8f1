"""A prepared model's files: whole beside what is made of it later, and readable by those who may read its card."""

from __future__ import annotations

from pathlib import Path

from kb.embedding import model_store
from kb.embedding.runtimes import choice


def _model(folder: Path) -> Path:
    for name in (model_store.CARD_FILE, "config.json", "model.safetensors"):
        (folder / name).write_text("{}", encoding="utf-8")
    return folder


def test_what_the_runtimes_make_afterwards_is_not_in_the_fingerprint(tmp_path: Path) -> None:
    before = model_store._fingerprint(_model(tmp_path), {})
    (tmp_path / choice.GRAPHS_FOLDER).mkdir()
    for name in (choice.PIECES_FILE, "andet.json", "andet.bin"):
        (tmp_path / choice.GRAPHS_FOLDER / name).write_text("lavet bagefter", encoding="utf-8")
    assert model_store._fingerprint(tmp_path, {}) == before
    (tmp_path / "config.json").write_text("ændret", encoding="utf-8")
    assert model_store._fingerprint(tmp_path, {}) != before
