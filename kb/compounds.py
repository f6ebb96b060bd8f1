"""Splits Danish compounds into words of the corpus.

Danish writes compounds as one word and makes new ones freely, so no list can hold them; the corpus itself tells which
strings are words. Splitting is a shortest-path search over the letters of the word (Viterbi): every part must be a
word of the corpus, a part but the last may carry a linking s or e, the cost of a part is its negative log probability,
and every cut costs something too. The cheapest path wins, and its parts are split in their turn: "databehandleraftaler"
becomes databehandler + aftaler, and databehandler becomes data + behandler; all four are kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from kb import danish
from kb.vocabulary import Vocabulary

# A part of a compound has at least this many letters: shorter strings are words by accident too often.
MIN_PART = 3
# Each cut must pay for itself; in nats, beside the parts' log probabilities.
CUT_COST = 4.0
# Words longer than this are data, not Danish (links, hashes), and are not split.
MAX_COMPOUND = 48
LINKING = ("s", "e")


@dataclass(frozen=True, slots=True)
class _Path:
    cost: float
    cuts: tuple[tuple[int, int], ...]


class CompoundSplitter:
    """Splits compounds into the words of a vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._total = math.log(sum(vocabulary.stems.values()) + 1)
        self.parts = lru_cache(maxsize=200_000)(self._parts)

    def _parts(self, word: str) -> tuple[str, ...]:
        """The stems of a compound's parts, known words made of neighbouring parts, and parts of parts."""
        if not 2 * MIN_PART <= len(word) <= MAX_COMPOUND or not word.isalpha():
            return ()
        cuts = self._cheapest(word)
        if len(cuts) < 2:
            return ()
        parts = [word[start:end] for start, end in cuts]
        joined = [
            word[cuts[i][0] : cuts[j][1]]
            for i in range(len(cuts))
            for j in range(i + 1, len(cuts))
            if (i, j) != (0, len(cuts) - 1)
        ]
        known = [danish.stem(part) for part in (*parts, *(j for j in joined if self._vocabulary.knows(j)))]
        deeper = [stem for part in parts for stem in self.parts(part)]
        return tuple(dict.fromkeys([*known, *deeper]))

    def _cheapest(self, word: str) -> tuple[tuple[int, int], ...]:
        """The cheapest cut of the whole word into known parts, as ``[start, end)`` without linking letters."""
        best: dict[int, _Path] = {0: _Path(0.0, ())}
        for end in range(MIN_PART, len(word) + 1):
            reached = [path for path in self._steps(word, end, best) if path is not None]
            if reached:
                best[end] = min(reached, key=lambda path: path.cost)
        return best[len(word)].cuts if len(word) in best else ()

    def _steps(self, word: str, end: int, best: Mapping[int, _Path]) -> Iterator[_Path]:
        last = end == len(word)
        for start in range(end - MIN_PART + 1):
            if start not in best or (start == 0 and last):
                continue
            stripped = end if last else self._without_linking(word, start, end)
            for stop in {end, stripped}:
                part = word[start:stop]
                cost = self._head_cost(part) if last else self._modifier_cost(part)
                if cost is not None:
                    before = best[start]
                    yield _Path(before.cost + cost + CUT_COST, (*before.cuts, (start, stop)))

    @staticmethod
    def _without_linking(word: str, start: int, end: int) -> int:
        return end - 1 if word[end - 1] in LINKING and end - 1 - start >= MIN_PART else end

    def _modifier_cost(self, part: str) -> float | None:
        """The negative log probability of a part before the last: a word of the corpus, or its base form."""
        if part in danish.stop_words():
            return None
        count = self._vocabulary.frequencies.get(part, 0)
        if not count and len(part) > MIN_PART:
            stems = self._vocabulary.stems
            count = stems.get(part, 0) or (stems.get(part[:-1], 0) if part.endswith("e") else 0)
        return self._total - math.log(count) if count else None

    def _head_cost(self, part: str) -> float | None:
        """The negative log probability of the last part: any form of a word of the corpus."""
        if part in danish.stop_words() or part in danish.endings():
            return None
        count = self._vocabulary.frequencies.get(part, 0)
        if not count and len(part) > MIN_PART:
            count = self._vocabulary.stems.get(danish.stem(part), 0)
        return self._total - math.log(count) if count else None
