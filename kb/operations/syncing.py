"""Syncing a source: the copies below the corpus are brought in line with what it holds.

    shown = preview(settings, source)                        # "12 nye, 3 ændrede, 1 slettes", and nothing is done
    report = sync(settings, source, by="drift")              # refused where suddenly much is gone, until confirmed
    jobs.start(by="kilden hr", files=report.paths)           # what was deleted leaves the index with the next build

What is to be done is planned by :mod:`kb.sources.planning`. Deletions come first. A file that cannot be had is told of
by name and stops no other; where the source as a whole stops answering, what was done until then stays. Metadata that
editors wrote beside a copy stay with it, also where it is renamed, and its id stays too. A copy that someone has
replaced here, and every other file in the folder, is left alone. One sync of a source runs at a time.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath

from kb.core.digest import file_sha256
from kb.core.errors import (
    IndexUnusableError,
    InputError,
    KbError,
    SourceError,
    SourceFileError,
    SourceShrunkError,
    StorageError,
)
from kb.core.fields import BY_NAME
from kb.core.settings import Settings
from kb.core.slug import slug
from kb.index import builds
from kb.index.places import place_of
from kb.index.store import Store
from kb.operations import editing
from kb.sources.configuration import Source, load_sources
from kb.sources.connecting import connector_of
from kb.sources.copying import Copies
from kb.sources.listing import Connector, Listing, RemoteFile
from kb.sources.naming import local_names
from kb.sources.planning import Plan, Rename, Settling, in_words, loss_of, plan
from kb.state.audit import FAILED, Audit, Event
from kb.state.repository import LockTaken, repository_of, timestamp
from kb.state.sources import KnownFile, SourceState, SourceStore

SYNCED = "kilde synkroniseret"
# Names of each kind that a preview keeps.
NAMES_KEPT = 200
_EDITED = "Filen er ændret her og følger ikke længere kilden. Slet den her, så hentes kildens udgave næste gang."
_WAITED = "Filen er måske ved at blive skrevet. Den hentes, når den har ligget stille."


@dataclass(frozen=True, slots=True)
class Preview:
    """What a sync would do, as counts and the first names; ``loss`` is why it must be confirmed, or empty."""

    at: str
    summary: str
    new: Sequence[str] = ()
    changed: Sequence[str] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    deleted: Sequence[str] = ()
    waiting: Sequence[str] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    unchanged: int = 0
    passed_over: int = 0
    deletions: int = 0
    loss: str = ""


@dataclass(slots=True)
class SyncReport:
    """What a sync did, by path in the source; ``failed`` says why, and ``stopped`` why it ended before its time.

    ``paths`` are the copies that were written or moved, below the corpus folder.
    """

    source: str
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    stopped: str = ""
    paths: list[str] = field(default_factory=list)

    @property
    def changes(self) -> bool:
        """Whether the index must be brought in line."""
        return bool(self.paths or self.deleted)

    @property
    def summary(self) -> str:
        """What was done, in a line."""
        return in_words(
            (self.new, "ny", "nye"),
            (self.changed, "ændret", "ændrede"),
            (self.renamed, "omdøbt", "omdøbte"),
            (self.deleted, "slettet", "slettede"),
            (self.waiting, "ventes der på", "ventes der på"),
            (self.failed, "ikke hentet", "ikke hentet"),
        )


def preview(settings: Settings, source: Source, connector: Connector | None = None) -> Preview:
    """Look a source through and say what a sync would do; it is kept for the pages, and nothing else is changed.

    Raises :class:`SourceError`, and :class:`kb.core.errors.SettingsError` for a secret that is missing.
    """
    store = SourceStore(settings.state)
    state = store.state(source.name)
    try:
        listing, planned = _planned(settings, source, connector or connector_of(source), state.cursor)
    except KbError as error:
        store.put_state(replace(store.state(source.name), error=str(error), advice=error.advice, preview=""))
        raise
    shown = Preview(
        at=timestamp(),
        summary=planned.summary,
        new=[file.path for file in planned.new[:NAMES_KEPT]],
        changed=[file.path for file in planned.changed[:NAMES_KEPT]],
        renamed={one.known.path: one.file.path for one in planned.renamed[:NAMES_KEPT]},
        deleted=[one.path for one in planned.deleted[:NAMES_KEPT]],
        waiting=[file.path for file in planned.waiting[:NAMES_KEPT]],
        failed=dict(list(listing.failures.items())[:NAMES_KEPT]),
        unchanged=planned.unchanged,
        passed_over=planned.passed_over,
        deletions=sum(bool(one.local) for one in planned.deleted),
        loss=loss_of(planned, source.max_loss),
    )
    told = json.dumps(asdict(shown), ensure_ascii=False)
    store.put_state(replace(store.state(source.name), preview=told, error="", advice=""))
    return shown


def preview_of(state: SourceState) -> Preview | None:
    """The preview that was last made and not carried out; none where another version made it."""
    try:
        return Preview(**json.loads(state.preview)) if state.preview else None
    except (TypeError, ValueError):
        return None


def sync(
    settings: Settings,
    source: Source,
    *,
    by: str,
    via: str = "",
    confirmed: int = 0,
    connector: Connector | None = None,
) -> SyncReport:
    """Bring the copies of a source in line with it. ``confirmed`` is how many deletions someone has said yes to.

    Raises :class:`SourceShrunkError` where more would be lost than a source may lose at once, :class:`SourceError`
    where it cannot be looked through, and :class:`StorageError` where nothing can be written. It is audited, and told
    in the source's state, either way.
    """
    store = SourceStore(settings.state)
    with _alone(settings, source.name):
        tried = timestamp()
        try:
            report, cursor = _synced(settings, source, connector or connector_of(source), confirmed)
        except KbError as error:
            failed = replace(store.state(source.name), tried=tried, error=str(error), advice=error.advice)
            store.put_state(failed)
            _record(settings, Event(f"{SYNCED} {FAILED}", who=by, via=via, target=source.name, detail=str(error)))
            raise
        before = store.state(source.name)
        state = SourceState(source.name, cursor, tried, tried, report.summary)
        if report.stopped:
            state = replace(
                before, tried=tried, outcome=report.summary, error=report.stopped, advice=SourceError.advice
            )
        store.put_state(state)
        _record(settings, Event(SYNCED, who=by, via=via, target=source.name, detail=report.summary))
    return report


def remove_copies(settings: Settings, name: str, *, by: str, via: str = "") -> int:
    """Delete every copy of a source that is no longer set up; returns how many. Those changed here stay.

    Raises :class:`InputError` for one that is set up, whose files would come again.
    """
    if name in load_sources(settings):
        advice = "Tag den ud af kildefilen (KB_SOURCES_FILE) først."
        raise InputError(f"Kilden {name} er sat op, og filerne ville blive hentet igen.", advice=advice)
    store, copies = SourceStore(settings.state), Copies(settings.corpus, name)
    with _alone(settings, name):
        known = store.files(name)
        edited = copies.edited(known)
        ours = [one for one in known if one.local and one.path not in edited]
        for one in ours:
            copies.remove(one.local)
        store.forget(name, [one.path for one in known])
        store.forget_state(name)
        _record(settings, Event("kilde fjernet", who=by, via=via, target=name, detail=f"{len(ours)} filer slettet"))
    return len(ours)


def _record(settings: Settings, event: Event) -> None:
    Audit(settings.state).write(event)


@contextmanager
def _alone(settings: Settings, name: str) -> Iterator[None]:
    """Be the one who syncs a source, of all machines; the next is let in when this one dies."""
    try:
        with repository_of(settings.state).lock(f"kilde-{name}"):
            yield
    except LockTaken as error:
        raise SourceError(f"Kilden {name} synkroniseres allerede.", advice="Vent, til det er færdigt.") from error


def _planned(settings: Settings, source: Source, connector: Connector, cursor: str) -> tuple[Listing, Plan]:
    listing = connector.listing(cursor)
    known = SourceStore(settings.state).files(source.name)
    copies = Copies(settings.corpus, source.name)
    planned = plan(
        listing,
        known,
        takes=source.takes,
        settling=Settling(time.time(), source.settle_seconds),
        missing=copies.missing(known),
        edited=copies.edited(known),
    )
    return listing, planned


def _synced(settings: Settings, source: Source, connector: Connector, confirmed: int) -> tuple[SyncReport, str]:
    """Plan and carry out; the report and the source's new cursor."""
    state = SourceStore(settings.state).state(source.name)
    listing, planned = _planned(settings, source, connector, state.cursor)
    if loss := loss_of(planned, source.max_loss, confirmed):
        raise SourceShrunkError(f"Kilden {source.name}: {loss} Intet er ændret.")
    work = _Work(settings, source, connector)
    work.carry_out(planned)
    work.report.failed.update(listing.failures)
    return work.report, listing.cursor


