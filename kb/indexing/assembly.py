"""Makes a build's indexes from its database and the vector cache, and its manifest; checks the whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.core.errors import IndexingError
from kb.embedding.embedder import Embedder
from kb.index import builds, lexical, vectors
from kb.index.store import Store, VectorCache, document_to_dict
from kb.index.verification import verify
from kb.language.danish import opening

VECTOR_BATCH = 2048

Step = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Assembler:
    """Makes the indexes of the build in ``folder``, whose database is finished; ``step`` is told of every row done."""

    folder: Path
    store: Store
    cache: VectorCache
    embedder: Embedder
    step: Step

    def rows(self, *, with_sentences: bool) -> int:
        """How many rows :meth:`write` tells of: each passage's vector, twice its words, each sentence's vector."""
        return 3 * len(self.store) + (self.store.sentence_count() if with_sentences else 0)

    def write(self, *, with_sentences: bool) -> vectors.Tuning:
        """Write the vectors and the words; returns how the vectors are to be searched."""
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
            for part in _parts(iter(keys), VECTOR_BATCH):
                yield self.cache.get(self.embedder.fingerprint, part)
                self.step(len(part))

        vectors.build(file, batches(), self.embedder.dimension)

    def _questions_of(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of the opening words of some passages, embedded as questions."""
        found = self.store.passages(rows.tolist())
        return self.embedder.embed_queries([opening(found[row].passage.text) for row in rows.tolist()])


def _parts(keys: Iterator[str], size: int) -> Iterator[list[str]]:
    while part := list(islice(keys, size)):
        yield part


def finish(folder: Path, manifest: builds.Manifest, cache: VectorCache) -> builds.Manifest:
    """Write the manifest and check everything; raises :class:`IndexingError` when the build does not hold."""
    complete = builds.write_manifest(folder, manifest)
    if problems := verify(folder, complete, cache):
        raise IndexingError(f"Det nye indeks bestod ikke efterprøvningen: {' '.join(problems)}")
    return complete


class LexicalEntries:
    """What the lexical index holds of each passage, in row order; read from the store each time it is gone through.

    A heading that repeats the title is left out.
    """

    def __init__(self, store: Store, titles: Mapping[str, str], step: Step = lambda _: None) -> None:
        self._store = store
        self._titles = titles
        self._step = step

    def __iter__(self) -> Iterator[lexical.Entry]:
        for stored in self._store.all_passages():
            passage = stored.passage
            title = self._titles[passage.document_id]
            headings = tuple(heading for heading in passage.heading_path if heading != title)
            yield lexical.Entry(title, headings, passage.text)
            self._step(1)


def lexical_entries(store: Store, titles: Mapping[str, str]) -> list[lexical.Entry]:
    """The same as a list."""
    return list(LexicalEntries(store, titles))


def content_digest(store: Store) -> str:
    """A digest of a build's documents, passages and failures: equal for builds that answer alike."""
    digest = hashlib.sha256()
    for stored in store.stored_documents():
        values = document_to_dict(stored.document)
        values |= {"aliases": stored.aliases, "copy_of": stored.copy_of, "partial": stored.partial}
        values |= {"proposals": [proposal.as_dict() for proposal in stored.proposals]}
        digest.update(json.dumps(values, ensure_ascii=False, sort_keys=True).encode())
    for passage in store.all_passages():
        digest.update(f"{passage.row}\0{passage.passage.id}\0{passage.vector_key}\n".encode())
    for failure in store.failures():
        digest.update(f"{failure.path}\0{failure.code}\n".encode())
    return digest.hexdigest()
