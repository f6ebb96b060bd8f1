"""Probabilities: logistic models of few features, with coefficients fitted on the development questions.

``classifiers.toml`` holds, for each model, its bias and one weight a feature; ``benchmarks/fit_relevance.py`` writes
it. The models are small on purpose: each feature has a meaning, and a weight of the wrong sign shows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from kb.core.models import Certainty
from kb.core.tables import read_table

CLASSIFIERS_FILE = "classifiers.toml"
NAMES = ("sentence", "read", "document", "answer", "certainty")
# Of 377 answers to questions that the reader has not seen, 90 are from here on, and .93 of these show a sentence that
# answers; from .84 on .95 of 55 do.
SURE_FROM = 0.8
LIKELY_FROM = 0.6


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic model: ``threshold`` is the probability from which it says yes."""

    bias: float
    weights: Mapping[str, float]
    threshold: float

    def probability(self, features: Mapping[str, float]) -> float:
        """The probability for these features; every weighted feature must be there."""
        return probability_of(self.score(features))

    def score(self, features: Mapping[str, float]) -> float:
        """The logit."""
        total = self.bias + sum(weight * features[name] for name, weight in self.weights.items())
        return max(-30.0, min(30.0, total))


def probability_of(logit: float) -> float:
    """The probability of a logit."""
    return 1 / (1 + math.exp(-logit))


@dataclass(frozen=True, slots=True)
class Models:
    """The models: does a sentence answer by the cheap signals, and by what was read; does a document speak to the
    question; does the base answer at all; and does what is shown hold the right answer.
    """

    sentence: Logistic
    read: Logistic
    document: Logistic
    answer: Logistic
    certainty: Logistic


@cache
def models() -> Models:
    """The fitted models."""
    stored = read_table("kb.answer", CLASSIFIERS_FILE)
    return Models(*(Logistic(**stored[name]) for name in NAMES))


def certainty(probability: float) -> Certainty:
    """A probability in words."""
    if probability >= SURE_FROM:
        return Certainty.SURE
    return Certainty.LIKELY if probability >= LIKELY_FROM else Certainty.UNSURE
