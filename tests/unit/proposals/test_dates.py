"""Years as reports write them, and what looks like one and is none."""

from __future__ import annotations

import pytest

from kb.proposals.dates import date_in, period_in, year_in


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("Ollerup den 26. juni 2008", 2008),
        ("Version 1.0.6, 26.01.2016", 2016),
        ("Version 2 - 14. 2. 2022", 2022),
        ("nr. 2 | 15. årgang | JUNI 2008", 2008),
        ("Date: 2025-11-27", 2025),
        ("October 14, 1998", 1998),
        ("31. Dezember 2016", 2016),
        ("installation 11 februar 2022", 2022),
    ],
)
def test_a_date_tells_its_year(text: str, year: int) -> None:
    found = date_in(text)
    assert found is not None
    assert found.year == year
    assert str(year) in text[found.start : found.end]


@pytest.mark.parametrize(
    "text",
    ["9000 Aalborg", "DHM Terræn 2018", "12-34-2007", "Windows Server 2016 Standard", "(BBR, 2020)", "tlf. 20181020"],
)
def test_a_number_is_no_date(text: str) -> None:
    assert date_in(text) is None


def test_a_year_alone_is_not_the_end_of_a_period() -> None:
    assert year_in("Strategi 2005-2014") is None
    found = year_in("Udgivet 2021")
    assert found is not None
    assert found.year == 2021


@pytest.mark.parametrize(
    ("text", "period", "last"),
    [
        ("januar 2002 – december 2002", "januar 2002 – december 2002", 2002),
        ("løb 2005-2014 i alt", "2005-2014", 2014),
        ("fra marts 2019 til maj 2021", "marts 2019 til maj 2021", 2021),
    ],
)
def test_a_period_is_found_as_it_is_written(text: str, period: str, last: int) -> None:
    found = period_in(text)
    assert found is not None
    assert (found[0], found[1].year) == (period, last)
