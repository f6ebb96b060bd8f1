"""The lexical index: BM25 over analysed Danish in Tantivy.

All analysis is ours (``kb.language.analysis``): Tantivy gets terms separated by spaces and its whitespace tokenizer.
Fields:

* ``body``: the stems of title, headings and text, and the parts of compounds. A stem is written twice and a part once,
  which makes a part count half in the term frequency; with Tantivy's fixed k1 of 1.2 it also makes the frequency of
  whole words saturate as k1 = 0.6 would, which ranks these short passages better.
* ``exact``: title, headings and text as written, with positions, for phrases.
* ``row``: the passage's number in the build.

A search goes in two steps: :meth:`LexicalIndex.search` finds candidates by their terms in Tantivy;
:meth:`LexicalIndex.scores` scores candidates, these and the vectors', by terms and character n-grams
(``kb.index.forward_index``).

A filter is applied before ranking. A small set of allowed rows becomes part of the query; for a large one, ranked rows
are read in growing portions until enough of them are allowed. Either way no allowed row is lost to one that is not.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tantivy
from numpy.typing import NDArray

from kb.core.machine import unusable
from kb.core.models import Passage
from kb.index import forward_index
from kb.index.forward_index import ForwardIndex, terms_of
from kb.language.analysis import Analyser, Mechanisms, Question, TokenTerms
from kb.language.vocabulary import Vocabulary

VOCABULARY_FOLDER = "vocabulary"
INDEX_FOLDER = "tantivy"
FORWARD_FOLDER = "forward"
# What Tantivy leaves beside an index it has written or read.
LOCK_SUFFIX = ".lock"
CLEANUP_TRIES, CLEANUP_PAUSE = 5, 0.02
WRITER_MEMORY = 64_000_000
# A character n-gram beside a word. Chosen on the development halves; docs/decisions/search.md has the measurements.
NGRAM_WEIGHT = 0.3
# Up to this many allowed rows go into the query; a longer list costs more to look up than to filter afterwards.
QUERY_FILTER_ROWS = 512
# Between a title's or heading's words and the text, so that no phrase runs across.
_BREAK = "\u241e"

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is indexed for one passage; the entries' order gives their rows, from 0."""

    title: str
    headings: tuple[str, ...]
    text: str

    @property
    def full_text(self) -> str:
        """Title, headings and text, a line each."""
        return "\n".join(part for part in (self.title, *self.headings, self.text) if part)


def entry_of(passage: Passage, title: str) -> Entry:
    """What is indexed for a passage; a heading that repeats its report's title is left out."""
    headings = tuple(heading for heading in passage.heading_path if heading != title)
    return Entry(title, headings, passage.text)


def build(folder: Path, entries: Iterable[Entry], mechanisms: Mechanisms | None = None) -> Vocabulary:
    """Write the vocabulary of the entries and their index to ``folder``, which must not exist yet.

    The entries are gone through twice, so an iterator will not do; they need not be in memory together.
    ``mechanisms`` is for measuring what each is worth; an index is opened with those it was built with.
    """
    folder.mkdir(parents=True)
    Vocabulary.of(entry.full_text for entry in entries).save(folder / VOCABULARY_FOLDER)
    vocabulary = Vocabulary.load(folder / VOCABULARY_FOLDER)
    analyser = Analyser(vocabulary, mechanisms)
    place = folder / INDEX_FOLDER
    place.mkdir()
    index = tantivy.Index(_schema(), path=str(place))
    _register(index)
    # One thread and one segment: the scores of a build depend on nothing but its passages.
    writer = index.writer(heap_size=WRITER_MEMORY, num_threads=1)
    # The entries are analysed once, for both indexes: analysis is most of the work.
    forward_index.build(folder / FORWARD_FOLDER, _write(writer, entries, analyser))
    writer.commit()
    writer.wait_merging_threads()
    return vocabulary


