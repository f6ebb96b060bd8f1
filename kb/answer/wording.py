"""What a question asks for by its wording: facts to compare, or nothing that can be looked up (pure).

    fact_asked("Har nogen droppet et projekt?")         # ("status=stoppet",)
    probability_vague("Hvem bruger løsningen i dag?")   # .9

Two logistic models of the same features: the question's words, pairs of words and parts of words of three to five
letters, each once, hashed into :data:`BUCKETS` and scaled to length 1. Names and numbers are masked, as they are
another base's. ``wording_weights.tsv`` has a row of weights a bucket, fitted by ``benchmarks/fit_wording.py`` on
questions by several hands.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from kb.answer.scope import features_of

WEIGHTS_FILE = "wording_weights.tsv"
BUCKETS = 4096
SHORTEST_PART, LONGEST_PART = 3, 5
VAGUE, NO_FACT, CONTACT = "vague", "none", "contact"
# A fact asked for in a way that no model of wordings can take apart: what is denied.
DENIED = "denied"
# From here on a question is too vague, or asks for a fact. The figures of both by unseen hands are in
# docs/decisions/answers.md.
VAGUE_FROM = 0.7
FACT_FROM = 0.55
# A value of a fact is asked for from this share of the fact's probability on.
VALUE_FROM = 0.75
# Where a question names several values of one fact, those count that are this probable beside the most probable one.
BESIDE = 0.5
_SEVERAL = re.compile(r"\b(?:og|eller|både|enten)\b", re.IGNORECASE)


def buckets_of(question: str) -> NDArray[np.int64]:
    """The buckets of a question's features, each once, in order."""
    return np.unique([zlib.crc32(feature.encode()) % BUCKETS for feature in _features(question)])


def _features(question: str) -> Iterator[str]:
    for feature in features_of(question):
        yield feature
        if " " not in feature:
            padded = f" {feature} "
            for length in range(SHORTEST_PART, LONGEST_PART + 1):
                yield from (f"~{padded[at : at + length]}" for at in range(len(padded) - length + 1))


@dataclass(frozen=True)
class Weights:
    """``rows`` (buckets, labels) and ``bias`` (labels); ``labels`` begin with :data:`VAGUE`, the others are facts'."""

    labels: tuple[str, ...]
    rows: NDArray[np.float64]
    bias: NDArray[np.float64]

    def logits(self, question: str) -> NDArray[np.float64]:
        """A logit a label."""
        buckets = buckets_of(question)
        found: NDArray[np.float64] = self.bias + self.rows[buckets].sum(axis=0) / np.sqrt(max(1, len(buckets)))
        return found


@cache
def packaged() -> Weights:
    """The weights that the package carries."""
    heading, bias, *lines = (files("kb.answer") / WEIGHTS_FILE).read_text(encoding="utf-8").splitlines()
    labels = tuple(heading.split("\t")[1:])
    rows = np.zeros((BUCKETS, len(labels)))
    for line in lines:
        bucket, *values = line.split("\t")
        rows[int(bucket)] = [float(value) for value in values]
    return Weights(labels, rows, np.array([float(value) for value in bias.split("\t")[1:]]))


def probability_vague(question: str) -> float:
    """The probability that a question points at something that it does not name."""
    return float(1 / (1 + np.exp(-packaged().logits(question)[0])))


def fact_asked(question: str) -> tuple[str, ...]:
    """The values of one fact that a question asks for ("status=drift", "status=test"); none where it asks for more."""
    weights = packaged()
    logits = weights.logits(question)[1:]
    shares = np.exp(logits - logits.max())
    return values_of(question, weights.labels[1:], shares / shares.sum())


def asks_whom_to_contact(question: str) -> bool:
    """Whether a question asks whom to turn to."""
    return fact_asked(question) == (CONTACT,)


def values_of(question: str, labels: Sequence[str], probabilities: NDArray[np.float64]) -> tuple[str, ...]:
    """The values of the most probable fact, where it is probable enough; several where the question names several."""
    by_fact: dict[str, float] = {}
    for label, probability in zip(labels, probabilities, strict=True):
        fact = label.partition("=")[0]
        by_fact[fact] = by_fact.get(fact, 0.0) + float(probability)
    best = max(by_fact, key=lambda fact: (fact not in (NO_FACT, DENIED), by_fact[fact]))
    if best in (NO_FACT, DENIED) or by_fact[best] < FACT_FROM:
        return ()
    own = {label: float(p) for label, p in zip(labels, probabilities, strict=True) if label.partition("=")[0] == best}
    if _SEVERAL.search(question):
        least = BESIDE
    elif max(own.values()) >= VALUE_FROM * by_fact[best]:
        least = 1.0
    else:
        return ()
    return tuple(label for label, p in own.items() if p >= least * max(own.values()))
