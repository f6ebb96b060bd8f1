"""Measures of ranked lists (pure): ``ranked`` is ids best first, ``judged`` maps relevant ids to their grades (> 0)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence


def ndcg(ranked: Sequence[str], judged: Mapping[str, int], depth: int = 10) -> float:
    """Normalised discounted cumulative gain with linear gains, as trec_eval computes it."""
    gain = sum(judged.get(id_, 0) / math.log2(place + 1) for place, id_ in enumerate(ranked[:depth], 1))
    best = sorted(judged.values(), reverse=True)[:depth]
    ideal = sum(grade / math.log2(place + 1) for place, grade in enumerate(best, 1))
    return gain / ideal if ideal else 0.0


def recall(ranked: Sequence[str], judged: Mapping[str, int], depth: int = 10) -> float:
    """The share of the relevant ids among the first ``depth``."""
    return len(set(ranked[:depth]) & judged.keys()) / len(judged) if judged else 0.0


def reciprocal_rank(ranked: Sequence[str], judged: Mapping[str, int], depth: int = 10) -> float:
    """One over the place of the first relevant id among the first ``depth``; 0 where there is none."""
    for place, id_ in enumerate(ranked[:depth], 1):
        if id_ in judged:
            return 1.0 / place
    return 0.0


def mean(values: Sequence[float]) -> float:
    """The mean, 0 of nothing."""
    return sum(values) / len(values) if values else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of the values lie, by the nearest rank; 0 of nothing."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]
