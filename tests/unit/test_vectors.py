from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kb import vectors
from kb.errors import IndexDamagedError
from kb.vectors import VectorIndex

DIMENSION = 24


@pytest.fixture
def unit() -> NDArray[np.float32]:
    made = np.random.default_rng(7).normal(size=(300, DIMENSION)).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made


@pytest.fixture
def index(tmp_path: Path, unit: NDArray[np.float32]) -> VectorIndex:
    assert vectors.build(tmp_path / "v.faiss", (unit[at : at + 70] for at in range(0, 300, 70)), DIMENSION) == 300
    return VectorIndex(tmp_path / "v.faiss")


def _exact(unit: NDArray[np.float32], query: NDArray[np.float32], rows: list[int], top: int) -> list[int]:
    return sorted(rows, key=lambda row: -float(unit[row] @ query))[:top]


def test_what_is_read_back_is_what_was_written(index: VectorIndex, unit: NDArray[np.float32]) -> None:
    assert len(index) == 300
    assert index.dimension == DIMENSION
    np.testing.assert_allclose(np.concatenate(list(index.batches(64))), unit, atol=1e-3)


def test_the_search_is_exact(index: VectorIndex, unit: NDArray[np.float32]) -> None:
    found = index.search(unit[41], 10)
    assert [row for row, _ in found] == _exact(unit, unit[41], list(range(300)), 10)
    assert found[0][1] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("allowed", [[5], [0, 41, 299], list(range(0, 300, 3))])
def test_a_filter_is_exact_and_fills_the_list(
    index: VectorIndex, unit: NDArray[np.float32], allowed: list[int]
) -> None:
    found = index.search(unit[41], 50, np.array(allowed, dtype=np.int64))
    assert [row for row, _ in found] == _exact(unit, unit[41], allowed, 50)


def test_nothing_allowed_finds_nothing(index: VectorIndex, unit: NDArray[np.float32]) -> None:
    assert index.search(unit[0], 5, np.array([], dtype=np.int64)) == []


def test_scores_of_given_rows_are_their_cosines(index: VectorIndex, unit: NDArray[np.float32]) -> None:
    rows = np.array([3, 200, 3], dtype=np.int64)
    np.testing.assert_allclose(index.scores(unit[41], rows), unit[rows] @ unit[41], atol=2e-3)
    assert index.scores(unit[41], rows[:0]).shape == (0,)


def test_an_empty_index_answers_nothing(tmp_path: Path, unit: NDArray[np.float32]) -> None:
    vectors.build(tmp_path / "e.faiss", [], DIMENSION)
    assert VectorIndex(tmp_path / "e.faiss").search(unit[0], 5) == []


def test_a_file_that_is_no_index_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.faiss").write_bytes(b"ikke et indeks")
    with pytest.raises(IndexDamagedError):
        VectorIndex(tmp_path / "x.faiss")
