"""Projects beside each other: status, period, order, and the steps of their stories."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kb.core.models import DocumentRecord, Metadata
from kb.core.stages import Phase, Status
from kb.facts.standing import UNTOLD, Standing
from kb.http.web.presenters.hits import HitView
from kb.http.web.presenters.projects import in_order, project_lines, side_by_side
from kb.index.store import StoredRecord
from kb.retrieval.snapshot import ProjectSummary


def report(id_: str, standing: Standing, *, year: int | None = None, period: str = "") -> StoredRecord:
    metadata = Metadata(id=id_, titel=id_.upper(), år=year, periode=period)
    record = DocumentRecord(id_, f"{id_}.md", "0" * 64, "text/markdown", "markdown", metadata, 0, 1, 10, (), {})
    return StoredRecord(record, "/korpus", "k", standing=standing)


RECORDS = {
    "a1": report("a1", Standing(Status.TEST, "2021", Phase.TRIAL, (2020, 2021)), year=2022),
    "a2": report("a2", Standing(Status.STOPPED, "2023-05", None, (2023,)), year=2021),
    "a3": report("a3", Standing(Status.UNKNOWN, "2025")),
    "b": report("b", Standing(Status.OPERATION, "", Phase.OPERATION, (2021,)), year=2024, period="2021-2024"),
    "c": report("c", UNTOLD),
}
PROJECTS = [
    ProjectSummary(name, f"Projekt {name}", (), (), tuple(id_ for id_ in RECORDS if id_[0] == name)) for name in "abc"
]


def test_a_project_has_the_newest_known_status_of_its_reports_and_all_their_years() -> None:
    a, b, c = project_lines(PROJECTS, RECORDS)
    assert (a.status_text, a.phase, a.period, a.year) == ("stoppet (maj 2023)", None, "2020–2023", 2022)
    assert (b.status_text, b.phase, b.period) == ("i drift", Phase.OPERATION, "2021-2024")
    assert (c.status_text, c.phase, c.period, c.years, c.year) == ("", None, "", (), 0)


@pytest.mark.parametrize(
    ("order", "ids"), [("navn", "abc"), ("status", "bac"), ("nyeste", "bac"), ("rapporter", "abc")]
)
def test_projects_are_sorted(order: str, ids: str) -> None:
    lines = in_order(project_lines(PROJECTS, RECORDS), order)
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
