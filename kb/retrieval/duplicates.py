"""Folds near-duplicates, so that a result shows each thing once (pure).

Two passages near in meaning that share most of their word triples tell the same; the better one stands for both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import numpy as np

from kb.retrieval.ports import Vectors

# The share of the smaller passage's word triples that the larger must hold to be a near-duplicate.
DUPLICATE_OVERLAP = 0.8
# The cosine from which that is looked at: unrelated passages of a base lie at .83, near-duplicates above .92.
DUPLICATE_MEANING = 0.9
SHINGLE = 3
_WORD = re.compile(r"\w+")


def fold_duplicates(texts: Sequence[str], vectors: Vectors) -> list[list[int]]:
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
