from __future__ import annotations

from kb.retrieval.reranking import reorder


def test_the_judged_come_first_by_their_scores_and_the_others_follow_as_they_were() -> None:
    assert reorder(["a", "b", "c", "d", "e"], [0.1, 0.9, 0.5]) == ["b", "c", "a", "d", "e"]


def test_equal_scores_and_no_scores_leave_the_order() -> None:
    assert reorder(["a", "b", "c"], [1.0, 1.0]) == ["a", "b", "c"]
    assert reorder(["a", "b"], []) == ["a", "b"]
