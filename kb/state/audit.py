"""The audit trail: who changed, uploaded, deleted, exported or signed in, when and from where.

    Audit(settings.state_dir).write(Event("nøgle lavet", who="lokal", target="intranet"))

Rows in ``state/state.sqlite`` are only ever added. SQLite itself refuses to change one, and to delete one younger than
the minimum retention. Each has a digest of itself and the one before it, so that :meth:`Audit.broken` finds rows that
were changed or deleted by other means. Questions are not recorded.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kb.state.repository import Repository

# The same number as in the table's trigger in kb.state.migrations.
SHORTEST_DAYS = 30
_NAMES = "at, action, who, via, address, target, request_id, detail, previous, digest"


@dataclass(frozen=True, slots=True)
class Event:
    """An event: ``action`` in Danish words, and the ``target`` it was done to."""

    action: str
    who: str
    via: str = ""
    address: str = ""
    target: str = ""
    request_id: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its number and time (ISO 8601 in UTC), the digest of the event before and its own."""

    seq: int
    at: str
    event: Event
    previous: str
    digest: str


class Audit:
    """The trail; a connection a call, safe from several threads and processes."""

    def __init__(self, state_dir: Path) -> None:
        self._repository = Repository(state_dir)

    def write(self, event: Event) -> None:
        """Add an event."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        values = (at, *astuple(event))
        # The digest covers the previous row, so no other event may be written between reading it and adding this one.
        with self._repository.transaction(immediate=True) as connection:
            last = connection.execute("SELECT digest FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
            previous = last[0] if last else ""
            connection.execute(
                f"INSERT INTO audit ({_NAMES}) VALUES ({','.join('?' * 10)})",
                (*values, previous, _digest(previous, values)),
            )

    def entries(self, *, since: str = "") -> list[Entry]:
        """The events, oldest first, from a time on (ISO 8601)."""
        sql = f"SELECT seq, {_NAMES} FROM audit WHERE at >= ? ORDER BY seq"
        with self._repository.transaction() as connection:
            return [_entry(row) for row in connection.execute(sql, (since,))]

    def broken(self) -> list[int]:
        """The numbers of events that were changed, or whose predecessor was changed or deleted."""
        entries = self.entries()
        # The predecessor of the oldest event has been removed by age, so its digest is taken as given.
        predecessors = [entry.previous for entry in entries[:1]] + [entry.digest for entry in entries]
        return [
            entry.seq
            for entry, before in zip(entries, predecessors, strict=False)
            if entry.previous != before or _digest(entry.previous, (entry.at, *astuple(entry.event))) != entry.digest
        ]

    def forget(self, days: int) -> int:
        """Remove events older than ``days``; returns how many."""
        limit = (datetime.now(UTC) - timedelta(days=max(days, SHORTEST_DAYS))).isoformat(timespec="milliseconds")
        with self._repository.transaction() as connection:
            return connection.execute("DELETE FROM audit WHERE at < ?", (limit,)).rowcount


def _digest(before: str, values: tuple[str, ...]) -> str:
    return hashlib.sha256(json.dumps([before, *values], ensure_ascii=False).encode()).hexdigest()


def _entry(row: tuple[Any, ...]) -> Entry:
    seq, at, *event, previous, digest = row
    return Entry(seq, at, Event(*event), previous, digest)
