from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kb.core.errors import IndexDamagedError, IndexVersionError
from kb.index import vectors
from kb.index.vectors import VectorIndex

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


@pytest.fixture(scope="module")
def many() -> NDArray[np.float32]:
    """Vectors about fifty centres, so that there is something to sort."""
    chance = np.random.default_rng(3)
    centres = chance.normal(size=(50, DIMENSION))
    made = (centres[chance.integers(0, 50, 3000)] + 0.6 * chance.normal(size=(3000, DIMENSION))).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made


def _listed(path: Path, many: NDArray[np.float32]) -> tuple[VectorIndex, vectors.Tuning]:
    vectors.build(path, (many[at : at + 500] for at in range(0, len(many), 500)), DIMENSION)
    tuning = vectors.add_lists(path, lambda rows: many[rows], exact_rows=1000)
    return VectorIndex(path), tuning


@pytest.mark.slow
def test_a_large_base_is_searched_by_lists_tuned_on_itself(tmp_path: Path, many: NDArray[np.float32]) -> None:
    index, tuning = _listed(tmp_path / "v.faiss", many)
    assert tuning.kind == "lists"
    assert 0 < index.probes == tuning.probes < tuning.lists == index.lists
    assert index.listed == len(index) == 3000
    assert min(tuning.recall, tuning.recall_of_questions) >= vectors.RECALL
    recalled = [
        len({row for row, _ in index.search(many[row], 10)} & set(_exact(many, many[row], list(range(3000)), 10)))
        for row in range(0, 3000, 60)
    ]
    assert sum(recalled) / len(recalled) >= 9.5


def test_what_lists_bring_is_scored_by_the_rows(tmp_path: Path, many: NDArray[np.float32]) -> None:
    index, _ = _listed(tmp_path / "v.faiss", many)
    found = index.search(many[7], 20)
    assert found == sorted(found, key=lambda hit: (-hit[1], hit[0]))
    np.testing.assert_allclose([score for _, score in found], [many[row] @ many[7] for row, _ in found], atol=2e-3)


@pytest.mark.parametrize("allowed", [[5], [0, 41, 2999], list(range(0, 3000, 3))])
def test_a_narrow_filter_is_exact_beside_lists(tmp_path: Path, many: NDArray[np.float32], allowed: list[int]) -> None:
    index, _ = _listed(tmp_path / "v.faiss", many)
    found = index.search(many[41], 50, np.array(allowed, dtype=np.int64))
    expected = _exact(many, many[41], allowed, 50)
    assert len(found) == len(expected)
    np.testing.assert_allclose([s for _, s in found], [many[row] @ many[41] for row in expected], atol=2e-3)


def test_a_broad_filter_brings_allowed_rows_alone(tmp_path: Path, many: NDArray[np.float32]) -> None:
    index, _ = _listed(tmp_path / "v.faiss", many)
    hidden = {row for row, _ in index.search(many[41], 10)}
    allowed = np.array([row for row in range(3000) if row not in hidden], dtype=np.int64)
    found = [row for row, _ in index.search(many[41], 10, allowed)]
    assert len(found) == 10
    assert not hidden & set(found)
    assert len(set(found) & set(_exact(many, many[41], allowed.tolist(), 10))) >= 9


def test_more_rows_than_the_lists_looked_through_hold_are_still_given(
    tmp_path: Path, many: NDArray[np.float32]
) -> None:
    index, _ = _listed(tmp_path / "v.faiss", many)
    assert len(index.search(many[0], 2900)) == 2900


def test_lists_of_another_number_of_bits_are_refused(
    tmp_path: Path, many: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one bit a number, as they once were, they would be searched with too few candidates."""
    with monkeypatch.context() as earlier:
        earlier.setattr(vectors, "BITS", 1)
        _, tuning = _listed(tmp_path / "v.faiss", many)
    assert tuning.kind == "lists"
    with pytest.raises(IndexVersionError, match="anden version") as caught:
        VectorIndex(tmp_path / "v.faiss")
    assert "--full" in caught.value.advice


def test_rows_are_given_in_the_order_they_are_asked_for(index: VectorIndex, unit: NDArray[np.float32]) -> None:
    rows = np.array([200, 3, 4, 200, 299], dtype=np.int64)
    np.testing.assert_allclose(index.vectors(rows), unit[rows], atol=1e-3)
    assert index.vectors(rows[:0]).shape == (0, DIMENSION)


def test_two_builds_of_the_same_vectors_are_the_same_files(tmp_path: Path, many: NDArray[np.float32]) -> None:
    for name in ("one", "two"):
        _listed(tmp_path / f"{name}.faiss", many)
    for suffix in (".faiss", ".lists"):
        assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


@pytest.mark.slow
def test_vectors_without_any_order_are_scanned(tmp_path: Path) -> None:
    """Directions without neighbours cannot be sorted into lists that a few probes find again."""
    chance = np.random.default_rng(5)
    noise = chance.normal(size=(4000, 200)).astype(np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    vectors.build(tmp_path / "n.faiss", [noise], 200)
    assert vectors.add_lists(tmp_path / "n.faiss", lambda rows: noise[rows], exact_rows=1000).kind == "exact"
    assert VectorIndex(tmp_path / "n.faiss").lists == 0


def test_a_small_base_has_no_lists(tmp_path: Path, unit: NDArray[np.float32]) -> None:
    vectors.build(tmp_path / "v.faiss", [unit], DIMENSION)
    assert vectors.add_lists(tmp_path / "v.faiss", lambda rows: unit[rows]) == vectors.Tuning("exact")
    assert not vectors.lists_file(tmp_path / "v.faiss").exists()


def test_rows_that_there_are_not_are_refused(index: VectorIndex) -> None:
    with pytest.raises(IndexError):
        index.vectors(np.array([300], dtype=np.int64))
