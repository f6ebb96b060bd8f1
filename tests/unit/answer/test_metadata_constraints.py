"""Questions that metadata answer: year, type, authority, area and status."""

from __future__ import annotations

import pytest

from kb.answer.metadata_constraints import Demands, demands, named, short_names
from kb.core.models import Metadata
from kb.language import danish
from kb.language.vocabulary import word_form

KNOWN = (
    Metadata("a", "A", "A", "Københavns Kommune", "kommunal", "social", år=2020, status="i drift (kilde: 2023)"),
    Metadata("b", "B", "B", "Region Nord (Hospitalet)", "regional", "sundhed", år=2021, status="ukendt"),
    Metadata("c", "C", "C", "Aarhus Kommune", "kommunal", "sundhed", år=2021, status="ved at blive sat i drift"),
)


def read(question: str) -> Demands:
    words = (word_form(token) for token in danish.tokenise(question))
    return demands(question, [word for word in words if word not in danish.stop_words()], KNOWN)


@pytest.mark.parametrize(
    ("question", "ids"),
    [
        ("Hvilke projekter begyndte i 2021?", {"b", "c"}),
        ("Hvilke kommunale projekter begyndte i 2021?", {"c"}),
        ("Hvor mange projekter har Københavns Kommune som ansvarlig myndighed?", {"a"}),
        ("Hvilke projekter kommer fra Region Nord?", {"b"}),
        ("Hvilke projekter ligger på socialområdet?", {"a"}),
        ("Hvilke projekter handler om sundhed?", {"b", "c"}),
        ("Hvilke projekter er i drift?", {"a"}),
    ],
)
def test_metadata_alone_answer(question: str, ids: set[str]) -> None:
    demanded = read(question)
    assert demanded.complete
    assert {metadata.id for metadata in KNOWN if demanded.reasons(metadata) is not None} == ids


def test_what_else_is_asked_is_left_to_the_text() -> None:
    demanded = read("Hvilke kommunale projekter bruger røntgenbilleder?")
    assert demanded.constraints
    assert not demanded.complete


def test_a_question_without_values_demands_nothing() -> None:
    assert read("Hvilke projekter bruger røntgenbilleder?") == Demands()
    assert read("Hvilke projekter begyndte i 1987?").constraints == ()


def test_being_a_partner_is_not_being_responsible() -> None:
    assert read("I hvilke projekter er Aarhus Kommune med?").constraints == ()


def test_the_reason_is_told_with_its_value() -> None:
    assert read("Hvilke projekter begyndte i 2020?").reasons(KNOWN[0]) == ("år: 2020",)


NAMED = (
    Metadata("d", "D", "DESERT – hurtige analyser", "Region Nord (Sygehuset Horsens)"),
    Metadata("e", "E", "Klog kørsel i flåden (FleetOptimiser)", "Vandby Kommune"),
    Metadata("f", "F", "Fosterdiagnostik for gravide kvinder (2022, titel ikke set)", "Københavns Kommune"),
)


@pytest.mark.parametrize(
    ("question", "ids"),
    [
        ("hvem ejer desert", {"d"}),
        ("Hvad koster FleetOptimisers licens?", {"e"}),
        ("Hvorfor gik Horsens' projekt i stå?", {"d"}),
        ("Hvem leverede systemet i Københavns Kommune?", {"f"}),
        ("Hvem lavede Vandby-modellen?", {"e"}),
        ("Hvem er borgmester i Vandby Kommune?", set()),
        ("Hvilken region har flest projekter?", set()),
        ("Hvilken løsning har kommunerne på deserteringer?", set()),
    ],
)
def test_a_project_is_named_by_its_short_name_or_by_its_place_and_what_it_made(question: str, ids: set[str]) -> None:
    assert set(named(question, NAMED)) == {metadata.projekt for metadata in NAMED if metadata.id in ids}


def test_a_long_name_has_no_short_one() -> None:
    assert short_names("AI Aktindsigt") == ("AI Aktindsigt",)
    assert short_names("Fosterdiagnostik for gravide kvinder (2022, titel ikke set)") == ()
