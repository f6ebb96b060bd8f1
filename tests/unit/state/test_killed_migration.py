"""A migration that is killed leaves the state as it was or as it becomes, and loses nothing of it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from kb.state.migrations import FEEDBACK_FILE, SCHEMA_VERSION
from kb.state.sqlite_repository import STATE_FILE, SqliteRepository
from tests.killing import Runs

OLDEST = Path(__file__).parent / "earlier" / "1"
KILLS = 20
# Some migrations have ended before they are killed.
MOST_TRIES = 200
ROWS = 4_000


def said_in(folder: Path, file: str) -> int:
    with closing(sqlite3.connect(folder / file)) as database:
        return int(database.execute("SELECT COUNT(*) FROM feedback").fetchone()[0])


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """A state folder of the oldest form, with so much in it that a migration takes a while."""
    folder = Path(shutil.copytree(OLDEST, tmp_path / "before"))
    with closing(sqlite3.connect(folder / FEEDBACK_FILE)) as database, database:
        said = ("2026-01-01T00:00:00+00:00", "Hvad kostede det?", "b", 1, "x" * 200, "[]")
        sql = "INSERT INTO feedback (created, question, build, useful, comment, citations) VALUES (?,?,?,?,?,?)"
        database.executemany(sql, [said] * ROWS)
    return folder


@pytest.mark.slow
def test_a_migration_killed_twenty_times_is_whole_before_or_after(before: Path, tmp_path: Path) -> None:
    oldest, expected = SqliteRepository(before).schema_version(), said_in(before, FEEDBACK_FILE)
    draw = random.Random(20261130)  # noqa: S311  (moments, not secrets)
    folder, killed, seen = tmp_path / "state", 0, set()
    runs = Runs("tests.killing_migrations", str(folder))
    try:
        shutil.copytree(before, folder)
        runs.begin()
        begun = time.monotonic()
        assert runs.end() == 0
        usual = time.monotonic() - begun
        for _ in range(MOST_TRIES):
            shutil.rmtree(folder)
            shutil.copytree(before, folder)
            pid = runs.begin()
            time.sleep(draw.uniform(0, usual))
            os.kill(pid, signal.SIGKILL)  # the helper reaps it only afterwards, so the number is still its own
            if not os.WIFSIGNALED(runs.end()):
                continue  # it had ended before
            version = SqliteRepository(folder).schema_version()
            assert version in {oldest, SCHEMA_VERSION}
            assert said_in(folder, FEEDBACK_FILE if version == oldest else STATE_FILE) == expected
            SqliteRepository(folder).connect().close()
            assert said_in(folder, STATE_FILE) == expected
            assert [path.name for path in folder.iterdir()] == [STATE_FILE]
            seen.add(version)
            killed += 1
            if killed == KILLS:
                break
    finally:
        runs.close()
    assert killed == KILLS
    assert oldest in seen
