"""Proposes what a report is about, its themes and its area, by the words it uses (pure once the lists are loaded).

A theme is as probable as a logistic model says by how densely the report uses the theme's words (``subjects.toml``) and
whether a heading has one. The model's weights (``theme_weights.toml``) are fitted on the themes that editors gave the
shipped reports: ``python -m benchmarks.fit_themes`` writes them and prints how right it is on reports it has not seen.
An area is the one whose words the report uses most, where no other comes near.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from kb.core.fields import THEME_LABELS
from kb.core.models import Certainty, Document, page_at
from kb.proposals.proposal import Proposal

WEIGHTS_FILE = "theme_weights.toml"
FEATURES = ("density", "heading")
# From these probabilities on a theme is proposed: what is only possible is told of and not filled in.
LIKELY, POSSIBLE = 0.6, 0.4
# A report of so few words, or of so few of an area's, says too little of what it is about.
FEWEST_WORDS, FEWEST_OF_AREA = 80, 5
# A theme is proposed for so many of its words.
FEWEST_OF_THEME = 2
# How many times as often an area's words stand there as the next one's.
AHEAD = 1.5
LOOKED_AT = 200_000
_LABELLED = re.compile(r"^(?:Fagområde|Område|Sektor):\s(?P<area>[^\W\d_][\w -]{2,40})$", re.MULTILINE)
_LONGEST_QUOTE = 240


@dataclass(frozen=True, slots=True)
class Weights:
    """A theme's logistic model: its bias, and the weight of each of :data:`FEATURES`."""

    bias: float
    density: float
    heading: float

    def probability(self, features: tuple[float, float]) -> float:
        """How probable the theme is."""
        return 1 / (1 + math.exp(-(self.bias + self.density * features[0] + self.heading * features[1])))


def proposed_themes(document: Document) -> Iterator[Proposal]:
    """The themes that a Danish report is probably about, each with the paragraph that says most of it."""
    if not _is_told(document):
        return
    for theme, weights in _weights().items():
        if not is_spoken_of(document, theme):
            continue
        probability = weights.probability(features_of(document, theme))
        if probability >= POSSIBLE:
            certainty = Certainty.LIKELY if probability >= LIKELY else Certainty.UNSURE
            why = f"Rapporten bruger mange ord om {THEME_LABELS[theme].lower()}, flest her."
            yield _said(document, "temaer", theme, certainty, why, words_of_themes()[theme])


def proposed_area(document: Document) -> Proposal | None:
    """The area that a Danish report names, or whose words it uses most."""
    labelled = _LABELLED.search(document.text[:LOOKED_AT])
    if labelled:
        why = "Rapporten angiver det selv."
        return _proposal(document, "område", labelled["area"].strip().lower(), Certainty.SURE, why, labelled.span())
    if not _is_told(document):
        return None
    text = f"{document.metadata.titel}\n{document.text[:LOOKED_AT]}"
    counts = sorted(((len(words.findall(text)), area) for area, words in _areas().items()), reverse=True)
    (most, area), (next_most, _) = counts[:2]
    if most < FEWEST_OF_AREA or most < AHEAD * next_most:
        return None
    return _said(document, "område", area, Certainty.UNSURE, "Rapporten bruger flest af områdets ord.", _areas()[area])


def features_of(document: Document, theme: str) -> tuple[float, float]:
    """How densely a report uses a theme's words, the square root of words in a thousand, and whether a heading does."""
    words = words_of_themes()[theme]
    text = document.text[:LOOKED_AT]
    headings = " ".join((document.metadata.titel, *(heading.text for heading in document.headings)))
    density = len(words.findall(text)) * 1000 / max(200, len(text.split()))
    return math.sqrt(density), float(bool(words.search(headings)))


def is_spoken_of(document: Document, theme: str) -> bool:
    """Whether a report uses enough words of a theme: how often editors chose it does not make it this one's."""
    return len(words_of_themes()[theme].findall(document.text[:LOOKED_AT])) >= FEWEST_OF_THEME


def _is_told(document: Document) -> bool:
    return document.metadata.sprog in ("", "da") and len(document.text[:LOOKED_AT].split()) >= FEWEST_WORDS


def _said(
    document: Document, field: str, value: str, certainty: Certainty, why: str, words: re.Pattern[str]
) -> Proposal:
    """A proposal with the paragraph that has most of the words."""
    lines = re.finditer(r"[^\n]+", document.text[:LOOKED_AT])
    best = max(lines, key=lambda line: (len(words.findall(line.group()[:_LONGEST_QUOTE])), -line.start()))
    end = min(best.end(), best.start() + _LONGEST_QUOTE)
    return _proposal(document, field, value, certainty, why, (best.start(), end))


def _proposal(
    document: Document, field: str, value: str, certainty: Certainty, why: str, place: tuple[int, int]
) -> Proposal:
    start, end = place
    page = page_at(document.pages, start)
    number = page.number if page else None
    return Proposal(field, value, certainty, why, document.text[start:end], start, end, number)


@cache
def words_of_themes() -> Mapping[str, re.Pattern[str]]:
    """An expression for the words of each theme."""
    return {theme: _expression(entry["words"]) for theme, entry in _read("subjects.toml")["themes"].items()}


@cache
def _areas() -> Mapping[str, re.Pattern[str]]:
    return {area: _expression(entry["words"]) for area, entry in _read("subjects.toml")["areas"].items()}


@cache
def _weights() -> Mapping[str, Weights]:
    return {theme: Weights(**entry) for theme, entry in _read(WEIGHTS_FILE).items()}


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("kb.proposals").joinpath(name).read_text(encoding="utf-8"))


def _expression(words: str) -> re.Pattern[str]:
    whole = (
        re.escape(word.removesuffix("*")) + (r"\w*" if word.endswith("*") else r"(?!\w)") for word in words.split()
    )
    return re.compile(rf"(?<![\w-])(?:{'|'.join(whole)})", re.IGNORECASE)
