"""Example questions for the front page: only those that the base in use really answers."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from kb.search import Searcher
from kb.web.answers import answer_to

CANDIDATES = (
    "Hvordan håndterede projekterne GDPR?",
    "Hvilke projekter havde problemer med datakvalitet?",
    "Hvor meget tid sparede Norddjurs på at fordele mails?",
    "Hvorfor blev nogle løsninger ikke sat i drift?",
    "Hvordan fik man medarbejderne til at bruge løsningen?",
    "Hvad kræver det, når en algoritme er medicinsk udstyr?",
)
SHOWN = 4
_kept: WeakKeyDictionary[Searcher, tuple[str, ...]] = WeakKeyDictionary()


def examples(searcher: Searcher) -> tuple[str, ...]:
    """Questions with an answer in the searcher's build; worked out once a build."""
    if searcher not in _kept:
        found = (question for question in CANDIDATES if not answer_to(searcher, question, {}).refused)
        _kept[searcher] = tuple(found)[:SHOWN]
    return _kept[searcher]
