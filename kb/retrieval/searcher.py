"""Questions against one build: the snapshot held open, the searcher that answers from it, and the holder that swaps.

A :class:`Snapshot` is a build opened once and never changed. A :class:`Searcher` embeds a question, asks the dense and
the lexical index for candidates among the rows its filters allow, fuses their scores, and returns hits. A server keeps
a :class:`SnapshotHolder`, which notices a new ``CURRENT``, swaps its reference, and keeps the last good build when the
new one cannot be opened. Whoever began on the old snapshot finishes on it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.core.errors import (
    FilterError,
    IndexBusyError,
    IndexDamagedError,
    IndexMissingError,
    IndexUnusableError,
    KbError,
    ModelMismatchError,
    NotFoundError,
    QuestionError,
)
from kb.core.fields import DOCUMENT_FILTERS, FILTERS, READER, ROLE
from kb.core.models import Hit, Metadata, Passage, Scores, SearchResult
from kb.core.privacy import mask
from kb.core.settings import Settings
from kb.core.slug import slug
from kb.embedding.embedder import Embedder
from kb.embedding.reader.choice import load_reader
from kb.embedding.reader.model import ReaderModel
from kb.index import builds, vectors
from kb.index.lexical import LexicalIndex
from kb.index.store import Failure, Store, StoredDocument, StoredRecord
from kb.language.analysis import Question
from kb.retrieval.ranking import Candidate, fold_duplicates, fuse, union

# The fields a filter may name.
DOCUMENT_FIELDS = tuple(field.name for field in DOCUMENT_FILTERS)
FILTER_FIELDS = tuple(field.name for field in FILTERS)
# How many of each engine's best go into the fusion, at least; 200 rank no better.
CANDIDATES = 100
QUESTIONS_KEPT = 256
# Search results and answers; some 100 kB each.
RESULTS_KEPT = 100
# Candidates beyond those asked for, to take the places of folded duplicates.
SPARE = 20
KEPT_FACETS = 64
# Seconds that a question waits for another thread to open a newly published build.
LONGEST_SWAP_WAIT = 2.0
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")


class Engine(StrEnum):
    """Which engines rank: both fused, or one alone (for measuring)."""

    HYBRID = "hybrid"
    DENSE = "dense"
    LEXICAL = "lexical"


Filters = Mapping[str, Collection[str]]
FilterItems = tuple[tuple[str, tuple[str, ...]], ...]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """A project with its documents, newest first, and what they say of it together."""

    slug: str
    name: str
    authorities: tuple[str, ...]
    themes: tuple[str, ...]
    document_ids: tuple[str, ...]


@dataclass(frozen=True)
class _Columns:
    """What filters look at: each document's range of rows, and each row's role."""

    ranges: Mapping[str, tuple[int, int]]
    roles: NDArray[np.str_]

    @classmethod
    def load(cls, store: Store) -> _Columns:
        ranges: dict[str, tuple[int, int]] = {}
        roles: list[str] = []
        for row, document_id, role, _ocr in store.passage_columns():
            first, _last = ranges.get(document_id, (row, row))
            ranges[document_id] = (first, row + 1)
            roles.append(role)
        return cls(ranges, np.array(roles, dtype=np.str_))


class Snapshot:
    """One finished build, opened and checked; immutable, and safe to use from several threads."""

    def __init__(self, folder: Path, manifest: builds.Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self.store = Store(folder / builds.DATABASE_FILE)
        self.vectors = vectors.VectorIndex(folder / builds.VECTORS_FILE)
        self.lexical = LexicalIndex.open(folder / builds.LEXICAL_FOLDER)
        self.records: Mapping[str, StoredRecord] = {stored.record.id: stored for stored in self.store.records()}
        self._columns = _Columns.load(self.store)
        self._facets: dict[tuple[tuple[str, tuple[str, ...]], ...], dict[str, dict[str, int]]] = {}

    @classmethod
    def open(cls, index_dir: Path, build_id: str | None = None) -> Snapshot:
        """Open a build (the one in use by default); raises :class:`IndexUnusableError` when it is not whole."""
        build_id = build_id or builds.current_id(index_dir)
        folder = builds.builds_dir(index_dir) / build_id
        if not folder.is_dir():
            raise IndexDamagedError(f"Indekset {build_id}, som er i brug, findes ikke.", advice="Kør: kb rollback")
        manifest = builds.read_manifest(folder)
        if problems := builds.check_files(folder, manifest):
            raise IndexDamagedError(f"Indekset {build_id} er beskadiget: {' '.join(problems)}")
        return cls(folder, manifest)

    @property
    def build_id(self) -> str:
        """The build's id."""
        return self.manifest.id

    def document(self, document_id: str) -> StoredDocument:
        """One document with its text; raises :class:`NotFoundError`."""
        return self.store.stored_document(document_id)

    def passages_of(self, document_id: str) -> list[Passage]:
        """A document's passages in order."""
        return [stored.passage for stored in self.store.passages_of(document_id)]

    def passage(self, passage_id: str) -> Passage:
        """One passage; raises :class:`NotFoundError`."""
        return self.store.passage(passage_id).passage

    def failures(self) -> list[Failure]:
        """The files that gave no document, with the reason."""
        return self.store.failures()

    def file_of(self, document_id: str) -> Path:
        """The file a document was read from.

        Raises :class:`NotFoundError` when it is gone or no longer the file that was indexed: a citation must not open
        another text than the one it was made from.
        """
        stored = self.records.get(document_id)
        if stored is None:
            raise NotFoundError(f"Der er ingen rapport med id {document_id}.")
        path = Path(stored.root) / stored.record.path
        if not path.is_file() or builds.file_digest(path) != stored.record.sha256:
            raise NotFoundError(
                "Filen er flyttet eller ændret, siden den blev indekseret.", advice="Indeksér igen: kb index"
            )
        return path

    def projects(self) -> list[ProjectSummary]:
        """The projects of the base, by name."""
        grouped: dict[str, list[Metadata]] = {}
        for stored in self.records.values():
            if stored.record.metadata.projekt:
                grouped.setdefault(stored.record.metadata.projekt, []).append(stored.record.metadata)
        return [_summary(name, grouped[name]) for name in sorted(grouped, key=str.casefold)]

    def allowed_rows(self, filters: Filters) -> Rows | None:
        """The rows that pass the filters and are not of a second version of a document; None when all do."""
        wanted = check_filters(filters)
        chosen = [id_ for id_, stored in self.records.items() if not stored.copy_of and _passes(stored, wanted)]
        if len(chosen) == len(self.records) and ROLE.name not in wanted:
            return None
        ranges = [self._columns.ranges[id_] for id_ in chosen if id_ in self._columns.ranges]
        rows = np.concatenate([np.empty(0, np.int64), *(np.arange(*span, dtype=np.int64) for span in ranges)])
        if ROLE.name in wanted:
            rows = rows[np.isin(self._columns.roles[rows], list(wanted[ROLE.name]))]
        return rows

    def facets(self, filters: Filters) -> dict[str, dict[str, int]]:
        """For each field the values and how many documents have them under the other fields' filters.

        For "rolle" passages are counted. Values stand most frequent first.
        """
        wanted = check_filters(filters)
        key = tuple(sorted((name, tuple(sorted(values))) for name, values in wanted.items()))
        # The build never changes, so neither do its counts; only the few filters in use at a time are kept.
        if key not in self._facets:
            if len(self._facets) >= KEPT_FACETS:
                self._facets.clear()
            self._facets[key] = self._count(wanted)
        return self._facets[key]

    def _count(self, wanted: Mapping[str, frozenset[str]]) -> dict[str, dict[str, int]]:
        counts: dict[str, dict[str, int]] = {}
        for name in DOCUMENT_FIELDS:
            others = {key: value for key, value in wanted.items() if key != name}
            found: dict[str, int] = {}
            for stored in self.records.values():
                if not stored.copy_of and _passes(stored, others):
                    for value in field_values(stored, name):
                        found[value] = found.get(value, 0) + 1
            counts[name] = _by_frequency(found)
        rows = self.allowed_rows({key: value for key, value in wanted.items() if key != ROLE.name})
        roles = self._columns.roles if rows is None else self._columns.roles[rows]
        values, numbers = np.unique(roles, return_counts=True)
        counts[ROLE.name] = _by_frequency({str(v): int(n) for v, n in zip(values, numbers, strict=True)})
        return counts


