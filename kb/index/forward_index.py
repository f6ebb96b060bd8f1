"""Scores given passages by the terms and by the character n-grams that they share with a question.

An inverted index finds passages by words; scoring passages that are already found would make it read through most of
itself. A forward index scores them at a price that does not grow with the base:

    passage -> its words with their counts      term <- the words that give it      n-gram <- the words that hold it

A word here is a written form with the terms that analysis made of it. The product of these tables (all sparse) counts
every term and n-gram of a question in every candidate, and BM25 over the counts is the score. A *unit* below is either
of the two.

*Terms* are scored exactly as Tantivy scores them in the search, its rounded lengths included, so that candidates of
either engine can be compared.

*Character n-grams* find what no rule foresees: a compound of unknown parts, a misspelling, a related word with another
ending. One n-gram says little and a question has many, each in a good part of all passages, so they retrieve nothing;
they rank what words and vectors have retrieved.

The tables are written as the passages pass by and read memory-mapped; the strings are in tries.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import marisa_trie
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kb.core.machine import unusable
from kb.language import danish
from kb.language.analysis import TokenTerms

# How often a passage's word counts in the index: a whole word twice, the part of a compound once.
STEM_REPEATS = 2
# Tantivy's own parameters.
TERM_K1 = 1.2
# Characters in an n-gram; the word's edges count as one each.
NGRAM_LENGTH = 4
# BM25's parameters for n-grams, chosen on the development halves; docs/decisions/search.md has the measurements.
NGRAM_K1 = 0.6
B = 0.75
WIDTH_FILE = "words.count"
# The names of the tables' files; that of the n-grams is part of the builds' format.
PASSAGE_TABLE, TERM_TABLE, NGRAM_TABLE = "passages", "terms", "runs"
# Passages at a time when units are counted: bounds the memory it takes.
_BATCH = 4096

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


def character_ngrams(words: Iterable[str]) -> Iterator[str]:
    """The n-grams of the words that carry a subject, with a mark at either edge of a word."""
    for word in words:
        if word not in danish.stop_words():
            marked = f"_{word}_"
            for start in range(max(1, len(marked) - NGRAM_LENGTH + 1)):
                yield marked[start : start + NGRAM_LENGTH]


def terms_of(word: TokenTerms) -> list[str]:
    """What is indexed for a word: its stem twice, the parts of a compound once."""
    return [*word.stems * STEM_REPEATS, *word.parts]


def _rounded_lengths() -> NDArray[np.int64]:
    """The lengths that Tantivy tells apart: all up to 40, then eight between a power of two and the next."""
    steps = (8 + step << shift for shift in range(28) for step in range(8))
    return np.array([*range(24), *range(24, 32), *(24 + step for step in steps)], dtype=np.int64)


class _Strings:
    """Strings by number and back, in a trie on disk."""

    def __init__(self, path: Path) -> None:
        self._trie = marisa_trie.Trie()
        try:
            self._trie.mmap(str(path))
        except (OSError, RuntimeError) as error:
            raise unusable(error, "Indekset over passagernes ord kan ikke læses.", path) from error

    def known(self, strings: Iterable[str]) -> list[tuple[str, int]]:
        """Those of the strings that there are with their numbers, each once."""
        numbered = ((string, self._trie.get(string)) for string in dict.fromkeys(strings))
        return [(string, number) for string, number in numbered if number is not None]


class _Table:
    """A sparse table of counts, memory-mapped: which columns are in each row, and how often."""

    def __init__(self, folder: Path, name: str) -> None:
        self.starts = _mapped(folder / f"{name}.starts", np.int64)
        self.columns = _mapped(folder / f"{name}.columns", np.int32)
        self.counts = _mapped(folder / f"{name}.counts", np.uint16)

    def rows(self, rows: Rows, width: int) -> csr_array:
        """Some rows of the table, in order."""
        first, length = self.starts[rows], self.starts[rows + 1] - self.starts[rows]
        starts = np.zeros(len(rows) + 1, dtype=np.int32)
        np.cumsum(length, out=starts[1:])
        places = np.repeat(first - starts[:-1], length) + np.arange(starts[-1])
        values = (self.counts[places].astype(np.float32), self.columns[places], starts)
        return csr_array(values, shape=(len(rows), width))


class _TableWriter:
    """Writes a table row by row."""

    def __init__(self, folder: Path, name: str, files: ExitStack) -> None:
        self._starts, self._columns, self._counts = (
            files.enter_context((folder / f"{name}.{part}").open("wb")) for part in ("starts", "columns", "counts")
        )
        self._length = 0
        self._starts.write(array("q", [0]).tobytes())

    def add(self, columns: Sequence[int], counts: Iterable[int]) -> None:
        self._columns.write(array("i", columns).tobytes())
        self._counts.write(array("H", (min(count, 0xFFFF) for count in counts)).tobytes())
        self._length += len(columns)
        self._starts.write(array("q", [self._length]).tobytes())


def _mapped(path: Path, kind: type) -> NDArray[Any]:
    """A file of numbers, memory-mapped; raises :class:`IndexUnusableError` where there is no such file."""
    try:
        return np.memmap(path, dtype=kind, mode="r") if path.stat().st_size else np.empty(0, dtype=kind)
    except (OSError, ValueError) as error:
        raise unusable(error, "Indekset over passagernes ord kan ikke læses.") from error


def build(folder: Path, passages: Iterable[Sequence[TokenTerms]]) -> None:
    """Write the tables of passages, given as their words in row order, to a folder, which must not exist yet."""
    folder.mkdir()
    numbers: dict[TokenTerms, int] = {}
    with ExitStack() as files:
        table = _TableWriter(folder, PASSAGE_TABLE, files)
        for words in passages:
            counted = Counter(word for word in words if word.stems)
            table.add([numbers.setdefault(word, len(numbers)) for word in counted], counted.values())
    np.array([len(numbers)], dtype=np.int64).tofile(folder / WIDTH_FILE)
    written = _Table(folder, PASSAGE_TABLE)
    for name, units in ((TERM_TABLE, terms_of), (NGRAM_TABLE, _ngrams_of_word)):
        _write_units(folder, name, written, list(numbers), units)


def _ngrams_of_word(word: TokenTerms) -> list[str]:
    return list(character_ngrams([word.word]))


def _write_units(
    folder: Path, name: str, passages: _Table, words: Sequence[TokenTerms], units: Callable[[TokenTerms], list[str]]
) -> None:
    """Write which words hold each unit, how rare it is and how many of them each passage has."""
    trie = marisa_trie.Trie({unit for word in words for unit in units(word)})
    trie.save(str(folder / f"{name}.trie"))
    by_word = _counted(((trie[unit] for unit in units(word)) for word in words), len(trie))
    by_unit = by_word.T.tocsr()
    for part, values, kind in (
        ("starts", by_unit.indptr, np.int64),
        ("columns", by_unit.indices, np.int32),
        ("counts", by_unit.data, np.uint16),
    ):
        values.astype(kind).tofile(folder / f"{name}.{part}")
    frequency, lengths = _statistics(passages, by_word)
    idf = np.log(1 + (len(lengths) - frequency + 0.5) / (frequency + 0.5))
    idf.astype(np.float32).tofile(folder / f"{name}.idf")
    lengths.astype(np.float32).tofile(folder / f"{name}.lengths")


def _counted(lists: Iterable[Iterable[int]], width: int) -> csr_array:
    """How often each number occurs in each list."""
    columns, counts, starts = array("i"), array("f"), array("q", [0])
    for numbers in lists:
        counted = Counter(numbers)
        columns.extend(counted)
        counts.extend(counted.values())
        starts.append(len(columns))
    values = (np.frombuffer(counts, np.float32), np.frombuffer(columns, np.int32), np.frombuffer(starts, np.int64))
    return csr_array(values, shape=(len(starts) - 1, width))


def _statistics(passages: _Table, units: csr_array) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """In how many passages each unit is, and how many units each passage has."""
    count = max(len(passages.starts) - 1, 0)
    frequency = np.zeros(units.shape[1], dtype=np.int64)
    lengths = np.zeros(count)
    for start in range(0, count, _BATCH):
        rows = np.arange(start, min(start + _BATCH, count))
        counts = passages.rows(rows, units.shape[0]) @ units
        frequency += np.bincount(counts.indices, minlength=len(frequency))
        lengths[rows] = counts.sum(axis=1)
    return frequency, lengths


class _Units:
    """BM25 over the terms, or over the n-grams: which words hold them and how rare they are."""

    def __init__(self, folder: Path, name: str, k1: float) -> None:
        self._strings = _Strings(folder / f"{name}.trie")
        self._words = _Table(folder, name)
        self._idf = _mapped(folder / f"{name}.idf", np.float32)
        self._k1 = k1

    def norms(self, lengths: NDArray[Any], mean: float) -> Floats:
        """What passages of these lengths count by, against the mean length."""
        norms: Floats = (self._k1 * (1 - B + B * lengths / mean)).astype(np.float32)
        return norms

    def scores(self, weights: Mapping[str, float], passages: csr_array, norms: Floats) -> Floats:
        """The scores of passages (their words in ``passages``, and what they count by) for weighted units."""
        known = self._strings.known(weights)
        if not known or len(norms) == 0:
            return np.zeros(len(norms), dtype=np.float32)
        numbers = np.array([number for _, number in known])
        counts = (passages @ self._words.rows(numbers, passages.shape[1]).T).toarray()
        weight = self._idf[numbers] * np.array([weights[unit] for unit, _ in known], dtype=np.float32)
        scores: Floats = np.vecdot(self.saturated(counts, norms[:, None]), weight).astype(np.float32)
        return scores

    def saturated(self, counts: NDArray[Any], norms: NDArray[Any]) -> NDArray[Any]:
        """What counts of a unit in passages are worth."""
        worth: NDArray[Any] = counts * (self._k1 + 1) / (counts + norms)
        return worth

    def weights(self, units: Mapping[str, float]) -> dict[int, float]:
        """A question's units by number, each weighted by how rare it is."""
        return {number: float(self._idf[number]) * units[unit] for unit, number in self._strings.known(units)}

    def by_word(self, width: int) -> csr_array:
        """How often each unit (a column) is in each of all words (the rows)."""
        return self._words.rows(np.arange(len(self._words.starts) - 1), width).T.tocsr()

    def lengths_of_words(self, width: int) -> NDArray[np.float64]:
        """How many units each word gives."""
        return np.bincount(self._words.columns, weights=self._words.counts, minlength=width).astype(np.float64)


