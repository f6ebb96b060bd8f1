"""The two kinds of place in which the state is kept: a file and, where there is a server, PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.core.settings import Settings
from kb.core.state_place import StatePlace, StateUrl
from kb.state.postgresql_repository import close_pools
from tests.postgresql import Cluster, cluster, in_database


@pytest.fixture(scope="session")
def server() -> Iterator[Cluster]:
    """A PostgreSQL server for the run."""
    with cluster() as made:
        yield made


@pytest.fixture(scope="module")
def mortal() -> Iterator[Cluster]:
    """A server that may be killed, for the tests of a file; each leaves it alive."""
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
