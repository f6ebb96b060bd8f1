"""What facts answer is right by yes or no, the year or the projects of the key."""

from __future__ import annotations

import pytest

from benchmarks.fact_questions import LEFT, RIGHT, WRONG, FactQuestion, verdict
from kb.answer.comparison import Compared, Entry, Told
from kb.facts import Fact, FactKind


def said(lead: str, *documents: str) -> Compared:
    fact = Fact(FactKind.PARTNER, "DTU", "a.1", 0, 10)
    return Compared(lead, tuple(Entry((Told(id_, fact, True),), ()) for id_ in documents or ("a",)))


@pytest.mark.parametrize(
    ("kind", "answer", "documents", "compared", "expected"),
    [
        ("sum", "Ja, 5 mio. kr.", ("a",), said("Ja – støtte: 5 mio. kr."), RIGHT),
        ("sum", "nej, 4 mio. kr.", ("a",), said("Ja – støtte: 5 mio. kr."), WRONG),
        ("sum", "nej, 4,1 mio. kr.", ("a",), said("Støtte: 4,1 mio. kr."), RIGHT),
        ("sum", "ja, 4 mio. kr.", ("a",), said("Støtte: 5 mio. kr."), WRONG),
        ("sum", "ikke oplyst", (), said("Prisen står der ikke; støtte: 5 mio. kr."), RIGHT),
        ("sum", "ikke oplyst", (), said("Nej – støtte: 5 mio. kr."), WRONG),
        ("when", "ultimo 2022", ("a",), said("Slut: 2022."), RIGHT),
        ("when", "ultimo 2022", ("a",), said("Start: 2021."), WRONG),
        ("when", "ikke oplyst", (), said("Hvornår det sluttede, er ikke fundet; start: 2021."), RIGHT),
        ("partnerin", "A og B", ("a", "b"), said("2 projekter nævner DTU.", "b", "a"), RIGHT),
        ("partnerin", "A og B", ("a", "b"), said("1 projekt nævner DTU.", "a"), WRONG),
        ("narrowed", "A", ("a",), said("3 projekter nævner et beløb.", "a", "b"), RIGHT),
        ("near", "48 timer", ("a",), said("Start: 2021."), WRONG),
        ("near", "48 timer", ("a",), None, LEFT),
    ],
)
def test_a_verdict(
    kind: str, answer: str, documents: tuple[str, ...], compared: Compared | None, expected: str
) -> None:
    assert verdict(FactQuestion("?", kind, answer, documents), compared) == expected