def mean_of(lengths: NDArray[Any]) -> float:
    """The mean length of passages; never 0."""
    return max(float(lengths.mean(dtype=np.float64)), 1e-9) if len(lengths) else 1.0


def rounded(lengths: NDArray[Any]) -> NDArray[np.int64]:
    """Lengths as Tantivy rounds them."""
    steps = _rounded_lengths()
    whole: NDArray[np.int64] = steps[np.searchsorted(steps, lengths, side="right") - 1]
    return whole


def lengths_in(folder: Path, name: str) -> NDArray[np.float32]:
    """The lengths of all passages in terms, or in n-grams, as :func:`build` wrote them."""
    return _mapped(folder / f"{name}.lengths", np.float32)


def passage_files(folder: Path) -> list[Path]:
    """The files of :func:`build` that grow with the passages; :class:`WordTables` does without them."""
    table = [folder / f"{PASSAGE_TABLE}.{part}" for part in ("starts", "columns", "counts")]
    return [*table, *(folder / f"{name}.lengths" for name in (TERM_TABLE, NGRAM_TABLE))]


class WordTables:
    """The tables that know words and not passages: what scores passages, whoever keeps how often each has which word.

    ``width`` is the number of words, by which they are counted.
    """

    def __init__(self, folder: Path) -> None:
        self.terms = _Units(folder, TERM_TABLE, TERM_K1)
        self.ngrams = _Units(folder, NGRAM_TABLE, NGRAM_K1)
        self.width = int(_mapped(folder / WIDTH_FILE, np.int64)[0])

    def scores(
        self, terms: Mapping[str, float], words: Iterable[str], passages: csr_array, norms: tuple[Floats, Floats]
    ) -> tuple[Floats, Floats]:
        """The scores of passages by weighted terms, and by the n-grams of a question's words, each once.

        ``passages`` has how often each has which word, ``norms`` what each counts by: in terms, and in n-grams.
        """
        ngrams = dict.fromkeys(character_ngrams(words), 1.0)
        return self.terms.scores(terms, passages, norms[0]), self.ngrams.scores(ngrams, passages, norms[1])


