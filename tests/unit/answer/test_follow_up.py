"""Questions that lean on the one before: what they take over, and which take nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.follow_ups.__main__ import is_right, pairs
from kb.answer.follow_up import completed

MAILS = "Hvad kostede mailsorteringen i Norddjurs?"


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("Og hvad med Horsens?", "Hvad kostede mailsorteringen i Horsens?"),
        ("Hvorfor?", "Hvad kostede mailsorteringen i Norddjurs, og hvorfor?"),
        ("og virker den?", "Virker mailsorteringen i Norddjurs?"),
        ("Og i 2021?", "Hvad kostede mailsorteringen i Norddjurs i 2021?"),
    ],
)
def test_what_a_question_lacks_is_taken_from_the_one_before(asked: str, meant: str) -> None:
    assert completed(asked, MAILS) == meant


@pytest.mark.parametrize("asked", ["Hvem samarbejdede Køge med?", "GDPR", "Hvad kræver det, når data deles?", "", " ?"])
def test_a_question_that_stands_by_itself_takes_nothing(asked: str) -> None:
    assert completed(asked, MAILS) is None


@pytest.mark.parametrize("before", ["", "?", "Hvorfor?"])
def test_nothing_is_taken_from_a_question_that_tells_nothing(before: str) -> None:
    assert completed("Hvorfor?", before) is None


def test_most_of_the_written_pairs_are_understood() -> None:
    found = [is_right(pair, completed(pair.asked, pair.before)) for pair in pairs()]
    assert len(found) >= 60
    assert sum(found) / len(found) >= 0.95


@settings(max_examples=20)
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_are_taken(asked: str, before: str) -> None:
    assert completed(asked, before) != ""
    completed(f"Og hvad med {asked}?", before)
