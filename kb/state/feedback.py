"""Readers' feedback on answers, and refused questions, in the state database.

Who asked is not recorded. CPR numbers, e-mail addresses and telephone numbers are masked before anything is written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kb.core.privacy import mask
from kb.state.repository import Repository, timestamp

LONGEST_COMMENT = 2000


@dataclass(frozen=True, slots=True)
class Feedback:
    """One reader's feedback on an answer; ``created`` is ISO 8601 in UTC, ``citations`` are passage ids."""

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
    """The tables of feedback and refused questions; a connection a call, safe from several threads and processes.

    store = FeedbackStore(settings.state_dir)
    store.add("Hvordan ...?", build_id, useful=True, comment="", citations=["aalborg-air.3"])
    """

    def __init__(self, state_dir: Path) -> None:
        self._repository = Repository(state_dir)

    def add(self, question: str, build_id: str, *, useful: bool, comment: str, citations: Sequence[str]) -> None:
        """Store one reader's feedback, masked."""
        said = (mask(question).text, build_id, int(useful), mask(comment).text, json.dumps(list(citations)))
        values = (timestamp(), *said)
        with self._repository.transaction() as connection:
            connection.execute(
                "INSERT INTO feedback (created, question, build, useful, comment, citations) VALUES (?,?,?,?,?,?)",
                values,
            )

    def all(self) -> list[Feedback]:
        """All feedback, newest first."""
        sql = "SELECT created, question, build, useful, comment, citations FROM feedback ORDER BY id DESC"
        with self._repository.transaction() as connection:
            return [
                Feedback(created, question, build_id, bool(useful), comment, tuple(json.loads(citations)))
                for created, question, build_id, useful, comment, citations in connection.execute(sql)
            ]

    def note_unanswered(self, question: str, build_id: str, reason: str) -> None:
        """Count a refused question, masked; one marked as handled becomes unhandled again."""
        with self._repository.transaction() as connection:
            connection.execute(
                "INSERT INTO unanswered (question, times, last, build, reason) VALUES (?,1,?,?,?)"
                " ON CONFLICT (question) DO UPDATE SET times = times + 1, last = excluded.last,"
                " build = excluded.build, reason = excluded.reason, handled = 0",
                (mask(question).text, timestamp(), build_id, reason),
            )

    def unanswered(self) -> list[Unanswered]:
        """The refused questions not marked as handled, most frequent first."""
        sql = (
            "SELECT question, times, last, build, reason FROM unanswered WHERE handled = 0"
            " ORDER BY times DESC, last DESC, question"
        )
        with self._repository.transaction() as connection:
            return [Unanswered(*row) for row in connection.execute(sql)]

    def handle(self, question: str) -> None:
        """Mark a refused question as handled."""
        with self._repository.transaction() as connection:
            connection.execute("UPDATE unanswered SET handled = 1 WHERE question = ?", (question,))
