"""The expressions mean the rows they are made of, and the best of the allowed rows are found however many there are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.index.milvus import filters
from kb.index.milvus.filters import Ranking

COUNT = 40_000
SCORES = np.random.default_rng(11).random(COUNT).round(3)
ROWS = np.arange(COUNT)


def allowed_by(expression: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which rows an expression allows: Milvus's comparisons are Python's, read for all rows at once."""
    if not expression:
        return np.ones(COUNT, dtype=np.bool_)
    if " in " in expression:
        return np.isin(ROWS, np.array(expression.partition("[")[2].rstrip("]").split(","), dtype=np.int64))
    mask = np.zeros(COUNT, dtype=np.bool_)
    for span in expression.split(" or "):
        words = span.strip("()").split()
        mask[int(words[2]) : int(words[6])] = True
    return mask


class Asked:
    """A search by :data:`SCORES` that counts what it is asked."""

    def __init__(self) -> None:
        self.expressions: list[str] = []
        self.most = 0

    def __call__(self, expression: str, limit: int) -> Ranking:
        self.expressions.append(expression)
        self.most = max(self.most, limit)
        rows = ROWS[allowed_by(expression)]
        best = rows[np.lexsort((rows, -SCORES[rows]))][:limit]
        return list(zip(best.tolist(), SCORES[best].tolist(), strict=True))


def wanted(rows: np.ndarray[tuple[int], np.dtype[np.int64]], top: int) -> list[int]:
    best: list[int] = rows[np.lexsort((rows, -SCORES[rows]))][:top].tolist()
    return best


CHANCE = np.random.default_rng(7)
ALLOWED = {
    "ingen": np.empty(0, dtype=np.int64),
    "én": np.array([17]),
    "et område": np.arange(500, 3000),
    "få spredte": np.arange(0, COUNT, 100),
    "de fleste": np.setdiff1d(ROWS, np.arange(0, COUNT, 1000)),
    "hver anden": np.arange(0, COUNT, 2),
    "en tredjedel i uorden": CHANCE.permutation(COUNT)[: COUNT // 3],
    "alle": ROWS,
}


@pytest.mark.parametrize("name", ALLOWED)
@pytest.mark.parametrize("top", [1, 10, 100])
def test_the_best_of_the_allowed_rows_are_found(name: str, top: int) -> None:
    asked = Asked()
    found = filters.best(asked, top, ALLOWED[name], COUNT, all_found=True)
    assert [row for row, _ in found] == wanted(np.unique(ALLOWED[name]), top)
    assert asked.most <= filters.MOST_HITS


def test_rows_that_score_worst_are_found_among_many_by_lists() -> None:
    worst = np.sort(np.lexsort((ROWS, SCORES))[:12_000])
    asked = Asked()
    found = filters.best(asked, 50, worst, COUNT, all_found=True)
    assert [row for row, _ in found] == wanted(worst, 50)
    assert sum(" in [" in expression for expression in asked.expressions) == 2


def test_a_search_that_gives_fewer_than_there_are_is_not_taken_for_the_whole() -> None:
    class Approximate(Asked):
        def __call__(self, expression: str, limit: int) -> Ranking:
            found = super().__call__(expression, limit)
            return found if expression else found[:20]

    rows = np.arange(0, COUNT, 3)
    found = filters.best(Approximate(), 50, rows, COUNT, all_found=False)
    assert [row for row, _ in found] == wanted(rows, 50)


def test_without_a_filter_there_is_no_expression() -> None:
    asked = Asked()
    assert [row for row, _ in filters.best(asked, 5, None, COUNT, all_found=True)] == wanted(ROWS, 5)
    assert asked.expressions == [""]


def test_no_more_is_asked_for_than_the_server_gives() -> None:
    asked = Asked()
    assert len(filters.best(asked, 50_000, None, COUNT, all_found=True)) == filters.MOST_HITS


@given(st.sets(st.integers(0, 300), max_size=80))
def test_ranges_hold_their_rows_and_no_others(rows: set[int]) -> None:
    spans = filters.ranges(np.array(sorted(rows), dtype=np.int64))
    assert {row for first, last in spans for row in range(first, last)} == rows
    assert all(spans[i][1] < spans[i + 1][0] for i in range(len(spans) - 1))
