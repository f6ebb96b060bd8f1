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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from kb import builds, danish
from kb.analysis import Analyser, Question
from kb.answer.questions import ACROSS, NUMBERS, Wanted, counted, holds, is_general, wanted
from kb.errors import IndexDamagedError
from kb.models import DocumentRecord, Hit, MatchKind, Passage
from kb.search import Searcher, Snapshot
from kb.sentences import Sentence
from kb.vectors import VectorIndex
from kb.vocabulary import Vocabulary

# How many of the search's passages are read for an answer.
PASSAGES_READ = 100
# How many passages the background of a question's cosines is taken from.
BACKGROUND_ROWS = 4096
KEPT_PASSAGES = 20_000

# How much a term counts that meets a word of the question, by how it was found; a part of a compound by its share.
OTHER_NAME = 0.9
PART_SHARE = 0.8
# An unknown word is taken for a compound when this many of its letters are a known word and this many are left.
MIN_KNOWN = 5
MIN_REST = 3
KINDS = {MatchKind.STEM: 1.0, MatchKind.CORRECTED: OTHER_NAME, MatchKind.SYNONYM: OTHER_NAME}

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Read:
    """A passage read for answering: its sentences, each one's terms and those its numbers count; context's, facts'."""

    sentences: tuple[Sentence, ...]
    terms: tuple[frozenset[str], ...]
    counted: tuple[frozenset[str], ...]
    context: frozenset[str]
    facts: frozenset[str]
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
                tuple(_terms(self._analyser, counted(sentence.text)) for sentence in sentences),
                _terms(self._analyser, context_of(hit.document, hit.passage)),
                _terms(self._analyser, facts_of(hit.document)),
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


def facts_of(document: DocumentRecord) -> str:
    """What else metadata say of a document as a whole: themes, area, type, year and status."""
    metadata = document.metadata
    return " \n".join([*metadata.temaer, metadata.område, metadata.type, str(metadata.år or ""), metadata.status])


def _terms(analyser: Analyser, text: str) -> frozenset[str]:
    found = analyser.index_terms(text)
    return frozenset((*found.stems, *found.parts))


@dataclass(frozen=True, slots=True)
class Word:
    """One word of substance of a question: the terms that are it or another name of it, names of several words, the
    parts of it, and its weight by rarity.
    """

    whole: Mapping[str, float]
    names: tuple[tuple[str, ...], ...]
    parts: tuple[str, ...]
    rarity: float

    def met(self, *texts: frozenset[str]) -> float:
        """How well texts of these terms meet the word: 1 as written, less by another name or in part."""

        def has(term: str) -> bool:
            return any(term in text for text in texts)

        best = max((weight for term, weight in self.whole.items() if has(term)), default=0.0)
        if any(all(has(term) for term in name) for name in self.names):
            best = max(best, OTHER_NAME)
        if best < OTHER_NAME and self.parts:
            best = max(best, PART_SHARE * sum(map(has, self.parts)) / len(self.parts))
        return best


@dataclass(frozen=True, slots=True)
class Words:
    """A question's words of substance by written form."""

    words: Mapping[str, Word]

    @classmethod
    def of(cls, question: Question, analyser: Analyser) -> Words:
        """Group an analysed question's terms by the word they came from.

        A name of several words that stands for several words of the question counts for each of them.
        """
        own = dict.fromkeys(term.word for term in question.terms if term.kind is MatchKind.STEM)
        return cls({form: _word(form, question, analyser.vocabulary) for form in own})

    def without(self, general: Callable[[str], bool]) -> Words:
        """The words that are not general; all of them where nothing else is left."""
        left = {form: word for form, word in self.words.items() if not general(form)}
        return Words(left or self.words)

    def covered(self, *texts: frozenset[str]) -> float:
        """The share of the question, by rarity, that texts of these terms meet: 0 to 1."""
        total = sum(word.rarity for word in self.words.values())
        return sum(word.rarity * word.met(*texts) for word in self.words.values()) / total if total else 0.0

    def met(self, forms: Sequence[str], *texts: frozenset[str]) -> float:
        """The mean over some of the question's words of how well they are met; 0.5 of none."""
        known = [self.words[form] for form in forms if form in self.words]
        return sum(word.met(*texts) for word in known) / len(known) if known else 0.5


def _known_part(form: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """An unknown word cut at its longest known beginning or end: a compound of which the base knows one part."""
    if vocabulary.knows(form) or not form.isalpha():
        return ()
    for length in range(len(form) - MIN_REST, MIN_KNOWN - 1, -1):
        for known, rest in ((form[:length], form[length:]), (form[-length:], form[:-length])):
            if known in vocabulary.frequencies and known not in danish.stop_words() | danish.endings():
                return danish.stem(known), danish.stem(rest)
    return ()


def _word(form: str, question: Question, vocabulary: Vocabulary) -> Word:
    terms = [term for term in question.terms if form in term.word.split()]
    parts = tuple(term.term for term in terms if term.kind is MatchKind.COMPOUND)
    known = (vocabulary.stems.get(term.term, 0) for term in terms if term.kind is not MatchKind.COMPOUND)
    count = min(max(known, default=0), vocabulary.passages)
    return Word(
        whole={term.term: KINDS[term.kind] for term in terms if term.kind in KINDS},
        names=tuple(
            tuple(danish.stem(word) for word in phrase.words)
            for phrase in question.phrases
            if form in phrase.word.split()
        ),
        parts=parts or _known_part(form, vocabulary),
        rarity=math.log(1 + (vocabulary.passages - count + 0.5) / (count + 0.5)),
    )


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence with its figures for a question.

    ``meaning`` and ``passage_meaning`` are in standard deviations above the question's background; ``words`` is the
    share of the question that the sentence meets, ``words_in_context`` with title and headings, ``words_in_passage``
    with the whole passage too; ``focus`` how well the sentence (with context: ``focus_in_context``) meets the thing
    asked for; ``holds`` as in :mod:`kb.answer.questions`; ``counts`` how well a number in the sentence counts the thing
    asked for; ``role`` is 1 where the passage's role is one the question names.
    """

    sentence: Sentence
    hit: Hit
    vector: Floats
    terms: frozenset[str]
    context: frozenset[str]
    facts: frozenset[str]
    meaning: float
    passage_meaning: float
    words: float
    words_in_context: float
    words_in_passage: float
    focus: float
    focus_in_context: float
    holds: float
    counts: float
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
    if want.kind in ACROSS:
        words = words.without(is_general)
    vector = searcher.vector_of(result.question)
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
                    context=read.context,
                    facts=read.facts,
                    meaning=float(cosines[place]),
                    passage_meaning=((hit.scores.dense or centre) - centre) / spread,
                    words=words.covered(terms),
                    words_in_context=words.covered(terms, read.context),
                    words_in_passage=words.covered(terms, read.context, passage_terms),
                    focus=words.met(want.focus, terms),
                    focus_in_context=words.met(want.focus, terms, read.context),
                    holds=holds(want, sentence.text),
                    counts=words.met(want.focus, read.counted[place]) if want.kind in NUMBERS else 0.5,
                    role=float(hit.passage.role in want.roles),
                )
            )
    return Gathered(result.question, want, words, result.hits, tuple(evidence), result.corrections)
