"""Ranks candidates: fuses dense and lexical scores, folds near-duplicates, and groups (pure).

*Fusion.* The best of both engines are united; each candidate has both scores, a lexical one of 0 where no term meets.
Over these candidates either score is brought to mean 0 and deviation 1, and they are added, the lexical one by
:data:`LEXICAL_WEIGHT`. Scores beat ranks here: how far a passage stands out from the rest is what tells a rare word's
one good passage from the first of many equals. An engine that tells the candidates apart by nothing adds nothing.

*Near-duplicates.* Two passages near in meaning that share most of their word triples tell the same; the better one
stands for both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import cache
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

# Chosen on the development halves of three sets; docs/decisions/search.md has the figures.
LEXICAL_WEIGHT = 0.8
# The share of the smaller passage's word triples that the larger must hold to be a near-duplicate.
DUPLICATE_OVERLAP = 0.8
# The cosine from which that is looked at: unrelated passages of a base lie at .83, near-duplicates above .92.
DUPLICATE_MEANING = 0.9
SHINGLE = 3
_WORD = re.compile(r"\w+")

Floats = NDArray[np.float32]
Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


class Candidate(NamedTuple):
    """A passage's row with its scores and ranks by engine; a rank is None where that engine did not bring it."""

    row: int
    fused: float
    dense: float
    dense_rank: int | None
    lexical: float
    lexical_rank: int | None


def union(*ranked: Sequence[tuple[int, float]]) -> NDArray[np.int64]:
    """The rows of several rankings, each once, in ascending order."""
    return np.array(sorted({row for ranking in ranked for row, _ in ranking}), dtype=np.int64)


def fuse(
    rows: NDArray[np.int64],
    dense: Floats,
    lexical: Floats,
    dense_ranked: Sequence[tuple[int, float]] = (),
    lexical_ranked: Sequence[tuple[int, float]] = (),
) -> list[Candidate]:
    """The candidates best first; ``dense`` and ``lexical`` are the scores of ``rows``, the rankings give the ranks."""
    fused = standardise(dense) + LEXICAL_WEIGHT * standardise(lexical)
    dense_ranks = {row: rank for rank, (row, _) in enumerate(dense_ranked, 1)}
    lexical_ranks = {row: rank for rank, (row, _) in enumerate(lexical_ranked, 1)}
    # Equal scores go by row, so that the order never depends on the engines.
    order = np.lexsort((rows, -fused))
    columns = (rows[order].tolist(), fused[order].tolist(), dense[order].tolist(), lexical[order].tolist())
    return [
        Candidate(row, total, by_meaning, dense_ranks.get(row), by_words, lexical_ranks.get(row))
        for row, total, by_meaning, by_words in zip(*columns, strict=True)
    ]


def standardise(scores: Floats) -> Floats:
    """The scores with mean 0 and deviation 1; all 0 where they do not differ."""
    if len(scores) == 0:
        return scores
    deviation = float(scores.std())
    if deviation < 1e-9:
        return np.zeros_like(scores)
    standard: Floats = (scores - scores.mean()) / deviation
    return standard


def fold_duplicates(texts: Sequence[str], vectors: Floats) -> list[list[int]]:
    """Positions of texts in groups of near-duplicates, best first; the first of a group stands for it.

    ``vectors`` are the texts' unit vectors, one row a text: only texts near in meaning are compared word by word.
    """
    near = vectors @ vectors.T >= DUPLICATE_MEANING

    @cache
    def shingles(position: int) -> frozenset[tuple[str, ...]]:
        return _shingles(texts[position])

    groups: dict[int, list[int]] = {}
    for position in range(len(texts)):
        better = (first for first in np.flatnonzero(near[position, :position]).tolist() if first in groups)
        same = (first for first in better if _overlap(shingles(position), shingles(first)) >= DUPLICATE_OVERLAP)
        groups.setdefault(next(same, position), []).append(position)
    return list(groups.values())


def _shingles(text: str) -> frozenset[tuple[str, ...]]:
    words = tuple(_WORD.findall(text.casefold()))
    return frozenset(zip(*(words[start:] for start in range(SHINGLE)), strict=False)) or frozenset([words])


def _overlap(first: frozenset[tuple[str, ...]], second: frozenset[tuple[str, ...]]) -> float:
    return len(first & second) / min(len(first), len(second))


def group(items: Iterable[Item], key: Callable[[Item], Key], size: int) -> list[tuple[Key, list[Item]]]:
    """Ranked items by key: groups in the order of their best item, each with its ``size`` best."""
    groups: dict[Key, list[Item]] = {}
    for item in items:
        members = groups.setdefault(key(item), [])
        if len(members) < size:
            members.append(item)
    return list(groups.items())
