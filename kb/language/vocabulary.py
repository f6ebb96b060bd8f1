"""The written form of a token, and the vocabulary of a corpus: which words it has, and in how many passages.

The vocabulary is counted at indexing and stored with the build. Compound splitting and spelling correction look words
up in it. It is stored as memory-mapped tries: a million passages have about half a million words, which as Python
strings would take hundreds of megabytes and seconds to load.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import marisa_trie
import numpy as np
from numpy.typing import NDArray

from kb.core.machine import unusable
from kb.language import danish
from kb.language.danish import Kind, Token

_APOSTROPHE_ENDING = re.compile(r"['\u2019](?:s|e|en|et|er|ene|erne|ens|ets|ers|ernes)$")
_JOINERS = re.compile(r"[-\u2010\u2011'\u2019&.]")
SUMMARY_FILE = "vocabulary.json"
# Shorter words are never suggested for a misspelled one.
MIN_ALIKE_LETTERS = 4
# Written words whose forms are cached; about 30 MB when full.
CACHED_FORMS = 100_000
_THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?")


def word_form(token: Token) -> str:
    """A token's one written form: folded, without joiners, endings after an apostrophe or thousands marks."""
    return _word_form(token.text, token.kind)


# A few words make up most of a text, so caching their forms halves the time of indexing.
@lru_cache(maxsize=CACHED_FORMS)
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
    return _JOINERS.sub("", _APOSTROPHE_ENDING.sub("", _together(text)))


def _together(text: str) -> str:
    """A folded word without blanks: a few letters (U+037A, U+FDFA) fold into several words."""
    return "".join(text.split())


def _reference_form(text: str) -> str:
    match = re.match(r"([^\W\d]+\.?|\u00a7+)\s*(.+)", text)
    assert match is not None
    return f"{danish.REFERENCE_WORDS[match[1]]}_{match[2].replace(' ', '')}"


def words_of(text: str) -> tuple[str, ...]:
    """The written forms of a text's words, in order."""
    return tuple(word_form(token) for token in danish.tokenise(text))


def written_parts(token: Token) -> tuple[str, ...]:
    """The parts separated in writing: of a hyphenated word, a date or a reference; else none."""
    return _written_parts(token.text, token.kind)


@lru_cache(maxsize=CACHED_FORMS)
def _written_parts(written: str, kind: Kind) -> tuple[str, ...]:
    text = danish.normalise(written)
    if kind is Kind.WORD:
        pieces = re.split(r"[-\u2010\u2011&]", _APOSTROPHE_ENDING.sub("", _together(text)))
        return tuple(_JOINERS.sub("", piece) for piece in pieces if len(piece) > 1) if len(pieces) > 1 else ()
    if kind is Kind.DATE:
        return tuple(piece for piece in re.split(r"[\s./-]+", text) if len(piece) > 2)
    if kind is Kind.REFERENCE:
        return tuple(_reference_form(text).split("_"))
    return ()


class Counts(Mapping[str, int]):
    """Strings with a count each, in a trie: some ten bytes a string, memory-mapped where it is read from a file."""

    def __init__(self, trie: Any, counts: NDArray[np.int64]) -> None:
        self._trie = trie
        self._counts = counts

    @classmethod
    def of(cls, counted: Mapping[str, int]) -> Counts:
        """The same strings and counts."""
        trie = marisa_trie.Trie(counted)
        counts = np.zeros(len(trie), dtype=np.int64)
        for string, count in counted.items():
            counts[trie[string]] = count
        return cls(trie, counts)

    def __getitem__(self, string: str) -> int:
        return int(self._counts[self._trie[string]])

    def __contains__(self, string: object) -> bool:
        return string in self._trie

    def __iter__(self) -> Iterator[str]:
        return iter(self._trie)

    def __len__(self) -> int:
        return len(self._trie)

    def number(self, string: str) -> int:
        """The string's number, from 0; raises KeyError."""
        return int(self._trie[string])

    def string(self, number: int) -> str:
        """The inverse of :meth:`number`."""
        return str(self._trie.restore_key(number))

    def prefixes(self, text: str) -> list[str]:
        """The strings that ``text`` begins with, shortest first."""
        prefixes: list[str] = self._trie.prefixes(text)
        return prefixes

    def total(self) -> int:
        """The sum of the counts."""
        return int(self._counts.sum())

    def save(self, folder: Path, name: str) -> None:
        """Write the trie and the counts."""
        self._trie.save(str(folder / f"{name}.trie"))
        self._counts.tofile(folder / f"{name}.counts")

    @classmethod
    def load(cls, folder: Path, name: str) -> Counts:
        """The inverse of :meth:`save`."""
        trie = marisa_trie.Trie()
        trie.mmap(str(folder / f"{name}.trie"))
        counts = cls(trie, _mapped(folder / f"{name}.counts", np.int64))
        if len(trie) != len(counts._counts):
            raise ValueError(f"{len(trie)} strings, {len(counts._counts)} counts")
        return counts


