"""Readers' feedback on answers, in the state database.

Who asked is not recorded. CPR numbers, e-mail addresses and telephone numbers are masked before anything is written.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kb.core.access import EVERYTHING, Access, groups_of_text, groups_text
from kb.core.privacy import mask
from kb.core.state_place import StatePlace
from kb.state.repository import repository_of, timestamp

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


class FeedbackStore:
    """The table of feedback; a connection a call, safe from several threads and processes.

    It is noted with the groups whose reports the reader might see, and is there for those alone who are in all of them.

    store = FeedbackStore(settings.state)
    store.add("Hvordan ...?", build_id, useful=True, comment="", citations=["aalborg-air.3"])
    """

    def __init__(self, place: StatePlace, access: Access = EVERYTHING) -> None:
        self._repository = repository_of(place)
        self._access = access

    def add(
        self,
        question: str,
        build_id: str,
        *,
        useful: bool,
        comment: str,
        citations: Sequence[str],
        groups: Collection[str] = (),
    ) -> None:
        """Store one reader's feedback, masked."""
        said = (mask(question).text, build_id, int(useful), mask(comment).text, json.dumps(list(citations)))
        values = (timestamp(), *said, groups_text(groups))
        with self._repository.transaction() as connection:
            connection.execute(
                "INSERT INTO feedback (created, question, build, useful, comment, citations, access)"
                " VALUES (?,?,?,?,?,?,?)",
                values,
            )

    def all(self) -> list[Feedback]:
        """All feedback, newest first."""
        sql = "SELECT created, question, build, useful, comment, citations, access FROM feedback ORDER BY id DESC"
        with self._repository.transaction() as connection:
            return [
                Feedback(created, question, build_id, bool(useful), comment, tuple(json.loads(citations)))
                for created, question, build_id, useful, comment, citations, access in connection.execute(sql)
                if self._access.includes(groups_of_text(access))
            ]
