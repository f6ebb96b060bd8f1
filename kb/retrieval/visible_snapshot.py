"""Reports that were deleted and still stand in a build: hidden from readers at once, in every process and thread.

    holder = VisibleSnapshotHolder(SnapshotHolder(settings, embedder), settings)
    editing.remove(settings, stored)         # marks the report
    holder.searcher().search("...")          # does not find it, though the job that takes it out has only begun

A report is marked in the state file before its file is deleted, and stays marked, so that no run that had read the file
already brings it back. A marked report whose very file lies in its place again, because someone put it back, is shown
like any other. Whoever puts an older build in use wants what it has, so the marks are forgotten then.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kb.core.errors import KbError
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.extract.corpus_files import on_disk
from kb.index.store import StoredRecord
from kb.retrieval.caches import Cache
from kb.retrieval.searcher import Searcher
from kb.retrieval.snapshot import is_unchanged
from kb.state.removals import Removals

FILES_REMEMBERED = 64


class Source(Protocol):
    """What has the searcher on the newest good build, whole or as some readers may see it."""

    embedder: Embedder

    @property
    def problem(self) -> KbError | None:
        """Why the newest build is not the one in use, if so."""
        ...

    def searcher(self) -> Searcher:
        """The searcher; raises :class:`kb.core.errors.IndexUnusableError` when there is no good build."""
        ...


@dataclass(frozen=True, slots=True)
class _FileState:
    """A file as it lay there when a document was looked for: with another size or time it may be another file."""

    path: Path
    size: int
    changed: int
    document: str


@dataclass(frozen=True, slots=True)
class _Visible:
    """The searcher of a whole build, and the one without the documents that were hidden when it was made."""

    whole: Searcher
    hidden: frozenset[str]
    searcher: Searcher


class VisibleSnapshotHolder:
    """Hands out the searcher of a :class:`SnapshotHolder`, or of a view of it, without the deleted reports."""

    def __init__(self, whole: Source, settings: Settings) -> None:
        self.embedder: Embedder = whole.embedder
        self._whole = whole
        self._removals = Removals(settings.state)
        self._unchanged: Cache[_FileState, bool] = Cache(FILES_REMEMBERED)
        self._lock = threading.Lock()
        self._visible: _Visible | None = None

    @property
    def problem(self) -> KbError | None:
        """Why the newest build is not the one in use, if so."""
        return self._whole.problem

    def searcher(self) -> Searcher:
        """The searcher on the newest good build; raises :class:`kb.core.errors.IndexUnusableError`."""
        whole = self._whole.searcher()
        hidden = self._hidden_among(whole.snapshot.records)
        if not hidden:
            return whole
        with self._lock:
            visible = self._visible
            if visible is None or visible.whole is not whole or visible.hidden != hidden:
                visible = self._visible = _Visible(whole, hidden, whole.without(hidden))
            return visible.searcher

    def _hidden_among(self, records: Mapping[str, StoredRecord]) -> frozenset[str]:
        """The marked documents of a build, unless their very file lies in its place, and all that was read from it."""
        marked = [records[id_] for id_ in self._removals.marked() if id_ in records]
        gone = {(stored.root, stored.content_key) for stored in marked if not self._is_back(stored)}
        return frozenset(id_ for id_, stored in records.items() if (stored.root, stored.content_key) in gone)

    def _is_back(self, stored: StoredRecord) -> bool:
        path = on_disk(Path(stored.root), stored.record.path)
        try:
            status = path.stat()
        except OSError:
            return False
        state = _FileState(path, status.st_size, status.st_mtime_ns, stored.record.sha256)
        return self._unchanged.get(state, lambda: is_unchanged(path, stored))
