from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kb.retrieval import ranking


def _fused(dense: list[float], lexical: list[float]) -> list[int]:
    rows = np.arange(len(dense), dtype=np.int64)
    found = ranking.fuse(rows, np.array(dense, dtype=np.float32), np.array(lexical, dtype=np.float32))
    return [candidate.row for candidate in found]


def test_both_engines_count() -> None:
    assert _fused([0.9, 0.85, 0.1, 0.1], [0.0, 9.0, 1.0, 0.0])[0] == 1


def test_a_rare_word_in_one_passage_beats_small_differences_of_meaning() -> None:
    assert _fused([0.83, 0.82, 0.81, 0.80, 0.79], [0.0, 0.0, 12.0, 0.0, 0.0])[0] == 2


def test_without_shared_words_meaning_decides() -> None:
    assert _fused([0.7, 0.9, 0.8], [0.0, 0.0, 0.0]) == [1, 2, 0]


def test_ranks_are_told_by_engine() -> None:
    rows = np.array([3, 7], dtype=np.int64)
    scores = np.array([0.5, 0.4], dtype=np.float32)
    found = ranking.fuse(rows, scores, np.array([0.0, 2.0], dtype=np.float32), [(3, 0.5), (7, 0.4)], [(7, 2.0)])
    assert {c.row: (c.dense_rank, c.lexical_rank) for c in found} == {3: (1, None), 7: (2, 1)}


def test_union_has_each_row_once() -> None:
    assert ranking.union([(4, 1.0), (2, 0.5)], [(2, 9.0), (1, 3.0)]).tolist() == [1, 2, 4]
    assert ranking.union([], []).tolist() == []


@given(st.lists(st.floats(-10, 10, width=32), max_size=30))
def test_standard_scores_keep_the_order(values: list[float]) -> None:
    scores = np.array(values, dtype=np.float32)
    standard = ranking.standardise(scores)
    assert np.isfinite(standard).all()
    for i in range(len(values)):
        assert (standard[scores > scores[i]] >= standard[i]).all()


def test_near_duplicates_fold_under_the_best() -> None:
    texts = [
        "Projektet blev forsinket, fordi data først kom i august 2021.",
        "Leverandøren trak sig.",
        "projektet blev forsinket, fordi data først kom i august 2021. Ja.",
        "Projektet blev ikke forsinket af data.",
        "Leverandøren trak sig.",
    ]
    meanings = np.array([[1, 0], [0, 1], [1, 0], [1, 0], [0, 1]], dtype=np.float32)
    assert ranking.fold_duplicates(texts, meanings) == [[0, 2], [1, 4], [3]]


def test_texts_far_in_meaning_are_not_compared() -> None:
    apart = np.array([[1, 0], [0, 1]], dtype=np.float32)
    assert ranking.fold_duplicates(["Det samme står her.", "Det samme står her."], apart) == [[0], [1]]


def test_groups_come_in_the_order_of_their_best() -> None:
    items = [("a", 9), ("b", 8), ("a", 7), ("a", 6), ("b", 5)]
    assert ranking.group(items, lambda item: item[0], 2) == [("a", [("a", 9), ("a", 7)]), ("b", [("b", 8), ("b", 5)])]
