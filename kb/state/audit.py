"""The audit trail: who changed, uploaded, deleted, exported or signed in, when and from where.

    Audit(settings.state).write(Event("nøgle lavet", who="lokal", target="intranet"))

Rows are only ever added. The database itself refuses to change one, and to delete one younger than the minimum
retention. Each has a digest of itself and the one before it, so that :meth:`Audit.broken` finds rows that
were changed or deleted by other means; those deleted by age are the beginning of the chain, and the event that tells
of it names the digest of the last of them. Questions are not recorded.

Each event also goes to the log as it is written, and :func:`as_line` gives it as the JSON line that is exported.
Whoever may write the database could write a whole new chain: what was sent elsewhere in the meantime shows it
(:meth:`Audit.differing`).
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kb.core.errors import InputError
from kb.core.state_place import StatePlace
from kb.state.database import Database
from kb.state.repository import repository_of

# The same number as in the table's trigger in kb.state.migrations.
SHORTEST_DAYS = 30
FORGOTTEN = "hændelser slettet"
# How the action of an event ends when it was not done, and by that what its result is.
REFUSED, FAILED, DONE = "afvist", "mislykkedes", "udført"
log = logging.getLogger(__name__)
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

    @property
    def result(self) -> str:
        """Whether it was done, refused or failed."""
        last = self.event.action.rpartition(" ")[2]
        return last if last in {REFUSED, FAILED} else DONE


class Audit:
    """The trail; a connection a call, safe from several threads and processes."""

    def __init__(self, place: StatePlace) -> None:
        self._repository = repository_of(place)

    def write(self, event: Event) -> None:
        """Add an event."""
        # The digest covers the previous row, so no other event may be written between reading it and adding this one.
        with self._repository.transaction(immediate=True) as connection:
            entry = _add(connection, event)
        _tell(entry)

    def entries(self, *, since: str = "") -> list[Entry]:
        """The events, oldest first, from a time on (ISO 8601)."""
        sql = f"SELECT seq, {_NAMES} FROM audit WHERE at >= ? ORDER BY seq"
        with self._repository.transaction() as connection:
            return [_entry(row) for row in connection.execute(sql, (since,))]

    def of_person(self, name: str) -> list[Entry]:
        """The events that someone of this name brought about, or that were done to them or their key."""
        return [one for one in self.entries() if one.event.who == name or _names(one.event.target, name)]

    def broken(self) -> list[int]:
        """The numbers of events that were changed, or whose predecessor was, or was deleted otherwise than by age."""
        entries = self.entries()
        found = broken_links(entries)
        if entries and entries[0].previous and not any(_removed_up_to(entry, entries[0].previous) for entry in entries):
            found.insert(0, entries[0].seq)
        return sorted(set(found))

    def differing(self, exported: Iterable[str]) -> list[int]:
        """The numbers of exported events that are not as exported any more, or whose export itself is broken.

        ``exported`` are the lines of an earlier export. What has been removed by age since is no difference. Raises
        :class:`InputError` for a line that is none of an export.
        """
        lines = [entry_of_line(line) for line in exported if line.strip()]
        kept = {entry.seq: entry for entry in self.entries()}
        oldest = min(kept, default=0)
        changed = [one.seq for one in lines if (not kept or one.seq >= oldest) and kept.get(one.seq) != one]
        return sorted({*changed, *broken_links(lines)})

    def forget(self, days: int, *, who: str, via: str = "") -> int:
        """Remove events older than ``days`` and write that down; returns how many.

        Only from the beginning up to the first that is kept, whatever a clock said in between, so that the rest is a
        whole chain.
        """
        limit = (datetime.now(UTC) - timedelta(days=max(days, SHORTEST_DAYS))).isoformat(timespec="milliseconds")
        with self._repository.transaction(immediate=True) as connection:
            first_kept = "COALESCE((SELECT MIN(seq) FROM audit WHERE at >= ?), (SELECT MAX(seq) + 1 FROM audit))"
            old = f"FROM audit WHERE seq < {first_kept}"
            last = connection.execute(f"SELECT seq, digest {old} ORDER BY seq DESC LIMIT 1", (limit,)).fetchone()
            if last is None:
                return 0
            count: int = connection.execute(f"SELECT COUNT(*) {old}", (limit,)).fetchone()[0]
            detail = f"{count} ældre end {days} dage, til og med nr. {last[0]} ({last[1]})"
            entry = _add(connection, Event(FORGOTTEN, who=who, via=via, detail=detail))
            connection.execute("DELETE FROM audit WHERE seq <= ?", (last[0],))
        _tell(entry)
        return count


def as_line(entry: Entry) -> str:
    """An event as one line of JSON: who did what to what, when, from where and with what result; then its digests."""
    event = asdict(entry.event)
    values = {"seq": entry.seq, "at": entry.at, **event, "result": entry.result}
    return json.dumps(values | {"previous": entry.previous, "digest": entry.digest}, ensure_ascii=False)


def entry_of_line(line: str) -> Entry:
    """The event of an exported line; raises :class:`InputError` for another line."""
    try:
        values = json.loads(line)
        event = Event(**{name: str(values[name]) for name in Event.__slots__})
        return Entry(int(values["seq"]), str(values["at"]), event, str(values["previous"]), str(values["digest"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        advice = "Angiv en fil, der er skrevet med: kb audit export --lines"
        raise InputError("Filen har en linje, der ikke er en hændelse.", advice=advice) from error


def broken_links(entries: Sequence[Entry]) -> list[int]:
    """The numbers of events that do not have the digest they say, or do not follow the one before (pure)."""
    predecessors = [entry.previous for entry in entries[:1]] + [entry.digest for entry in entries]
    return [
        entry.seq
        for entry, before in zip(entries, predecessors, strict=False)
        if entry.previous != before or _digest(entry.previous, (entry.at, *astuple(entry.event))) != entry.digest
    ]


def _names(target: str, name: str) -> bool:
    return target == name or target.startswith(f"{name} (")


def _removed_up_to(entry: Entry, digest: str) -> bool:
    return entry.event.action == FORGOTTEN and entry.event.detail.endswith(f"({digest})")


def _add(connection: Database, event: Event) -> Entry:
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    values = (at, *astuple(event))
    last = connection.execute("SELECT digest FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    previous = last[0] if last else ""
    digest = _digest(previous, values)
    added = connection.execute(
        f"INSERT INTO audit ({_NAMES}) VALUES ({','.join('?' * 10)}) RETURNING seq", (*values, previous, digest)
    )
    return Entry(added.fetchone()[0], at, event, previous, digest)


def _tell(entry: Entry) -> None:
    log.info("%s", entry.event.action, extra={"fields": {"audit": json.loads(as_line(entry))}})


def _digest(before: str, values: tuple[str, ...]) -> str:
    return hashlib.sha256(json.dumps([before, *values], ensure_ascii=False).encode()).hexdigest()


def _entry(row: tuple[Any, ...]) -> Entry:
    seq, at, *event, previous, digest = row
    return Entry(seq, at, Event(*event), previous, digest)
