"""The tests of the state are run in a file and, where there is a server, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.core.state_place import StatePlace
from tests.postgresql import Cluster, cluster


@pytest.fixture(scope="session")
def server() -> Iterator[Cluster]:
    """A PostgreSQL server for the run."""
    with cluster() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StatePlace]:
    """Where a state is kept, in which nothing is stored yet: each of the two kinds."""
    if request.param == "sqlite":
        yield tmp_path
        return
    made: Cluster = request.getfixturevalue("server")
    yield made.new_state()
    from kb.state.postgresql_repository import close_pools

    close_pools()
