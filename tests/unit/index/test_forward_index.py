from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from kb.core.errors import IndexDamagedError
from kb.index import forward_index
from kb.index.forward_index import NGRAM_K1, B, ForwardIndex, character_ngrams
from kb.language.analysis import TokenTerms

PASSAGES = [
    ["datamigrering", "tog", "lang", "tid", "og"],
    ["migreringerne", "kostede", "tid", "tid"],
    ["noget", "helt", "andet", "om", "ø"],
    [],
]
STOP_WORDS = {"og", "om"}


def _analysed(words: list[str]) -> list[TokenTerms]:
    return [TokenTerms(word, () if word in STOP_WORDS else (word,), ()) for word in words]


@pytest.fixture
def index(tmp_path: Path) -> ForwardIndex:
    forward_index.build(tmp_path / "forward", map(_analysed, PASSAGES))
    return ForwardIndex(tmp_path / "forward")


def _ngram_scores(index: ForwardIndex, words: list[str], rows: list[int]) -> list[float]:
    found: list[float] = index.scores({}, words, np.array(rows, dtype=np.int64))[1].tolist()
    return found


def _by_hand(question: list[str], passage: int) -> float:
    """BM25 over character n-grams, written out."""
    counts = [Counter(character_ngrams(words)) for words in PASSAGES]
    mean = sum(sum(c.values()) for c in counts) / len(counts)
    score = 0.0
    for ngram in set(character_ngrams(question)):
        frequency = sum(ngram in c for c in counts)
        idf = math.log(1 + (len(counts) - frequency + 0.5) / (frequency + 0.5))
        found = counts[passage][ngram]
        score += idf * found * (NGRAM_K1 + 1) / (found + NGRAM_K1 * (1 - B + B * sum(counts[passage].values()) / mean))
    return score


def test_ngrams_mark_the_edges_of_words_and_leave_stop_words_out() -> None:
    assert list(character_ngrams(["data", "og", "ø"])) == ["_dat", "data", "ata_", "_ø_"]


@pytest.mark.parametrize("question", [["migrering"], ["datamigreringer", "tid", "tid"], ["ø"], ["ukendt"]])
def test_ngrams_are_scored_by_bm25(index: ForwardIndex, question: list[str]) -> None:
    rows = [2, 0, 1, 3]
    assert _ngram_scores(index, question, rows) == pytest.approx([_by_hand(question, row) for row in rows], rel=1e-5)


def test_a_word_unlike_all_others_still_meets_its_kin(index: ForwardIndex) -> None:
    scores = _ngram_scores(index, ["testmigrering"], [0, 1, 2, 3])
    assert scores[0] > scores[2]
    assert scores[1] > scores[2]


def test_terms_count_by_weight_and_the_parts_of_a_compound_half(tmp_path: Path) -> None:
    whole = TokenTerms("data", ("data",), ())
    compound = TokenTerms("datamigrering", ("datamigrering",), ("data", "migrering"))
    forward_index.build(tmp_path / "forward", [[whole, whole], [compound, whole], [compound, compound]])
    index = ForwardIndex(tmp_path / "forward")
    rows = np.arange(3)
    once, twice = (index.scores({"data": weight}, [], rows)[0] for weight in (1.0, 2.0))
    np.testing.assert_allclose(twice, 2 * once)
    assert once[0] > once[1] > once[2] > 0


def test_a_word_with_other_terms_is_another_word(tmp_path: Path) -> None:
    """A hyphenated word has the written form of the joined one, but parts of its own."""
    joined, written = TokenTerms("ailøsning", ("ailøsning",), ()), TokenTerms("ailøsning", ("ailøsning",), ("ai",))
    forward_index.build(tmp_path / "forward", [[joined], [written]])
    scores = ForwardIndex(tmp_path / "forward").scores({"ai": 1.0}, [], np.arange(2))[0]
    assert scores[0] == 0 < scores[1]


def test_no_passages_can_be_written_and_asked(tmp_path: Path) -> None:
    forward_index.build(tmp_path / "forward", [])
    terms, ngrams = ForwardIndex(tmp_path / "forward").scores({"data": 1.0}, ["data"], np.empty(0, dtype=np.int64))
    assert terms.tolist() == ngrams.tolist() == []


@pytest.mark.parametrize("file", ["passages.starts", "terms.trie", "runs.idf"])
def test_missing_tables_are_told(index: ForwardIndex, tmp_path: Path, file: str) -> None:
    (tmp_path / "forward" / file).unlink()
    with pytest.raises(IndexDamagedError):
        ForwardIndex(tmp_path / "forward")
