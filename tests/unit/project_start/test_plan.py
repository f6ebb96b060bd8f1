"""A plan as it is compared: what is refused, masked and cut, and what it tells of itself."""

from __future__ import annotations

import pytest

from kb.core.errors import PlanError
from kb.core.stages import Phase
from kb.project_start import Plan, PlanFields
from kb.project_start.plan import LONGEST, PIECE, PIECES

ENGLISH = (
    "The municipality will use a model to sort the mails that it has from citizens. It is the first of its kind and "
    "the project is to be run by the department for two years with the data that are at hand in the archive."
)


@pytest.mark.parametrize(
    "written", ["", "  \n ", "AI", "123 456 789 10 11", "\x00\x01", PlanFields(), PlanFields(hvad="?")]
)
def test_a_plan_that_says_nothing_is_refused(written: str | PlanFields) -> None:
    with pytest.raises(PlanError) as refused:
        Plan.of(written)
    assert refused.value.advice


def test_people_are_masked_before_anything_is_looked_for() -> None:
    plan = Plan.of("Projektet ledes af Anna And, CPR 010190-1234, og skal fordele borgernes mails.")
    assert "010190" not in plan.text
    assert "010190" not in "".join(plan.pieces)
    assert plan.masked == {"cpr": 1}


def test_the_five_fields_are_a_plan() -> None:
    plan = Plan.of(PlanFields("Fordele post", "borgerservice", "indgående mails", "en sprogmodel", "afprøvning"))
    assert plan.text.startswith("Hvad: Fordele post.\nFor hvem: borgerservice.")
    assert plan.data == {"mails og post"}
    assert plan.techniques == {"sprogmodel og tekstanalyse"}
    assert plan.phase is Phase.TRIAL


@pytest.mark.slow
def test_of_a_long_plan_the_beginning_describes_it_and_all_of_it_mentions() -> None:
    plan = Plan.of("Vi vil fordele borgernes mails. " * 5_000 + "Hjemlen er afklaret.")
    assert len(plan.pieces) == PIECES
    assert all(len(piece) <= PIECE for piece in plan.pieces)
    assert "hjemmel" in plan.mentions
    assert not plan.is_cut
    assert Plan.of("ord " * LONGEST).is_cut


def test_a_word_longer_than_a_piece_is_cut() -> None:
    assert all(len(piece) <= PIECE for piece in Plan.of("vi vil bygge noget " + "a" * 5_000).pieces)


def test_a_plan_in_another_language_is_known_as_one() -> None:
    assert Plan.of(ENGLISH).is_foreign
    assert not Plan.of(
        "Vi vil fordele borgernes mails, og det er en opgave for den afdeling, som har posten."
    ).is_foreign
