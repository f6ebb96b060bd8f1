"""Which reports whoever asks may see: the one place where it is decided, before anything is searched, counted or shown.

    holder = PermittedSnapshotHolder(SnapshotHolder(settings, embedder), settings)
    holder.searcher(Access(frozenset({"HR"}))).search("...")     # the reports for everyone, and those for HR
    holder.searcher(EVERYTHING)                                  # every report

A searcher of its own is made for each set of groups, the first time someone in them asks after a build was published;
what it works out and remembers is worked out from its reports alone. Of a person's groups those count that reports
name, so that there are as many sets as make a difference. Where no report names a group everyone has the build's own,
at no cost. There is no searcher without saying for whom.
"""

from __future__ import annotations

import threading
from dataclasses import replace

from kb.core.access import EVERYTHING, Access
from kb.core.errors import KbError
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.retrieval.caches import Cache
from kb.retrieval.curated_snapshot import CuratedSnapshotHolder
from kb.retrieval.permitted_parts import permitted
from kb.retrieval.searcher import Searcher
from kb.retrieval.snapshot import Snapshot
from kb.retrieval.snapshot_holder import SnapshotHolder
from kb.retrieval.visible_snapshot import VisibleSnapshotHolder

# Sets of groups that have searchers at a time; each takes what its passages' words take, on disk.
SETS_REMEMBERED = 32


class PermittedSnapshotHolder:
    """Hands out searchers on the newest good build, without deleted reports and with the house's words, by groups."""

    def __init__(self, built: SnapshotHolder, settings: Settings) -> None:
        self.embedder: Embedder = built.embedder
        self._built = built
        self._settings = settings
        self._holders: Cache[Access, CuratedSnapshotHolder] = Cache(SETS_REMEMBERED)

    @property
    def problem(self) -> KbError | None:
        """Why the newest build is not the one in use, if so."""
        return self._built.problem

    def searcher(self, access: Access) -> Searcher:
        """What one may see of the newest good build; raises :class:`kb.core.errors.IndexUnusableError`."""
        whole = self._of(EVERYTHING)
        named = whole.snapshot.named_groups
        return whole if access.everything or not named else self._of(Access(access.groups & named))

    def _of(self, access: Access) -> Searcher:
        return self._holders.get(access, lambda: self._holder(access)).searcher()

    def _holder(self, access: Access) -> CuratedSnapshotHolder:
        source = self._built if access.everything else _Permitted(self._built, access)
        return CuratedSnapshotHolder(VisibleSnapshotHolder(source, self._settings), self._settings)


class _Permitted:
    """The searcher of a :class:`SnapshotHolder` for one set of groups."""

    def __init__(self, built: SnapshotHolder, access: Access) -> None:
        self.embedder = built.embedder
        self._built = built
        self._access = access
        self._lock = threading.Lock()
        self._made: tuple[Searcher, Searcher] | None = None

    @property
    def problem(self) -> KbError | None:
        """Why the newest build is not the one in use, if so."""
        return self._built.problem

    def searcher(self) -> Searcher:
        """The searcher; whoever asks while it is made waits, as an older one may have what is hidden now."""
        whole = self._built.searcher()
        with self._lock:
            if self._made is None or self._made[0] is not whole:
                self._made = (whole, whole.on(seen_by(whole.snapshot, self._access)))
            return self._made[1]


def seen_by(snapshot: Snapshot, access: Access) -> Snapshot:
    """A whole build as those with an access see it."""
    documents = {id_ for id_, one in snapshot.records.items() if access.permits(one.record.metadata.adgang)}
    if len(documents) == len(snapshot.records):
        return snapshot
    parts = permitted(snapshot.parts, documents)
    projects = {one.record.metadata.projekt for one in parts.records.values()} - {""}
    # The digests are of all that was indexed, and would tell when something else changes.
    manifest = replace(
        snapshot.manifest, documents=len(documents), passages=len(parts.store), projects=len(projects), failures=0,
        content="", sources="",
    )  # fmt: skip
    return Snapshot(manifest, parts)
