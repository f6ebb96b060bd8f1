"""From evidence to judgements: which sentences answer, which documents and projects speak to the question, and whether
anything answers at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb.answer.evidence import Evidence, Gathered
from kb.answer.relevance import model
from kb.models import DocumentRecord

# A sentence whose words the chosen ones have at this share says nothing new.
SAME_WORDS = 0.8
SAME_MEANING = 0.965
MAX_SENTENCES = 5
MIN_SENTENCES = 2


@dataclass(frozen=True, slots=True)
class Judged:
    """A sentence's evidence with the probability that it answers."""

    evidence: Evidence
    probability: float


@dataclass(frozen=True, slots=True)
class JudgedDocument:
    """A document with the probability that it speaks to the question, and its sentences, best first."""

    document: DocumentRecord
    probability: float
    sentences: tuple[Judged, ...]


def sentence_figures(evidence: Evidence) -> dict[str, float]:
    """What the sentence model looks at."""
    return {
        "meaning": evidence.meaning,
        "passage_meaning": evidence.passage_meaning,
        "words": evidence.words,
        "words_in_context": evidence.words_in_context,
        "words_in_passage": evidence.words_in_passage,
        "holds": evidence.holds,
        "unit": evidence.unit,
        "role": evidence.role,
    }


def judge_sentences(gathered: Gathered) -> list[Judged]:
    """Every sentence with its probability, best first; equal ones by place."""
    sentence_model = model("sentence")
    judged = [Judged(e, sentence_model.probability(sentence_figures(e))) for e in gathered.evidence]
    return sorted(judged, key=_order)


def _order(judged: Judged) -> tuple[float, str, int]:
    sentence = judged.evidence.sentence
    return -judged.probability, sentence.passage.document_id, sentence.start


def document_figures(gathered: Gathered, sentences: Sequence[Judged]) -> dict[str, float]:
    """What the model of a document looks at; ``sentences`` are the document's, at least one."""
    terms = frozenset().union(*(judged.evidence.terms for judged in sentences))
    return {
        "meaning": max(judged.evidence.meaning for judged in sentences),
        "words": max(judged.evidence.words_in_context for judged in sentences),
        "words_in_document": gathered.words.covered(terms),
        "best": sentences[0].probability,
    }


def judge_documents(gathered: Gathered, judged: Sequence[Judged]) -> list[JudgedDocument]:
    """Every document that has a sentence among the judged, most probable first."""
    by_document: dict[str, list[Judged]] = {}
    for sentence in judged:
        by_document.setdefault(sentence.evidence.hit.document.id, []).append(sentence)
    document_model = model("project")
    found = [
        JudgedDocument(
            sentences[0].evidence.hit.document,
            document_model.probability(document_figures(gathered, sentences)),
            tuple(sentences),
        )
        for sentences in by_document.values()
    ]
    return sorted(found, key=lambda document: (-document.probability, document.document.id))


def answer_figures(gathered: Gathered, judged: Sequence[Judged]) -> dict[str, float]:
    """What the model of "does anything answer" looks at."""
    return {
        "meaning": max((sentence.evidence.meaning for sentence in judged), default=-5.0),
        "words": max((sentence.evidence.words_in_context for sentence in judged), default=0.0),
        "best": judged[0].probability if judged else 0.0,
    }


def choose(judged: Sequence[Judged]) -> list[Judged]:
    """Two to five sentences: the most probable ones that repeat none before them."""
    threshold = model("sentence").threshold
    chosen: list[Judged] = []
    for candidate in judged:
        if len(chosen) >= MAX_SENTENCES:
            break
        if len(chosen) >= MIN_SENTENCES and candidate.probability < threshold:
            break
        if not candidate.evidence.sentence.passage.inferred and not any(repeats(candidate, one) for one in chosen):
            chosen.append(candidate)
    return chosen


def repeats(candidate: Judged, chosen: Judged) -> bool:
    """Whether a sentence says what a chosen one says already."""
    one, other = candidate.evidence, chosen.evidence
    if float(one.vector @ other.vector) >= SAME_MEANING:
        return True
    return bool(one.terms) and len(one.terms & other.terms) / len(one.terms) >= SAME_WORDS


def probabilities(documents: Sequence[JudgedDocument]) -> Mapping[str, float]:
    """Probability by document id."""
    return {document.document.id: document.probability for document in documents}
