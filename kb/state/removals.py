"""The marks of deleted reports: the ids of those that must not be shown, though a build still has them.

removals = Removals(settings.state_dir)
removals.mark("asta")
removals.marked()
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from kb.state.repository import Repository

KEPT = 10_000


class Removals:
    """The marks' table; a connection a call, safe from several threads and processes."""

    def __init__(self, state_dir: Path) -> None:
        self._repository = Repository(state_dir)

    def mark(self, document_id: str) -> None:
        """Remember that a report was deleted; of very many the oldest are forgotten."""
        with self._repository.transaction() as database:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            database.execute("INSERT OR REPLACE INTO removed VALUES (?,?)", (document_id, now))
            newest = "SELECT document_id FROM removed ORDER BY at DESC LIMIT ?"
            database.execute(f"DELETE FROM removed WHERE document_id NOT IN ({newest})", (KEPT,))

    def forget(self) -> None:
        """Hide nothing any more."""
        if self._repository.exists:
            with self._repository.transaction() as database:
                database.execute("DELETE FROM removed")

    def marked(self) -> frozenset[str]:
        """The ids of the deleted reports; none before the first."""
        return frozenset(row[0] for row in self._repository.rows("removed", "document_id"))
