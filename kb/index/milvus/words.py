"""The words of passages on a Milvus server: BM25 over our own analysis of Danish, as sparse vectors with inner product.

What a term is worth in a passage (its frequency, saturated, against the passage's length) is in the passage's sparse
vector; how rare it is, and how much it weighs in the question, is in the question's. The product of the two is the
score that Tantivy gives (:mod:`kb.index.lexical`), which an analyser of Milvus's own could not: none of them knows
Danish compounds.

Candidates are scored by terms and character n-grams as they are locally, by the same tables
(:mod:`kb.index.forward_index`): those of words are in the build's folder, and each passage's words and how often it has
them are fetched from the server. Phrases are looked for in the words as written, and scored as Tantivy scores them.

A build's folder has

    vocabulary/     the words, and in how many passages each is
    written/        likewise the words as written alone, which phrases are scored by
    forward/        the tables of words
    means.json      the mean lengths of passages: in terms, in n-grams, and in words as written
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kb.core.machine import unusable
from kb.index import forward_index, lexical
from kb.index.forward_index import TERM_K1, B, ForwardIndex, WordTables, rounded
from kb.index.lexical import FORWARD_FOLDER, NGRAM_WEIGHT, VOCABULARY_FOLDER, Entry
from kb.index.milvus import filters
from kb.index.milvus.connection import Connection
from kb.index.milvus.dense import count_of, hits, read
from kb.index.milvus.filters import MOST_HITS, ROW, Ranking
from kb.language.analysis import Analyser, Question, TokenTerms
from kb.language.vocabulary import Counts, Vocabulary

TERMS, WORDS, COUNTS, WRITTEN = "terms", "words", "counts", "written"
WRITTEN_FOLDER = "written"
MEANS_FILE = "means.json"
# What Milvus holds at most of a list, and of a text in bytes.
MOST_WORDS = 4096
MOST_BYTES = 65_535
# Passages whose columns are made at a time.
BATCH = 1000
_WRITTEN_SPOOL = "written.txt"

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Columns = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Means:
    """The mean lengths of a build's passages in terms, in character n-grams, and in words as written."""

    terms: float
    ngrams: float
    written: float

    @classmethod
    def load(cls, folder: Path) -> Means:
        """Those of a build; raises :class:`IndexUnusableError` where they cannot be read."""
        try:
            return cls(**json.loads((folder / MEANS_FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise unusable(error, "Passagernes længder kan ikke læses.") from error

    def save(self, folder: Path) -> None:
        """The inverse of :meth:`load`."""
        values = {"terms": self.terms, "ngrams": self.ngrams, "written": self.written}
        (folder / MEANS_FILE).write_text(json.dumps(values), encoding="utf-8")


class WordsWriter:
    """Makes the tables of a build's words in its folder, and the columns of its passages.

    with WordsWriter.build(folder, entries) as writer:
        for columns in writer.columns(): ...

    What only the columns need is gone from the folder when it is left.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._spool = folder / _WRITTEN_SPOOL

    @classmethod
    def build(cls, folder: Path, entries: Iterable[Entry]) -> WordsWriter:
        """Analyse the entries, which are gone through twice, into a folder that must not exist yet."""
        folder.mkdir(parents=True)
        Vocabulary.of(entry.full_text for entry in entries).save(folder / VOCABULARY_FOLDER)
        writer = cls(folder)
        writer._analyse(entries)
        return writer

    def __enter__(self) -> WordsWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.unlink(missing_ok=True)
        for file in forward_index.passage_files(self._folder / FORWARD_FOLDER):
            file.unlink(missing_ok=True)

    def columns(self) -> Iterator[Columns]:
        """The columns of all passages in row order, a batch at a time."""
        passages = ForwardIndex(self._folder / FORWARD_FOLDER)
        units = passages.tables.terms.by_word(passages.tables.width)
        with self._spool.open(encoding="utf-8") as written:
            for start in range(0, len(passages), BATCH):
                rows = np.arange(start, min(start + BATCH, len(passages)), dtype=np.int64)
                yield _columns(passages, units, rows, written)

    def _analyse(self, entries: Iterable[Entry]) -> None:
        analyser = Analyser(Vocabulary.load(self._folder / VOCABULARY_FOLDER))
        counted: Counter[str] = Counter()
        lengths: list[int] = []
        with self._spool.open("w", encoding="utf-8") as spool:
            words = _spooled(entries, analyser, spool, counted, lengths)
            forward_index.build(self._folder / FORWARD_FOLDER, words)
        (self._folder / WRITTEN_FOLDER).mkdir()
        Counts.of(counted).save(self._folder / WRITTEN_FOLDER, WRITTEN)
        terms, ngrams = ForwardIndex(self._folder / FORWARD_FOLDER).means
        Means(terms, ngrams, forward_index.mean_of(np.array(lengths))).save(self._folder)


def _spooled(
    entries: Iterable[Entry], analyser: Analyser, spool: IO[str], counted: Counter[str], lengths: list[int]
) -> Iterator[list[TokenTerms]]:
    """The words of each passage; what is written of it goes to the spool, a line a passage, and is counted."""
    for entry in entries:
        fields = lexical.analysed_fields(entry, analyser)
        written = lexical.as_written(fields)
        spool.write(written + "\n")
        tokens = written.split()
        counted.update(set(tokens))
        lengths.append(len(tokens))
        yield [word for field in fields for word in field]


def _columns(passages: ForwardIndex, units: csr_array, rows: Rows, written: IO[str]) -> Columns:
    words = passages.words(rows)
    terms = words @ units
    norms = np.repeat(passages.norms[0][rows], np.diff(terms.indptr))
    worth = passages.tables.terms.saturated(terms.data, norms).astype(np.float32)
    columns: Columns = []
    for place, row in enumerate(rows.tolist()):
        of_terms = slice(terms.indptr[place], terms.indptr[place + 1])
        of_words = slice(words.indptr[place], words.indptr[place + 1])
        columns.append(
            {
                ROW: row,
                TERMS: _sparse(terms.indices[of_terms], worth[of_terms], units.shape[1]),
                **_counted(words.indices[of_words], words.data[of_words]),
                WRITTEN: _fitting(written.readline().rstrip("\n")),
            }
        )
    return columns


def _sparse(terms: NDArray[Any], worth: Floats, unused: int) -> dict[int, float]:
    """A sparse vector; one of a passage without terms has a number that no term has, as none may be empty."""
    return dict(zip(terms.tolist(), worth.tolist(), strict=True)) or {unused: 1.0}


def _counted(words: NDArray[Any], counts: NDArray[Any]) -> dict[str, list[int]]:
    """A passage's words and how often it has them; of more than fit the most frequent."""
    if len(words) > MOST_WORDS:
        kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_WORDS])
        words, counts = words[kept], counts[kept]
    return {WORDS: words.astype(int).tolist(), COUNTS: counts.astype(int).tolist()}


def _fitting(written: str) -> str:
    """The words as written with a blank around each; of more than fit the first."""
    text = f" {written} "
    if len(text.encode()) <= MOST_BYTES:
        return text
    return text.encode()[:MOST_BYTES].decode(errors="ignore").rpartition(" ")[0] + " "


class MilvusWords:
    """The words of one build, read-only and safe to use from several threads."""

    def __init__(self, milvus: Connection, collection: str, folder: Path, consistency: str) -> None:
        self._milvus = milvus
        self._collection = collection
        self._consistency = consistency
        self.analyser = Analyser(Vocabulary.load(folder / VOCABULARY_FOLDER))
        self._tables = WordTables(folder / FORWARD_FOLDER)
        self._means = Means.load(folder)
        self._written = _loaded(folder)
        units = (self._tables.terms, self._tables.ngrams)
        self._lengths = tuple(one.lengths_of_words(self._tables.width) for one in units)
        self._count = count_of(milvus, collection)

    def __len__(self) -> int:
        return self._count

    def search(self, question: Question, top: int, allowed: Rows | None = None) -> Ranking:
        """The ``top`` best rows by the question's terms with their scores, best first, among ``allowed`` if given."""
        if top <= 0 or (allowed is not None and len(allowed) == 0):
            return []
        weights = self._tables.terms.weights({term.term: term.weight for term in question.terms})

        def run(expression: str, limit: int) -> Ranking:
            return hits(self._milvus, self._collection, weights, TERMS, expression, limit, self._consistency)

        ranking = filters.best(run, top, allowed, len(self), all_found=True) if weights else []
        return self._with_phrases(question, ranking, allowed)[:top] if question.phrases else ranking

    def scores(self, question: Question, rows: Rows) -> Floats:
        """The scores of given rows by terms and character n-grams; 0 where nothing matches."""
        if len(rows) == 0:
            return np.zeros(0, dtype=np.float32)
        terms, ngrams = self._scores(question, rows)
        return terms + self._phrase_scores(question, rows) + NGRAM_WEIGHT * ngrams

    def containing(self, phrases: Iterable[Sequence[str]]) -> Rows:
        """The rows whose title, headings or text hold every one of the phrases, in ascending order."""
        wanted = [_phrase(words) for words in phrases]
        if not wanted:
            return np.empty(0, dtype=np.int64)
        return np.array(sorted(self._holding(wanted, 0, len(self))), dtype=np.int64)

    def _holding(self, phrases: Sequence[str], first: int, last: int) -> list[int]:
        """The rows of a range that hold every one of the phrases; asked for in halves where there are too many."""
        expression = " and ".join([f"({filters.within([(first, last)])})", *map(_holds, phrases)])
        answer = self._milvus.ask(
            "query", self._collection, filter=expression, output_fields=[ROW, WRITTEN], limit=MOST_HITS,
            consistency_level=self._consistency,
        )  # fmt: skip
        if len(answer) == MOST_HITS < last - first:
            middle = (first + last) // 2
            return self._holding(phrases, first, middle) + self._holding(phrases, middle, last)
        return [int(one[ROW]) for one in answer if all(phrase in one[WRITTEN] for phrase in phrases)]

    def _scores(self, question: Question, rows: Rows) -> tuple[Floats, Floats]:
        words = self._words(rows)
        lengths = [words @ of_words for of_words in self._lengths]
        norms = (
            self._tables.terms.norms(rounded(lengths[0]), self._means.terms),
            self._tables.ngrams.norms(lengths[1].astype(np.float32), self._means.ngrams),
        )
        weights = {term.term: term.weight for term in question.terms}
        return self._tables.scores(weights, question.words, words, norms)

    def _words(self, rows: Rows) -> csr_array:
        """How often some passages, in order, have which word."""
        found = read(self._milvus, self._collection, rows, [WORDS, COUNTS], self._consistency)
        counted = [found[row] for row in rows.tolist()]
        starts = np.cumsum([0, *(len(one[WORDS]) for one in counted)])
        columns = np.fromiter((word for one in counted for word in one[WORDS]), dtype=np.int32, count=starts[-1])
        counts = np.fromiter((count for one in counted for count in one[COUNTS]), dtype=np.float32, count=starts[-1])
        return csr_array((counts, columns, starts), shape=(len(rows), self._tables.width))

    def _with_phrases(self, question: Question, ranking: Ranking, allowed: Rows | None) -> Ranking:
        """A ranking by terms with what phrases add, and the rows that only they bring."""
        rows = np.unique(np.concatenate([self.containing([phrase.words]) for phrase in question.phrases]))
        if allowed is not None:
            rows = np.intersect1d(rows, allowed)
        if not len(rows):
            return ranking
        totals = self._scores(question, rows)[0] + self._phrase_scores(question, rows)
        scores = dict(ranking) | dict(zip(rows.tolist(), totals.tolist(), strict=True))
        return filters.ordered(list(scores.items()))

    def _phrase_scores(self, question: Question, rows: Rows) -> Floats:
        """What names of several words add to the scores of given rows, by BM25 over phrases as Tantivy has it."""
        scores = np.zeros(len(rows), dtype=np.float32)
        for phrase in question.phrases:
            looked_for = _phrase(phrase.words)
            found = read(
                self._milvus, self._collection, rows, [WRITTEN], self._consistency, also=f"({_holds(looked_for)})"
            )
            weight = phrase.weight * self._rarity(phrase.words)
            for place, row in enumerate(rows.tolist()):
                if row in found:
                    scores[place] += weight * self._frequency(found[row][WRITTEN], looked_for)
        return scores

    def _rarity(self, words: Sequence[str]) -> float:
        frequencies = np.array([self._written.get(word, 0) for word in words])
        return float(np.log(1 + (len(self) - frequencies + 0.5) / (frequencies + 0.5)).sum())

    def _frequency(self, written: str, phrase: str) -> float:
        """How often a phrase is in a passage, saturated."""
        # Each blank stands between two words: doubled, so that a phrase may begin where another ends.
        often = written.replace(" ", "  ").count(phrase.replace(" ", "  ")[1:-1])
        length = float(rounded(np.array([len(written.split())]))[0])
        return often * (TERM_K1 + 1) / (often + TERM_K1 * (1 - B + B * length / self._means.written))


def _loaded(folder: Path) -> Mapping[str, int]:
    try:
        return Counts.load(folder / WRITTEN_FOLDER, WRITTEN)
    except (OSError, ValueError, RuntimeError) as error:
        raise unusable(error, "Ordforrådet kan ikke læses.", folder / WRITTEN_FOLDER) from error


def _phrase(words: Sequence[str]) -> str:
    """A phrase as it is written in a passage, with a blank around each word."""
    return f" {' '.join(words)} "


def _holds(phrase: str) -> str:
    """Milvus's expression for what may hold a phrase: exactly, but for what its patterns have another meaning for."""
    pattern = "".join(letter if letter.isalnum() or letter == " " else "%" for letter in phrase)
    return f'{WRITTEN} like "%{pattern}%"'
