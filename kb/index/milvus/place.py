"""Keeps builds on a Milvus server: two collections a build, and an alias that names the one in use.

A build's folder, with its manifest, its database and its vocabulary, is below ``index_dir/milvus/NAME``, which whoever
searches must reach, and there is no ``CURRENT`` there: the alias of the passages says which build is in use, and is
moved in one step. What it names is remembered for :data:`CURRENT_SECONDS`. A dropped collection is gone for those who
still search it, unlike a deleted file, so that the build that was in use last is always kept beside the one that is.
"""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

from kb.core.errors import IndexBusyError, IndexMissingError, NotFoundError, SettingsError
from kb.core.settings import Settings
from kb.index import builds, vectors
from kb.index.builds import Manifest
from kb.index.milvus.connection import WRITING, Address, Connection, connection
from kb.index.milvus.dense import MilvusVectors
from kb.index.milvus.words import MilvusWords, WordsWriter
from kb.index.milvus.writing import NewCollection
from kb.index.places import Content, IndexParts
from kb.index.vectors import Tuning, VectorIndex

FOLDER = "milvus"
PASSAGES, SENTENCES, CURRENT = "passages", "sentences", "current"
CURRENT_SECONDS = 0.5
FEWEST_KEPT = 2
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")


class MilvusPlace:
    """The builds of one installation, whose collections begin with ``name``.

    :class:`kb.index.places.Place` says what each method means.
    """

    def __init__(self, index_dir: Path, name: str, milvus: Connection, consistency: str) -> None:
        self.index_dir = index_dir
        self._name = name
        self._milvus = milvus
        self._consistency = consistency.capitalize()
        self._alias = f"{name}_{CURRENT}"
        self._known: tuple[float, str] = (0.0, "")

    @classmethod
    def of(cls, settings: Settings) -> MilvusPlace:
        """As the settings say; raises :class:`SettingsError` for a name that Milvus does not take."""
        if not _NAME.fullmatch(settings.index_name):
            raise SettingsError(
                f"KB_INDEX_NAME kan ikke være {settings.index_name!r}.",
                advice="Brug små bogstaver a-z, cifre og _, og begynd med et bogstav.",
            )
        milvus = connection(Address.of(settings))
        return cls(settings.index_dir, settings.index_name, milvus, settings.index_consistency)

    @property
    def builds_dir(self) -> Path:
        """The folder of the builds' folders."""
        return builds.builds_dir(self._files)

    @property
    def _files(self) -> Path:
        return self.index_dir / FOLDER / self._name

    def current_id(self) -> str:
        """The id of the build whose passages the alias is of."""
        until, known = self._known
        if time.monotonic() < until:
            return known
        named = self._aliased()
        if not named:
            raise IndexMissingError("Der er ikke noget indeks på Milvus endnu.")
        self._known = (time.monotonic() + CURRENT_SECONDS, named)
        return named

    def _aliased(self) -> str:
        """The id that the alias names now; empty where there is no alias."""
        found = self._milvus.ask("describe_alias", self._alias, missing=None)
        return self._id_of(found["collection_name"]) if found else ""

    def build_ids(self) -> list[str]:
        """The builds that have a folder and passages on the server, newest first."""
        held = set(self._milvus.ask("list_collections"))
        return [id_ for id_ in builds.build_ids(self._files) if self._collection(id_, PASSAGES) in held]

    def point_at(self, build_id: str) -> None:
        """Move the alias."""
        if build_id not in self.build_ids():
            raise NotFoundError(f"Der er intet færdigt indeks med id {build_id}.", advice="Se dem med: kb builds")
        move = "alter_alias" if self._aliased() else "create_alias"
        self._milvus.tell(move, self._collection(build_id, PASSAGES), self._alias)
        self._known = (0.0, "")

    def publish(self, staging: Path, build_id: str) -> Path:
        """Rename the staging folder, everything in it being on disk, and move the alias."""
        folder = builds.put_in_place(self._files, staging, build_id)
        self.point_at(build_id)
        return folder

    def remove_old(self, keep: int) -> list[str]:
        """Remove all but the newest builds, two at least, and the one in use; of folders without passages on the
        server (another address, perhaps) as many are kept.
        """
        kept = max(keep, FEWEST_KEPT)
        usable, in_use = self.build_ids(), self._aliased()
        others = [id_ for id_ in builds.build_ids(self._files) if id_ not in usable]
        gone = [id_ for id_ in usable[kept:] + others[kept:] if id_ != in_use]
        for id_ in gone:
            # The folder first: collections without one are left over, and found by the next run.
            builds.remove(self._files, id_)
            self._drop(id_)
        return gone

    def remove_leftovers(self) -> list[str]:
        """Remove staging folders, and collections without a folder."""
        gone = builds.remove_leftovers(self._files)
        names = self._milvus.ask("list_collections")
        # The folder of the one in use may only be out of reach.
        known = {"", self._aliased(), *builds.build_ids(self._files)}
        for id_ in {self._id_of(name) for name in names} - known:
            self._drop(id_)
            gone.append(id_)
        return gone

    def write(self, staging: Path, build_id: str, content: Content) -> Tuning:
        """Write the tables of words and fill the collections."""
        spool = staging / builds.VECTORS_FILE
        count = vectors.build(spool, content.passages(), content.dimension)
        passages = NewCollection(self._milvus, self._collection(build_id, PASSAGES), content.dimension, count)
        with WordsWriter.build(staging / builds.LEXICAL_FOLDER, content.entries) as words:
            tuning = passages.with_passages(VectorIndex(spool).batches(), words.columns())
        if content.sentences is not None:
            # In 16-bit floats, as they are locally.
            count = vectors.build(spool, content.sentences(), content.dimension)
            sentences = NewCollection(self._milvus, self._collection(build_id, SENTENCES), content.dimension, count)
            sentences.with_sentences(VectorIndex(spool).batches())
        spool.unlink()
        return tuning

    def discard(self, staging: Path, build_id: str) -> None:
        """Remove the staging folder and the collections; what a server that is away has is left over."""
        shutil.rmtree(staging, ignore_errors=True)
        if not (self.builds_dir / build_id).is_dir():
            try:
                self._drop(build_id)
            except IndexBusyError:
                return

    def open(self, folder: Path, build_id: str) -> IndexParts:
        """The collections of a build, and its tables of words, memory-mapped."""
        passages, sentences = self._collection(build_id, PASSAGES), self._collection(build_id, SENTENCES)
        return IndexParts(
            passages=MilvusVectors(self._milvus, passages, self._consistency),
            words=MilvusWords(self._milvus, passages, folder / builds.LEXICAL_FOLDER, self._consistency),
            sentences=MilvusVectors(self._milvus, sentences, self._consistency)
            if self._milvus.ask("has_collection", sentences)
            else None,
        )

    def looked_through(self, folder: Path, manifest: Manifest) -> list[str]:
        """The sizes of the files: every web server would else read the shared folder from one end to the other."""
        return builds.check_sizes(folder, manifest)

    def _collection(self, build_id: str, what: str) -> str:
        return f"{self._name}_{build_id}_{what}"

    def _id_of(self, collection: str) -> str:
        """The id of the build that a collection is of; empty for one that is no build's of this installation."""
        match = re.fullmatch(rf"{self._name}_(\d{{8}}T\d+Z)_({PASSAGES}|{SENTENCES})", collection)
        return match[1] if match else ""

    def _drop(self, build_id: str) -> None:
        if self._aliased() == build_id:
            # A collection that an alias names cannot be dropped.
            self._milvus.tell("drop_alias", self._alias)
        for what in (PASSAGES, SENTENCES):
            self._milvus.tell("drop_collection", self._collection(build_id, what), missing=None, patience=WRITING)
