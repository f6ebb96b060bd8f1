from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from kb import indexing
from kb.core.settings import Settings
from kb.core.state_place import StatePlace, StateUrl
from kb.state.postgresql_repository import close_pools
from tests.postgresql import Cluster, cluster, in_database
from tests.support import HashEmbedder, make_settings, take_readings, write_corpus

ROOT = Path(__file__).parents[1]
# What the repository holds and no test may write to: a test compares what is generated and does not put it right.
KEPT = tuple(f"{ROOT / name}{os.sep}" for name in ("benchmarks", "corpus", "docs", "kb", "tests", "tools", "training"))


def _leave_the_repository_alone(event: str, arguments: tuple[object, ...]) -> None:
    if event != "open" or not isinstance(arguments[0], str) or "__pycache__" in arguments[0]:
        return
    path, _mode, flags = arguments
    writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
    if writes and os.path.abspath(str(path)).startswith(KEPT):  # noqa: PTH100  # called for every file opened
        raise AssertionError(f"A test writes to the repository: {path}")


sys.addaudithook(_leave_the_repository_alone)

# No example fails for a busy machine alone, and a rule is tried on as many as find what breaks it in a second.
hypothesis.settings.register_profile("kb", deadline=None, max_examples=50)
hypothesis.settings.load_profile("kb")


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings on ``tmp_path`` with a corpus of four small files."""
    settings = make_settings(tmp_path)
    write_corpus(settings.corpus)
    return settings


@pytest.fixture(scope="session")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The small corpus, read by the reader processes and indexed: what others take the readings of."""
    made = make_settings(tmp_path_factory.mktemp("read-once"))
    write_corpus(made.corpus)
    indexing.run(made, HashEmbedder())
    return made


@pytest.fixture
def indexed(settings: Settings, read_once: Settings) -> Settings:
    """The small corpus, indexed once; its files were read before."""
    take_readings(read_once, settings)
    indexing.run(settings, HashEmbedder())
    return settings


# --- The two kinds of place in which the state is kept ---


@pytest.fixture(scope="session")
def server() -> Iterator[Cluster]:
    """A PostgreSQL server for the run."""
    with cluster() as made:
        yield made


@pytest.fixture(scope="session")
def mortal() -> Iterator[Cluster]:
    """A server that may be killed; every test leaves it alive."""
    with cluster() as made:
        yield made


@pytest.fixture
def url(server: Cluster) -> Iterator[StateUrl]:
    """A database's state in which nothing is stored."""
    yield server.new_state()
    close_pools()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> StatePlace:
    """Where a state is kept, in which nothing is stored yet: each of the two kinds."""
    if request.param == "sqlite":
        return tmp_path
    made: StateUrl = request.getfixturevalue("url")
    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def stateful(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """The settings of a small corpus, with each of the two kinds of state."""
    if request.param == "sqlite":
        return settings
    return in_database(settings, request.getfixturevalue("url"))
