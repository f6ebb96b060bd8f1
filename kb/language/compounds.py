"""Splits Danish compounds into words of the corpus.

Danish writes compounds as one word and forms new ones freely, so no list is complete; the vocabulary of the corpus
says which strings are words. Splitting is a shortest-path search over the letters of the word (Viterbi): every part
must be a word of the corpus, every part but the last may carry a linking s or e, the cost of a part is its negative log
probability, and every split has a fixed cost. The cheapest path wins, and its parts are split again:
"databehandleraftaler" becomes databehandler + aftaler, and databehandler becomes data + behandler; all four are
indexed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from kb.language import danish
from kb.language.vocabulary import Vocabulary

# A part of a compound has at least this many letters: shorter strings are words by accident too often.
MIN_PART = 3
# The fixed cost of a split, in nats, beside the negative log probabilities of the parts.
SPLIT_COST = 4.0
# Words longer than this are data, not Danish (links, hashes), and are not split.
MAX_COMPOUND = 48
LINKING = ("s", "e")


@dataclass(frozen=True, slots=True)
class _Path:
    cost: float
    splits: tuple[tuple[int, int], ...]


class CompoundSplitter:
    """Splits compounds into the words of a vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._total = math.log(vocabulary.stems.total() + 1)
        self.parts = lru_cache(maxsize=200_000)(self._parts)

    def _parts(self, word: str) -> tuple[str, ...]:
        """The stems of a compound's parts, of known words that neighbouring parts form, and of parts of parts."""
        if not 2 * MIN_PART <= len(word) <= MAX_COMPOUND or not word.isalpha():
            return ()
        spans = self._cheapest(word)
        if len(spans) < 2:
            return ()
        parts = [word[start:end] for start, end in spans]
        joined = [
            word[spans[i][0] : spans[j][1]]
            for i in range(len(spans))
            for j in range(i + 1, len(spans))
            if (i, j) != (0, len(spans) - 1)
        ]
        known = [danish.stem(part) for part in (*parts, *(j for j in joined if self._vocabulary.knows(j)))]
        deeper = [stem for part in parts for stem in self.parts(part)]
        return tuple(dict.fromkeys([*known, *deeper]))

    def _cheapest(self, word: str) -> tuple[tuple[int, int], ...]:
        """The cheapest split of the whole word into known parts, as ``[start, end)`` without linking letters."""
        best: dict[int, _Path] = {0: _Path(0.0, ())}
        for start in range(len(word) - MIN_PART + 1):
            if start not in best:
                continue
            before = best[start]
            for end, stop, cost in self._steps(word, start):
                total = before.cost + cost + SPLIT_COST
                if end not in best or total < best[end].cost:
                    best[end] = _Path(total, (*before.splits, (start, stop)))
        return best[len(word)].splits if len(word) in best else ()

    def _steps(self, word: str, start: int) -> Iterator[tuple[int, int, float]]:
        """The parts that may follow from ``start``: where each ends with its linking letter and without, its cost."""
        for part, count in self._modifiers(word[start:]).items():
            stop = start + len(part)
            cost = self._total - math.log(count)
            if stop < len(word):
                yield stop, stop, cost
            if stop + 1 < len(word) and word[stop] in LINKING:
                yield stop + 1, stop, cost
        if start and (count := self._head_count(word[start:])):
            yield len(word), len(word), self._total - math.log(count)

    def _modifiers(self, text: str) -> Mapping[str, int]:
        """The modifiers (parts before the last) that ``text`` can begin with, words or stems, with their counts."""
        words, stems = self._vocabulary.frequencies, self._vocabulary.stems
        bases = {stem: stems[stem] for stem in stems.prefixes(text) if len(stem) >= MIN_PART}
        with_e = {text[: len(stem) + 1]: count for stem, count in bases.items() if text[len(stem) :].startswith("e")}
        longer = {base: count for base, count in bases.items() if len(base) > MIN_PART}
        whole = {word: words[word] for word in words.prefixes(text) if len(word) >= MIN_PART}
        counts = with_e | longer | whole
        # Shortest first: where a linking e gives two analyses of equal cost, the shorter part wins.
        return {part: counts[part] for part in sorted(counts, key=len) if part not in danish.stop_words()}

    def _head_count(self, part: str) -> int:
        """The frequency of a head (the last part) in any form; 0 for one that is not a word of the corpus."""
        if part in danish.stop_words() or part in danish.endings():
            return 0
        count = self._vocabulary.frequencies.get(part, 0)
        if not count and len(part) > MIN_PART:
            count = self._vocabulary.stems.get(danish.stem(part), 0)
        return count
