from __future__ import annotations

from pathlib import Path

import pytest

from kb import indexing
from kb.core.settings import Settings
from tests.support import HashEmbedder, make_settings, write_corpus


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings on ``tmp_path`` with a corpus of four small files."""
    settings = make_settings(tmp_path)
    write_corpus(settings.corpus)
    return settings


@pytest.fixture
def indexed(settings: Settings, embedder: HashEmbedder) -> Settings:
    """The small corpus, indexed once."""
    indexing.run(settings, embedder)
    embedder.embedded.clear()
    return settings
