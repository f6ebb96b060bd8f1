"""What a vague question can mean, and who stands behind what comes nearest."""

from __future__ import annotations

import pytest

from kb.http.web.instead import candidates
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
