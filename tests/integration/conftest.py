"""The real model and the shipped corpus's index, made once by ``make test`` and only read here."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb.core.errors import KbError
from kb.core.settings import Settings, load_settings
from kb.embedding.embedder import ModelEmbedder
from kb.embedding.model_store import model_folder
from kb.retrieval.searcher import Searcher, open_searcher

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def shipped() -> Settings:
    """The settings of the repository's own corpus and index."""
    return load_settings(corpus=ROOT / "corpus", index_dir=ROOT / "index", state_dir=ROOT / "state")


@pytest.fixture(scope="session")
def model_dir(shipped: Settings) -> Path:
    """The prepared model's folder."""
    try:
        return model_folder(shipped)
    except KbError as error:
        pytest.skip(f"{error} {error.advice} (make test gør det selv)")


@pytest.fixture(scope="session")
def embedder(model_dir: Path) -> ModelEmbedder:
    """The real model."""
    return ModelEmbedder(model_dir)


@pytest.fixture(scope="session")
def searcher(shipped: Settings, embedder: ModelEmbedder) -> Searcher:
    """A searcher on the shipped corpus."""
    try:
        return open_searcher(shipped, embedder)
    except KbError as error:
        pytest.skip(f"{error} {error.advice} (make test gør det selv)")
