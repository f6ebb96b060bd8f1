"""What the syncs of sources remember: each source's last try, and where every file that came from it lies.

    store = SourceStore(settings.state)
    store.files("hr")                       # as the last sync left them
    store.put("hr", replace(known, version=file.version))

Only what has a row here is ever replaced or deleted by a sync; a row is written before the file it is about is put in
place, so that a sync that is killed leaves no file that nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

from kb.core.state_place import StatePlace
from kb.state.database import upsert
from kb.state.repository import repository_of


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file of a source as the last sync left it.

    ``local`` is its place below the source's own folder, empty while it has none; ``digest`` and ``stamp`` are of the
    copy there. ``reason`` says what is wrong with it. ``seen`` is the version of a file that is waited for, first seen
    at ``seen_at`` in seconds since the epoch.
    """

    path: str
    version: str = ""
    identity: str = ""
    local: str = ""
    digest: str = ""
    stamp: str = ""
    reason: str = ""
    seen: str = ""
    seen_at: float = 0.0


@dataclass(frozen=True, slots=True)
class SourceState:
    """How it went with a source: when it was last ``tried`` and ``synced``, and what was done or went wrong.

    ``cursor`` and ``preview`` are the source's and the sync's own, as they wrote them.
    """

    name: str
    cursor: str = ""
    tried: str = ""
    synced: str = ""
    outcome: str = ""
    error: str = ""
    advice: str = ""
    preview: str = ""


_COLUMNS = ", ".join(one.name for one in fields(SourceState))
_FILE_COLUMNS = ", ".join(one.name for one in fields(KnownFile))
_PUT_FILE = upsert("source_files", ("source", *_FILE_COLUMNS.split(", ")), key=("source", "path"))


class SourceStore:
    """The tables of sources; a connection a call, safe from several threads and processes."""

    def __init__(self, place: StatePlace) -> None:
        self._repository = repository_of(place)

    def states(self) -> dict[str, SourceState]:
        """Every source that was ever looked at, by name."""
        return {row[0]: SourceState(*row) for row in self._repository.rows("sources", _COLUMNS)}

    def state(self, name: str) -> SourceState:
        """One source; an empty state for one that was never looked at."""
        return self.states().get(name, SourceState(name))

    def put_state(self, state: SourceState) -> None:
        """Store how it went with a source."""
        with self._repository.transaction() as database:
            database.execute(upsert("sources", _COLUMNS.split(", "), key=("name",)), astuple(state))

    def forget_state(self, name: str) -> None:
        """Remove how it went with a source."""
        with self._repository.transaction() as database:
            database.execute("DELETE FROM sources WHERE name = ?", (name,))

    def files(self, source: str) -> list[KnownFile]:
        """The files of a source, by path."""
        if not self._repository.exists:
            return []
        sql = f"SELECT {_FILE_COLUMNS} FROM source_files WHERE source = ? ORDER BY path"
        with self._repository.transaction() as database:
            return [KnownFile(*row) for row in database.execute(sql, (source,))]

    def put(self, source: str, *files: KnownFile) -> None:
        """Store some of its files, each in place of what was known of its path."""
        with self._repository.transaction() as database:
            database.executemany(_PUT_FILE, [(source, *astuple(one)) for one in files])

    def forget(self, source: str, paths: Iterable[str]) -> None:
        """Remove some of its files."""
        with self._repository.transaction() as database:
            sql = "DELETE FROM source_files WHERE source = ? AND path = ?"
            database.executemany(sql, [(source, path) for path in paths])

    def move(self, source: str, path: str, file: KnownFile) -> None:
        """Store a file under another path than it had, in one step."""
        with self._repository.transaction() as database:
            database.execute("DELETE FROM source_files WHERE source = ? AND path = ?", (source, path))
            database.execute(_PUT_FILE, (source, *astuple(file)))
