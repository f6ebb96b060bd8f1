"""The parts of a build that some readers may see: whatever is asked of them, the other documents are not there.

    parts = permitted(snapshot.parts, {"asta", "faldrisiko"})

Each part stands in front of the build's own and lets through what belongs to the permitted documents, so that whoever
has a snapshot of these parts cannot reach the others, whatever they ask. Vectors are searched in the build's index with
an allow list. The words are indexed anew, from the permitted passages alone: how rare a word is, what a misspelled one
is taken for and how a compound is split all come from the vocabulary, and would otherwise tell of what others wrote.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.core.errors import NotFoundError
from kb.core.models import Page
from kb.facts import Fact, FactKind
from kb.index import lexical
from kb.index.lexical import LexicalIndex
from kb.index.store import Failure, StoredDocument, StoredPassage, StoredRecord, StoredSentence
from kb.language.analysis import Question
from kb.retrieval.ports import DenseIndex, Floats, Keys, PassageStore, Ranking, Vectors
from kb.retrieval.snapshot import Parts


def permitted(parts: Parts, documents: Collection[str]) -> Parts:
    """The parts of a build without other documents than these."""
    records = {id_: stored for id_, stored in parts.records.items() if id_ in documents}
    store = PermittedStore(parts.store, records)
    sparse = PermittedWords(store, records)
    sentences = parts.sentences
    return Parts(
        dense=PermittedVectors(parts.dense, store.keys),
        sparse=sparse,
        store=store,
        analyser=sparse.analyser,
        sentences=None if sentences is None else PermittedVectors(sentences, store.sentence_keys),
        records=records,
    )


def _are_in(ascending: Keys, keys: Keys) -> NDArray[np.bool_]:
    """Which of some keys are among others, which ascend."""
    if not len(ascending):
        return np.zeros(len(keys), dtype=np.bool_)
    places = np.minimum(np.searchsorted(ascending, keys), len(ascending) - 1)
    equal: NDArray[np.bool_] = ascending[places] == keys
    return equal


def _among(keys: Keys, allowed: Keys | None) -> Keys:
    return keys if allowed is None else allowed[_are_in(keys, allowed)]


def _checked(permitted_keys: Keys, keys: Keys) -> Keys:
    """The keys, none of which may be another document's; raises IndexError for one that is."""
    if not _are_in(permitted_keys, keys).all():
        raise IndexError("a key of a document that may not be seen")
    return keys


