"""What reports call the things that people name in everyday words: "de gamle" for ældre, "skattekroner" for bevilling.

    named_by_reports(words_of("Hvad siger rådhuset til de gamle?"))   # one group of names for each everyday name found

Unlike the names of :mod:`kb.language.synonyms` those of a group do not mean the same: they say where a report may tell
of what is meant. ``word_lists/everyday.txt`` holds them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

from kb.language import danish
from kb.language.vocabulary import words_of

# A name is the stems of its words.
Name = tuple[str, ...]
Names = tuple[Name, ...]
WORDS_FILE = "everyday.txt"


def named_by_reports(words: Sequence[str]) -> list[Names]:
    """For each everyday name among the words, in order, what reports say instead; of two at a place the longer one."""
    stems = tuple(map(danish.stem, words))
    found: list[Names] = []
    start = 0
    while start < len(stems):
        name = next((name for name in _by_first_stem().get(stems[start], ()) if _begins(stems[start:], name)), None)
        if name is not None:
            found.append(tuple(dict.fromkeys(other for other in _stems_of_each(_table()[name]) if other != name)))
        start += len(name) if name else 1
    return found


def _begins(stems: Name, name: Name) -> bool:
    return stems[: len(name)] == name


@cache
def _table() -> Mapping[Name, str]:
    """From each everyday name to what reports say, as it is listed; what two lines say of one is joined.

    The names of reports are stemmed when they are asked for: all of them at once took a tenth of a second.
    """
    found: dict[Name, str] = {}
    for line in (files("kb.language") / "word_lists" / WORDS_FILE).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        everyday, _, reports = line.partition(" = ")
        for name in _stems_of_each(everyday):
            found[name] = f"{found[name]}, {reports}" if name in found else reports
    return found


@cache
def _by_first_stem() -> Mapping[str, tuple[Name, ...]]:
    """The everyday names by the stem they begin with, the longest first."""
    found: dict[str, list[Name]] = {}
    for name in sorted(_table(), key=len, reverse=True):
        found.setdefault(name[0], []).append(name)
    return {stem: tuple(names) for stem, names in found.items()}


def _stems_of_each(listed: str) -> Iterator[Name]:
    """The stems of each of the names in a list with commas."""
    for text in listed.split(","):
        if words := words_of(text):
            yield tuple(map(danish.stem, words))
