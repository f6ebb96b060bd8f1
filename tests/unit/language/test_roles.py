"""What passages and sentences tell: by headings first, by words where headings do not tell."""

from __future__ import annotations

import pytest

from kb.core.models import Role
from kb.language.roles import is_inferred, role_of, role_of_sentence


@pytest.mark.parametrize(
    ("headings", "role"),
    [
        (("Udfordringer",), Role.CHALLENGE),
        (("Udfordringer", "Data"), Role.CHALLENGE),
        (("Data og metode",), Role.DATA),
        (("Data og metode", "Læring"), Role.LESSON),
        (("Jura", "Håndtering"), Role.HANDLING),
        (("Hvad projektet løb ind i",), Role.CHALLENGE),
        (("Sådan greb de det an",), Role.HANDLING),
        (("Hvad vi tager med",), Role.LESSON),
        (("Vores læsning",), Role.LESSON),
        (("Råd", "Kilder"), Role.OTHER),
        (("Installation af database med resultater fra en lokal server",), Role.OTHER),
        ((), Role.OTHER),
    ],
)
def test_the_innermost_heading_that_names_a_step_gives_the_role(headings: tuple[str, ...], role: Role) -> None:
    assert role_of(headings) is role


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("Projektet anbefaler at inddrage jurister fra begyndelsen.", Role.ADVICE),
        ("Erfaringen er, at data skal gennemgås før brug.", Role.LESSON),
        ("For at imødegå problemet lavede kommunen en ny aftale.", Role.HANDLING),
        ("Det var svært at få adgang til data.", Role.CHALLENGE),
        ("Tiden er faldet med 66 procent.", Role.RESULT),
        ("Formålet var at finde borgere med faldrisiko.", Role.PURPOSE),
        ("Kommunen ligger ved fjorden.", Role.OTHER),
    ],
)
def test_without_headings_a_sentence_is_told_by_its_words(text: str, role: Role) -> None:
    assert role_of_sentence(text, Role.OTHER) is role


def test_a_heading_that_names_a_step_wins_over_words() -> None:
    assert role_of_sentence("Det var svært at få adgang til data.", Role.HANDLING) is Role.HANDLING


def test_under_data_and_method_a_sentence_on_the_model_tells_of_method() -> None:
    assert role_of_sentence("Algoritmen er trænet af leverandøren.", Role.DATA) is Role.METHOD
    assert role_of_sentence("AIR bruger data om hjælpemidler.", Role.DATA) is Role.DATA


def test_grants_and_partners_are_no_step_of_a_project() -> None:
    assert role_of_sentence("Kommunen fik 2,9 mio. kr. i støtte til projektet.", Role.RESULT) is Role.OTHER
    assert role_of_sentence("Aarhus Universitet er partner i projektet.", Role.PURPOSE) is Role.OTHER


def test_our_own_reading_is_inferred() -> None:
    assert is_inferred(("Rapport", "Vores læsning"))
    assert not is_inferred(("Rapport", "Læring"))
