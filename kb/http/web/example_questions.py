"""Example questions for the front page: only those that the base in use really answers.

Working out an answer takes a while, and no reader should wait for several of them. So each visit to the front page
tries :data:`TRIED` candidates and shows those found so far; the next visit goes on from there. It is a number and not a
time, for a page says the same on a slow machine as on a quick one.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from kb.answer import answer
from kb.core.models import Certainty
from kb.retrieval.caches import Owned
from kb.retrieval.searcher import Searcher

CANDIDATES = (
    "Hvilke udfordringer havde projekterne med jura?",
    "Hvilke projekter er kommet i drift?",
    "Hvilke projekter blev stoppet, og hvorfor?",
    "Hvad var svært ved at få adgang til data?",
    "Hvad kostede projekterne?",
    "Hvor meget tid sparede Norddjurs på at fordele mails?",
    "Hvad kræver det, når en algoritme er medicinsk udstyr?",
)
SHOWN = 4
TRIED = 2


@dataclass
class _Tried:
    """How far the candidates have been tried, and those with an answer."""

    next: int = 0
    answered: list[str] = field(default_factory=list)


def _none_tried(_searcher: Searcher) -> _Tried:
    return _Tried()


_lock = threading.Lock()
_HOW_FAR = Owned(_none_tried)


def examples(searcher: Searcher) -> tuple[str, ...]:
    """Questions with an answer in the searcher's build, as far as they are known."""
    with _lock:
        tried = _HOW_FAR.of(searcher)
        for question in CANDIDATES[tried.next : tried.next + TRIED]:
            if len(tried.answered) == SHOWN:
                break
            tried.next += 1
            result = answer(searcher, question)
            if not result.refused and result.certainty is not Certainty.UNSURE:
                tried.answered.append(question)
        return tuple(tried.answered)
