"""Versions told from names and covers."""

from __future__ import annotations

import pytest

from kb.proposals.versions import stem_of, version_of

OLDEST_FIRST = [
    "Plan udkast.docx",
    "Plan_v0.4.docx",
    "Plan v0.5.docx",
    "Plan_v0_5_1.docx",
    "Plan.pdf",
    "Plan endelig.pdf",
    "Plan ver. 2",
]


def test_versions_sort_by_age() -> None:
    assert sorted(set(OLDEST_FIRST), key=lambda path: version_of(path, "")) == OLDEST_FIRST


def test_the_cover_says_the_version_where_the_name_does_not() -> None:
    assert version_of("plan.pdf", "Plan for salt\n\nVersion: 1.2")[:3] == (1, 2, 0)
    assert version_of("plan.pdf", "Version 2021.12.01")[:3] == (1, 0, 0)


@pytest.mark.parametrize(
    "path", ["mappe/Salt-plan_v0.4.docx", "Salt plan (2).pdf", "a.zip › Kopi af salt plan ENDELIG.odt"]
)
def test_names_of_versions_have_one_stem(path: str) -> None:
    assert stem_of(path) == "salt plan"


def test_dates_and_numbers_are_no_versions() -> None:
    assert stem_of("Referat 2023-05-04.docx") != stem_of("Referat 2023-06-01.docx")
    assert stem_of("nr 6.pdf") != stem_of("nr 7.pdf")
