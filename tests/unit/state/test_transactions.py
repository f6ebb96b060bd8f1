"""Transactions on the files below ``state/``: whole or not at all, and reading makes nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kb.state.transactions import rows_of, transaction

SCHEMA = "CREATE TABLE IF NOT EXISTS notes (text TEXT NOT NULL) STRICT;"


def add(path: Path, text: str) -> None:
    with transaction(path, SCHEMA) as connection:
        connection.execute("INSERT INTO notes VALUES (?)", (text,))


def test_what_is_done_is_kept_together_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "ny" / "state.sqlite"
    add(path, "en")
    with pytest.raises(sqlite3.IntegrityError), transaction(path, SCHEMA) as connection:
        connection.executemany("INSERT INTO notes VALUES (?)", [("to",), (None,)])
    assert rows_of(path, "notes", "text") == [("en",)]


def test_reading_makes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    assert rows_of(path, "notes", "text") == []
    assert list(tmp_path.iterdir()) == []
    add(path, "en")
    assert rows_of(path, "andet", "text") == []
    assert rows_of(tmp_path / "state.sqlite" / "under", "notes", "text") == []


def test_nobody_else_writes_during_an_immediate_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.state.transactions.PATIENCE_SECONDS", 0.05)
    path = tmp_path / "state.sqlite"
    add(path, "en")
    with transaction(path, SCHEMA, immediate=True), pytest.raises(sqlite3.OperationalError):
        add(path, "to")
    add(path, "tre")
    assert rows_of(path, "notes", "text") == [("en",), ("tre",)]
