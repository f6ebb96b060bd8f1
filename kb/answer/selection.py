"""Judges candidate sentences: which answer, which documents and projects speak to the question, and whether anything
answers at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kb.answer.classifiers import Models, probability_of
from kb.answer.features import Candidate, Gathered
from kb.answer.intent import ACROSS, numbers_in
from kb.answer.shortening import announces
from kb.core.models import DocumentRecord

# A sentence whose words the chosen ones have at this share says nothing new.
SAME_WORDS = 0.8
SAME_MEANING = 0.965
MAX_SENTENCES = 5
# A further sentence is shown while its probability is at least this share of the best one's. On the development
# questions .3 shows 2.4 sentences, an answering one among the first three of .756; .15 shows 3.3 and .769.
SENTENCE_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate sentence with the probability that it answers, and its logit.

    Of a sentence that was read, ``window`` and ``reads`` are the reader's logits that its window answers and that it
    does, ``about`` the four about whom it speaks (:class:`kb.embedding.reader.model.Reading`).
    """

    candidate: Candidate
    logit: float
    probability: float
    window: float = 0.0
    reads: float = 0.0
    about: tuple[float, ...] = ()

    @property
    def about_many(self) -> float:
        """The probability that it speaks of many projects or all; 0 where it was not read."""
        if not self.about:
            return 0.0
        weights = [math.exp(logit - max(self.about)) for logit in self.about]
        return weights[2] / sum(weights)


@dataclass(frozen=True, slots=True)
class JudgedDocument:
    """A document with the probability that it speaks to the question, and its sentences, best first."""

    document: DocumentRecord
    probability: float
    sentences: tuple[Judged, ...]


def sentence_features(candidate: Candidate) -> dict[str, float]:
    """What the sentence model looks at."""
    return {
        "meaning": candidate.meaning,
        "words_in_context": candidate.words_in_context,
        "focus": candidate.focus,
        "holds": candidate.holds,
        "counts": candidate.counts,
        "role": candidate.role,
        "rank": math.log(candidate.hit.rank),
    }


def read_features(judged: Judged) -> dict[str, float]:
    """What the model of sentences that were read looks at; ``judged`` has the logit of the cheap signals."""
    return {
        "logit": judged.logit,
        "reads": judged.reads,
    }


def judge_read(read: Sequence[Judged], models: Models) -> list[Judged]:
    """The sentences that were read with their probability by all signals together, best first."""
    judged = []
    for one in read:
        logit = models.read.score(read_features(one))
        judged.append(replace(one, logit=logit, probability=probability_of(logit)))
    return sorted(judged, key=_order)


def judge_sentences(gathered: Gathered, models: Models) -> list[Judged]:
    """Every sentence with its probability by the cheap signals, best first; equal ones by place."""
    judged = []
    for candidate in gathered.candidates:
        logit = models.sentence.score(sentence_features(candidate))
        judged.append(Judged(candidate, logit, probability_of(logit)))
    return sorted(judged, key=_order)


def _order(judged: Judged) -> tuple[float, str, int]:
    sentence = judged.candidate.sentence
    return -judged.logit, sentence.passage.document_id, sentence.start


def document_features(gathered: Gathered, sentences: Sequence[Judged], best: Judged) -> dict[str, float]:
    """What the document model looks at; ``sentences`` are the document's, best first, ``best`` is of all documents.

    A question across projects may be met by many documents, any other by few: only for the latter does it count
    against a document that another one is better.
    """
    across = float(gathered.want.kind in ACROSS)
    behind = best.logit - sentences[0].logit
    return {
        "logit": sentences[0].logit,
        "behind": behind * (1 - across),
        "behind_across": behind * across,
        "across": across,
        "meaning": max(judged.candidate.meaning for judged in sentences),
        "words_in_document": _words_in_document(gathered, sentences),
    }


def _words_in_document(gathered: Gathered, sentences: Sequence[Judged]) -> float:
    """The share of the question that a document meets, its metadata and headings included."""
    return gathered.words.covered(_document_terms(sentences))


def _document_terms(sentences: Sequence[Judged]) -> frozenset[str]:
    """The terms of a document's sentences, headings and metadata."""
    texts = (text for one in sentences for text in (one.candidate.terms, one.candidate.context, one.candidate.facts))
    return frozenset().union(*texts)


def judge_documents(gathered: Gathered, judged: Sequence[Judged], models: Models) -> list[JudgedDocument]:
    """Every document that has a sentence among the judged, most probable first."""
    by_document: dict[str, list[Judged]] = {}
    for sentence in judged:
        by_document.setdefault(sentence.candidate.hit.document.id, []).append(sentence)
    found = []
    for sentences in by_document.values():
        features = document_features(gathered, sentences, judged[0])
        document = sentences[0].candidate.hit.document
        found.append(JudgedDocument(document, models.document.probability(features), tuple(sentences)))
    return sorted(found, key=lambda document: (-document.probability, document.document.id))


def answer_features(judged: Sequence[Judged]) -> dict[str, float]:
    """What the model of "does anything answer" looks at; ``judged`` is not empty.

    ``window`` is the reader's best window. Over three sets of questions, each judged by what was fitted on the others,
    it alone has a log loss of .477; with the best sentence's logit by all signals, whether one number, date or name is
    asked for, whether yes or no, and whether across projects, .489.
    """
    return {"window": max(one.window for one in judged)}


def certainty_features(answers: float, sentence: float) -> dict[str, float]:
    """What the model of "is this right" looks at: the logit that the base answers, and that the sentence does."""
    return {"answers": answers, "sentence": sentence}


def choose(judged: Sequence[Judged]) -> list[Judged]:
    """One to five sentences: the most probable ones that repeat none before them and are not the collector's own.

    One that only announces is shown where nothing else is there.
    """
    own = [one for one in judged if not one.candidate.sentence.passage.inferred]
    own = [one for one in own if not announces(one.candidate.sentence.text)] or own
    chosen: list[Judged] = []
    for further in own:
        if len(chosen) >= MAX_SENTENCES or further.probability < SENTENCE_SHARE * own[0].probability:
            break
        if not any(repeats(further, one) for one in chosen):
            chosen.append(further)
    return chosen


def repeats(further: Judged, chosen: Judged) -> bool:
    """Whether a sentence says what a chosen one says already; not where it gives a number that the chosen one lacks."""
    one, other = further.candidate, chosen.candidate
    if numbers_in(one.sentence.text) - numbers_in(other.sentence.text):
        return False
    if float(one.vector @ other.vector) >= SAME_MEANING:
        return True
    return bool(one.terms) and len(one.terms & other.terms) / len(one.terms) >= SAME_WORDS
