"""How well each sentence meets a question: the figures that all judgements of an answer are made from.

For a question, the hybrid search brings candidate passages; each of their sentences is compared with the question in
meaning (its own vector, made of title, headings and sentence) and in words. Cosines of one model lie close together
and differ in level from question to question, so they are never used raw: what counts is by how many standard
deviations a cosine stands above this question's cosines with the whole base. Words count by rarity: a question's word
that few passages have weighs more than one that all have.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from kb import builds, danish
from kb.analysis import Analyser, Question
from kb.answer.questions import Wanted, counts_unit, holds, wanted
from kb.errors import IndexDamagedError
from kb.models import DocumentRecord, Hit, Passage
from kb.search import Searcher, Snapshot
from kb.sentences import Sentence
from kb.vectors import VectorIndex

# How many of the search's passages are read for an answer.
PASSAGES_READ = 100
# How many passages the background of a question's cosines is taken from.
BACKGROUND_ROWS = 4096
KEPT_PASSAGES = 20_000

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Read:
    """A passage read for answering: its sentences, each one's index terms, and the terms of title and headings."""

    sentences: tuple[Sentence, ...]
    terms: tuple[frozenset[str], ...]
    context: frozenset[str]
    vectors: Floats


class Bank:
    """One snapshot's passages as read for answering, kept while the snapshot lives."""

    def __init__(self, snapshot: Snapshot) -> None:
        file = snapshot.folder / builds.SENTENCES_FILE
        if not file.is_file():
            raise IndexDamagedError("Indekset er lavet uden sætninger at svare med.", advice="Kør: kb index --full")
        self._vectors = VectorIndex(file)
        self._store = snapshot.store
        self._analyser = snapshot.lexical.analyser
        self._read: OrderedDict[str, Read] = OrderedDict()
        self._lock = threading.Lock()
        step = max(1, len(self._vectors) // BACKGROUND_ROWS)
        self.background: Floats = self._vectors.vectors(np.arange(0, len(self._vectors), step, dtype=np.int64))

    def read(self, hits: Sequence[Hit]) -> list[Read]:
        """The hits' passages, read; what was read before is not read again."""
        with self._lock:
            missing = [hit for hit in hits if hit.passage.id not in self._read]
            for hit, read in zip(missing, self._read_all(missing), strict=True):
                self._read[hit.passage.id] = read
            found = [self._read[hit.passage.id] for hit in hits]
            for hit in hits:
                self._read.move_to_end(hit.passage.id)
            while len(self._read) > KEPT_PASSAGES:
                self._read.popitem(last=False)
        return found

    def _read_all(self, hits: Sequence[Hit]) -> Iterator[Read]:
        stored = self._store.sentences_of_passages([hit.passage.id for hit in hits])
        for hit in hits:
            rows = np.array([one.row for one in stored[hit.passage.id]], dtype=np.int64)
            sentences = tuple(Sentence(hit.passage, one.start, one.end) for one in stored[hit.passage.id])
            yield Read(
                sentences,
                tuple(_terms(self._analyser, sentence.text) for sentence in sentences),
                _terms(self._analyser, context_of(hit.document, hit.passage)),
                self._vectors.vectors(rows),
            )


_banks: WeakKeyDictionary[Snapshot, Bank] = WeakKeyDictionary()
_banks_lock = threading.Lock()


def bank_of(searcher: Searcher) -> Bank:
    """The bank of a searcher's snapshot."""
    with _banks_lock:
        if searcher.snapshot not in _banks:
            _banks[searcher.snapshot] = Bank(searcher.snapshot)
        return _banks[searcher.snapshot]


def context_of(document: DocumentRecord, passage: Passage) -> str:
    """What a sentence is understood by: its document's title, project, authority and subject, and its headings."""
    metadata = document.metadata
    return " \n".join([metadata.titel, metadata.projekt, metadata.myndighed, metadata.emne, *passage.heading_path])


def _terms(analyser: Analyser, text: str) -> frozenset[str]:
    found = analyser.index_terms(text)
    return frozenset((*found.stems, *found.parts))


@dataclass(frozen=True, slots=True)
class Words:
    """A question's words of substance: for each the terms that meet it with their weights, and its weight by rarity."""

    terms: Mapping[str, tuple[tuple[str, float], ...]]
    rarity: Mapping[str, float]

    @classmethod
    def of(cls, question: Question, analyser: Analyser) -> Words:
        """Group an analysed question's terms by the word they came from."""
        terms: dict[str, list[tuple[str, float]]] = {}
        for term in question.terms:
            terms.setdefault(term.word, []).append((term.term, term.weight))
        vocabulary = analyser.vocabulary
        rarity = {}
        for word in terms:
            count = min(vocabulary.stems.get(danish.stem(word), 0), vocabulary.passages)
            rarity[word] = math.log(1 + (vocabulary.passages - count + 0.5) / (count + 0.5))
        return cls({word: tuple(found) for word, found in terms.items()}, rarity)

    def covered(self, *texts: frozenset[str]) -> float:
        """The share of the question, by rarity, that texts of these terms meet: 0 to 1."""
        total = sum(self.rarity.values())
        if not total:
            return 0.0
        met = sum(self.rarity[word] * self.met(word, *texts) for word in self.terms)
        return met / total

    def met(self, word: str, *texts: frozenset[str]) -> float:
        """How well the texts meet one word: the weight of the best term they have of it."""
        return max((weight for term, weight in self.terms[word] if any(term in text for text in texts)), default=0.0)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence with its figures for a question.

    ``meaning`` and ``passage_meaning`` are in standard deviations above the question's background; ``words`` is the
    share of the question that the sentence meets, ``words_in_context`` with title and headings, ``words_in_passage``
    with the whole passage too; ``holds`` and ``unit`` as in :mod:`kb.answer.questions`; ``role`` is 1 where the
    passage's role is one the question names.
    """

    sentence: Sentence
    hit: Hit
    vector: Floats
    terms: frozenset[str]
    meaning: float
    passage_meaning: float
    words: float
    words_in_context: float
    words_in_passage: float
    holds: float
    unit: float
    role: float


@dataclass(frozen=True, slots=True)
class Gathered:
    """All evidence for a question, and what was found on the way."""

    question: str
    want: Wanted
    words: Words
    hits: tuple[Hit, ...]
    evidence: tuple[Evidence, ...]
    corrections: Mapping[str, tuple[str, ...]]


def gather(searcher: Searcher, question: str, filters: Mapping[str, Sequence[str]]) -> Gathered:
    """Search, read the passages found and weigh their sentences; raises as :meth:`Searcher.search` does."""
    result = searcher.search(question, top=PASSAGES_READ, filters=filters)
    analyser = searcher.snapshot.lexical.analyser
    bank = bank_of(searcher)
    want = wanted(result.question)
    words = Words.of(analyser.question(result.question), analyser)
    vector = searcher.embedder.embed_queries([result.question])[0]
    background = bank.background @ vector if len(bank.background) else np.zeros(1, np.float32)
    centre, spread = float(background.mean()), max(float(background.std()), 1e-6)
    evidence: list[Evidence] = []
    for hit, read in zip(result.hits, bank.read(result.hits), strict=True):
        passage_terms = frozenset().union(*read.terms)
        cosines = (read.vectors @ vector - centre) / spread
        for place, sentence in enumerate(read.sentences):
            terms = read.terms[place]
            evidence.append(
                Evidence(
                    sentence=sentence,
                    hit=hit,
                    vector=read.vectors[place],
                    terms=terms,
                    meaning=float(cosines[place]),
                    passage_meaning=((hit.scores.dense or centre) - centre) / spread,
                    words=words.covered(terms),
                    words_in_context=words.covered(terms, read.context),
                    words_in_passage=words.covered(terms, read.context, passage_terms),
                    holds=holds(want, sentence.text),
                    unit=counts_unit(want, sentence.text),
                    role=float(hit.passage.role in want.roles),
                )
            )
    return Gathered(result.question, want, words, result.hits, tuple(evidence), result.corrections)
