"""Projects beside each other: status, period, order, and the steps of their stories."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kb.core.models import Metadata
from kb.facts import Fact, FactKind
from kb.http.web.presenters.hits import HitView
from kb.http.web.presenters.projects import in_order, project_lines, side_by_side
from kb.retrieval.snapshot import ProjectSummary

METADATA = {
    "a": Metadata(id="a", titel="A", år=2022),
    "b": Metadata(id="b", titel="B", år=2024, periode="2021-2024"),
    "c": Metadata(id="c", titel="C"),
}
PROJECTS = [ProjectSummary(id_, f"Projekt {id_}", (), (), (id_,)) for id_ in "abc"]


def fact(kind: FactKind, value: str, date: str = "", *, shared: bool = False) -> Fact:
    return Fact(kind, value, "a.1", 0, 10, date=date, shared=shared)


FACTS = [
    ("a", fact(FactKind.STATUS, "i test", "2021")),
    ("a", fact(FactKind.STATUS, "stoppet", "2023-05")),
    ("a", fact(FactKind.STATUS, "i drift", "2024", shared=True)),
    ("a", fact(FactKind.START, "2020-02")),
    ("a", fact(FactKind.END, "2023")),
    ("b", fact(FactKind.STATUS, "i drift")),
]


def test_a_project_has_the_newest_status_that_is_its_own_and_its_period() -> None:
    a, b, c = project_lines(PROJECTS, FACTS, METADATA)
    assert (a.status_text, a.period, a.year) == ("stoppet (maj 2023)", "2020–2023", 2022)
    assert (b.status_text, b.period) == ("i drift", "2021-2024")
    assert (c.status_text, c.period, c.year) == ("", "", 0)


@pytest.mark.parametrize(
    ("order", "ids"), [("navn", "abc"), ("status", "bac"), ("nyeste", "bac"), ("rapporter", "abc")]
)
def test_projects_are_sorted(order: str, ids: str) -> None:
    lines = in_order(project_lines(PROJECTS, FACTS, METADATA), order)
    assert "".join(line.summary.slug for line in lines) == ids


def test_two_projects_stand_side_by_side_in_the_order_of_a_story() -> None:
    rows = side_by_side([_views("Læring", "Formål"), _views("Læring", "")])
    assert [row.label for row in rows] == ["Formål", "Læring"]
    assert [len(cell) for cell in rows[0].cells] == [1, 0]
    assert [len(cell) for cell in side_by_side([_views(*["Råd"] * 5), ()])[0].cells] == [3, 0]


def _views(*roles: str) -> Sequence[HitView]:
    return [
        HitView(
            rank=0, passage_id="a.1", document_id="a", title="A", byline="", section="", page="", role=role,
            inferred=False, ocr=False, quote=(), citation="", lang="", duplicates=(),
        )
        for role in roles
    ]  # fmt: skip