class ForwardIndex:
    """The tables of a corpus, read-only and safe to use from several threads.

    forward_index.build(folder, (analyser.analysed(text) for text in texts))
    ForwardIndex(folder).scores({"migrering": 1.0}, ["datamigrering"], np.array([0, 1]))
    """

    def __init__(self, folder: Path) -> None:
        self.tables = WordTables(folder)
        self._passages = _Table(folder, PASSAGE_TABLE)
        terms, ngrams = lengths_in(folder, TERM_TABLE), lengths_in(folder, NGRAM_TABLE)
        self.means = (mean_of(terms), mean_of(ngrams))
        self.norms = (
            self.tables.terms.norms(rounded(terms), self.means[0]),
            self.tables.ngrams.norms(ngrams, self.means[1]),
        )

    def __len__(self) -> int:
        return len(self.norms[0])

    def words(self, rows: Rows) -> csr_array:
        """How often some passages, in order, have which word."""
        return self._passages.rows(rows, self.tables.width)

    def scores(self, terms: Mapping[str, float], words: Iterable[str], rows: Rows) -> tuple[Floats, Floats]:
        """The scores of given passages by weighted terms, and by the n-grams of a question's words, each once."""
        return self.tables.scores(terms, words, self.words(rows), (self.norms[0][rows], self.norms[1][rows]))
