"""Writes the vector and lexical indexes of a build from its database and the vector cache; verifies the result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.core.errors import IndexingError
from kb.embedding.embedder import Embedder
from kb.facts import FactKind
from kb.index import builds, lexical, vectors
from kb.index.store import Store, VectorCache, document_to_dict
from kb.index.verification import verify
from kb.language.danish import opening

VECTOR_BATCH = 2048

Step = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Assembler:
    """Writes the indexes of the build in ``folder``, whose database is complete; ``step`` is called with rows done."""

    folder: Path
    store: Store
    cache: VectorCache
    embedder: Embedder
    step: Step

    def rows(self, *, with_sentences: bool) -> int:
        """The rows that :meth:`write` reports: one for each vector, and two for the words of each passage."""
        return 3 * len(self.store) + (self.store.sentence_count() if with_sentences else 0)

    def write(self, *, with_sentences: bool) -> vectors.Tuning:
        """Write the vector and lexical indexes; returns the search parameters tuned for the vectors."""
        passages = self.folder / builds.VECTORS_FILE
        self._write_vectors(passages, self.store.vector_keys())
        tuning = vectors.add_lists(passages, self._questions_of)
        if with_sentences:
            self._write_vectors(self.folder / builds.SENTENCES_FILE, (key for _, key in self.store.sentence_keys()))
        titles = {stored.record.id: stored.record.metadata.titel for stored in self.store.records()}
        lexical.build(self.folder / builds.LEXICAL_FOLDER, LexicalEntries(self.store, titles, self.step))
        return tuning

    def _write_vectors(self, file: Path, keys: Iterable[str]) -> None:
        def batches() -> Iterator[NDArray[np.float32]]:
            for batch in _batched(iter(keys), VECTOR_BATCH):
                yield self.cache.get(self.embedder.fingerprint, batch)
                self.step(len(batch))

        vectors.build(file, batches(), self.embedder.dimension)

    def _questions_of(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The opening words of the passages in ``rows``, embedded as questions: the queries the search is tuned by."""
        passages = self.store.passages(rows.tolist())
        return self.embedder.embed_queries([opening(passages[row].passage.text) for row in rows.tolist()])


def _batched(keys: Iterator[str], size: int) -> Iterator[list[str]]:
    while batch := list(islice(keys, size)):
        yield batch


def finish(folder: Path, manifest: builds.Manifest, cache: VectorCache) -> builds.Manifest:
    """Write the manifest and verify the build; raises :class:`IndexingError` when that finds a problem."""
    complete = builds.write_manifest(folder, manifest)
    if problems := verify(folder, complete, cache):
        raise IndexingError(f"Det nye indeks bestod ikke efterprøvningen: {' '.join(problems)}")
    return complete


class LexicalEntries:
    """The texts of each passage for the lexical index, in row order; every iteration reads them from the store."""

    def __init__(self, store: Store, titles: Mapping[str, str], step: Step = lambda _: None) -> None:
        self._store = store
        self._titles = titles
        self._step = step

    def __iter__(self) -> Iterator[lexical.Entry]:
        for stored in self._store.all_passages():
            yield lexical.entry_of(stored.passage, self._titles[stored.passage.document_id])
            self._step(1)


def lexical_entries(store: Store, titles: Mapping[str, str]) -> list[lexical.Entry]:
    """The entries of :class:`LexicalEntries` as a list."""
    return list(LexicalEntries(store, titles))


def content_digest(store: Store) -> str:
    """A digest of a build's documents, passages, facts and failures: equal for builds that give the same answers."""
    digest = hashlib.sha256()
    for stored in store.stored_documents():
        values = document_to_dict(stored.document)
        values |= {"aliases": stored.aliases, "copy_of": stored.copy_of, "partial": stored.partial}
        values |= {"proposals": [proposal.as_dict() for proposal in stored.proposals]}
        digest.update(json.dumps(values, ensure_ascii=False, sort_keys=True).encode())
    for passage in store.all_passages():
        digest.update(f"{passage.row}\0{passage.passage.id}\0{passage.vector_key}\n".encode())
    for document_id, fact in store.facts(list(FactKind)):
        digest.update(f"{document_id}\0{astuple(fact)}\n".encode())
    for failure in store.failures():
        digest.update(f"{failure.path}\0{failure.code}\n".encode())
    return digest.hexdigest()
