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
from kb.index.places import Content, Place
from kb.index.store import Store, VectorCache, document_to_dict
from kb.index.verification import verify
from kb.language.danish import opening

VECTOR_BATCH = 2048

Step = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Assembler:
    """Writes the indexes of the build in ``folder``, whose database is complete, to the place that keeps builds;
    ``step`` is called with rows done.
    """

    place: Place
    folder: Path
    store: Store
    cache: VectorCache
    embedder: Embedder
    step: Step

    def rows(self, *, with_sentences: bool) -> int:
        """The rows that :meth:`write` reports: one for each vector, and two for the words of each passage."""
        return 3 * len(self.store) + (self.store.sentence_count() if with_sentences else 0)

    def write(self, build_id: str, *, with_sentences: bool) -> vectors.Tuning:
        """Write the vector and lexical indexes; returns the search parameters tuned for the vectors."""
        titles = {stored.record.id: stored.record.metadata.titel for stored in self.store.records()}
        content = Content(
            dimension=self.embedder.dimension,
            passages=lambda: self._vectors(self.store.vector_keys()),
            sentences=(lambda: self._vectors(key for _, key in self.store.sentence_keys())) if with_sentences else None,
            questions_of=self._questions_of,
            entries=LexicalEntries(self.store, titles, self.step),
        )
        return self.place.write(self.folder, build_id, content)

    def _vectors(self, keys: Iterable[str]) -> Iterator[NDArray[np.float32]]:
        for batch in _batched(iter(keys), VECTOR_BATCH):
            yield self.cache.get(self.embedder.fingerprint, batch)
            self.step(len(batch))

    def _questions_of(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The opening words of the passages in ``rows``, embedded as questions: the queries the search is tuned by."""
        passages = self.store.passages(rows.tolist())
        return self.embedder.embed_queries([opening(passages[row].passage.text) for row in rows.tolist()])


def _batched(keys: Iterator[str], size: int) -> Iterator[list[str]]:
    while batch := list(islice(keys, size)):
        yield batch


def finish(place: Place, folder: Path, manifest: builds.Manifest, cache: VectorCache) -> builds.Manifest:
    """Write the manifest and verify the build; raises :class:`IndexingError` when that finds a problem."""
    complete = builds.write_manifest(folder, manifest)
    if problems := verify(place, folder, complete, cache):
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
        values |= {"own_passages": stored.own_passages}
        values |= {"proposals": [proposal.as_dict() for proposal in stored.proposals]}
        digest.update(json.dumps(values, ensure_ascii=False, sort_keys=True).encode())
    for passage in store.all_passages():
        digest.update(f"{passage.row}\0{passage.passage.id}\0{passage.vector_key}\n".encode())
    for document_id, fact in store.facts(list(FactKind)):
        digest.update(f"{document_id}\0{astuple(fact)}\n".encode())
    for failure in store.failures():
        digest.update(f"{failure.path}\0{failure.code}\n".encode())
    return digest.hexdigest()
