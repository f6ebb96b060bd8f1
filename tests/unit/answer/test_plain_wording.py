"""Questions as they are typed, in the order and words that forms have."""

from __future__ import annotations

import pytest

from kb.answer.plain_wording import plain


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("Hvornår sluttede AIR?", "hvornår sluttede air"),
        ("Køge-projektet, hvornår blev det afsluttet? Kan ikke finde det", "hvornår blev køge-projektet afsluttet"),
        ("priokritisk sluttede hvornår", "hvornår priokritisk sluttede"),
        ("Er det rigtigt, at AIR fik fem millioner?", "fik air 5 millioner"),
        ("Ved I, om DESERT er i drift?", "er desert i drift"),
        ("Til et notat: Har Køge fået støtte?", "har køge fået støtte"),
        ("Hvornår slutter DESERT egentlig?", "hvornår slutter desert"),
        ("Hvad er status, og hvem står bag?", "hvad er status og hvem står bag"),
        ("Hvad kostede AIR, hvad gik galt?", "hvad kostede air hvad gik galt"),
        ("Er AIR i drift? Og hvornår?", "er air i drift og hvornår"),
        ("Hvilke projekter er i drift, og hvilke er stoppet?", "hvilke projekter er i drift og hvilke er stoppet"),
    ],
)
def test_a_question_is_brought_into_the_order_of_forms(typed: str, asked: str) -> None:
    assert plain(typed) == asked
