"""Which reports whoever asks may see: the one place where it is decided, before anything is searched, counted or shown.

    holder = PermittedSnapshotHolder(SnapshotHolder(settings, embedder), settings)
    holder.searcher(Access(frozenset({"HR"}))).search("...")     # the reports for everyone, and those for HR
    holder.searcher(EVERYTHING)                                  # every report

A searcher of its own is made for each set of groups, the first time someone in them asks after a build was published;
what it works out and remembers is worked out from its reports alone. Of a person's groups those count that reports
name, so that there are as many sets as make a difference. Where no report names a group everyone has the build's own,
at no cost. There is no searcher without saying for whom.

A report that is for some groups since the build was made, or was so in a newer build than the one in use, is so at
once: the state remembers it (:mod:`kb.state.restricted`).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from kb.core.access import EVERYTHING, Access
from kb.core.errors import KbError, StorageError
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.retrieval.caches import Cache
from kb.retrieval.curated_snapshot import CuratedSnapshotHolder
from kb.retrieval.permitted_parts import permitted
from kb.retrieval.searcher import Searcher
from kb.retrieval.snapshot import Snapshot, counting
from kb.retrieval.snapshot_holder import SnapshotHolder
from kb.retrieval.visible_snapshot import VisibleSnapshotHolder
from kb.state.restricted import RestrictedReports

# Sets of groups that have searchers at a time; each takes what its passages' words take, on disk.
SETS_REMEMBERED = 32


class PermittedSnapshotHolder:
    """Hands out searchers on the newest good build, without deleted reports and with the house's words, by groups."""

    def __init__(self, built: SnapshotHolder, settings: Settings) -> None:
        self.embedder: Embedder = built.embedder
        self._built = built
        self._settings = settings
        self._restricted = _Restricted(settings)
        self._holders: Cache[Access, CuratedSnapshotHolder] = Cache(SETS_REMEMBERED)

    @property
    def problem(self) -> KbError | None:
        """Why the newest build is not the one in use, if so."""
        return self._built.problem

    def searcher(self, access: Access) -> Searcher:
        """What one may see of the newest good build; raises :class:`kb.core.errors.IndexUnusableError`."""
        whole = self._of(EVERYTHING)
        if access.everything:
            return whole
        # A deleted report that is for some stays one that never was to the others, also where it was the only one.
        restricted = self._restricted.among(self._built.searcher().snapshot)
        named = frozenset(group for groups in restricted.values() for group in groups)
        return self._of(Access(access.groups & named)) if named else whole

    def _of(self, access: Access) -> Searcher:
        return self._holders.get(access, lambda: self._holder(access)).searcher()

    def _holder(self, access: Access) -> CuratedSnapshotHolder:
        source = self._built if access.everything else _Permitted(self._built, access, self._restricted)
        return CuratedSnapshotHolder(VisibleSnapshotHolder(source, self._settings), self._settings)


class _Restricted:
    """The groups of the reports that are for some."""

    def __init__(self, settings: Settings) -> None:
        self._state = RestrictedReports(settings.state) if settings.access_groups else None
        self._known: Mapping[str, tuple[str, ...]] = {}

    def among(self, snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
        """The groups of a build's restricted reports by id: as the build has them, else as the state does."""
        known = self._known_now()
        return {**{id_: known[id_] for id_ in known.keys() & snapshot.records.keys()}, **snapshot.restricted}

    def _known_now(self) -> Mapping[str, tuple[str, ...]]:
        """What the state remembers, or remembered when it could last be read."""
        if self._state is not None:
            with suppress(StorageError, sqlite3.Error):
                self._known = self._state.known()
        return self._known


class _Permitted:
    """The searcher of a :class:`SnapshotHolder` for one set of groups."""

    def __init__(self, built: SnapshotHolder, access: Access, restricted: _Restricted) -> None:
        self.embedder = built.embedder
        self._built = built
        self._access = access
        self._restricted = restricted
        self._lock = threading.Lock()
        self._made: _Made | None = None

    @property
    def problem(self) -> KbError | None:
        """Why the newest build is not the one in use, if so."""
        return self._built.problem

    def searcher(self) -> Searcher:
        """The searcher; whoever asks while it is made waits, as an older one may have what is hidden now."""
        whole = self._built.searcher()
        restricted = self._restricted.among(whole.snapshot)
        withheld = frozenset(id_ for id_, groups in restricted.items() if not self._access.permits(groups))
        with self._lock:
            made = self._made
            if made is None or made.whole is not whole or made.withheld != withheld:
                made = self._made = _Made(whole, withheld, whole.on(seen_without(whole.snapshot, withheld)))
            return made.searcher


@dataclass(frozen=True, slots=True)
class _Made:
    """The searcher of a whole build, the reports that were withheld, and the one without them."""

    whole: Searcher
    withheld: frozenset[str]
    searcher: Searcher


def seen_without(snapshot: Snapshot, withheld: frozenset[str]) -> Snapshot:
    """A whole build as those see it to whom some reports are not there."""
    if not withheld:
        return snapshot
    documents = snapshot.records.keys() - withheld
    parts = permitted(snapshot.parts, documents)
    # The digests are of all that was indexed, and would tell when something else changes.
    counted = counting(snapshot.manifest, parts.records, len(parts.store))
    manifest = replace(counted, failures=0, content="", sources="")
    return Snapshot(manifest, parts)
