"""Gaps stand together by likeness, and a group is what its heading says."""

from __future__ import annotations

import numpy as np

from kb.curation.gaps import Gap, grouped


def gap(question: str, *, refused: int = 1, not_useful: int = 0, day: int = 1) -> Gap:
    at = f"2026-11-{day:02d}T10:00:00+00:00"
    return Gap(question, at, at, refused, not_useful, "b", "emne")


def at_degrees(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_like_questions_are_one_group_with_its_counts_and_dates() -> None:
    gaps = [gap("skrald?", day=3), gap("affald?", refused=4, not_useful=1, day=2), gap("sne?", day=1)]
    groups = grouped(gaps, at_degrees(5, 0, 80), least_cosine=0.95)
    assert [group.questions for group in groups] == [("affald?", "skrald?"), ("sne?",)]
    assert (groups[0].times, groups[0].refused, groups[0].not_useful) == (6, 5, 1)
    assert (groups[0].first[:10], groups[0].last[:10]) == ("2026-11-02", "2026-11-03")


def test_a_group_does_not_drift_from_the_question_that_heads_it() -> None:
    gaps = [gap(f"{step}?", refused=9 - step) for step in range(3)]
    groups = grouped(gaps, at_degrees(0, 15, 30), least_cosine=0.95)
    assert [group.questions for group in groups] == [("0?", "1?"), ("2?",)]


def test_a_question_goes_to_the_group_it_is_most_like() -> None:
    gaps = [gap("a?", refused=9), gap("b?", refused=8), gap("c?")]
    groups = grouped(gaps, at_degrees(0, 30, 18), least_cosine=0.9)
    assert [group.questions for group in groups] == [("a?",), ("b?", "c?")]


def test_no_gaps_are_no_groups() -> None:
    assert grouped([], np.zeros((0, 4), np.float32), least_cosine=0.95) == []
