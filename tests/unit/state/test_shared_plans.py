"""Plans that are shared by a link: found by it, gone when they expire or are deleted, never under their own token."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from kb.state.shared_plans import SharedPlans
from kb.state.sqlite_repository import STATE_FILE


def test_a_shared_plan_is_found_by_its_token_alone(tmp_path: Path) -> None:
    shared = SharedPlans(tmp_path)
    assert shared.find("intet") is None
    assert not (tmp_path / STATE_FILE).exists()  # looking creates nothing
    token = shared.add("Planen", days=7)
    found = shared.find(token)
    assert found is not None
    assert (found.plan, found.created < found.expires) == ("Planen", True)
    assert shared.find("en anden") is None
    assert token.encode() not in (tmp_path / STATE_FILE).read_bytes()


def test_an_expired_plan_is_deleted(tmp_path: Path) -> None:
    shared = SharedPlans(tmp_path)
    token = shared.add("Planen", days=-1)
    assert shared.find(token) is None
    with closing(sqlite3.connect(tmp_path / STATE_FILE)) as database:
        assert database.execute("SELECT count(*) FROM shared_plans").fetchone() == (0,)


def test_a_shared_plan_can_be_deleted_before_its_time(tmp_path: Path) -> None:
    shared = SharedPlans(tmp_path)
    kept, removed = shared.add("Den ene", days=7), shared.add("Den anden", days=7)
    shared.remove(removed)
    assert shared.find(removed) is None
    assert shared.find(kept) is not None
