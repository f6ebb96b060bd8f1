"""Answers to questions, each worked out once a build: a page, its Word document and its feedback ask for the same."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from kb.answer import answer
from kb.core.models import Answer
from kb.http.web.presenters.answers import AnswerView, answer_view
from kb.retrieval.searcher import Searcher

KEPT = 200
_lock = threading.Lock()
_kept: WeakKeyDictionary[Searcher, OrderedDict[object, Answer]] = WeakKeyDictionary()


def answer_to(searcher: Searcher, question: str, filters: Mapping[str, tuple[str, ...]]) -> Answer:
    """The answer; raises what :func:`kb.answer.answer` raises."""
    key = (question, tuple(sorted((name, tuple(values)) for name, values in filters.items())))
    with _lock:
        kept = _kept.setdefault(searcher, OrderedDict())
        if key in kept:
            kept.move_to_end(key)
            return kept[key]
    found = answer(searcher, question, filters)
    with _lock:
        kept[key] = found
        while len(kept) > KEPT:
            kept.popitem(last=False)
    return found


def view_of(searcher: Searcher, question: str, filters: Mapping[str, tuple[str, ...]]) -> AnswerView:
    """The answer as the pages show it, each source in its passage."""
    found = answer_to(searcher, question, filters)
    passages = {citation.passage_id: searcher.snapshot.passage(citation.passage_id) for citation in found.citations}
    languages = {id_: stored.record.metadata.sprog for id_, stored in searcher.snapshot.records.items()}
    return answer_view(found, passages, languages)
