"""The kinds of challenges of ``challenges.yaml``, and which of them a text tells of (pure).

Terms are looked for in a text's words, lower case and a space apart, so that looking takes time in proportion to the
text's length and a hyphen counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from kb.core.stages import Phase
from kb.language.vocabulary import words_of

CHALLENGES_FILE = "challenges.yaml"


@dataclass(frozen=True, slots=True)
class ChallengeKind:
    """A kind of challenge: its name for readers, its phase, the question it raises, and what tells of it."""

    id: str
    label: str
    phase: Phase
    question: str
    terms: tuple[str, ...]
    planned: tuple[str, ...]
    headings: frozenset[str]


@cache
def challenge_kinds() -> tuple[ChallengeKind, ...]:
    """The kinds of the table, in the order of their phases."""
    rows = yaml.safe_load((files("kb.project_start") / CHALLENGES_FILE).read_text(encoding="utf-8"))
    return tuple(
        ChallengeKind(
            row["id"], row["label"], Phase(row["phase"]), row["question"],
            _needles(row["terms"]), _needles(row["planned"]), frozenset(row["headings"]),
        )
        for row in rows
    )  # fmt: skip


def _needles(terms: Iterable[str]) -> tuple[str, ...]:
    return tuple(term.lower().replace("_", " ") for term in terms)


def told_in(sentence: str, headings: Sequence[str] = ()) -> tuple[str, ...]:
    """The kinds that a sentence on a challenge tells of; where no term does, that of its innermost heading."""
    text = spaced(sentence)
    found = tuple(kind.id for kind in challenge_kinds() if any(term in text for term in kind.terms))
    return found or _by_heading(headings)


def _by_heading(headings: Sequence[str]) -> tuple[str, ...]:
    for heading in reversed(headings):
        found = tuple(kind.id for kind in challenge_kinds() if heading.strip().lower() in kind.headings)
        if found:
            return found
    return ()


def mentioned_in(plan: str) -> frozenset[str]:
    """The kinds that a plan mentions."""
    text = spaced(plan)
    return frozenset(
        kind.id for kind in challenge_kinds() if any(term in text for term in (*kind.terms, *kind.planned))
    )


def spaced(text: str) -> str:
    """A text's words in lower case, a space before and after each."""
    return f" {' '.join(word.lower() for word in words_of(text.replace('-', ' ')))} "
