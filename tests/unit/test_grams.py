from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from kb.errors import IndexDamagedError
from kb.grams import K1, B, GramIndex, grams_of

PASSAGES = [
    ["datamigrering", "tog", "lang", "tid", "og"],
    ["migreringerne", "kostede", "tid", "tid"],
    ["noget", "helt", "andet", "om", "ø"],
    [],
]


def _by_hand(question: list[str], passage: int) -> float:
    """BM25 over runs of letters, written out."""
    counts = [Counter(grams_of(words)) for words in PASSAGES]
    mean = sum(sum(c.values()) for c in counts) / len(counts)
    score = 0.0
    for gram in set(grams_of(question)):
        frequency = sum(gram in c for c in counts)
        idf = math.log(1 + (len(counts) - frequency + 0.5) / (frequency + 0.5))
        found = counts[passage][gram]
        score += idf * found * (K1 + 1) / (found + K1 * (1 - B + B * sum(counts[passage].values()) / mean))
    return score


def test_runs_mark_the_edges_of_words_and_leave_stop_words_out() -> None:
    assert list(grams_of(["data", "og", "ø"])) == ["_dat", "data", "ata_", "_ø_"]


@pytest.mark.parametrize("question", [["migrering"], ["datamigreringer", "tid", "tid"], ["ø"], ["ukendt"]])
def test_scores_are_bm25_over_runs(question: list[str]) -> None:
    rows = np.array([2, 0, 1, 3], dtype=np.int64)
    scores = GramIndex.of(PASSAGES).scores(question, rows)
    assert scores.tolist() == pytest.approx([_by_hand(question, int(row)) for row in rows], rel=1e-5)


def test_a_word_unlike_all_others_still_meets_its_kin() -> None:
    scores = GramIndex.of(PASSAGES).scores(["testmigrering"], np.arange(4))
    assert scores[0] > scores[2]
    assert scores[1] > scores[2]


def test_saved_tables_score_the_same(tmp_path: Path) -> None:
    made = GramIndex.of(PASSAGES)
    made.save(tmp_path / "grams")
    rows = np.arange(4)
    assert (
        GramIndex.open(tmp_path / "grams").scores(["migrering"], rows).tolist()
        == made.scores(["migrering"], rows).tolist()
    )


def test_no_passages_can_be_saved_and_asked(tmp_path: Path) -> None:
    GramIndex.of([]).save(tmp_path / "grams")
    assert GramIndex.open(tmp_path / "grams").scores(["data"], np.empty(0, dtype=np.int64)).tolist() == []


def test_damaged_tables_are_told(tmp_path: Path) -> None:
    GramIndex.of(PASSAGES).save(tmp_path / "grams")
    (tmp_path / "grams" / "idf.npy").write_bytes(b"x")
    with pytest.raises(IndexDamagedError):
        GramIndex.open(tmp_path / "grams")
