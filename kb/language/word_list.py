"""Whether a word is Danish or English, by all forms of the words of two spelling dictionaries.

    is_word("sparede")  # True, in whatever report it is or is not

The lists hold words of :data:`SHORTEST` letters and more, in the form of :func:`kb.language.vocabulary.word_form`, as
memory-mapped tries that ``tools/word_lists.py`` makes. Danish forms compounds freely, so two listed words with or
without a linking letter are a word too; they must be of :data:`SHORTEST_PART` letters, as shorter ones are found in
misspelt words by accident.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import as_file, files
from typing import Any

import marisa_trie

SHORTEST = 5
SHORTEST_PART = 5
LINKING = ("", "s", "e")


@lru_cache(maxsize=10_000)
def is_word(word: str) -> bool:
    """Whether a word of :data:`SHORTEST` letters or more is in a list, or is a compound of two words of the Danish."""
    return is_listed(word) or _is_compound(word)


def is_listed(word: str) -> bool:
    """Whether a word of :data:`SHORTEST` letters or more is in a list itself."""
    return word in _list("danish") or word in _list("english")


def _is_compound(word: str) -> bool:
    danish = _list("danish")
    for first in danish.prefixes(word[:-SHORTEST_PART]):
        rest = word[len(first) :]
        if any(rest.startswith(link) and _is_part(rest[len(link) :]) for link in LINKING):
            return True
    return False


def _is_part(text: str) -> bool:
    return len(text) >= SHORTEST_PART and text in _list("danish")


@cache
def _list(name: str) -> Any:
    trie = marisa_trie.Trie()
    with as_file(files("kb.language") / "word_lists" / f"{name}.trie") as path:
        trie.mmap(str(path))
    return trie
