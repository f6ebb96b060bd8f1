"""Opens a snapshot of a build: its files are looked through, and its parts opened and put together."""

from __future__ import annotations

from pathlib import Path

from kb.core.errors import IndexDamagedError
from kb.index import builds
from kb.index.places import Place
from kb.index.store import Store
from kb.retrieval.snapshot import Parts, Snapshot


def open_snapshot(place: Place, build_id: str | None = None) -> Snapshot:
    """A build (the one in use by default), whole; raises :class:`kb.core.errors.IndexUnusableError` when it is not."""
    build_id = build_id or place.current_id()
    folder = place.builds_dir / build_id
    if not folder.is_dir():
        raise IndexDamagedError(f"Indekset {build_id}, som er i brug, findes ikke.", advice="Kør: kb rollback")
    manifest = builds.read_manifest(folder)
    if problems := place.looked_through(folder, manifest):
        raise IndexDamagedError(f"Indekset {build_id} er beskadiget: {' '.join(problems)}")
    return Snapshot(manifest, _parts(place, folder, build_id))


def _parts(place: Place, folder: Path, build_id: str) -> Parts:
    store = Store(folder / builds.DATABASE_FILE)
    opened = place.open(folder, build_id)
    return Parts(
        dense=opened.passages,
        sparse=opened.words,
        store=store,
        analyser=opened.words.analyser,
        sentences=opened.sentences,
        records={stored.record.id: stored for stored in store.records()},
    )
