"""A snapshot: one finished build held open, and what of it readers may see.

A :class:`Snapshot` is given its parts and never changes. Documents that were deleted since the build was made are
hidden: a snapshot without them is :meth:`Snapshot.without`, which shares the parts. What it works out is kept as long
as it lives (:mod:`kb.retrieval.caches`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kb.core.errors import IndexDamagedError, NotFoundError
from kb.core.fields import DOCUMENT_FILTERS, ROLE
from kb.core.models import DocumentRecord, Metadata, Page, Passage
from kb.core.slug import slug
from kb.extract import content_key
from kb.extract.corpus_files import on_disk
from kb.facts import Fact, FactKind
from kb.index import builds
from kb.index.store import Failure, StoredDocument, StoredRecord
from kb.language.analysis import Analyser
from kb.language.synonyms import Synonyms
from kb.retrieval.caches import Cache, Owner
from kb.retrieval.filters import NO_FILTERS, Filters, GivenFilters, field_values
from kb.retrieval.ports import DenseIndex, Keys, PassageStore, SparseIndex, Vectors

# The document fields a filter may name.
DOCUMENT_FIELDS = tuple(field.name for field in DOCUMENT_FILTERS)
# How many filters' counts are remembered; few are in use at a time.
FACETS_REMEMBERED = 64

Facets = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a snapshot is made of: ``dense`` and ``sparse`` rank the passages in ``store``, ``analyser`` knows the
    vocabulary of ``sparse``, ``sentences`` has the sentences' vectors (none in a build made to measure retrieval
    alone), ``records`` every document's record by id.
    """

    dense: DenseIndex
    sparse: SparseIndex
    store: PassageStore
    analyser: Analyser
    sentences: DenseIndex | None
    records: Mapping[str, StoredRecord]


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """A project with its documents, newest first, and what they say of it together."""

    slug: str
    name: str
    authorities: tuple[str, ...]
    themes: tuple[str, ...]
    document_ids: tuple[str, ...]


class PassageSentences(NamedTuple):
    """The sentences of a passage that may answer: their ranges of the document's text, and a vector each."""

    ranges: tuple[tuple[int, int], ...]
    vectors: Vectors


