"""Whether a question asks across projects or for one thing, by its words (pure).

    probability_across("Er der nogen, der har prøvet det før?")

A logistic model of the question's words and pairs of words, each once, scaled to length 1; names and numbers are
masked, as they are another base's. ``scope_weights.tsv`` has a weight a word or pair, fitted by
``benchmarks/fit_scope.py`` on questions by several hands.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise

WEIGHTS_FILE = "scope_weights.tsv"
# The row of the weights that stands for no word.
BIAS = ""
# From here on a question is for projects. From .4 on .75 of a blind hand's 40 are found and .63 of the judged ones that
# are called so are, from .5 on .65 and .71, from .6 on .53 and .77.
ACROSS_FROM = 0.5
_NAME = re.compile(r"(?<=\s)[A-ZÆØÅ]\S*")
_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"\w+|\?")
START, NAME, NUMBER = "^", "navn", "0"


def features_of(question: str) -> frozenset[str]:
    """A question's words and pairs of neighbours, the start and a question mark among them."""
    masked = _NUMBER.sub(NUMBER, _NAME.sub(NAME, question)).lower()
    words = [START, *_WORD.findall(masked)]
    return frozenset(words) | frozenset(f"{first} {second}" for first, second in pairwise(words))


@cache
def _weights() -> Mapping[str, float]:
    lines = (files("kb.answer") / WEIGHTS_FILE).read_text(encoding="utf-8").splitlines()
    return {feature: float(weight) for feature, weight in (line.split("\t") for line in lines)}


def probability_across(question: str) -> float:
    """The probability that a question is for projects and not for one thing."""
    weights = _weights()
    known = [weights[feature] for feature in sorted(features_of(question)) if feature in weights]
    logit = weights[BIAS] + sum(known) / math.sqrt(max(1, len(known)))
    return 1 / (1 + math.exp(-logit))


def asks_across(question: str) -> bool:
    """Whether a question is for projects."""
    return probability_across(question) >= ACROSS_FROM