class PermittedVectors:
    """A dense index without other keys than these, which ascend."""

    def __init__(self, inner: DenseIndex, keys: Keys) -> None:
        self._inner = inner
        self._keys = keys

    def __len__(self) -> int:
        return len(self._keys)

    def search(self, query: Vectors, top: int, allowed: Keys | None = None) -> Ranking:
        """The ``top`` keys nearest one query vector, among ``allowed`` if given."""
        return self._inner.search(query, top, _among(self._keys, allowed))

    def scores(self, query: Vectors, keys: Keys) -> Floats:
        """The cosines of given keys with one query vector."""
        return self._inner.scores(query, _checked(self._keys, keys))

    def vectors(self, keys: Keys) -> Vectors:
        """The vectors of given keys."""
        return self._inner.vectors(_checked(self._keys, keys))

    def sample(self, count: int) -> Vectors:
        """Vectors spread evenly over these keys, as :meth:`DenseIndex.sample` does."""
        return self._inner.vectors(self._keys[:: max(1, len(self._keys) // count)])


class PermittedStore:
    """A passage store without other documents than these."""

    def __init__(self, inner: PassageStore, records: Mapping[str, StoredRecord]) -> None:
        self._inner = inner
        self._records = records
        self.keys: Keys = np.sort(inner.keys_of(records))

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def sentence_keys(self) -> Keys:
        """The keys of these documents' sentences, ascending."""
        return self._inner.sentence_keys_of(self.keys)

    def stored_document(self, document_id: str) -> StoredDocument:
        """One document with its text; raises :class:`NotFoundError`."""
        return self._inner.stored_document(self._known(document_id))

    def pages_of(self, document_id: str) -> Sequence[Page]:
        """A document's pages; raises :class:`NotFoundError`."""
        return self._inner.pages_of(self._known(document_id))

    def passage(self, passage_id: str) -> StoredPassage:
        """One passage by its id; raises :class:`NotFoundError`."""
        stored = self._inner.passage(passage_id)
        if stored.passage.document_id not in self._records:
            raise NotFoundError(f"Der er ingen passage med id {passage_id}.")
        return stored

    def passages(self, keys: Sequence[int]) -> Mapping[int, StoredPassage]:
        """Passages by key."""
        found = self._inner.passages(keys)
        return {key: stored for key, stored in found.items() if stored.passage.document_id in self._records}

    def passages_of(self, document_id: str) -> Sequence[StoredPassage]:
        """A document's passages in order."""
        return self._inner.passages_of(document_id) if document_id in self._records else ()

    def all_passages(self) -> Iterator[StoredPassage]:
        """Every passage, one at a time."""
        return (stored for stored in self._inner.all_passages() if stored.passage.document_id in self._records)

    def keys_of(self, document_ids: Iterable[str], roles: Collection[str] = ()) -> Keys:
        """The keys of the documents' passages; where roles are given, of those that have one of them."""
        return self._inner.keys_of([id_ for id_ in document_ids if id_ in self._records], roles)

    def role_counts(self, keys: Keys | None = None) -> Mapping[str, int]:
        """How many of the keys, or of all passages, have each role."""
        return self._inner.role_counts(_among(self.keys, keys))

    def sentences_of_passages(self, passage_ids: Sequence[str]) -> Mapping[str, Sequence[StoredSentence]]:
        """The sentences of passages, in order, by the passages' ids; a passage may have none."""
        found = self._inner.sentences_of_passages(passage_ids)
        return {id_: self._permitted(sentences) for id_, sentences in found.items()}

    def _permitted(self, sentences: Sequence[StoredSentence]) -> Sequence[StoredSentence]:
        rows = np.array([one.row for one in sentences], dtype=np.int64)
        return sentences if _are_in(self.sentence_keys, rows).all() else ()

    def sentence_keys_of(self, keys: Keys) -> Keys:
        """The keys of the sentences of some passages, in ascending order."""
        return self._inner.sentence_keys_of(_among(self.keys, keys))

    def facts(self, kinds: Sequence[FactKind]) -> Sequence[tuple[str, Fact]]:
        """The facts of these kinds with their documents' ids, in the order of documents and places."""
        return [(id_, fact) for id_, fact in self._inner.facts(kinds) if id_ in self._records]

    def failures(self) -> Sequence[Failure]:
        """None: a file that gave no document has no groups that could be asked for, and may be anyone's."""
        return ()

    def _known(self, document_id: str) -> str:
        if document_id not in self._records:
            raise NotFoundError(f"Der er ingen rapport med id {document_id}.")
        return document_id


class PermittedWords:
    """A sparse index of the passages of a store alone, in a folder that goes when it does."""

    def __init__(self, store: PermittedStore, records: Mapping[str, StoredRecord]) -> None:
        self._keys = store.keys
        folder = Path(tempfile.mkdtemp(prefix="kb-adgang-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        lexical.build(folder / "lexical", _Entries(store, records))
        self._inner = LexicalIndex.open(folder / "lexical")
        self.analyser = self._inner.analyser

    def search(self, question: Question, top: int, allowed: Keys | None = None) -> Ranking:
        """The ``top`` best keys by the question's terms, among ``allowed`` if given."""
        rows = None if allowed is None else self._rows(_among(self._keys, allowed))
        return [(int(self._keys[row]), score) for row, score in self._inner.search(question, top, rows)]

    def scores(self, question: Question, keys: Keys) -> Floats:
        """The scores of given keys; 0 where nothing matches."""
        return self._inner.scores(question, self._rows(keys))

    def containing(self, phrases: Iterable[Sequence[str]]) -> Keys:
        """The keys of the passages that hold every one of the phrases, in ascending order."""
        return self._keys[self._inner.containing(phrases)]

    def _rows(self, keys: Keys) -> Keys:
        return np.searchsorted(self._keys, _checked(self._keys, keys))


class _Entries:
    """The texts of a store's passages; every iteration reads them anew, as the index is built in two."""

    def __init__(self, store: PermittedStore, records: Mapping[str, StoredRecord]) -> None:
        self._store = store
        self._records = records

    def __iter__(self) -> Iterator[lexical.Entry]:
        for stored in self._store.all_passages():
            title = self._records[stored.passage.document_id].record.metadata.titel
            yield lexical.entry_of(stored.passage, title)
