"""Example questions for the front page: only those that the base in use really answers."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from kb.search import Searcher

CANDIDATES = (
    "Hvordan håndterede projekterne GDPR?",
    "Hvad lærte projekterne om datakvalitet?",
    "Hvorfor blev nogle løsninger ikke sat i drift?",
    "Hvordan fik man medarbejderne til at bruge løsningen?",
    "Hvad kræver det, når en algoritme er medicinsk udstyr?",
    "Hvor meget tid er der sparet?",
)
SHOWN = 4
_kept: WeakKeyDictionary[Searcher, tuple[str, ...]] = WeakKeyDictionary()


def examples(searcher: Searcher) -> tuple[str, ...]:
    """Questions with an answer in the searcher's build; worked out once a build."""
    if searcher not in _kept:
        _kept[searcher] = tuple(question for question in CANDIDATES if searcher.search(question, top=1).hits)[:SHOWN]
    return _kept[searcher]
