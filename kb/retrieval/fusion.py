"""Fuses dense and lexical scores into one ranking (pure).

The best of both engines are united; each candidate has both scores, a lexical one of 0 where no term matches. Over
these candidates either score is brought to mean 0 and deviation 1, and they are added, the lexical one by
:data:`LEXICAL_WEIGHT`. Scores beat ranks here: how far a passage stands out from the rest is what tells a rare word's
one good passage from the first of many equals. An engine that tells the candidates apart by nothing adds nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kb.retrieval.ports import Floats, Keys, Ranking

# Chosen on the development halves of three sets; docs/decisions/search.md has the measurements.
LEXICAL_WEIGHT = 0.8


class Candidate(NamedTuple):
    """A passage's key with its scores and ranks by engine; a rank is None where that engine did not bring it."""

    key: int
    fused: float
    dense: float
    dense_rank: int | None
    lexical: float
    lexical_rank: int | None


def union(*rankings: Ranking) -> Keys:
    """The keys of several rankings, each once, in ascending order."""
    return np.array(sorted({key for ranking in rankings for key, _ in ranking}), dtype=np.int64)


def fuse(
    keys: Keys, dense: Floats, lexical: Floats, dense_ranking: Ranking = (), lexical_ranking: Ranking = ()
) -> list[Candidate]:
    """The candidates best first; ``dense`` and ``lexical`` are the scores of ``keys``, the rankings give the ranks."""
    fused = standardise(dense) + LEXICAL_WEIGHT * standardise(lexical)
    dense_ranks = {key: rank for rank, (key, _) in enumerate(dense_ranking, 1)}
    lexical_ranks = {key: rank for rank, (key, _) in enumerate(lexical_ranking, 1)}
    # Equal scores go by key, so that the order never depends on the engines.
    order = np.lexsort((keys, -fused))
    columns = (keys[order].tolist(), fused[order].tolist(), dense[order].tolist(), lexical[order].tolist())
    return [
        Candidate(key, total, by_meaning, dense_ranks.get(key), by_words, lexical_ranks.get(key))
        for key, total, by_meaning, by_words in zip(*columns, strict=True)
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