class LexicalIndex:
    """A finished index, read-only and safe to use from several threads.

    index = LexicalIndex.open(folder)
    question = index.analyser.question("Hvordan gik datamigreringen?")
    index.search(question, top=100)
    """

    def __init__(self, index: Any, analyser: Analyser, passages: ForwardIndex, ngram_weight: float) -> None:
        self._index = index
        self.analyser = analyser
        self._passages = passages
        self._ngram_weight = ngram_weight
        self._schema = index.schema
        self._searcher = index.searcher()

    @classmethod
    def open(
        cls, folder: Path, mechanisms: Mechanisms | None = None, ngram_weight: float = NGRAM_WEIGHT
    ) -> LexicalIndex:
        """Open an index; raises :class:`IndexUnusableError` where it cannot be read."""
        vocabulary = Vocabulary.load(folder / VOCABULARY_FOLDER)
        passages = ForwardIndex(folder / FORWARD_FOLDER)
        return cls(_opened(folder / INDEX_FOLDER), Analyser(vocabulary, mechanisms), passages, ngram_weight)

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def search(self, question: Question, top: int, allowed: Rows | None = None) -> list[tuple[int, float]]:
        """The ``top`` best rows by the question's terms with their scores, best first, among ``allowed`` if given."""
        query = self._query(question)
        if query is None or top <= 0 or (allowed is not None and len(allowed) == 0):
            return []
        if allowed is None:
            return self._run(query, top)
        if len(allowed) <= QUERY_FILTER_ROWS:
            return self._run(self._among(query, allowed), top)
        return self._filtered(query, top, allowed)

    def scores(self, question: Question, rows: Rows) -> NDArray[np.float32]:
        """The scores of given rows by terms and character n-grams; 0 where nothing matches."""
        weights = {term.term: term.weight for term in question.terms}
        terms, ngrams = self._passages.scores(weights, question.words, rows)
        return terms + self._phrase_scores(question, rows) + self._ngram_weight * ngrams

    def _phrase_scores(self, question: Question, rows: Rows) -> NDArray[np.float32]:
        """What names of several words add to the scores of given rows."""
        phrases = [self._weighted(self._phrase(phrase.words), phrase.weight) for phrase in question.phrases]
        if not phrases or len(rows) == 0:
            return np.zeros(len(rows), dtype=np.float32)
        either = tantivy.Query.boolean_query([(tantivy.Occur.Should, phrase) for phrase in phrases])
        scores = dict(self._run(self._among(either, rows), len(rows)))
        return np.array([scores.get(row, 0.0) for row in rows.tolist()], dtype=np.float32)

    def containing(self, phrases: Iterable[Sequence[str]]) -> Rows:
        """The rows whose title, headings or text hold every one of the phrases, in ascending order."""
        parts = [(tantivy.Occur.Must, self._phrase(words)) for words in phrases]
        ranking = self._run(tantivy.Query.boolean_query(parts), len(self)) if parts else []
        return np.array(sorted(row for row, _ in ranking), dtype=np.int64)

    def _query(self, question: Question) -> Any:
        """The question as a Tantivy query; None where it has no terms."""
        parts = [self._weighted(self._term(term.term), term.weight) for term in question.terms]
        parts += [self._weighted(self._phrase(phrase.words), phrase.weight) for phrase in question.phrases]
        return tantivy.Query.boolean_query([(tantivy.Occur.Should, part) for part in parts]) if parts else None

    def _term(self, term: str) -> Any:
        return tantivy.Query.term_query(self._schema, "body", term, "freq")

    def _phrase(self, words: Sequence[str]) -> Any:
        if len(words) == 1:
            return tantivy.Query.term_query(self._schema, "exact", words[0])
        return tantivy.Query.phrase_query(self._schema, "exact", list(words))

    @staticmethod
    def _weighted(query: Any, weight: float) -> Any:
        return query if weight == 1.0 else tantivy.Query.boost_query(query, weight)

    def _among(self, query: Any, rows: Rows) -> Any:
        """The query, matched by these rows alone and scored as before."""
        wanted = tantivy.Query.term_set_query(self._schema, "row", [int(row) for row in rows])
        silent = tantivy.Query.const_score_query(wanted, 0.0)
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, silent)])

    def _filtered(self, query: Any, top: int, allowed: Rows) -> list[tuple[int, float]]:
        wanted = set(allowed.tolist())
        limit = top * max(2, 2 * len(self) // len(wanted))
        while True:
            ranked = self._run(query, limit)
            permitted = [entry for entry in ranked if entry[0] in wanted]
            if len(permitted) >= top or len(ranked) < limit:
                return permitted[:top]
            limit *= 4

    def _run(self, query: Any, limit: int) -> list[tuple[int, float]]:
        if len(self) == 0:
            return []
        hits = self._searcher.search(query, limit=min(limit, len(self)), count=False).hits
        rows = self._searcher.fast_field_values("row", [address for _, address in hits])
        # Equal scores go by row, so that the order never depends on the engine's own.
        return sorted(zip(rows, (score for score, _ in hits), strict=True), key=lambda entry: (-entry[1], entry[0]))


def _opened(folder: Path) -> Any:
    """Tantivy's index in a folder that is not written in; raises :class:`IndexUnusableError`.

    Tantivy makes a lock file where it reads, but a build never changes and may lie in a read-only folder. So it is
    opened through links in a folder of its own, which can go as soon as the files are open.
    """
    try:
        with _temporary_folder() as place:
            for file in (file for file in folder.iterdir() if file.suffix != LOCK_SUFFIX):
                (place / file.name).symlink_to(file.absolute())
            index = tantivy.Index.open(str(place))
            index.config_reader("manual")
            index.reload()
    except (ValueError, OSError) as error:
        raise unusable(error, "Ordindekset kan ikke læses.") from error
    _register(index)
    return index


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A folder for as long as an index is opened in it.

    Tantivy's own threads may still make a lock file in it while it is being removed, so removal is tried again; a
    folder of links that stays behind is no fault of the index.
    """
    place = Path(tempfile.mkdtemp(prefix="kb-ordindeks-"))
    try:
        yield place
    finally:
        for _ in range(CLEANUP_TRIES):
            shutil.rmtree(place, ignore_errors=True)
            if not place.exists():
                break
            time.sleep(CLEANUP_PAUSE)


def _schema() -> Any:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("row", indexed=True, fast=True)
    builder.add_text_field("body", tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("exact", tokenizer_name="whitespace", index_option="position")
    return builder.build()


def _register(index: Any) -> None:
    index.register_tokenizer("whitespace", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())


def _write(writer: Any, entries: Iterable[Entry], analyser: Analyser) -> Iterator[list[TokenTerms]]:
    """Give the writer every entry; yields the words of each."""
    for row, entry in enumerate(entries):
        fields = analysed_fields(entry, analyser)
        writer.add_document(_document(row, fields))
        yield [word for field in fields for word in field]


def _document(row: int, fields: Sequence[Sequence[TokenTerms]]) -> Any:
    document = tantivy.Document()
    document.add_unsigned("row", row)
    document.add_text("body", " ".join(term for field in fields for word in field for term in terms_of(word)))
    document.add_text("exact", as_written(fields))
    return document


def analysed_fields(entry: Entry, analyser: Analyser) -> list[list[TokenTerms]]:
    """The words of title, headings and text, a list each."""
    return [analyser.analysed(part) for part in (entry.title, *entry.headings, entry.text)]


def as_written(fields: Sequence[Sequence[TokenTerms]]) -> str:
    """The words as written, a blank between them, in which phrases are looked for."""
    return f" {_BREAK} ".join(" ".join(word.word for word in field) for field in fields)