def _summary(name: str, metadata: Sequence[Metadata]) -> ProjectSummary:
    newest = sorted(metadata, key=lambda m: (-(m.år or 0), m.id))
    return ProjectSummary(
        slug=slug(name),
        name=name,
        authorities=tuple(dict.fromkeys(m.myndighed for m in newest if m.myndighed)),
        themes=tuple(dict.fromkeys(theme for m in newest for theme in m.temaer)),
        document_ids=tuple(m.id for m in newest),
    )


def _by_frequency(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def check_filters(filters: Filters) -> dict[str, frozenset[str]]:
    """The filters as sets, empty ones left out; raises :class:`FilterError` for an unknown field."""
    for name in filters:
        if name not in FILTER_FIELDS:
            raise FilterError(f"Ukendt filter: {name}.", advice=f"Brug et af: {', '.join(FILTER_FIELDS)}.")
    return {name: frozenset(values) for name, values in filters.items() if values}


def as_items(filters: Filters | None) -> FilterItems:
    """Filters in a form that can be a key, in their order."""
    return tuple((name, tuple(values)) for name, values in (filters or {}).items())


def field_values(stored: StoredRecord, name: str) -> tuple[str, ...]:
    """A document's values of a filter field, as text."""
    if name == READER.name:
        return (stored.record.reader,)
    value = stored.record.metadata.value(name)
    values = value if isinstance(value, tuple) else (value,)
    return tuple(str(v) for v in values if v not in (None, ""))


def _passes(stored: StoredRecord, wanted: Mapping[str, frozenset[str]]) -> bool:
    of_document = ((name, values) for name, values in wanted.items() if name != ROLE.name)
    return all(not values.isdisjoint(field_values(stored, name)) for name, values in of_document)


def clean_question(question: str, limit: int) -> str:
    """The question with white space collapsed and CPR numbers masked; raises :class:`QuestionError`."""
    if len(question) > limit:
        raise QuestionError(
            f"Spørgsmålet er på {len(question)} tegn; det må højst være på {limit}.", advice="Skriv det kortere."
        )
    if _NOT_TEXT.search(question):
        raise QuestionError("Spørgsmålet indeholder tegn, der ikke er tekst.", advice="Skriv det med almindelige tegn.")
    text = " ".join(question.split())
    if not re.search(r"\w", text):
        raise QuestionError("Spørgsmålet er tomt.", advice="Skriv, hvad du vil vide, fx: Hvordan håndterede de GDPR?")
    return mask(text, contacts=False).text


class Searcher:
    """Answers questions from one snapshot.

        searcher = open_searcher(settings)
        searcher.search("Hvordan håndterede projekterne GDPR?", top=5).hits
    """

    def __init__(self, snapshot: Snapshot, embedder: Embedder, settings: Settings) -> None:
        if snapshot.manifest.model != embedder.fingerprint:
            raise ModelMismatchError(
                f"Indekset er lavet med modellen {snapshot.manifest.model_name}, men {embedder.name} er valgt.",
                advice=f"Kør: kb index, eller vælg modellen igen: kb model use {snapshot.manifest.model_name}",
            )
        self.snapshot = snapshot
        self.embedder = embedder
        self.settings = settings
        # A page shows the answer and the hits of one question, and further pages of hits: it is embedded once.
        self.vector_of = lru_cache(maxsize=QUESTIONS_KEPT)(self._vector_of)
        # What many ask is worked out once: it does not change while the build does not.
        self.kept = lru_cache(maxsize=RESULTS_KEPT)(self._kept)

    @cached_property
    def reader(self) -> ReaderModel:
        """The reader in use, opened by the first answer: searching does without."""
        return load_reader(self.settings)

    def _vector_of(self, question: str) -> NDArray[np.float32]:
        """A question's vector."""
        vector: NDArray[np.float32] = self.embedder.embed_queries([question])[0]
        return vector

    def _kept(self, work_out: Callable[..., Any], *arguments: Hashable) -> Any:
        return work_out(self, *arguments)

    def search(
        self,
        question: str,
        *,
        top: int | None = None,
        offset: int = 0,
        filters: Filters | None = None,
        engine: Engine = Engine.HYBRID,
        marked: bool = True,
    ) -> SearchResult:
        """The best passages for a question; raises :class:`QuestionError` or :class:`FilterError`.

        ``marked`` hits tell the places of the words that matched.
        """
        asked = clean_question(question, self.settings.max_question_chars)
        place = offset, offset + (top or self.settings.page_size)
        found: SearchResult = self.kept(Searcher._search, asked, place, as_items(filters), engine, marked)
        return found

    def _search(
        self, asked: str, place: tuple[int, int], items: FilterItems, engine: Engine, marked: bool
    ) -> SearchResult:
        chosen = dict(items)
        analysed = self.snapshot.lexical.analyser.question(asked)
        allowed = self.snapshot.allowed_rows(chosen)
        if analysed.quoted:
            allowed = _both(allowed, self.snapshot.lexical.containing(analysed.quoted))
        candidates = self._candidates(analysed, allowed, max(2 * place[1], CANDIDATES), engine)
        hits = self._hits(analysed, candidates[: place[1] + SPARE], place, marked=marked)
        return SearchResult(
            question=asked,
            build_id=self.snapshot.build_id,
            hits=tuple(hits),
            total=len(self.snapshot.store) if allowed is None else len(allowed),
            filters={name: tuple(values) for name, values in chosen.items() if values},
            corrections=dict(analysed.corrections),
            facets=self.snapshot.facets(chosen),
        )

    def _candidates(self, question: Question, allowed: Rows | None, count: int, engine: Engine) -> list[Candidate]:
        """The union of each engine's ``count`` best with both scores, fused."""
        vector = np.zeros(0, np.float32) if engine is Engine.LEXICAL else self.vector_of(question.text)
        dense = [] if engine is Engine.LEXICAL else self.snapshot.vectors.search(vector, count, allowed)
        lexical = [] if engine is Engine.DENSE else self.snapshot.lexical.search(question, count, allowed)
        rows = union(dense, lexical)
        nothing = np.zeros(len(rows), dtype=np.float32)
        dense_scores = nothing if engine is Engine.LEXICAL else self.snapshot.vectors.scores(vector, rows)
        lexical_scores = nothing if engine is Engine.DENSE else self.snapshot.lexical.scores(question, rows)
        return fuse(rows, dense_scores, lexical_scores, dense, lexical)

    def _hits(
        self, question: Question, candidates: Sequence[Candidate], place: tuple[int, int], *, marked: bool
    ) -> list[Hit]:
        """The hits from and before a ``place`` (from 0) of the candidates, near-duplicates folded into the best."""
        first, last = place
        vectors = self.snapshot.vectors.vectors(np.array([candidate.row for candidate in candidates], dtype=np.int64))
        stored = self.snapshot.store.passages([candidate.row for candidate in candidates])
        passages = [stored[candidate.row].passage for candidate in candidates]
        hits = []
        groups = fold_duplicates([passage.text for passage in passages], vectors)
        for rank, group in enumerate(groups[first:last], first + 1):
            passage, candidate = passages[group[0]], candidates[group[0]]
            hits.append(
                Hit(
                    rank=rank,
                    passage=passage,
                    document=self.snapshot.records[passage.document_id].record,
                    scores=Scores(
                        fused=candidate.fused,
                        dense=candidate.dense,
                        dense_rank=candidate.dense_rank,
                        lexical=candidate.lexical,
                        lexical_rank=candidate.lexical_rank,
                    ),
                    matches=self.snapshot.lexical.analyser.matches(question, passage.text) if marked else (),
                    duplicates=tuple(passages[position].id for position in group[1:]),
                )
            )
        return hits


def _both(allowed: Rows | None, rows: Rows) -> Rows:
    return rows if allowed is None else np.intersect1d(allowed, rows)


def open_searcher(settings: Settings, embedder: Embedder) -> Searcher:
    """A searcher on the build in use; raises :class:`kb.core.errors.IndexUnusableError`."""
    return Searcher(Snapshot.open(settings.index_dir), embedder, settings)


class SnapshotHolder:
    """The searcher a server answers with, always on a good build.

    ``searcher()`` is cheap: it looks at ``CURRENT`` and hands out the reference. When ``CURRENT`` names another build,
    the first to notice opens it; the others wait a little, then go on with the old. A build that cannot be opened is
    reported in ``problem`` and not tried again until ``CURRENT`` changes, unless it was the machine that refused.
    """

    def __init__(self, settings: Settings, embedder: Embedder) -> None:
        self._settings = settings
        self.embedder = embedder
        self._lock = threading.Lock()
        self._searcher: Searcher | None = None
        self._tried = ""
        self.problem: KbError | None = None

    def searcher(self) -> Searcher:
        """The searcher on the newest good build; raises :class:`IndexUnusableError` when there is none at all."""
        named = self._named()
        # Whoever asks after a publication waits for the new build: a deleted report must be gone at once. A build that
        # takes long to open does not hold questions up for longer than this; they are answered from the old one.
        if named != self._tried and self._lock.acquire(timeout=-1 if self._searcher is None else LONGEST_SWAP_WAIT):
            try:
                if named != self._tried:
                    self._swap(named)
            finally:
                self._lock.release()
        if self._searcher is None:
            raise self.problem or IndexMissingError("Der er ikke noget indeks endnu.")
        return self._searcher

    def _named(self) -> str:
        try:
            return builds.current_id(self._settings.index_dir)
        except IndexMissingError:
            return ""
        except IndexUnusableError as error:
            self.problem = error
            return self._tried

    def _swap(self, named: str) -> None:
        try:
            self._searcher = self._open(named or None)
            self.problem = None
        except IndexBusyError as error:
            self.problem = error
            if self._searcher is None:
                raise  # an older build is no answer to a machine that is busy
            return
        except IndexUnusableError as error:
            self.problem = error
            self._searcher = self._searcher or self._last_good(named)
        self._tried = named

    def _open(self, build_id: str | None) -> Searcher:
        return Searcher(Snapshot.open(self._settings.index_dir, build_id), self.embedder, self._settings)

    def _last_good(self, but: str) -> Searcher | None:
        for build_id in builds.build_ids(self._settings.index_dir):
            if build_id != but:
                try:
                    return self._open(build_id)
                except IndexUnusableError:
                    continue
        return None
