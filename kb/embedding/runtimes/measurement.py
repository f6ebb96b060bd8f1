"""Measures runtimes against the reference on a fixed set of Danish texts, in turn, under the same load.

The texts (``kb/embedding/runtimes/measurement_texts.json``) are questions as they are asked and passages of 3 to 560
tokens, among them lists, numbers, headings and neighbouring languages. Every question and every share of the passages
goes to one runtime after the other, so that whatever else the machine does meanwhile weighs on all alike. Those that 8
bits are fitted to are others.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from kb.embedding.runtimes.base import Runtime, Vectors, encode_in_batches
from kb.embedding.runtimes.choice import Measured, Name
from kb.embedding.runtimes.tokenization import Tokens

TEXTS_FILE = "measurement_texts.json"
# The passages are embedded in this many shares, each with short and long ones.
SHARES = 3
# So many questions are embedded alone as well as among the others.
ALONE = 15


@dataclass(frozen=True, slots=True)
class Texts:
    """Questions and passages to measure on, or to fit to."""

    questions: Sequence[str]
    passages: Sequence[str]


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What the model wants in front of questions and of passages."""

    question: str
    passage: str


def shipped_texts() -> Texts:
    """The set to measure on that comes with the product."""
    return _texts(_shipped())


def fitting_texts() -> Texts:
    """The set to fit 8 bits to that comes with the product."""
    return _texts(_shipped()["fitting"])


def _shipped() -> dict[str, Any]:
    values: dict[str, Any] = json.loads(
        resources.files("kb.embedding.runtimes").joinpath(TEXTS_FILE).read_text(encoding="utf-8")
    )
    return values


def _texts(values: Mapping[str, Any]) -> Texts:
    return Texts(values["questions"], values["passages"])


def measure(runtimes: Mapping[Name, Runtime], texts: Texts, prefixes: Prefixes, tokens: Tokens) -> tuple[Measured, ...]:
    """The measurements of each runtime; :data:`Name.REFERENCE` must be among them."""
    alone, among, passages = _Timed(runtimes, tokens), _Timed(runtimes, tokens), _Timed(runtimes, tokens)
    for runtime in runtimes.values():
        encode_in_batches(runtime, texts.questions[:1], prefixes.question, tokens)  # loads it
        encode_in_batches(runtime, texts.passages[:SHARES], prefixes.passage, tokens)
    for question in texts.questions[:ALONE]:
        alone.encode([question], prefixes.question)
    among.encode(texts.questions, prefixes.question)
    for share in range(SHARES):
        passages.encode(texts.passages[share::SHARES], prefixes.passage)
    return tuple(
        Measured(
            runtime=name,
            question_cosine=_least_cosine(among.vectors(name), among.vectors(Name.REFERENCE)),
            passage_cosine=_least_cosine(passages.vectors(name), passages.vectors(Name.REFERENCE)),
            sway=float(np.abs(alone.vectors(name) - among.vectors(name)[:ALONE]).max()),
            question_ms=round(1000 * float(np.median(alone.seconds[name])), 2),
            passages_per_second=round(len(texts.passages) / sum(passages.seconds[name]), 2),
        )
        for name in runtimes
    )


class _Timed:
    """Gives the same texts to all runtimes in turn and keeps the vectors of each and how long it took."""

    def __init__(self, runtimes: Mapping[Name, Runtime], tokens: Tokens) -> None:
        self._runtimes = runtimes
        self._tokens = tokens
        self._vectors: dict[Name, list[Vectors]] = {name: [] for name in runtimes}
        self.seconds: dict[Name, list[float]] = {name: [] for name in runtimes}

    def encode(self, texts: Sequence[str], prefix: str) -> None:
        for name, runtime in self._runtimes.items():
            begun = time.perf_counter()
            self._vectors[name].append(encode_in_batches(runtime, texts, prefix, self._tokens))
            self.seconds[name].append(time.perf_counter() - begun)

    def vectors(self, name: Name) -> Vectors:
        return np.concatenate(self._vectors[name])


def _least_cosine(vectors: Vectors, reference: Vectors) -> float:
    return float((vectors * reference).sum(axis=1).min())
