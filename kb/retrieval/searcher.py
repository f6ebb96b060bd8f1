"""Questions against one snapshot: analysed and embedded, ranked by both indexes, fused, and given back as hits.

    searcher = open_searcher(settings, embedder)
    searcher.search("Hvordan håndterede projekterne GDPR?", top=5).hits

A :class:`Searcher` embeds a question, asks the dense and the sparse index for candidates among the passages that its
filters allow, fuses their scores, and lets a reranker judge the best of them anew where it was given one. A question
that is searched with several times in one request is analysed once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from kb.core.errors import ModelMismatchError, QuestionError
from kb.core.models import Hit, Passage, Scores, SearchResult
from kb.core.privacy import mask
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.embedding.reader.choice import Readers, ReaderSource, WindowReader
from kb.index.places import place_of
from kb.language.analysis import Question
from kb.language.synonyms import Synonyms
from kb.retrieval.caches import Cache, Owner
from kb.retrieval.duplicates import fold_duplicates
from kb.retrieval.filters import NO_FILTERS, Filters, GivenFilters
from kb.retrieval.fusion import Candidate, fuse, union
from kb.retrieval.opening import open_snapshot
from kb.retrieval.ports import Keys, Reranker, Vectors
from kb.retrieval.reranking import reorder
from kb.retrieval.snapshot import Snapshot

# How many of each engine's best go into the fusion, at least; 200 rank no better.
CANDIDATES = 100
# Questions, analysed and embedded, and search results that are remembered; a result takes some 100 kB.
QUESTIONS_REMEMBERED = 256
RESULTS_REMEMBERED = 100
# Candidates beyond those asked for, to take the places of folded duplicates.
SPARE = 20
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")


class Engine(StrEnum):
    """Which engines rank: both fused, or one alone (for measuring)."""

    HYBRID = "hybrid"
    DENSE = "dense"
    LEXICAL = "lexical"


@dataclass(frozen=True, slots=True)
class Request:
    """What a search result depends on beside its snapshot: hits ``first`` (from 0) up to ``last`` of a question."""

    question: str
    first: int
    last: int
    filters: Filters
    engine: Engine
    marked: bool


@dataclass(frozen=True, slots=True)
class _Ranked:
    """A candidate with its passage."""

    candidate: Candidate
    passage: Passage


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


class Searcher(Owner):
    """Answers questions from one snapshot; raises :class:`ModelMismatchError` for one of another embedding model.

    ``readers`` hands out the reader model that answers are read with. Without a ``reranker`` the fused order stands.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        embedder: Embedder,
        settings: Settings,
        *,
        readers: Readers | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        super().__init__()
        if snapshot.manifest.model != embedder.fingerprint:
            raise ModelMismatchError(
                f"Indekset er lavet med modellen {snapshot.manifest.model_name}, men {embedder.name} er valgt.",
                advice=f"Kør: kb index, eller vælg modellen igen: kb model use {snapshot.manifest.model_name}",
            )
        self.snapshot = snapshot
        self.embedder = embedder
        self.settings = settings
        self._readers = readers or ReaderSource(settings)
        self._reranker = reranker
        # A page shows the answer and the hits of one question, and further pages of hits: it is analysed and embedded
        # once.
        self._questions: Cache[str, Question] = Cache(QUESTIONS_REMEMBERED)
        self._vectors: Cache[str, Vectors] = Cache(QUESTIONS_REMEMBERED)
        self._results: Cache[Request, SearchResult] = Cache(RESULTS_REMEMBERED)

    def without(self, hidden: frozenset[str]) -> Searcher:
        """A searcher on the same build with these documents hidden."""
        return self.on(self.snapshot.without(hidden))

    def on(self, snapshot: Snapshot) -> Searcher:
        """A searcher like this one on another snapshot of the same model."""
        return Searcher(snapshot, self.embedder, self.settings, readers=self._readers, reranker=self._reranker)

    def with_synonyms(self, synonyms: Synonyms) -> Searcher:
        """A searcher on the same build that analyses questions by other synonyms."""
        return self.on(self.snapshot.with_synonyms(synonyms))

    @cached_property
    def reader(self) -> WindowReader:
        """The reader in use, opened by the first answer: searching does without."""
        return self._readers.reader()

    def analyse(self, question: str | Question) -> Question:
        """A question cleaned and analysed, or as it is where that is done; raises :class:`QuestionError`."""
        if isinstance(question, Question):
            return question
        text = clean_question(question, self.settings.max_question_chars)
        return self._questions.get(text, lambda: self.snapshot.analyser.question(text))

    def vector_of(self, question: str) -> Vectors:
        """A cleaned question's vector."""
        return self._vectors.get(question, lambda: self.embedder.embed_queries([question])[0])

    def search(
        self,
        question: str | Question,
        *,
        top: int | None = None,
        offset: int = 0,
        filters: GivenFilters = NO_FILTERS,
        engine: Engine = Engine.HYBRID,
        marked: bool = True,
    ) -> SearchResult:
        """The best passages for a question; raises :class:`QuestionError` or :class:`FilterError`.

        ``question`` is as asked, or as :meth:`analyse` gave it. ``marked`` hits tell the places of the words that
        matched.
        """
        asked = self.analyse(question)
        last = offset + (top or self.settings.page_size)
        request = Request(asked.text, offset, last, Filters.of(filters), engine, marked)
        return self._results.get(request, lambda: self._search(request, asked))

    def _search(self, request: Request, question: Question) -> SearchResult:
        allowed = self.snapshot.allowed(request.filters)
        if question.quoted:
            allowed = _both(allowed, self.snapshot.sparse.containing(question.quoted))
        candidates = self._candidates(request, question, allowed)
        return SearchResult(
            question=question.text,
            build_id=self.snapshot.build_id,
            hits=tuple(self._hits(request, question, self._ranked(request, question, candidates))),
            total=len(self.snapshot.store) if allowed is None else len(allowed),
            filters=request.filters.as_dict(),
            corrections=dict(question.corrections),
            facets=self.snapshot.facets(request.filters),
        )

    def _candidates(self, request: Request, question: Question, allowed: Keys | None) -> list[Candidate]:
        """The union of each engine's best with both scores, fused."""
        dense_index, sparse_index, engine = self.snapshot.dense, self.snapshot.sparse, request.engine
        count = max(2 * request.last, CANDIDATES)
        vector = np.zeros(0, np.float32) if engine is Engine.LEXICAL else self.vector_of(question.read_as)
        dense = [] if engine is Engine.LEXICAL else dense_index.search(vector, count, allowed)
        lexical = [] if engine is Engine.DENSE else sparse_index.search(question, count, allowed)
        keys = union(dense, lexical)
        nothing = np.zeros(len(keys), dtype=np.float32)
        dense_scores = nothing if engine is Engine.LEXICAL else dense_index.scores(vector, keys)
        lexical_scores = nothing if engine is Engine.DENSE else sparse_index.scores(question, keys)
        return fuse(keys, dense_scores, lexical_scores, dense, lexical)

    def _ranked(self, request: Request, question: Question, candidates: Sequence[Candidate]) -> list[_Ranked]:
        """The candidates that the hits are taken from with their passages, reranked if there is a reranker."""
        reranker = self._reranker if request.engine is Engine.HYBRID else None
        most = request.last + SPARE
        candidates = candidates[: max(most, reranker.depth if reranker else 0)]
        stored = self.snapshot.store.passages([candidate.key for candidate in candidates])
        ranked = [_Ranked(candidate, stored[candidate.key].passage) for candidate in candidates]
        if reranker:
            judged = [one.passage for one in ranked[: reranker.depth]]
            ranked = reorder(ranked, reranker.scores(question, judged))
        return ranked[:most]

    def _hits(self, request: Request, question: Question, ranked: Sequence[_Ranked]) -> list[Hit]:
        """The requested hits, near-duplicates folded into the best of them."""
        vectors = self.snapshot.dense.vectors(np.array([one.candidate.key for one in ranked], dtype=np.int64))
        groups = fold_duplicates([one.passage.text for one in ranked], vectors)
        return [
            self._hit(request, question, rank, [ranked[place] for place in group])
            for rank, group in enumerate(groups[request.first : request.last], request.first + 1)
        ]

    def _hit(self, request: Request, question: Question, rank: int, group: Sequence[_Ranked]) -> Hit:
        """The hit that stands for a group of near-duplicates, its first."""
        passage, candidate = group[0].passage, group[0].candidate
        return Hit(
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
            matches=self.snapshot.analyser.matches(question, passage.text) if request.marked else (),
            duplicates=tuple(one.passage.id for one in group[1:]),
        )


def _both(allowed: Keys | None, keys: Keys) -> Keys:
    return keys if allowed is None else np.intersect1d(allowed, keys)


def open_searcher(settings: Settings, embedder: Embedder) -> Searcher:
    """A searcher on the build in use; raises :class:`kb.core.errors.IndexUnusableError`."""
    return Searcher(open_snapshot(place_of(settings)), embedder, settings)
