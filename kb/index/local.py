"""Builds in files of this machine: FAISS and Tantivy, and ``CURRENT`` that names the one in use."""

from __future__ import annotations

import shutil
from pathlib import Path

from kb.index import builds, lexical, vectors
from kb.index.builds import Manifest
from kb.index.lexical import LexicalIndex
from kb.index.places import Content, IndexParts
from kb.index.vectors import Tuning, VectorIndex


class LocalPlace:
    """The builds below an index folder; :class:`kb.index.places.Place` says what each method means."""

    def __init__(self, index_dir: Path) -> None:
        self.index_dir = index_dir

    @property
    def builds_dir(self) -> Path:
        """The folder of the builds' folders."""
        return builds.builds_dir(self.index_dir)

    def current_id(self) -> str:
        """The id that ``CURRENT`` has."""
        return builds.current_id(self.index_dir)

    def build_ids(self) -> list[str]:
        """Finished builds, newest first."""
        return builds.build_ids(self.index_dir)

    def point_at(self, build_id: str) -> None:
        """Write the id in ``CURRENT``."""
        builds.point_at(self.index_dir, build_id)

    def publish(self, staging: Path, build_id: str) -> Path:
        """Rename the staging folder, everything in it being on disk, and write ``CURRENT``."""
        return builds.publish(self.index_dir, staging, build_id)

    def remove_old(self, keep: int) -> list[str]:
        """Remove all but the newest builds and the one in use. Who still has an older one open keeps its files."""
        return builds.remove_old(self.index_dir, keep)

    def remove_leftovers(self) -> list[str]:
        """Remove folders of builds that were never finished or half removed."""
        return builds.remove_leftovers(self.index_dir)

    def write(self, staging: Path, build_id: str, content: Content) -> Tuning:
        """Write the files of vectors and words."""
        passages = staging / builds.VECTORS_FILE
        vectors.build(passages, content.passages(), content.dimension)
        tuning = vectors.add_lists(passages, content.questions_of)
        if content.sentences is not None:
            vectors.build(staging / builds.SENTENCES_FILE, content.sentences(), content.dimension)
        lexical.build(staging / builds.LEXICAL_FOLDER, content.entries)
        return tuning

    def discard(self, staging: Path, build_id: str) -> None:
        """Remove the staging folder."""
        shutil.rmtree(staging, ignore_errors=True)

    def open(self, folder: Path, build_id: str) -> IndexParts:
        """The files of a build, memory-mapped."""
        sentences = folder / builds.SENTENCES_FILE
        return IndexParts(
            passages=VectorIndex(folder / builds.VECTORS_FILE),
            words=LexicalIndex.open(folder / builds.LEXICAL_FOLDER),
            sentences=VectorIndex(sentences) if sentences.is_file() else None,
        )

    def looked_through(self, folder: Path, manifest: Manifest) -> list[str]:
        """Every file is read: a damaged one is refused before it can answer."""
        return builds.check_files(folder, manifest)
