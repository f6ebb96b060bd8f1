"""What retrieval asks of an index, whoever keeps it: four small protocols.

A snapshot is given its parts and knows them by these protocols alone. The local ones are
:class:`kb.index.vectors.VectorIndex`, :class:`kb.index.lexical.LexicalIndex` and :class:`kb.index.store.Store`.

A passage is known by its id everywhere. Between the parts of one snapshot it has a *key* besides, a number that they
share: a search moves some hundred candidates between them and a filter may allow a million passages, which as numbers
are an array and as ids a million strings. What a key is only the parts know (a local index takes the passage's row);
a store says it in ``row`` of what it gives. Retrieval hands keys on and puts them in ascending order, so that equal
scores always rank alike.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kb.core.models import Page, Passage
from kb.facts import Fact, FactKind
from kb.index.store import Failure, StoredDocument, StoredPassage, StoredSentence
from kb.language.analysis import Question

Keys = NDArray[np.int64]
Vectors = NDArray[np.float32]
Floats = NDArray[np.float32]
# Keys with their scores, best first.
Ranking = Sequence[tuple[int, float]]


class DenseIndex(Protocol):
    """Unit vectors by key, compared by cosine; safe to use from several threads."""

    def __len__(self) -> int: ...

    def search(self, query: Vectors, top: int, allowed: Keys | None = None) -> Ranking:
        """The ``top`` keys nearest one query vector, among ``allowed`` if given."""
        ...

    def scores(self, query: Vectors, keys: Keys) -> Floats:
        """The cosines of given keys with one query vector."""
        ...

    def vectors(self, keys: Keys) -> Vectors:
        """The vectors of given keys, shape ``(len(keys), dimension)``."""
        ...

    def sample(self, count: int) -> Vectors:
        """Vectors spread evenly over the index: all of them, or ``count`` and fewer than twice as many."""
        ...


class SparseIndex(Protocol):
    """Passages by their terms, ranked by BM25; safe to use from several threads."""

    def search(self, question: Question, top: int, allowed: Keys | None = None) -> Ranking:
        """The ``top`` best keys by the question's terms, among ``allowed`` if given."""
        ...

    def scores(self, question: Question, keys: Keys) -> Floats:
        """The scores of given keys; 0 where nothing matches."""
        ...

    def containing(self, phrases: Iterable[Sequence[str]]) -> Keys:
        """The keys of the passages that hold every one of the phrases, in ascending order."""
        ...


class PassageStore(Protocol):
    """Passages, their sentences and the documents they are from; safe to use from several threads."""

    def __len__(self) -> int: ...

    def stored_document(self, document_id: str) -> StoredDocument:
        """One document with its text; raises :class:`kb.core.errors.NotFoundError`."""
        ...

    def pages_of(self, document_id: str) -> Sequence[Page]:
        """A document's pages; raises :class:`kb.core.errors.NotFoundError`."""
        ...

    def passage(self, passage_id: str) -> StoredPassage:
        """One passage by its id; raises :class:`kb.core.errors.NotFoundError`."""
        ...

    def passages(self, keys: Sequence[int]) -> Mapping[int, StoredPassage]:
        """Passages by key."""
        ...

    def passages_of(self, document_id: str) -> Sequence[StoredPassage]:
        """A document's passages in order."""
        ...

    def all_passages(self) -> Iterator[StoredPassage]:
        """Every passage, one at a time."""
        ...

    def keys_of(self, document_ids: Iterable[str], roles: Collection[str] = ()) -> Keys:
        """The keys of the documents' passages; where roles are given, of those that have one of them."""
        ...

    def role_counts(self, keys: Keys | None = None) -> Mapping[str, int]:
        """How many of the keys, or of all passages, have each role."""
        ...

    def sentences_of_passages(self, passage_ids: Sequence[str]) -> Mapping[str, Sequence[StoredSentence]]:
        """The sentences of passages, in order, by the passages' ids; a passage may have none."""
        ...

    def sentence_keys_of(self, keys: Keys) -> Keys:
        """The keys of the sentences of some passages, in ascending order."""
        ...

    def facts(self, kinds: Sequence[FactKind]) -> Sequence[tuple[str, Fact]]:
        """The facts of these kinds with their documents' ids, in the order of documents and places."""
        ...

    def failures(self) -> Sequence[Failure]:
        """The files that gave no document, with the reason."""
        ...


class Reranker(Protocol):
    """Judges the best passages of a search anew, by more than the indexes know: a cross-encoder, say."""

    @property
    def depth(self) -> int:
        """How many of the best passages are judged."""
        ...

    def scores(self, question: Question, passages: Sequence[Passage]) -> Sequence[float]:
        """One score a passage, a higher one for a better passage; comparable within one call only."""
        ...
