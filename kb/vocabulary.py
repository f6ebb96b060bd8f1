"""The written form of a token, and the vocabulary of a corpus: which words it has, and in how many passages.

The vocabulary is counted at indexing and kept with the build. Compound splitting and the correction of misspellings
both ask it what is a word.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from kb import danish
from kb.danish import Kind, Token
from kb.errors import IndexDamagedError

_APOSTROPHE_ENDING = re.compile(r"['\u2019](?:s|e|en|et|er|ene|erne|ens|ets|ers|ernes)$")
_JOINERS = re.compile(r"[-\u2010\u2011'\u2019&.]")
# How many written words keep their forms; some 30 MB when full.
KEPT_FORMS = 100_000
_THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?")


def word_form(token: Token) -> str:
    """A token's one written form: folded, without joiners, endings after an apostrophe or thousands marks."""
    return _word_form(token.text, token.kind)


# Few words make up most of a text, so the forms of those met last are kept: it halves the time of indexing.
@lru_cache(maxsize=KEPT_FORMS)
def _word_form(written: str, kind: Kind) -> str:
    text = danish.normalise(written)
    if kind is Kind.DATE:
        return danish.iso_date(text)
    if kind is Kind.REFERENCE:
        return _reference_form(text)
    if kind is Kind.NUMBER:
        return text.replace(".", "") if _THOUSANDS.fullmatch(text) else text
    if kind is Kind.ABBREVIATION:
        return text.rstrip(".")
    return _JOINERS.sub("", _APOSTROPHE_ENDING.sub("", text))


def _reference_form(text: str) -> str:
    match = re.match(r"([^\W\d]+\.?|\u00a7+)\s*(.+)", text)
    assert match is not None
    return f"{danish.REFERENCE_WORDS[match[1]]}_{match[2].replace(' ', '')}"


def written_parts(token: Token) -> tuple[str, ...]:
    """The parts that the writer separated: of a hyphenated word, a date or a reference; else none."""
    return _written_parts(token.text, token.kind)


@lru_cache(maxsize=KEPT_FORMS)
def _written_parts(written: str, kind: Kind) -> tuple[str, ...]:
    text = danish.normalise(written)
    if kind is Kind.WORD:
        pieces = re.split(r"[-\u2010\u2011&]", _APOSTROPHE_ENDING.sub("", text))
        return tuple(_JOINERS.sub("", piece) for piece in pieces if len(piece) > 1) if len(pieces) > 1 else ()
    if kind is Kind.DATE:
        return tuple(piece for piece in re.split(r"[\s./-]+", text) if len(piece) > 2)
    if kind is Kind.REFERENCE:
        return tuple(_reference_form(text).split("_"))
    return ()


@dataclass(frozen=True)
class Vocabulary:
    """The words of a corpus and the number of passages that hold each.

    vocabulary = Vocabulary.of(passage.text for passage in passages)
    vocabulary.frequencies["kommune"]
    """

    frequencies: Mapping[str, int]
    passages: int
    stems: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        stems: Counter[str] = Counter()
        for word, count in self.frequencies.items():
            stems[danish.stem(word)] += count
        object.__setattr__(self, "stems", stems)

    @classmethod
    def of(cls, texts: Iterable[str]) -> Vocabulary:
        """Count the words of the texts."""
        counts: Counter[str] = Counter()
        passages = 0
        for text in texts:
            passages += 1
            counts.update({form for token in danish.tokenise(text) for form in _forms(token)})
        return cls(counts, passages)

    def knows(self, word: str) -> bool:
        """Whether the word, or another form of it, occurs in the corpus."""
        return word in self.frequencies or danish.stem(word) in self.stems

    def save(self, path: Path) -> None:
        """Write the words and their counts as JSON."""
        path.write_text(
            json.dumps({"passages": self.passages, "words": dict(self.frequencies)}, ensure_ascii=False),
            encoding="utf-8",
        )

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """The inverse of :meth:`save`; raises :class:`IndexDamagedError` where the file is not one."""
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            return cls(stored["words"], stored["passages"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IndexDamagedError("Ordforrådet kan ikke læses.") from error


def _forms(token: Token) -> Iterator[str]:
    yield word_form(token)
    yield from written_parts(token)
