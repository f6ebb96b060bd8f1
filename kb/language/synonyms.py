"""Names that mean the same: official terms, everyday names and abbreviations, and where they occur in a question.

    list(shipped().others(words_of("Hvad med GDPR?")))
    shipped().with_house(groups=[["skraldebil", "renovationsbil"]], switched_off=["hospital"])

``synonyms.yaml`` is what is shipped. A house adds groups of its own and switches shipped ones off; a group of the house
that shares a name with another widens that one, as what means the same as one of its names means the same as all. Where
a question has a name of the house that no report uses, the question means the name that reports do use: finding the
word is not enough, as the model that reads passages reads the question too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

import yaml

from kb.language import danish
from kb.language.vocabulary import words_of

# A name is the written forms of its words.
Name = tuple[str, ...]
Group = tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class ShippedGroup:
    """A group as it is written in ``synonyms.yaml``, with where its names are defined; known by its first name."""

    names: tuple[str, ...]
    source: str

    @property
    def key(self) -> str:
        """What it is switched off by."""
        return self.names[0]


@cache
def shipped_groups() -> tuple[ShippedGroup, ...]:
    """The shipped groups in their order."""
    rows = yaml.safe_load((files("kb.language") / "synonyms.yaml").read_text(encoding="utf-8"))
    return tuple(ShippedGroup(tuple(row["names"]), row["source"]) for row in rows)


@cache
def shipped() -> Synonyms:
    """The shipped groups alone."""
    return Synonyms(tuple(_group(one.names) for one in shipped_groups()))


class Synonyms:
    """Groups of names, looked up by the words of a question."""

    def __init__(self, groups: Sequence[Group], house: Sequence[Sequence[str]] = ()) -> None:
        self.groups = tuple(groups)
        self.house = tuple(map(tuple, house))
        self._by_first_stem = _by_first_stem(self.groups)
        self._house_by_first_stem = _by_first_stem([_group(names) for names in self.house])

    def with_house(self, groups: Iterable[Sequence[str]], switched_off: Iterable[str] = ()) -> Synonyms:
        """These groups without those that hold the names switched off, and with a house's own, as written."""
        off = {_stems(words_of(name)) for name in switched_off}
        kept = [group for group in self.groups if _stems(group[0]) not in off]
        house = [*self.house, *groups]
        for names in house:
            kept = _widened(kept, _group(names))
        return Synonyms(kept, house)

    @cached_property
    def digest(self) -> str:
        """Names the groups: two with the same digest give a question the same analysis."""
        return hashlib.sha256(json.dumps([self.groups, self.house], ensure_ascii=False).encode()).hexdigest()[:16]

    @cached_property
    def single_words(self) -> frozenset[str]:
        """The names of one word."""
        return frozenset(name[0] for group in self.groups for name in group if len(name) == 1)

    def others(self, words: Sequence[str]) -> Iterator[tuple[Name, str]]:
        """The other names of those that occur among the words, each with the words it stands for."""
        stems = _stems(words)
        for start, stem in enumerate(stems):
            for name, number in self._by_first_stem.get(stem, ()):
                end = start + len(name)
                if stems[start:end] == name:
                    own = " ".join(words[start:end])
                    yield from ((other, own) for other in self.groups[number] if " ".join(other) != own)

    def in_use(self, words: Sequence[str], knows: Callable[[str], bool]) -> Iterator[tuple[int, int, str]]:
        """The names of the house among the words that are not all known, each ``[start, end)`` with one that is.

        They come in order and do not overlap; of two that begin with the same word the longer one.
        """
        stems = _stems(words)
        start = 0
        while start < len(stems):
            meant = self._known_name(stems[start:], knows) if stems[start] in self._house_by_first_stem else None
            if meant:
                yield start, start + meant[0], meant[1]
            start += meant[0] if meant else 1

    def _known_name(self, stems: Name, knows: Callable[[str], bool]) -> tuple[int, str] | None:
        """The length of the longest name that the stems begin with and a known name of its group, if any."""
        for name, number in sorted(self._house_by_first_stem[stems[0]], key=lambda found: -len(found[0])):
            if stems[: len(name)] != name or all(map(knows, name)):
                continue
            known = (one for one in self._names_of(number) if all(map(knows, words_of(one))))
            if meant := next(known, ""):
                return len(name), meant
        return None

    def _names_of(self, number: int) -> Iterator[str]:
        """The names of a group of the house as written, then those of the whole group it is part of."""
        own = _group(self.house[number])
        yield from self.house[number]
        yield from (" ".join(name) for group in self.groups if own[0] in group for name in group)


def _group(names: Iterable[str]) -> Group:
    return tuple(dict.fromkeys(words for words in map(words_of, names) if words))


def _stems(words: Sequence[str]) -> Name:
    return tuple(danish.stem(word) for word in words)


def _widened(groups: Sequence[Group], added: Group) -> list[Group]:
    """The groups with one more, which takes those that share a name with it into itself."""
    if not added:
        return list(groups)
    own = {_stems(name) for name in added}
    meeting = [group for group in groups if own & {_stems(name) for name in group}]
    whole = tuple(dict.fromkeys(name for group in (*meeting, added) for name in group))
    return [*(group for group in groups if group not in meeting), whole]


def _by_first_stem(groups: Sequence[Group]) -> Mapping[str, tuple[tuple[Name, int], ...]]:
    """From the stem of a name's first word to the stems of the whole name and the number of its group."""
    by_stem: dict[str, list[tuple[Name, int]]] = {}
    for number, group in enumerate(groups):
        for name in group:
            stems = _stems(name)
            by_stem.setdefault(stems[0], []).append((stems, number))
    return {stem: tuple(names) for stem, names in by_stem.items()}
