from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.retrieval import fusion


def _fused(dense: list[float], lexical: list[float]) -> list[int]:
    keys = np.arange(len(dense), dtype=np.int64)
    found = fusion.fuse(keys, np.array(dense, dtype=np.float32), np.array(lexical, dtype=np.float32))
    return [candidate.key for candidate in found]


def test_both_engines_count() -> None:
    assert _fused([0.9, 0.85, 0.1, 0.1], [0.0, 9.0, 1.0, 0.0])[0] == 1


def test_a_rare_word_in_one_passage_beats_small_differences_of_meaning() -> None:
    assert _fused([0.83, 0.82, 0.81, 0.80, 0.79], [0.0, 0.0, 12.0, 0.0, 0.0])[0] == 2


def test_without_shared_words_meaning_decides() -> None:
    assert _fused([0.7, 0.9, 0.8], [0.0, 0.0, 0.0]) == [1, 2, 0]


def test_ranks_are_told_by_engine() -> None:
    keys = np.array([3, 7], dtype=np.int64)
    scores = np.array([0.5, 0.4], dtype=np.float32)
    found = fusion.fuse(keys, scores, np.array([0.0, 2.0], dtype=np.float32), [(3, 0.5), (7, 0.4)], [(7, 2.0)])
    assert {c.key: (c.dense_rank, c.lexical_rank) for c in found} == {3: (1, None), 7: (2, 1)}


def test_union_has_each_key_once() -> None:
    assert fusion.union([(4, 1.0), (2, 0.5)], [(2, 9.0), (1, 3.0)]).tolist() == [1, 2, 4]
    assert fusion.union([], []).tolist() == []


@settings(deadline=None)
@given(st.lists(st.floats(-10, 10, width=32), max_size=30))
def test_standard_scores_keep_the_order(values: list[float]) -> None:
    scores = np.array(values, dtype=np.float32)
    standard = fusion.standardise(scores)
    assert np.isfinite(standard).all()
    for i in range(len(values)):
        assert (standard[scores > scores[i]] >= standard[i]).all()
