"""Who may see a report: the groups that a report names, and the groups of whoever asks (pure).

    Access(frozenset({"HR"})).permits(("HR", "Ledelse"))    # True: one of a report's groups is enough
    Access().permits(())                                    # True: a report that names no group is for everyone

A group is known by its name as the sign-in gives it, letter for letter.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass

# What stands for no groups at all, where a folder's rule would otherwise name some.
EVERYONE = "alle"
# A group that no sign-in can name: what needs it is for administrators alone.
NOBODY = "\0"


@dataclass(frozen=True, slots=True)
class Access:
    """The groups of whoever asks; ``everything`` is that of administrators and of the command line."""

    groups: frozenset[str] = frozenset()
    everything: bool = False

    def permits(self, needed: Collection[str]) -> bool:
        """Whether a report of these groups may be seen."""
        return self.everything or not needed or not self.groups.isdisjoint(needed)

    def includes(self, groups: Collection[str]) -> bool:
        """Whether one is in every one of some groups."""
        return self.everything or self.groups.issuperset(groups)

    def as_text(self) -> str:
        """As it is stored."""
        return EVERYTHING_TEXT if self.everything else groups_text(self.groups)

    @classmethod
    def from_text(cls, stored: str) -> Access:
        """The inverse of :meth:`as_text`."""
        return cls(everything=True) if stored == EVERYTHING_TEXT else cls(frozenset(groups_of_text(stored)))


EVERYTHING_TEXT = "*"
EVERYTHING = Access(everything=True)


def groups_text(groups: Iterable[str]) -> str:
    """Groups as they are stored: a JSON list in order."""
    return json.dumps(sorted(groups), ensure_ascii=False)


def groups_of_text(stored: str) -> tuple[str, ...]:
    """The inverse of :func:`groups_text`."""
    return tuple(json.loads(stored))


def group_names(given: Iterable[str]) -> tuple[str, ...]:
    """Groups by their names in Unicode's composed form without blanks around them, each once and in order."""
    return tuple(sorted({name for one in given if (name := unicodedata.normalize("NFC", " ".join(one.split())))}))


def shared_by(named: Collection[tuple[str, ...]]) -> tuple[str, ...]:
    """The groups that may see a file of several parts, each for those it names: who may see every one of them."""
    needed = [set(groups) for groups in named if groups not in {(), (EVERYONE,)}]
    if not needed:
        return max(named, default=())  # a word to everyone, where there is one
    return tuple(sorted(set.intersection(*needed))) or (NOBODY,)


def names_in(text: str) -> tuple[str, ...]:
    """The groups of a line where commas or semicolons separate them."""
    return group_names(text.replace(";", ",").split(","))
