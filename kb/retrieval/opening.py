"""Opens a snapshot of a local build: its files are looked through, and its parts opened and put together."""

from __future__ import annotations

from pathlib import Path

from kb.core.errors import IndexDamagedError
from kb.index import builds
from kb.index.lexical import LexicalIndex
from kb.index.store import Store
from kb.index.vectors import VectorIndex
from kb.retrieval.snapshot import Parts, Snapshot


def open_snapshot(index_dir: Path, build_id: str | None = None) -> Snapshot:
    """A build (the one in use by default), whole; raises :class:`kb.core.errors.IndexUnusableError` when it is not."""
    build_id = build_id or builds.current_id(index_dir)
    folder = builds.builds_dir(index_dir) / build_id
    if not folder.is_dir():
        raise IndexDamagedError(f"Indekset {build_id}, som er i brug, findes ikke.", advice="Kør: kb rollback")
    manifest = builds.read_manifest(folder)
    if problems := builds.check_files(folder, manifest):
        raise IndexDamagedError(f"Indekset {build_id} er beskadiget: {' '.join(problems)}")
    return Snapshot(manifest, _parts(folder))


def _parts(folder: Path) -> Parts:
    store = Store(folder / builds.DATABASE_FILE)
    dense = VectorIndex(folder / builds.VECTORS_FILE)
    sparse = LexicalIndex.open(folder / builds.LEXICAL_FOLDER)
    sentences = folder / builds.SENTENCES_FILE
    return Parts(
        dense=dense,
        sparse=sparse,
        store=store,
        analyser=sparse.analyser,
        sentences=VectorIndex(sentences) if sentences.is_file() else None,
        records={stored.record.id: stored for stored in store.records()},
    )
