from __future__ import annotations

import math

import pytest

from kb.evaluation.metrics import mean, ndcg, percentile, recall, reciprocal_rank

JUDGED = {"a": 2, "b": 1, "c": 1}


def test_ndcg_of_a_perfect_and_of_a_worked_ranking() -> None:
    assert ndcg(["a", "b", "c"], JUDGED) == pytest.approx(1.0)
    gain = 1 / math.log2(2) + 2 / math.log2(4)
    ideal = 2 + 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg(["b", "x", "a"], JUDGED) == pytest.approx(gain / ideal)
    assert ndcg(["x"], JUDGED) == 0.0
    assert ndcg(["a"], {}) == 0.0


def test_ndcg_looks_no_deeper_than_asked() -> None:
    assert ndcg(["x", "a"], {"a": 1}, depth=1) == 0.0
    assert ndcg(["a", "b"], {"a": 1, "b": 1}, depth=1) == pytest.approx(1.0)


def test_recall_and_reciprocal_rank() -> None:
    assert recall(["a", "x", "b"], JUDGED) == pytest.approx(2 / 3)
    assert recall(["x", "a"], JUDGED, depth=1) == 0.0
    assert recall(["a"], {}) == 0.0
    assert reciprocal_rank(["x", "b", "a"], JUDGED) == pytest.approx(1 / 2)
    assert reciprocal_rank(["x", "b"], JUDGED, depth=1) == 0.0


def test_mean_and_percentile() -> None:
    assert mean([]) == 0.0
    assert mean([1.0, 2.0]) == 1.5
    assert percentile([], 0.5) == 0.0
    values = [float(number) for number in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.95), percentile(values, 1.0)) == (50.0, 95.0, 100.0)
    assert percentile([5.0], 0.0) == 5.0
