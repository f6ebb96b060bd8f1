"""The sentences of a passage that can be shown as an answer (pure).

A sentence begins after the bullet or number of its list item ("- ", "• ", "1) "). A row of a table is a sentence when
it has a name and a value. Text that states nothing about the project is left out: lists of sources, the line that says
who wrote the summary, navigation and fragments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kb.core.models import Passage
from kb.language import danish
from kb.language.embedding_text import embedding_prefix
from kb.language.roles import is_sources

_NOTICE = re.compile(
    r"erfaringsbasen|(?:ikke|hverken) (?:\w+ ){0,7}egen (?:rapport|tekst)|står ikke bag teksten"
    r"|ikke selve (?:rapporten|statusrapporten|evalueringen)"
    r"|(?:sammenf\w{1,40}|sammendrag) (?:af|fra) offentlige kilder",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[.!?:][)\"'\u201d\u201c\u00bb\u2019]*$")
# A table row as the readers write it: cells with their column names, "Projekt: AIR; Beløb: 4,1 mio. kr."
_TABLE_ROW = re.compile(r"[^.!?;]{1,90}: [^;]+; .")
_NAMED_CELLS = re.compile(r"[^.!?;]{1,90}: [^;]+; [^:;]{1,60}: ")
# The bullet or number of a list item at the beginning of its line; a day ("1. april") is neither.
_MARK = re.compile(
    "(?:[-\u2010-\u2015\u2022\u00b7\u25aa\u25ab\u25cf\u25cb\u25e6\u2023\u2043\u2219*\u2713\u2714\u2192\uf0b7\uf0a7]+|o)\\s+"
    '|(?:\\d{1,2}|[a-z])[.)]\\s+(?=[A-ZÆØÅ"\u201c\u201d\u00bb(])|(?:\\d{1,2}|[a-z])\\)\\s+'
)
MIN_WORDS = 3
# A sentence without a full stop is a list item when it has at least this many words, else a heading or a table cell.
MIN_WORDS_UNENDED = 7


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage; ``[start, end)`` are offsets into the document's text."""

    passage: Passage
    start: int
    end: int

    @property
    def verbatim(self) -> str:
        """The sentence as it is in the document."""
        return self.passage.text[self.start - self.passage.start : self.end - self.passage.start]

    @property
    def text(self) -> str:
        """The sentence on one line."""
        return " ".join(self.verbatim.split())

    def holds(self, other: Sentence) -> bool:
        """Whether another sentence is a proper part of this one."""
        return (
            self.passage.document_id == other.passage.document_id
            and self.start <= other.start <= other.end <= self.end
            and (self.start, self.end) != (other.start, other.end)
        )


def sentences_of(passage: Passage) -> tuple[Sentence, ...]:
    """The sentences of a passage that can be shown as an answer, in order."""
    if is_sources(passage.heading_path):
        return ()
    return tuple(
        sentence
        for line in _lines(passage)
        if not any(_NOTICE.search(sentence.text) for sentence in line)
        for sentence in line
        if may_answer(sentence.text)
    )


def _lines(passage: Passage) -> Iterator[list[Sentence]]:
    """The passage's sentences by line; a line is one paragraph, list item or table row."""
    line: list[Sentence] = []
    for start, end in danish.sentences(passage.text):
        begin, stop = without_mark(passage.text, start, end)
        if begin < stop:
            line.append(Sentence(passage, passage.start + begin, passage.start + stop))
        if "\n" in passage.text[stop:end]:
            yield line
            line = []
    yield line


def without_mark(text: str, start: int, end: int) -> tuple[int, int]:
    """The range of a sentence without surrounding white space and, at the beginning of a line, its bullet or number."""
    body = text[start:end]
    begin, stop = start + len(body) - len(body.lstrip()), start + len(body.rstrip())
    mark = _MARK.match(text, begin, stop) if begin == 0 or text[begin - 1] == "\n" else None
    return (mark.end() if mark else begin), max(begin, stop)


def may_answer(text: str) -> bool:
    """Whether a text is a statement: a sentence, a full list item or a row of a table."""
    whole = _ENDS.search(text) is not None or _TABLE_ROW.match(text) is not None
    words = sum(1 for token in danish.tokenise(text) if token.text[0].isalpha())
    return words >= (MIN_WORDS if whole else MIN_WORDS_UNENDED)


def is_row(text: str) -> bool:
    """Whether a text is a table row with column names and not prose."""
    return _NAMED_CELLS.match(text) is not None


def embedding_text(title: str, sentence: Sentence) -> str:
    """What is embedded for a sentence: title and headings on one line, then the sentence."""
    prefix = embedding_prefix(title, sentence.passage.heading_path)
    return f"{prefix}\n{sentence.text}" if prefix else sentence.text
