"""This project's search beside its peers; see :mod:`benchmarks.peers.worker`.

Building goes from passages' texts to a published build, by what ``kb index`` uses after reading and cutting: the
database, embedding and its cache, the vectors and words, the manifest, the verification of all of it and the
publication, each on disk. Reading and cutting are left out, since the peers do neither, and so are the sentences that
answers are made of, unless they are asked for (``answering``): the peers do not answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.peers import worker
from kb.core.settings import Settings, load_settings
from kb.embedding.embedder import load_embedder
from kb.index import builds
from kb.index.local import LocalPlace
from kb.index.store import Store, StoredSentence, StoreWriter, VectorCache
from kb.retrieval.searcher import open_searcher


class Ours:
    """A build made and published in an index folder of its own, and opened again."""

    def __init__(self, model: worker.Model) -> None:
        self._model = model

    def _settings(self, index_dir: Path) -> Settings:
        return load_settings(index_dir=index_dir, model=self._model.folder)

    def prepare(self, given: worker.Set, how: str) -> None:
        """The reports and their passages, and the model or the vectors in its stead."""
        settings = self._settings(given.folder)
        self._batch_size = settings.batch_size
        self._embedder = load_embedder(settings)
        self._vectors = np.load(given.folder / "vectors.npy") if how == worker.GIVEN else None
        with closing(Store(given.folder / builds.DATABASE_FILE)) as store:
            self._reports = [(stored, store.passages_of(stored.document.id)) for stored in store.stored_documents()]
        self._sentences = list(self._sentences_of()) if how == worker.ANSWERING else []
        self._embedder.embed_passages([given.question])
        self._embedder.embed_queries([given.question])

    def _sentences_of(self) -> Iterator[StoredSentence]:
        """The sentences that may answer, as cutting finds them."""
        from kb.indexing import vector_key
        from kb.language.sentences import embedding_text, sentences_of

        found = (
            (stored, one, sentence)
            for stored, rows in self._reports
            for one in rows
            for sentence in sentences_of(one.passage)
        )
        for row, (stored, one, sentence) in enumerate(found):
            text = embedding_text(stored.document.metadata.titel, sentence)
            tokens = self._embedder.count_tokens(text)
            yield StoredSentence(row, one.row, sentence.start, sentence.end, tokens, vector_key(text))

    def build(self, place: Path) -> None:
        """Make the build aside, check it, and publish it."""
        from benchmarks.large import manifest_of
        from kb.index.verification import VECTORS_CACHE
        from kb.indexing.assembly import Assembler, finish
        from kb.indexing.locking import lock
        from kb.indexing.missing_vectors import embed_missing
        from kb.indexing.progress import Silent, Stages

        started = datetime.now(UTC)
        aside = builds.builds_dir(place) / f"{builds.STAGING_PREFIX}{builds.new_id(started)}"
        aside.mkdir(parents=True)
        answering = bool(self._sentences)
        with lock(place), VectorCache(place / VECTORS_CACHE) as cache:
            self._write(aside / builds.DATABASE_FILE)
            with closing(Store(aside / builds.DATABASE_FILE)) as store:
                if self._vectors is not None:
                    cache.put(self._embedder.fingerprint, list(store.vector_keys()), self._vectors)
                embed_missing(
                    store, cache, self._embedder, self._batch_size, Stages(Silent()), with_sentences=answering
                )
                assembler = Assembler(LocalPlace(place), aside, store, cache, self._embedder, lambda _: None)
                tuning = assembler.write(builds.new_id(started), with_sentences=answering)
                manifest = manifest_of(store, self._embedder, started, tuning)
            finish(LocalPlace(place), aside, manifest, cache)
            builds.publish(place, aside, manifest.id)

    def _write(self, database: Path) -> None:
        with StoreWriter(database) as writer:
            for stored, passages in self._reports:
                writer.add_document(stored)
                writer.add_passages(passages)
            writer.add_sentences(self._sentences)

    def embedded(self, passages: Sequence[str], question: str) -> worker.Rows:
        """The vectors as they are stored and asked with."""
        found = [*self._embedder.embed_passages(passages), *self._embedder.embed_queries([question])]
        return [vector.tolist() for vector in found]

    def open(self, place: Path) -> worker.Search:
        """Open the build; the model is opened by the first question."""
        settings = self._settings(place)
        searcher = open_searcher(settings, load_embedder(settings))
        return lambda question: [hit.passage.text for hit in searcher.search(question, top=worker.TOP).hits]


if __name__ == "__main__":
    worker.run(Ours)
