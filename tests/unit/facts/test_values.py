"""Amounts, dates and names as values."""

from __future__ import annotations

import pytest

from kb.facts.amounts import amounts_in, shown
from kb.facts.dates import dates_in, in_words
from kb.facts.municipalities import municipalities
from kb.facts.names import is_called, is_municipality, names_of


@pytest.mark.parametrize(
    ("text", "kroner"),
    [
        ("4,1 mio. kr.", [4_100_000]),
        ("500.000 kr.", [500_000]),
        ("kr. 1.250.000", [1_250_000]),
        ("2.100 t.kr.", [2_100_000]),
        ("67 millioner kroner", [67_000_000]),
        ("1,5 mia. kr.", [1_500_000_000]),
        ("4,4 mio. km", []),
        ("105.000 undersøgelser i 2022", []),
    ],
)
def test_amounts_come_in_kroner(text: str, kroner: list[int]) -> None:
    assert [amount.kroner for amount in amounts_in(text)] == kroner


@pytest.mark.parametrize(
    ("kroner", "text"), [(500_000, "500.000 kr."), (4_100_000, "4,1 mio. kr."), (10_000_000, "10 mio. kr.")]
)
def test_amounts_are_shown_as_danes_write_them(kroner: int, text: str) -> None:
    assert shown(kroner) == text


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("den 19. januar 2024", ["2024-01-19"]),
        ("ifølge en kilde fra maj 2023", ["2023-05"]),
        ("primo 2020 til ultimo 2021", ["2020", "2021"]),
        ("kilden er fra 2021/2022", ["2022"]),
        ("over 2.600 borgere", []),
    ],
)
def test_dates_keep_the_precision_of_the_text(text: str, dates: list[str]) -> None:
    assert [date.date for date in dates_in(text)] == dates


@pytest.mark.parametrize(
    ("date", "text"), [("2024-01-19", "19. januar 2024"), ("2023-05", "maj 2023"), ("2023", "2023")]
)
def test_dates_are_shown_in_words(date: str, text: str) -> None:
    assert in_words(date) == text


def test_there_are_98_municipalities() -> None:
    assert len(set(municipalities().values())) == 98


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Aarhus, Sønderborg og Favrskov", ("Aarhus Kommune", "Sønderborg Kommune", "Favrskov Kommune")),
        ("Århus og København", ("Aarhus Kommune", "Københavns Kommune")),
        ("Aarhus Universitet og DTU", ("Aarhus Universitet", "DTU")),
    ],
)
def test_a_municipality_gets_its_full_name_and_a_university_keeps_its_own(text: str, names: tuple[str, ...]) -> None:
    assert names_of(text) == names


def test_a_municipality_is_known_as_one() -> None:
    assert is_municipality("Aarhus Kommune")
    assert not is_municipality("Aarhus Universitet")


@pytest.mark.parametrize(
    ("name", "asked", "is_it"),
    [
        ("Enversion A/S", "enversion", True),
        ("Brunak-gruppen på Københavns Universitet", "københavns universitet", True),
        ("Aarhus Universitetshospital", "aarhus universitet", False),
        ("Aarhus Universitet", "aarhus", False),
        ("Aarhus Kommune", "aarhus", True),
        ("Københavns Ejendomme og Indkøb (KEID)", "keid", True),
        ("DTU", "kommune", False),
    ],
)
def test_an_organisation_goes_by_a_part_of_its_name_and_never_by_its_place(name: str, asked: str, is_it: bool) -> None:
    assert is_called(name, asked) is is_it
