"""The sentences of a passage that may answer a question (pure).

A passage's sentences are its answers' raw material. What is no statement of the report is left out: its list of
sources, the line that says who wrote the summary, rows of tables, navigation and fragments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kb import danish
from kb.chunk import embedding_prefix
from kb.models import Passage
from kb.roles import is_sources

_NOTICE = re.compile(
    r"erfaringsbasen|(?:ikke|hverken) (?:\w+ ){0,7}egen (?:rapport|tekst)|står ikke bag teksten"
    r"|ikke selve (?:rapporten|statusrapporten|evalueringen)|(?:sammenf\w+|sammendrag) (?:af|fra) offentlige kilder",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[.!?:][)\"'\u201d\u201c\u00bb\u2019]*$")
# A row as the readers write it: cells with their columns' names, "Projekt: AIR; Beløb: 4,1 mio. kr."
_TABLE_ROW = re.compile(r"[^.!?;]{1,90}: [^;]+; .")
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
        """The sentence as it stands in the document."""
        return self.passage.text[self.start - self.passage.start : self.end - self.passage.start]

    @property
    def text(self) -> str:
        """The sentence on one line."""
        return " ".join(self.verbatim.split())


def sentences_of(passage: Passage) -> tuple[Sentence, ...]:
    """The sentences of a passage that may answer, in order."""
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
    """The passage's sentences by line: what one paragraph, list item or table row says."""
    line: list[Sentence] = []
    for start, end in danish.sentences(passage.text):
        body = passage.text[start:end]
        left = len(body) - len(body.lstrip())
        right = len(body.rstrip())
        if left < right:
            line.append(Sentence(passage, passage.start + start + left, passage.start + start + right))
        if "\n" in body[right:]:
            yield line
            line = []
    yield line


def may_answer(text: str) -> bool:
    """Whether a text is a statement: a sentence or a full list item, and no table row."""
    ended = _ENDS.search(text) is not None
    words = sum(1 for token in danish.tokenise(text) if token.text[0].isalpha())
    return words >= (MIN_WORDS if ended else MIN_WORDS_UNENDED) and (ended or not _TABLE_ROW.match(text))


def embedding_text(title: str, sentence: Sentence) -> str:
    """What is embedded for a sentence: title and headings on one line, then the sentence."""
    prefix = embedding_prefix(title, sentence.passage.heading_path)
    return f"{prefix}\n{sentence.text}" if prefix else sentence.text
