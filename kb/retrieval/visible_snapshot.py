"""Reports that were deleted and still stand in a build: gone for readers at once, in every process and every thread.

    holder = RemainingHolder(SnapshotHolder(settings, embedder), settings)
    editing.remove(settings, stored)         # marks the report
    holder.searcher().search("...")          # does not find it, though the job that takes it out has only begun

A report is marked in the state file before its file is deleted, and stays marked, so that no run that had read the file
already brings it back. A marked report whose very file lies in its place again, because someone put it back, is shown
like any other. Whoever puts an older build in use wants what it has, so the marks are forgotten then.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from kb.core.errors import KbError, NotFoundError
from kb.core.models import Passage
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.index.builds import file_digest
from kb.index.store import StoredDocument, StoredRecord
from kb.retrieval.searcher import Filters, Rows, Searcher, Snapshot, SnapshotHolder
from kb.state.removals import Removals


def deleted_among(records: Mapping[str, StoredRecord], marked: frozenset[str]) -> frozenset[str]:
    """The ids of a build's reports that are marked as deleted, without those whose very file lies in its place."""
    return frozenset(id_ for id_ in marked if id_ in records and not _is_back(records[id_]))


def _is_back(stored: StoredRecord) -> bool:
    path = Path(stored.root) / stored.record.path
    try:
        status = path.stat()
    except OSError:
        return False
    return _digest(path, status.st_size, status.st_mtime_ns) == stored.record.sha256


@lru_cache(maxsize=64)
def _digest(path: Path, _size: int, _changed: int) -> str:
    return file_digest(path)


class Remaining(Snapshot):
    """A snapshot without some of its documents; what it holds open is the whole snapshot's."""

    def __init__(self, whole: Snapshot, gone: frozenset[str]) -> None:
        vars(self).update(vars(whole))
        self.gone = gone
        self._facets = {}
        self.records = {
            id_: replace(stored, copy_of="") if stored.copy_of in gone else stored
            for id_, stored in whole.records.items()
            if id_ not in gone
        }

    def allowed_rows(self, filters: Filters) -> Rows | None:
        """The rows that pass the filters, never one of a document that is gone."""
        rows = super().allowed_rows(filters)
        if rows is not None:
            return rows
        taken = [stored.row for id_ in self.gone for stored in self.store.passages_of(id_)]
        return np.setdiff1d(np.arange(len(self.store), dtype=np.int64), np.array(taken, dtype=np.int64))

    def document(self, document_id: str) -> StoredDocument:
        """One document with its text; raises :class:`NotFoundError`."""
        self._check(document_id)
        return super().document(document_id)

    def passages_of(self, document_id: str) -> list[Passage]:
        """A document's passages in order; none of one that is gone."""
        return [] if document_id in self.gone else super().passages_of(document_id)

    def passage(self, passage_id: str) -> Passage:
        """One passage; raises :class:`NotFoundError`."""
        found = super().passage(passage_id)
        self._check(found.document_id)
        return found

    def _check(self, document_id: str) -> None:
        if document_id in self.gone:
            raise NotFoundError(f"Rapporten {document_id} er slettet.")


def gone_from(snapshot: Snapshot) -> frozenset[str]:
    """The ids of the reports that stand in a snapshot's build and not in the snapshot."""
    return snapshot.gone if isinstance(snapshot, Remaining) else frozenset()


class RemainingHolder:
    """Hands out the searcher of a :class:`SnapshotHolder`, without the deleted reports."""

    def __init__(self, whole: SnapshotHolder, settings: Settings) -> None:
        self.embedder: Embedder = whole.embedder
        self._whole = whole
        self._settings = settings
        self._removals = Removals(settings.state_dir)
        self._lock = threading.Lock()
        self._made: tuple[Searcher, frozenset[str], Searcher] | None = None

    @property
    def problem(self) -> KbError | None:
        """Why the newest build is not the one in use, if so."""
        return self._whole.problem

    def searcher(self) -> Searcher:
        """The searcher on the newest good build; raises :class:`kb.core.errors.IndexUnusableError`."""
        whole = self._whole.searcher()
        gone = deleted_among(whole.snapshot.records, self._removals.marked())
        if not gone:
            return whole
        with self._lock:
            if self._made is None or self._made[:2] != (whole, gone):
                self._made = whole, gone, Searcher(Remaining(whole.snapshot, gone), self.embedder, self._settings)
            return self._made[2]
