"""Scores passages by the runs of letters that they share with a question.

Runs of four letters find what no rule foresees: a compound of unknown parts, a misspelling, a related word with another
ending. A run is weak evidence and a question has many, each in a good part of all passages. An inverted index of runs
would therefore read most of itself for every question, so runs find nothing here; they rank the candidates that words
and vectors have found. For that a forward index is enough:

    passage -> its words with their counts      word <- its runs with their counts

For the candidates of one question, the product of these two tables (both sparse) counts every run of the question in
every candidate, and BM25 over these counts is the score. 400 candidates take about a millisecond.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kb import danish
from kb.errors import IndexDamagedError

# Letters in a run; the word's edges count as one each.
GRAM = 4
# BM25's parameters, chosen on the development halves; docs/decisions.md has the figures.
K1 = 0.6
B = 0.75
GRAMS_FILE = "grams.txt"
# Passages at a time when runs are counted: bounds the memory it takes.
_BATCH = 4096

Floats = NDArray[np.float32]


def grams_of(words: Iterable[str]) -> Iterator[str]:
    """The runs of the words that carry a subject, with a mark at either edge of a word."""
    for word in words:
        if word not in danish.stop_words():
            marked = f"_{word}_"
            for start in range(max(1, len(marked) - GRAM + 1)):
                yield marked[start : start + GRAM]


class GramIndex:
    """The two tables of a corpus, read-only and safe to use from several threads.

    grams = GramIndex.of(analyser.index_terms(text).words for text in texts)
    grams.scores(["datamigrering"], np.array([0, 1]))
    """

    def __init__(
        self, grams: Sequence[str], passages: csr_array, words: csr_array, idf: Floats, lengths: Floats
    ) -> None:
        """``passages`` counts words (columns) by passage (row); ``words`` counts runs (rows) by word (column)."""
        self._grams = grams
        self._numbers = {gram: number for number, gram in enumerate(grams)}
        self._passages = passages
        self._words = words
        self._idf = idf
        self._lengths = lengths
        mean = max(float(lengths.mean()), 1.0) if len(lengths) else 1.0
        self._norm: Floats = (K1 * (1 - B + B * lengths / mean)).astype(np.float32)

    @classmethod
    def of(cls, passages: Iterable[Sequence[str]]) -> GramIndex:
        """The tables of passages given as their words, in row order."""
        word_numbers: dict[str, int] = {}
        table = _count(([w for w in words if w not in danish.stop_words()] for words in passages), word_numbers)
        gram_numbers: dict[str, int] = {}
        runs = _count((list(grams_of([word])) for word in word_numbers), gram_numbers)
        lengths = np.asarray(table @ np.asarray(runs.sum(axis=1)).ravel(), dtype=np.float32)
        return cls(list(gram_numbers), table, runs.T.tocsr(), _idf(table, runs), lengths)

    def scores(self, words: Iterable[str], rows: NDArray[np.int64]) -> Floats:
        """The scores of given passages for a question's words; a run that the question repeats counts once."""
        known = sorted({self._numbers[gram] for gram in grams_of(words) if gram in self._numbers})
        if not known or len(rows) == 0:
            return np.zeros(len(rows), dtype=np.float32)
        counts = (self._passages[rows] @ self._words[known].T).toarray()
        saturated = counts * (K1 + 1) / (counts + self._norm[rows][:, None])
        found: Floats = (saturated @ self._idf[known]).astype(np.float32)
        return found

    def save(self, folder: Path) -> None:
        """Write the tables to a folder, which must not exist yet."""
        folder.mkdir()
        (folder / GRAMS_FILE).write_text("\n".join(self._grams), encoding="utf-8")
        for name, values in self._arrays().items():
            np.save(folder / f"{name}.npy", values)

    @classmethod
    def open(cls, folder: Path) -> GramIndex:
        """The inverse of :meth:`save`; raises :class:`IndexDamagedError` where the files are not whole."""
        try:
            grams = (folder / GRAMS_FILE).read_text(encoding="utf-8").split("\n")
            arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
            passages, words = (
                csr_array((arrays[f"{name}_counts"], arrays[f"{name}_columns"], arrays[f"{name}_starts"]), shape=shape)
                for name, shape in zip(_TABLES, arrays["shapes"].tolist(), strict=True)
            )
        except (OSError, ValueError) as error:
            raise IndexDamagedError("Indekset over bogstavfølger kan ikke læses.") from error
        return cls([gram for gram in grams if gram], passages, words, arrays["idf"], arrays["lengths"])

    def _arrays(self) -> dict[str, NDArray[Any]]:
        tables = {"passages": self._passages, "words": self._words}
        parts = {
            f"{name}_{part}": values
            for name, table in tables.items()
            for part, values in (("counts", table.data), ("columns", table.indices), ("starts", table.indptr))
        }
        shapes = np.array([table.shape for table in tables.values()], dtype=np.int64)
        return {**parts, "idf": self._idf, "lengths": self._lengths, "shapes": shapes}


_TABLES = ("passages", "words")
_PARTS = ("counts", "columns", "starts")
_ARRAYS = (*(f"{table}_{part}" for table in _TABLES for part in _PARTS), "idf", "lengths", "shapes")


def _count(lists: Iterable[Iterable[str]], numbers: dict[str, int]) -> csr_array:
    """How often each string occurs in each list; ``numbers`` gets a column for every new string."""
    columns, counts, starts = array("i"), array("f"), array("q", [0])
    for strings in lists:
        counted = Counter(strings)
        columns.extend(numbers.setdefault(string, len(numbers)) for string in counted)
        counts.extend(counted.values())
        starts.append(len(columns))
    return csr_array(
        (np.array(counts, dtype=np.float32), np.array(columns, dtype=np.int32), np.array(starts, dtype=np.int64)),
        shape=(len(starts) - 1, len(numbers)),
    )


def _idf(passages: csr_array, runs: csr_array) -> Floats:
    """The inverse document frequency of every run, as BM25 has it."""
    frequency = np.zeros(runs.shape[1], dtype=np.int64)
    for start in range(0, passages.shape[0], _BATCH):
        found = (passages[start : start + _BATCH] @ runs).tocsr()
        frequency += np.bincount(found.indices, minlength=len(frequency))
    idf: Floats = np.log(1 + (passages.shape[0] - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)
    return idf
