"""Spelling correction: suggests words of the corpus for a word that is not in it.

A candidate is within an optimal string alignment distance (letters inserted, deleted, replaced or transposed) of one in
a word of up to nine letters, and of two in a longer one. The first letter must agree, as it is rarely wrong; that keeps
"lænker" from becoming "tænker". More frequent words come first. What a dictionary knows is no misspelling, whether a
report uses it or not ("sparede" is not "svarede"), nor is a compound of known words. Where no word is near enough, a
word whose beginning or end is a word of the corpus is treated as a compound with one misspelled part.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from kb.language import danish
from kb.language.compounds import CompoundSplitter
from kb.language.vocabulary import Vocabulary
from kb.language.word_list import SHORTEST, is_word

# Shorter words have too many neighbours for a guess to be worth showing, and are in no word list.
MIN_LETTERS = SHORTEST
# From this length on, a distance of two is allowed.
LONG_WORD = 10
MAX_SUGGESTIONS = 2
# The minimum length of the known part of a misspelled compound.
MIN_KNOWN_PART = 4


class Speller:
    """Suggests words of the corpus for a string that is no word; a word of the corpus or of Danish has none."""

    def __init__(
        self, vocabulary: Vocabulary, splitter: CompoundSplitter, in_dictionary: Callable[[str], bool] = is_word
    ) -> None:
        self._vocabulary = vocabulary
        self._splitter = splitter
        self._in_dictionary = in_dictionary
        self.suggest = lru_cache(maxsize=10_000)(self._suggest)

    def _suggest(self, word: str) -> tuple[str, ...]:
        """Known words that may have been meant, most likely first; at most :data:`MAX_SUGGESTIONS`."""
        if not word.isalpha() or len(word) < MIN_LETTERS or self._is_word(word):
            return ()
        return (self._near(word) or self._corrected_compounds(word))[:MAX_SUGGESTIONS]

    def _is_word(self, word: str) -> bool:
        return self._vocabulary.knows(word) or bool(self._splitter.parts(word)) or self._in_dictionary(word)

    def _near(self, word: str) -> tuple[str, ...]:
        """The nearest known words, frequent ones first; of the forms of one word, the first alone."""
        allowed = 1 if len(word) < LONG_WORD else 2
        lengths = range(len(word) - allowed, len(word) + allowed + 1)
        pool = [near for length in lengths for near in self._vocabulary.alike(word[0], length)]
        candidates = process.extract(word, pool, scorer=OSA.distance, score_cutoff=allowed, limit=20)
        nearest = min((distance for _, distance, _ in candidates), default=0)
        if nearest == 0:
            return ()
        closest = [self._shown(near) for near, distance, _ in candidates if distance == nearest]
        closest.sort(key=lambda near: (-self._vocabulary.frequencies[near], near))
        by_stem = {danish.stem(near): near for near in reversed(closest)}
        return tuple(dict.fromkeys(by_stem[danish.stem(near)] for near in closest))

    def _shown(self, near: str) -> str:
        """A word of the corpus for a word or a stem."""
        return near if near in self._vocabulary.frequencies else self._vocabulary.most_frequent_form(near)

    def _corrected_compounds(self, word: str) -> tuple[str, ...]:
        """The word with one part corrected, where the rest of it is a known word; longest known part first."""
        for known in range(len(word) - MIN_LETTERS, MIN_KNOWN_PART - 1, -1):
            head, tail = word[:known], word[known:]
            if head in self._vocabulary.frequencies and (near := self._near(tail)):
                return tuple(head + corrected for corrected in near)
            head, tail = word[:-known], word[-known:]
            if tail in self._vocabulary.frequencies and (near := self._near(head)):
                return tuple(corrected + tail for corrected in near)
        return ()
