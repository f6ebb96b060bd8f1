"""How well each sentence meets a question: the figures that all judgements of an answer are made from.

For a question, the hybrid search brings candidate passages; each of their sentences is compared with the question in
meaning (its own vector, made of title, headings and sentence) and in words. Cosines of one model lie close together
and differ in level from question to question, so they are never used raw: what counts is by how many standard
deviations a cosine stands above this question's cosines with the whole base. Words count by rarity: a question's word
that few passages have weighs more than one that all have.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from kb.answer.intent import ACROSS, NUMBERS, Wanted, asks_for_role, counted, holds, is_general, wanted
from kb.answer.related_words import RelatedWords
from kb.answer.topics import narrower, stems_of
from kb.core.models import DocumentRecord, Hit, MatchKind, Passage, SearchResult
from kb.language import danish
from kb.language.analysis import Analyser, Question
from kb.language.sentences import Sentence
from kb.language.vocabulary import Vocabulary
from kb.retrieval.caches import Owned
from kb.retrieval.filters import Filters, GivenFilters
from kb.retrieval.searcher import Engine, Searcher
from kb.retrieval.snapshot import Snapshot

# How many of the search's passages are read for an answer.
PASSAGES_READ = 100
# How many passages the background of a question's cosines is taken from.
BACKGROUND_ROWS = 4096
# How many of these the level of cosines in the base is taken from.
LEVEL_ROWS = 256
# A question of whose words no sentence has this share is in other words than the reports'.
OTHER_WORDS = 0.4
PASSAGES_REMEMBERED = 20_000

# How much a term counts that meets a word of the question, by how it was found; a part of a compound by its share.
OTHER_NAME = 0.9
PART_SHARE = 0.8
NARROWER = 0.7
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


class SentenceCache:
    """A snapshot's passages with their sentences as read for answering; the least recently used give way."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._read: LRUCache[str, Read] = LRUCache(PASSAGES_REMEMBERED)
        self._lock = threading.Lock()
        self.background: Floats = snapshot.sentence_sample(BACKGROUND_ROWS)
        # How near any two sentences of the base are: a model's cosines have a level and a spread of their own.
        own = self.background[:: max(1, len(self.background) // LEVEL_ROWS)] @ self.background.T
        self.level = (float(own.mean()), max(float(own.std()), 1e-6)) if own.size else (0.0, 1.0)

    def read(self, hits: Sequence[Hit]) -> list[Read]:
        """The hits' passages, read; what was read before is not read again."""
        with self._lock:
            known = {hit.passage.id: self._read[hit.passage.id] for hit in hits if hit.passage.id in self._read}
            missing = [hit for hit in hits if hit.passage.id not in known]
            for hit, read in zip(missing, self._read_all(missing), strict=True):
                known[hit.passage.id] = self._read[hit.passage.id] = read
        return [known[hit.passage.id] for hit in hits]

    def _read_all(self, hits: Sequence[Hit]) -> Iterator[Read]:
        analyser = self._snapshot.analyser
        stored = self._snapshot.sentences_of([hit.passage.id for hit in hits])
        for hit in hits:
            ranges, vectors = stored[hit.passage.id]
            sentences = tuple(Sentence(hit.passage, start, end) for start, end in ranges)
            yield Read(
                sentences,
                tuple(_terms(analyser, sentence.text) for sentence in sentences),
                tuple(_terms(analyser, counted(sentence.text)) for sentence in sentences),
                _terms(analyser, context_of(hit.document, hit.passage)),
                _terms(analyser, facts_of(hit.document)),
                vectors,
            )


_SENTENCES = Owned(SentenceCache)


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
    parts of it, the narrower terms of the subject it names, and its weight by rarity.
    """

    whole: Mapping[str, float]
    names: tuple[tuple[str, ...], ...]
    parts: tuple[str, ...]
    rarity: float
    narrower: tuple[str, ...] = ()

    def terms(self) -> Iterator[str]:
        """Every term that tells whether the word is met."""
        yield from self.whole
        yield from self.parts
        for name in (*self.names, *map(stems_of, self.narrower)):
            yield from name

    def met(self, found: frozenset[str]) -> float:
        """How well a text of these terms meets the word: 1 as written, less by another name or in part."""
        best = max((weight for term, weight in self.whole.items() if term in found), default=0.0)
        if any(found.issuperset(name) for name in self.names):
            best = max(best, OTHER_NAME)
        if best < OTHER_NAME and self.parts:
            best = max(best, PART_SHARE * sum(part in found for part in self.parts) / len(self.parts))
        if best < NARROWER and any(found.issuperset(stems_of(term)) for term in self.narrower):
            best = NARROWER
        return best


class Words:
    """A question's words of substance by written form, and how texts meet them.

    Of a text's terms only those that some word looks for decide; they are few, so what they come to is kept.
    """

    def __init__(self, words: Mapping[str, Word]) -> None:
        self.words = words
        self._looked_for = frozenset(term for word in words.values() for term in word.terms())
        self._total = sum(word.rarity for word in words.values())
        self._met: dict[frozenset[str], dict[str, float]] = {}

    @classmethod
    def of(cls, question: Question, analyser: Analyser) -> Words:
        """Group an analysed question's terms by the word they came from.

        A name of several words that stands for several words of the question counts for each of them.
        """
        own = dict.fromkeys(term.word for term in question.terms if term.kind is MatchKind.STEM)
        stems = frozenset(danish.stem(form) for form in own)
        found = {form: _word(form, question, analyser.vocabulary) for form in own}
        return cls({form: replace(word, narrower=narrower(form, stems)) for form, word in found.items()})

    def without(self, general: Callable[[str], bool]) -> Words:
        """The words that are not general; all of them where nothing else is left."""
        left = {form: word for form, word in self.words.items() if not general(form)}
        return Words(left or self.words)

    def met(self, *texts: frozenset[str]) -> Mapping[str, float]:
        """How well texts of these terms meet each word."""
        found = frozenset().union(*(self._looked_for & text for text in texts))
        if found not in self._met:
            self._met[found] = {form: word.met(found) for form, word in self.words.items()}
        return self._met[found]

    def covered(self, *texts: frozenset[str]) -> float:
        """The share of the question, by rarity, that texts of these terms meet: 0 to 1."""
        met = self.met(*texts)
        return sum(word.rarity * met[form] for form, word in self.words.items()) / self._total if self._total else 0.0

    def met_of(self, forms: Sequence[str], *texts: frozenset[str]) -> float:
        """The mean over some of the question's words of how well they are met; 0.5 of none."""
        known = [form for form in forms if form in self.words]
        met = self.met(*texts) if known else {}
        return sum(met[form] for form in known) / len(known) if known else 0.5


def _known_part(form: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """An unknown word cut at its longest known beginning or end: a compound of which the base knows one part."""
    if vocabulary.knows(form) or not form.isalpha():
        return ()
    for length in range(len(form) - MIN_REST, MIN_KNOWN - 1, -1):
        for known, rest in ((form[:length], form[length:]), (form[-length:], form[:-length])):
            if danish.stem(known) in vocabulary.stems and known not in danish.stop_words() | danish.endings():
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
        rarity=vocabulary.rarity(count),
    )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence with its figures for a question.

    ``meaning`` is in standard deviations above the question's background, ``closeness`` above the cosine of any two
    sentences of the base; ``words_in_context`` is the share of the question that the sentence meets with its title and
    headings; ``focus`` how well the two meet the thing asked for; ``holds`` as in
    :mod:`kb.answer.intent`; ``counts`` how well a number in the sentence counts the thing asked for; ``role`` is 1
    where the passage's role is one the question names. ``related`` is how well it meets the names that reports use for
    the question's everyday words, where the question is in other words than theirs.
    """

    sentence: Sentence
    hit: Hit
    vector: Floats
    terms: frozenset[str]
    context: frozenset[str]
    facts: frozenset[str]
    meaning: float
    closeness: float
    words_in_context: float
    focus: float
    holds: float
    counts: float
    role: float
    related: float = 0.0


@dataclass(frozen=True, slots=True)
class Gathered:
    """All candidate sentences for a question, and what was found on the way; ``read_as`` is how it is read."""

    question: str
    want: Wanted
    words: Words
    hits: tuple[Hit, ...]
    candidates: tuple[Candidate, ...]
    corrections: Mapping[str, tuple[str, ...]]
    read_as: str


def gather(searcher: Searcher, question: str | Question, given: GivenFilters) -> Gathered:
    """Search, read the passages found and weigh their sentences; raises as :meth:`Searcher.search` does."""
    analysed, filters = searcher.analyse(question), Filters.of(given)
    result = searcher.search(analysed, top=PASSAGES_READ, filters=filters, marked=False)
    want = wanted(analysed.read_as)
    words = Words.of(analysed, searcher.snapshot.analyser)
    if want.kind in ACROSS:
        words = words.without(is_general)
        words = words.without(asks_for_role)
    weighing = _Weighing.of(searcher, analysed, want, words)
    hits = result.hits
    if want.kind in ACROSS:
        hits = (*hits, *_on_subject(searcher, words, result, filters))
    candidates = list(weighing.candidates(hits))
    if is_in_other_words(candidates) and not analysed.quoted:
        related = RelatedWords.of(analysed.read_as, searcher.snapshot.analyser.vocabulary)
        further = tuple(_on_related(searcher, related, result, filters))
        candidates += weighing.candidates(further)
        candidates = [replace(one, related=related.met(one.terms, one.context)) for one in candidates]
        hits = (*hits, *further)
    return Gathered(result.question, want, words, hits, tuple(candidates), result.corrections, analysed.read_as)


def is_in_other_words(candidates: Sequence[Candidate]) -> bool:
    """Whether a question is in other words than the reports'."""
    return all(one.words_in_context < OTHER_WORDS for one in candidates)


@dataclass(frozen=True, slots=True)
class _Weighing:
    """What the sentences of hits are weighed by for one question."""

    cache: SentenceCache
    vector: Floats
    centre: float
    spread: float
    want: Wanted
    words: Words

    @classmethod
    def of(cls, searcher: Searcher, analysed: Question, want: Wanted, words: Words) -> _Weighing:
        """That of an analysed question."""
        cache = _SENTENCES.of(searcher.snapshot)
        vector = searcher.vector_of(analysed.read_as)
        background = cache.background @ vector if len(cache.background) else np.zeros(1, np.float32)
        return cls(cache, vector, float(background.mean()), max(float(background.std()), 1e-6), want, words)

    def candidates(self, hits: Sequence[Hit]) -> Iterator[Candidate]:
        """The sentences of the hits with their figures."""
        for hit, read in zip(hits, self.cache.read(hits), strict=True):
            cosines = read.vectors @ self.vector
            for place in range(len(read.sentences)):
                yield self._candidate(hit, read, place, float(cosines[place]))

    def _candidate(self, hit: Hit, read: Read, place: int, cosine: float) -> Candidate:
        sentence, terms, want, words = read.sentences[place], read.terms[place], self.want, self.words
        return Candidate(
            sentence=sentence,
            hit=hit,
            vector=read.vectors[place],
            terms=terms,
            context=read.context,
            facts=read.facts,
            meaning=(cosine - self.centre) / self.spread,
            closeness=(cosine - self.cache.level[0]) / self.cache.level[1],
            words_in_context=words.covered(terms, read.context),
            focus=words.met_of(want.focus, terms, read.context),
            holds=holds(want, sentence.text),
            counts=words.met_of(want.focus, read.counted[place]) if want.kind in NUMBERS else 0.5,
            role=float(hit.passage.role in want.roles),
        )


def _on_subject(searcher: Searcher, words: Words, result: SearchResult, filters: Filters) -> Iterator[Hit]:
    """Further passages by the narrower terms of the question's subjects, ranked behind those that were found."""
    terms = dict.fromkeys(term for word in words.words.values() for term in word.narrower)
    text = " ".join(terms)[: searcher.settings.max_question_chars]
    return _further(searcher, text, result, filters) if text else iter(())


def _on_related(searcher: Searcher, related: RelatedWords, result: SearchResult, filters: Filters) -> Iterator[Hit]:
    """Further passages by the names that reports use for the question's everyday words."""
    asked = related.question(result.question)
    return _further(searcher, asked, result, filters) if asked else iter(())


def _further(searcher: Searcher, asked: str | Question, result: SearchResult, filters: Filters) -> Iterator[Hit]:
    """Passages that other words find, ranked behind those of a result."""
    found = searcher.search(asked, top=PASSAGES_READ, filters=filters, engine=Engine.LEXICAL, marked=False)
    known = {hit.passage.id for hit in result.hits}
    further = [hit for hit in found.hits if hit.scores.lexical and hit.passage.id not in known]
    fused = min((hit.scores.fused for hit in result.hits), default=0.0)
    for rank, hit in enumerate(further, len(result.hits) + 1):
        yield replace(hit, rank=rank, scores=replace(hit.scores, fused=fused))