class _Work:
    """Carries out the plan of one sync."""

    def __init__(self, settings: Settings, source: Source, connector: Connector) -> None:
        self.report = SyncReport(source.name)
        self._settings = settings
        self._source = source.name
        self._connector = connector
        self._store = SourceStore(settings.state)
        self._copies = Copies(settings.corpus, source.name)
        self._known = {one.path: one for one in self._store.files(source.name)}
        self._ids: Mapping[str, str] = {}

    def carry_out(self, planned: Plan) -> None:
        """Do all of it; raises :class:`StorageError` where a file cannot be written."""
        self._copies.prepare()
        if planned.new or planned.renamed:
            self._ids = ids_by_path(self._settings)
        try:
            self._delete(planned)
            names = self._names(planned)
            for rename in planned.renamed:
                self._rename(rename, names[rename.file.path])
            for file in planned.changed:
                self._take(file, self._known[file.path], self.report.changed)
            for file in planned.new:
                self._take(file, KnownFile(file.path, local=names[file.path]), self.report.new)
        except SourceError as error:
            self.report.stopped = str(error)
        except OSError as error:
            raise StorageError(f"Kildens filer kan ikke skrives: {error.strerror}.") from error
        self._note(planned)

    def _names(self, planned: Plan) -> dict[str, str]:
        """The places of the files that have none, or a new one."""
        fresh = [*(file.path for file in planned.new), *(one.file.path for one in planned.renamed)]
        if not fresh:
            return {}
        taken = [*self._copies.names(), *(one.local for one in self._known.values() if one.local)]
        ids = set(self._ids.values())

        def avoids(local: str) -> bool:
            # A report that was renamed keeps the id that its old path gave it: another must not come to want it.
            path = PurePosixPath(self._copies.path(local))
            return slug(str(path.with_suffix("")), longest=BY_NAME["id"].longest) in ids

        return local_names(fresh, taken, avoids)

    def _delete(self, planned: Plan) -> None:
        for one in planned.deleted:
            if one.local:
                self._copies.remove(one.local)
                self.report.deleted.append(one.path)
        gone = [one.path for one in (*planned.deleted, *planned.released)]
        self._store.forget(self._source, gone)
        for path in gone:
            del self._known[path]

    def _rename(self, rename: Rename, local: str) -> None:
        """Move a copy with its metadata; where only its look says that it is the same file, its content decides."""
        known, file = rename.known, rename.file
        digest, aside = known.digest, None
        if not rename.sure:
            aside = self._fetched(file, known)
            if aside is None:
                return
            digest = file_sha256(aside)
        if aside and digest != known.digest and not file.certain:
            self._copies.remove(known.local)
            self.report.deleted.append(known.path)
            self.report.new.append(file.path)
        else:
            document_id = self._ids.get(self._copies.path(known.local), "")
            editing.move(self._copies.file(known.local), self._copies.file(local), document_id)
            self._copies.tidy(known.local)
            self.report.renamed[known.path] = file.path
        if aside and digest != known.digest:
            self._copies.place(aside, local)
        elif aside:
            aside.unlink()
        self._store.move(self._source, known.path, self._row(file, local, digest))
        self.report.paths.append(self._copies.path(local))

    def _take(self, file: RemoteFile, known: KnownFile, done: list[str]) -> None:
        """Fetch a file and put it in its place, which is noted first."""
        if file.path not in self._known:
            self._store.put(self._source, known)
        aside = self._fetched(file, known)
        if aside is None:
            return
        digest = file_sha256(aside)
        if digest == known.digest and self._copies.stamp(known.local):
            aside.unlink()  # it was written anew with what it had
        else:
            self._copies.place(aside, known.local)
            done.append(file.path)
            self.report.paths.append(self._copies.path(known.local))
        self._store.put(self._source, self._row(file, known.local, digest))

    def _fetched(self, file: RemoteFile, known: KnownFile) -> Path | None:
        """A file's content under a hidden name; None where it cannot be had, which is told of."""
        aside = self._copies.aside()
        try:
            self._connector.fetch(file, aside)
        except SourceFileError as error:
            aside.unlink(missing_ok=True)
            self.report.failed[file.path] = str(error)
            # Of a copy there is, the old content stays; of one there is none of, no place is held.
            self._store.put(self._source, replace(known, local=known.local if known.digest else "", reason=str(error)))
            return None
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        return aside

    def _row(self, file: RemoteFile, local: str, digest: str) -> KnownFile:
        stamp = self._copies.stamp(local)
        return KnownFile(file.path, file.version, file.identity, local, digest, stamp)

    def _note(self, planned: Plan) -> None:
        """Say of the files that were left alone why."""
        now = time.time()
        rows = []
        for file in planned.waiting:
            known = self._known.get(file.path, KnownFile(file.path))
            if known.seen != file.version:
                known = replace(known, seen=file.version, seen_at=now)
            rows.append(replace(known, reason=_WAITED))
            self.report.waiting.append(file.path)
        edited = {one.path for one in planned.edited}
        rows += [replace(one, reason=_EDITED) for one in planned.edited]
        self.report.failed |= dict.fromkeys(edited, _EDITED)
        again = (one for one in self._known.values() if one.reason == _EDITED and one.path not in edited)
        rows += [replace(one, reason="") for one in again if one.path not in self.report.changed]
        self._store.put(self._source, *rows)


def ids_by_path(settings: Settings) -> dict[str, str]:
    """The id of every report in the build in use, by its path; none without a build."""
    try:
        place = place_of(settings)
        folder = place.builds_dir / place.current_id()
        with closing(Store(folder / builds.DATABASE_FILE)) as store:
            return {stored.record.path: stored.record.id for stored in store.records()}
    except (IndexUnusableError, sqlite3.DatabaseError):
        return {}
