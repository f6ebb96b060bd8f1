"""Example questions for the front page: only those that the base in use really answers.

Working out an answer takes a while, and no reader should wait for several of them. So each visit to the front page
tries candidates for at most :data:`PATIENCE` seconds and shows those found so far; the next visit goes on from there.
"""

from __future__ import annotations

import threading
import time
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
PATIENCE = 0.5


@dataclass
class _Tried:
    """How far the candidates have been tried, and those with an answer."""

    next: int = 0
    answered: list[str] = field(default_factory=list)


def _none_tried(_searcher: Searcher) -> _Tried:
    return _Tried()


_lock = threading.Lock()
_TRIED = Owned(_none_tried)


def examples(searcher: Searcher) -> tuple[str, ...]:
    """Questions with an answer in the searcher's build, as far as they are known."""
    deadline = time.monotonic() + PATIENCE
    with _lock:
        tried = _TRIED.of(searcher)
        while tried.next < len(CANDIDATES) and len(tried.answered) < SHOWN and time.monotonic() < deadline:
            question = CANDIDATES[tried.next]
            tried.next += 1
            result = answer(searcher, question)
            if not result.refused and result.certainty is not Certainty.UNSURE:
                tried.answered.append(question)
        return tuple(tried.answered)
