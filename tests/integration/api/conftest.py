"""A server's application over a small corpus, with the deterministic embedder; everything else is the real thing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kb import indexing
from kb.core.settings import Settings
from kb.http.server import make_app
from tests.support import HashEmbedder, make_settings, take_readings, write_corpus


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, read_once: Settings) -> Settings:
    """Settings on an indexed corpus that the module's tests only read."""
    made = make_settings(tmp_path_factory.mktemp("base"))
    write_corpus(made.corpus)
    take_readings(read_once, made)
    indexing.run(made, HashEmbedder())
    return made


@pytest.fixture(scope="module")
def app(settings: Settings) -> Flask:
    """The whole application."""
    return make_app(settings, HashEmbedder())


@pytest.fixture
def client(app: Flask) -> Iterator[FlaskClient]:
    """A client on this machine, whom the server is open to."""
    with app.test_client() as client:
        yield client


@pytest.fixture
def empty(tmp_path: Path) -> FlaskClient:
    """A client of a server that has no index yet."""
    return make_app(make_settings(tmp_path), HashEmbedder()).test_client()
