"""The ids of deleted reports, which must not be shown although a build still contains them.

removals = Removals(settings.state)
removals.mark("asta")
removals.marked()
"""

from __future__ import annotations

from datetime import UTC, datetime

from kb.core.state_place import StatePlace
from kb.state.database import upsert
from kb.state.repository import repository_of

MAX_MARKS = 10_000


class Removals:
    """The table of deleted reports; a connection a call, safe from several threads and processes."""

    def __init__(self, place: StatePlace) -> None:
        self._repository = repository_of(place)

    def mark(self, document_id: str) -> None:
        """Mark a report as deleted; beyond :data:`MAX_MARKS` the oldest marks are removed."""
        with self._repository.transaction() as database:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            database.execute(upsert("removed", ("document_id", "at"), key=("document_id",)), (document_id, now))
            newest = "SELECT document_id FROM removed ORDER BY at DESC LIMIT ?"
            database.execute(f"DELETE FROM removed WHERE document_id NOT IN ({newest})", (MAX_MARKS,))

    def forget(self) -> None:
        """Remove all marks."""
        if self._repository.exists:
            with self._repository.transaction() as database:
                database.execute("DELETE FROM removed")

    def marked(self) -> frozenset[str]:
        """The ids of the deleted reports."""
        return frozenset(row[0] for row in self._repository.rows("removed", "document_id"))
