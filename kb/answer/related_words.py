"""The names that reports use for what a question says in everyday words, as one base has them (pure).

A sentence is met by the rarest of each group's names that it has: half of that counts where it stands in the title or
the headings alone. The names are also searched for, so that passages are read which share no word with the question.
"""

from __future__ import annotations

from collections.abc import Sequence

from kb.core.models import MatchKind
from kb.language.analysis import QueryTerm, Question
from kb.language.everyday import Names, named_by_reports
from kb.language.vocabulary import Vocabulary, words_of

# The weight of a name of one word in the search, and of each word of a longer one.
NAME_WEIGHT = 0.5
WORD_WEIGHT = 0.3
# What a name counts that stands in the title or headings alone.
IN_CONTEXT = 0.5


class RelatedWords:
    """The groups of names that a question's everyday words bring, with the rarity of those that the base has."""

    def __init__(self, groups: Sequence[Names], vocabulary: Vocabulary) -> None:
        self._groups = tuple(
            tuple((frozenset(name), rarity) for name in group if (rarity := _rarity(name, vocabulary)))
            for group in groups
        )
        self._looked_for = frozenset(stem for group in self._groups for name, _ in group for stem in name)
        self._met: dict[frozenset[str], float] = {}

    @classmethod
    def of(cls, text: str, vocabulary: Vocabulary) -> RelatedWords:
        """Those of a question as it is read."""
        return cls(named_by_reports(words_of(text)), vocabulary)

    def question(self, text: str) -> Question | None:
        """What is searched for instead of the question ``text``; None where the base has none of the names."""
        names = sorted({name for group in self._groups for name, _ in group}, key=sorted)
        weights: dict[str, float] = {}
        for name in names:
            for stem in sorted(name):
                weights[stem] = max(weights.get(stem, 0.0), NAME_WEIGHT if len(name) == 1 else WORD_WEIGHT)
        terms = tuple(QueryTerm(stem, weight, MatchKind.SYNONYM, stem) for stem, weight in weights.items())
        return Question(f"{text} ({' '.join(weights)})", terms) if terms else None

    def met(self, terms: frozenset[str], context: frozenset[str]) -> float:
        """How well a sentence of these terms meets the groups, with its title and headings: a sum of rarities."""
        inside, around = self._looked_for & terms, self._looked_for & (terms | context)
        return IN_CONTEXT * self._sum(around) + (1 - IN_CONTEXT) * self._sum(inside)

    def _sum(self, found: frozenset[str]) -> float:
        if found not in self._met:
            self._met[found] = sum(
                max((rarity for name, rarity in group if name <= found), default=0.0) for group in self._groups
            )
        return self._met[found]


def _rarity(name: Sequence[str], vocabulary: Vocabulary) -> float:
    """That of a name's rarest word; 0 where the base lacks one of them."""
    if not all(stem in vocabulary.stems for stem in name):
        return 0.0
    return max(vocabulary.rarity(vocabulary.stems[stem]) for stem in name)