class Snapshot(Owner):
    """One finished build without its hidden documents; immutable, and safe to use from several threads."""

    def __init__(self, manifest: builds.Manifest, parts: Parts, *, hidden: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.manifest = manifest
        self.hidden = hidden
        self.dense = parts.dense
        self.sparse = parts.sparse
        self.store = parts.store
        self.analyser = parts.analyser
        self.records = _visible(parts.records, hidden)
        self.parts = parts
        self._facets: Cache[Filters, Facets] = Cache(FACETS_REMEMBERED)

    def without(self, hidden: frozenset[str]) -> Snapshot:
        """The same build with these documents hidden, and no others; they are not counted either."""
        parts = self.parts
        passages = len(parts.store) - len(parts.store.keys_of(hidden & parts.records.keys()))
        manifest = counting(self.manifest, _visible(parts.records, hidden), passages)
        return Snapshot(manifest, parts, hidden=hidden)

    def with_synonyms(self, synonyms: Synonyms) -> Snapshot:
        """The same build, with the same documents hidden, whose questions are analysed by other synonyms."""
        analyser = self.analyser.with_synonyms(synonyms)
        return Snapshot(self.manifest, replace(self.parts, analyser=analyser), hidden=self.hidden)

    @property
    def build_id(self) -> str:
        """The build's id."""
        return self.manifest.id

    @cached_property
    def documents_digest(self) -> str:
        """Names the documents that can be seen, whatever others there are."""
        return hashlib.sha256("\n".join(sorted(self.records)).encode()).hexdigest()

    @cached_property
    def restricted(self) -> Mapping[str, tuple[str, ...]]:
        """The groups of the documents that are for some alone, by id."""
        return {id_: one.record.metadata.adgang for id_, one in self.records.items() if one.record.metadata.adgang}

    @cached_property
    def named_groups(self) -> frozenset[str]:
        """The groups that documents are for."""
        return frozenset(group for groups in self.restricted.values() for group in groups)

    def record(self, document_id: str) -> StoredRecord:
        """One document's record; raises :class:`NotFoundError` where there is no such document or it is hidden."""
        if document_id in self.hidden:
            raise NotFoundError(f"Rapporten {document_id} er slettet.")
        if document_id not in self.records:
            raise NotFoundError(f"Der er ingen rapport med id {document_id}.")
        return self.records[document_id]

    def document(self, document_id: str) -> StoredDocument:
        """One document with its text; raises :class:`NotFoundError`."""
        self.record(document_id)
        return self.store.stored_document(document_id)

    def pages_of(self, document_id: str) -> Sequence[Page]:
        """A document's pages; raises :class:`NotFoundError`."""
        self.record(document_id)
        return self.store.pages_of(document_id)

    def passages_of(self, document_id: str) -> list[Passage]:
        """A document's passages in order; none of one that is hidden or not there."""
        if document_id not in self.records:
            return []
        return [stored.passage for stored in self.store.passages_of(document_id)]

    def passage(self, passage_id: str) -> Passage:
        """One passage; raises :class:`NotFoundError`."""
        passage = self.store.passage(passage_id).passage
        self.record(passage.document_id)
        return passage

    def neighbours(self, passage_id: str, count: int) -> list[Passage]:
        """The ``count`` passages nearest in meaning to a passage, itself the first; raises :class:`NotFoundError`."""
        key = self.store.passage(passage_id).row
        vector = self.dense.vectors(np.array([key], dtype=np.int64))[0]
        ranking = [key for key, _ in self.dense.search(vector, count, self.allowed())]
        stored = self.store.passages(ranking)
        return [stored[key].passage for key in ranking]

    def sentences_of(self, passage_ids: Sequence[str]) -> dict[str, PassageSentences]:
        """The sentences of passages by the passages' ids; raises :class:`IndexDamagedError` in a build without."""
        vectors = self._sentence_vectors()
        return {
            id_: PassageSentences(
                tuple((one.start, one.end) for one in sentences),
                vectors.vectors(np.array([one.row for one in sentences], dtype=np.int64)),
            )
            for id_, sentences in self.store.sentences_of_passages(passage_ids).items()
        }

    def sentence_sample(self, count: int) -> Vectors:
        """Sentence vectors spread evenly over the base, as :meth:`DenseIndex.sample`; raises as the other."""
        return self._sentence_vectors().sample(count)

    def _sentence_vectors(self) -> DenseIndex:
        if self.parts.sentences is None:
            raise IndexDamagedError("Indekset er lavet uden sætninger at svare med.", advice="Kør: kb index --full")
        return self.parts.sentences

    def facts(self, kinds: Sequence[FactKind]) -> list[tuple[str, Fact]]:
        """The facts of some kinds, each after its document's id; none of a document that is hidden."""
        return [(id_, fact) for id_, fact in self.store.facts(kinds) if id_ in self.records]

    def failures(self) -> Sequence[Failure]:
        """The files that gave no document, with the reason."""
        return self.store.failures()

    def file_of(self, document_id: str) -> Path:
        """The file a document was read from, whole or inside it.

        Raises :class:`NotFoundError` when it is gone or no longer the file that was indexed: a citation must not open
        another text than the one it was made from.
        """
        stored = self.record(document_id)
        path = on_disk(Path(stored.root), stored.record.path)
        if not path.is_file() or not is_unchanged(path, stored):
            raise NotFoundError(
                "Filen er flyttet eller ændret, siden den blev indekseret.", advice="Indeksér igen: kb index"
            )
        return path

    def versions_of(self, document_id: str) -> list[DocumentRecord]:
        """The documents that are another version of this one, or that it is a version of, by id."""
        return [self.records[id_].record for id_ in self._families.get(document_id, ()) if id_ != document_id]

    @cached_property
    def _families(self) -> Mapping[str, Sequence[str]]:
        """Of each document with other versions, the ids of them all."""
        families: dict[str, list[str]] = {}
        for id_, stored in self.records.items():
            if stored.copy_of:
                shown = [one for one in (stored.copy_of,) if one in self.records]
                families.setdefault(stored.copy_of, shown).append(id_)
        return {id_: family for family in families.values() for id_ in family}

    def same_file(self, document_id: str) -> list[StoredRecord]:
        """The documents that were read from the same file: those of a mail and what is attached to it."""
        stored = self.record(document_id)
        key = (stored.root, stored.content_key)
        return [one for one in self.records.values() if (one.root, one.content_key) == key]

    def projects(self) -> list[ProjectSummary]:
        """The projects of the base, by name."""
        grouped: dict[str, list[Metadata]] = {}
        for stored in self.records.values():
            if stored.record.metadata.projekt:
                grouped.setdefault(stored.record.metadata.projekt, []).append(stored.record.metadata)
        return [_summary(name, grouped[name]) for name in sorted(grouped, key=str.casefold)]

    def passing(self, filters: Filters = NO_FILTERS) -> list[StoredRecord]:
        """The documents that pass the filters and are no second version of another, by id."""
        return [stored for stored in self.records.values() if not stored.copy_of and filters.passes(stored)]

    def allowed(self, filters: Filters = NO_FILTERS) -> Keys | None:
        """The keys of the passages that pass the filters; None when all of them do.

        They are those of :meth:`passing` documents, and of another version those that tell something of their own.
        """
        chosen = [stored.record.id for stored in self.passing(filters)]
        if len(chosen) == len(self.parts.records) and not filters.roles:
            return None
        own = [keys for id_, keys in self._own_keys.items() if filters.passes(self.records[id_])]
        keys = np.concatenate([np.empty(0, np.int64), *own])
        if filters.roles:
            keys = keys[np.isin(keys, self.store.keys_of(self._own_keys, filters.roles))]
        return np.concatenate([self.store.keys_of(chosen, filters.roles), keys])

    @cached_property
    def _own_keys(self) -> Mapping[str, Keys]:
        """Of each document that is another version, the keys of the passages that tell something of their own."""
        return {
            id_: self.store.keys_of([id_])[list(stored.own_passages)]
            for id_, stored in self.records.items()
            if stored.copy_of and stored.own_passages
        }

    def facets(self, given: GivenFilters = NO_FILTERS) -> Facets:
        """For each field the values and how many documents have them under the other fields' filters.

        For "rolle" passages are counted. Values stand most frequent first. Raises :class:`FilterError`.
        """
        filters = Filters.of(given)
        return self._facets.get(filters, lambda: self._count(filters))

    def _count(self, filters: Filters) -> Facets:
        counts: dict[str, Mapping[str, int]] = {}
        for name in DOCUMENT_FIELDS:
            counts[name] = _value_counts(self.passing(filters.without(name)), name)
        counts[ROLE.name] = _by_frequency(self.store.role_counts(self.allowed(filters.without(ROLE.name))))
        return counts


def counting(manifest: builds.Manifest, records: Mapping[str, StoredRecord], passages: int) -> builds.Manifest:
    """The manifest of a build of which these documents and so many passages are seen."""
    projects = {stored.record.metadata.projekt for stored in records.values()} - {""}
    return replace(manifest, documents=len(records), passages=passages, projects=len(projects))


def _visible(records: Mapping[str, StoredRecord], hidden: frozenset[str]) -> dict[str, StoredRecord]:
    """The documents that are not hidden; one that was another version of a hidden one stands for itself."""
    return {
        id_: replace(stored, copy_of="") if stored.copy_of in hidden else stored
        for id_, stored in records.items()
        if id_ not in hidden
    }


def _summary(name: str, metadata: Sequence[Metadata]) -> ProjectSummary:
    newest = sorted(metadata, key=lambda m: (-(m.år or 0), m.id))
    return ProjectSummary(
        slug=slug(name),
        name=name,
        authorities=tuple(dict.fromkeys(m.myndighed for m in newest if m.myndighed)),
        themes=tuple(dict.fromkeys(theme for m in newest for theme in m.temaer)),
        document_ids=tuple(m.id for m in newest),
    )


def is_unchanged(file: Path, stored: StoredRecord) -> bool:
    """Whether a file is still the one that a document was read from, or that it is inside."""
    if file == Path(stored.root) / stored.record.path:
        return builds.file_digest(file) == stored.record.sha256
    return content_key(file) == stored.content_key


def _value_counts(documents: Iterable[StoredRecord], name: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for stored in documents:
        for value in field_values(stored, name):
            counts[value] = counts.get(value, 0) + 1
    return _by_frequency(counts)


def _by_frequency(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
