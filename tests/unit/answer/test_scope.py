"""Whether a question asks across projects or for one thing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.answer.scope import asks_across, features_of, probability_across


@pytest.mark.parametrize(
    ("across", "one"),
    [
        ("Hvilke kommuner har prøvet robotstøvsugere?", "Hvilken kommune leverer robotstøvsugeren i Skive?"),
        ("Er der nogen, der har målt det?", "Hvad er det, rapporten har målt?"),
        ("Hvad har andre gjort ved støj?", "Hvad gjorde Vejle ved støj?"),
        ("Hvor mange projekter har sparet tid?", "Hvor mange timer sparede projektet?"),
    ],
)
def test_others_experience_is_told_from_one_projects(across: str, one: str) -> None:
    assert asks_across(across)
    assert not asks_across(one)


def test_names_and_numbers_are_masked_so_that_another_bases_are_as_good() -> None:
    assert features_of("Hvad gjorde Odense i 2021?") == features_of("Hvad gjorde Struer i 1999?")


@given(st.text())
def test_any_text_has_a_probability(text: str) -> None:
    assert 0 < probability_across(text) < 1