@dataclass(frozen=True)
class Vocabulary:
    """The words of a corpus and the number of passages that hold each; ``stems`` likewise, their words' counts added.

        vocabulary = Vocabulary.of(passage.text for passage in passages)
        vocabulary.frequencies["kommune"]

    ``forms`` has the number of the most frequent word of every stem, by the stem's number. ``letters`` holds all words
    and stems that may be suggested, and ``groups`` the range in it of each first letter and length.
    """

    frequencies: Counts
    stems: Counts
    passages: int
    forms: NDArray[np.int32]
    letters: NDArray[np.uint8]
    groups: Mapping[str, tuple[int, int]]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Vocabulary:
        """Count the words of the texts."""
        counted: Counter[str] = Counter()
        passages = 0
        for text in texts:
            passages += 1
            counted.update({form for token in danish.tokenise(text) for form in _forms(token)})
        by_stem: Counter[str] = Counter()
        best: dict[str, str] = {}
        for word, count in sorted(counted.items(), key=lambda item: (item[1], item[0])):
            stem = danish.stem(word)
            by_stem[stem] += count
            best[stem] = word
        frequencies, stems = Counts.of(counted), Counts.of(by_stem)
        forms = np.zeros(len(stems), dtype=np.int32)
        for stem, word in best.items():
            forms[stems.number(stem)] = frequencies.number(word)
        letters, groups = _grouped({*counted, *by_stem})
        return cls(frequencies, stems, passages, forms, letters, groups)

    def knows(self, word: str) -> bool:
        """Whether the word, or another form of it, occurs in the corpus."""
        return word in self.frequencies or danish.stem(word) in self.stems

    def rarity(self, count: int) -> float:
        """How much a word that ``count`` passages have tells: the inverse document frequency of BM25."""
        return math.log(1 + (self.passages - count + 0.5) / (count + 0.5))

    def most_frequent_form(self, stem: str) -> str:
        """The most frequent word of a stem of the corpus; raises KeyError for an unknown one."""
        return self.frequencies.string(int(self.forms[self.stems.number(stem)]))

    def alike(self, first: str, length: int) -> list[str]:
        """The words and stems of this length that begin with this letter."""
        start, end = self.groups.get(f"{first}{length}", (0, 0))
        return bytes(self.letters[start:end]).decode("utf-8").split()

    def save(self, folder: Path) -> None:
        """Write the vocabulary to a folder, which must not exist yet."""
        folder.mkdir()
        self.frequencies.save(folder, "words")
        self.stems.save(folder, "stems")
        self.forms.tofile(folder / "forms")
        self.letters.tofile(folder / "letters")
        facts = {"passages": self.passages, "groups": self.groups}
        (folder / SUMMARY_FILE).write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Vocabulary:
        """The inverse of :meth:`save`; raises :class:`IndexUnusableError` where the files are damaged or incomplete."""
        try:
            facts = json.loads((folder / SUMMARY_FILE).read_text(encoding="utf-8"))
            return cls(
                frequencies=Counts.load(folder, "words"),
                stems=Counts.load(folder, "stems"),
                passages=facts["passages"],
                forms=_mapped(folder / "forms", np.int32),
                letters=_mapped(folder / "letters", np.uint8),
                groups={name: (start, end) for name, (start, end) in facts["groups"].items()},
            )
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise unusable(error, "Ordforrådet kan ikke læses.", folder / SUMMARY_FILE) from error


def _grouped(strings: Iterable[str]) -> tuple[NDArray[np.uint8], dict[str, tuple[int, int]]]:
    """Strings of letters sorted by first letter and length in one array of bytes, and the range of each group in it."""
    wanted = (string for string in strings if string.isalpha() and len(string) >= MIN_ALIKE_LETTERS)
    ordered = sorted(wanted, key=lambda string: (string[0], len(string), string))
    data = bytearray()
    groups: dict[str, tuple[int, int]] = {}
    for (first, length), group in groupby(ordered, key=lambda string: (string[0], len(string))):
        start = len(data)
        data += " ".join(group).encode("utf-8") + b" "
        groups[f"{first}{length}"] = (start, len(data))
    return np.frombuffer(bytes(data), dtype=np.uint8), groups


def _mapped(path: Path, kind: type) -> NDArray[Any]:
    return np.memmap(path, dtype=kind, mode="r") if path.stat().st_size else np.empty(0, dtype=kind)


def _forms(token: Token) -> Iterator[str]:
    yield word_form(token)
    yield from written_parts(token)
