"""What the machine refuses for now is never taken for damage: a whole build stays whole."""

from __future__ import annotations

import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from kb import indexing
from kb.core import machine
from kb.core.errors import IndexBusyError, IndexDamagedError
from kb.core.settings import Settings
from kb.index import builds
from kb.index.places import place_of
from kb.index.store import check_database
from kb.index.verification import verify_build
from kb.indexing.rollback import roll_back
from kb.retrieval.snapshot_holder import SnapshotHolder
from tests.support import HashEmbedder, report_text, write_corpus


@contextmanager
def open_files_left(spare: int) -> Iterator[None]:
    """As if the process had almost used up its table of open files."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = {int(name) for name in os.listdir("/proc/self/fd")}  # noqa: PTH208
    limit, free = 0, 0
    while free < spare + 1:
        free += limit not in used
        limit += 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit - 1, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.slow
@pytest.mark.parametrize("spare", range(14))
def test_a_build_that_cannot_be_opened_for_want_of_files_is_not_called_damaged(indexed: Settings, spare: int) -> None:
    build_id = builds.current_id(indexed.index_dir)
    assert verify_build(place_of(indexed), build_id) == []
    with open_files_left(spare):
        try:
            problems = verify_build(place_of(indexed), build_id)
        except (IndexBusyError, OSError) as error:
            assert machine.refused(error) or isinstance(error, IndexBusyError)  # noqa: PT017
        else:
            assert problems == []
    assert verify_build(place_of(indexed), build_id) == []


@pytest.mark.slow
def test_a_server_takes_up_a_new_build_when_the_machine_lets_it(
    indexed: Settings, embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = SnapshotHolder(indexed, embedder)
    old = holder.searcher()
    write_corpus(indexed.corpus, {"ny.md": report_text("nabohjælp")})
    new_id = indexing.run(indexed, embedder).build_id

    def busy(*_: object) -> None:
        raise IndexBusyError("Optaget.")

    with monkeypatch.context() as patched:
        patched.setattr(builds, "check_files", busy)
        assert holder.searcher() is old
        assert isinstance(holder.problem, IndexBusyError)
    assert holder.searcher().snapshot.build_id == new_id
    assert holder.problem is None


@pytest.mark.slow
def test_a_roll_back_says_that_the_machine_is_busy(
    indexed: Settings, embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_corpus(indexed.corpus, {"ny.md": report_text("nabohjælp")})
    indexing.run(indexed, embedder)

    def too_many(*_: object, **__: object) -> None:
        raise ValueError("Failed to open file for read: Too many open files (os error 24)")

    monkeypatch.setattr("kb.index.lexical.tantivy.Index.open", too_many)
    with pytest.raises(IndexBusyError):
        roll_back(indexed)


@pytest.mark.slow
def test_a_database_that_somebody_holds_is_not_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(path)) as holding:
        holding.execute("CREATE TABLE t (x)")
        holding.execute("BEGIN EXCLUSIVE")
        with pytest.raises(IndexBusyError):
            check_database(path)
    assert check_database(path) == ""
    path.write_bytes(b"x" * 4096)
    assert check_database(path)


@pytest.mark.slow
def test_a_run_whose_tidying_up_fails_is_a_run_that_succeeded(
    indexed: Settings, embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_corpus(indexed.corpus, {"ny.md": report_text("nabohjælp")})

    def fails(*_: object) -> None:
        raise OSError("Directory not empty")

    monkeypatch.setattr(builds, "remove_old", fails)
    assert indexing.run(indexed, embedder).added == ("ny.md",)


@pytest.mark.parametrize("error", [ValueError("slut"), FileNotFoundError(2, "væk"), sqlite3.DatabaseError("malformed")])
def test_damage_is_still_damage(error: Exception) -> None:
    assert isinstance(machine.unusable(error, "Væk."), IndexDamagedError)
