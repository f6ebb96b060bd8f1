"""What users say of answers, and the questions that got none: SQLite below ``state/``, which outlives every index.

Nothing here says who asked. CPR numbers, e-mail addresses and telephone numbers are masked before anything is written.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kb.core.privacy import mask
from kb.state.transactions import transaction

FILE = "feedback.sqlite"
LONGEST_COMMENT = 2000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS feedback (
    id        INTEGER PRIMARY KEY,
    created   TEXT NOT NULL,
    question  TEXT NOT NULL,
    build     TEXT NOT NULL,
    useful    INTEGER NOT NULL,
    comment   TEXT NOT NULL,
    citations TEXT NOT NULL            -- JSON list of passage ids
) STRICT;
CREATE TABLE IF NOT EXISTS unanswered (
    question  TEXT PRIMARY KEY,
    times     INTEGER NOT NULL,
    last      TEXT NOT NULL,
    build     TEXT NOT NULL,
    reason    TEXT NOT NULL,
    handled   INTEGER NOT NULL DEFAULT 0
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Feedback:
    """One reader's word on an answer; ``created`` is ISO 8601 in UTC, ``citations`` are passage ids."""

    created: str
    question: str
    build_id: str
    useful: bool
    comment: str
    citations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that was refused: how often, when last, on which build and why."""

    question: str
    times: int
    last: str
    build_id: str
    reason: str


class FeedbackStore:
    """Reads and writes the file; a connection a call, for there are few.

    store = FeedbackStore(settings.state_dir)
    store.add("Hvordan ...?", build_id, useful=True, comment="", citations=["aalborg-air.3"])
    """

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return transaction(self._path, _SCHEMA)

    def add(self, question: str, build_id: str, *, useful: bool, comment: str, citations: Sequence[str]) -> None:
        """Keep one reader's word, masked."""
        values = (_now(), mask(question).text, build_id, int(useful), mask(comment).text, json.dumps(list(citations)))
        with self._open() as connection:
            connection.execute(
                "INSERT INTO feedback (created, question, build, useful, comment, citations) VALUES (?,?,?,?,?,?)",
                values,
            )

    def all(self) -> list[Feedback]:
        """Everything said, newest first."""
        sql = "SELECT created, question, build, useful, comment, citations FROM feedback ORDER BY id DESC"
        with self._open() as connection:
            return [
                Feedback(created, question, build_id, bool(useful), comment, tuple(json.loads(citations)))
                for created, question, build_id, useful, comment, citations in connection.execute(sql)
            ]

    def note_unanswered(self, question: str, build_id: str, reason: str) -> None:
        """Count a refused question, masked; one that was marked as handled comes back on the list."""
        with self._open() as connection:
            connection.execute(
                "INSERT INTO unanswered (question, times, last, build, reason) VALUES (?,1,?,?,?)"
                " ON CONFLICT (question) DO UPDATE SET times = times + 1, last = excluded.last,"
                " build = excluded.build, reason = excluded.reason, handled = 0",
                (mask(question).text, _now(), build_id, reason),
            )

    def unanswered(self) -> list[Unanswered]:
        """The refused questions nobody has handled, most asked first."""
        sql = (
            "SELECT question, times, last, build, reason FROM unanswered WHERE handled = 0"
            " ORDER BY times DESC, last DESC, question"
        )
        with self._open() as connection:
            return [Unanswered(*row) for row in connection.execute(sql)]

    def handle(self, question: str) -> None:
        """Take a question off the list of those nobody has handled."""
        with self._open() as connection:
            connection.execute("UPDATE unanswered SET handled = 1 WHERE question = ?", (question,))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
