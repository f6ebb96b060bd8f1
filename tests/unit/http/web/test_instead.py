"""What a vague question can mean, and who stands behind what comes nearest."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import cast
from unittest.mock import Mock

import pytest

from kb.http.web import example_questions, instead
from kb.http.web.instead import candidates
from kb.retrieval.searcher import Searcher
from kb.retrieval.snapshot import ProjectSummary

PROJECTS = [
    ProjectSummary("rait", "RAIT – røntgenbilleder", ("Region Sjælland",), (), ("a",)),
    ProjectSummary("mails", "Fordeling af mails", ("Norddjurs Kommune",), (), ("b", "c")),
    ProjectSummary("vand", "Vand i hanen", ("Vandværket",), (), ("d",)),
]


@pytest.mark.parametrize(
    ("vague", "precise"),
    [
        ("Virker det?", ["Virker projektet i Norddjurs?", "Virker RAIT?"]),
        ("Hvad kostede det?", ["Hvad kostede projektet i Norddjurs?", "Hvad kostede RAIT?"]),
    ],
)
def test_a_vague_question_is_asked_of_each_project_that_can_be_named(vague: str, precise: list[str]) -> None:
    assert candidates(vague, PROJECTS) == precise


def test_a_place_alone_is_asked_what_the_examples_ask() -> None:
    found = candidates("Og hvad med Aarhus?", PROJECTS)
    assert found
    assert all("Aarhus" in question for question in found)


def test_as_many_candidates_are_tried_on_a_slow_machine_as_on_a_quick_one(monkeypatch: pytest.MonkeyPatch) -> None:
    hours = iter(range(0, 10_000_000, 3600))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(hours)))
    refused = Mock(return_value=Mock(refused=True))
    for module in (example_questions, instead):
        monkeypatch.setattr(module, "answer", refused)
    many = [ProjectSummary(f"p{n}", f"PRO{n}X – sager", (), (), (str(n),)) for n in range(100)]
    snapshot = SimpleNamespace(projects=lambda: many)
    searcher = cast(Searcher, SimpleNamespace(snapshot=snapshot, owned={}, owned_lock=threading.Lock()))
    visits = [instead.precise_questions(searcher, "Virker det?") for _ in range(4)]
    assert visits == [()] * 4
    asked = [call.args[1] for call in refused.call_args_list]
    own = [question for question in asked if question not in example_questions.CANDIDATES]
    assert len(own) == 4 * instead.TRIED
    assert [question for question in asked if question not in own] == list(example_questions.CANDIDATES)
