"""When two reports point different ways, and when they only seem to."""

from __future__ import annotations

import pytest

from kb.answer.conflicts import conflicting_unit, permits


def test_two_figures_for_one_measure_conflict() -> None:
    first = "Tiden til at fordele mails faldt med 66 procent i Norddjurs Kommune."
    assert conflicting_unit(first, "Tiden til at fordele mails faldt med 40 pct i Norddjurs Kommune.") == "procent"
    assert conflicting_unit(first, "I Norddjurs Kommune faldt tiden til at fordele mails med 66 procent.") == ""


def test_a_number_after_its_word_conflicts_as_well() -> None:
    first = "Serveren er en Ubuntu 16.04 (men spørg leverandøren inden opsætning)."
    assert conflicting_unit(first, "Serveren er en Ubuntu 20.04 (men spørg leverandøren inden opsætning).") == "ubuntu"
    assert conflicting_unit(first, "Serveren er en Ubuntu (men spørg leverandøren 2 gange inden opsætning).") == ""


@pytest.mark.parametrize(
    "other",
    [
        "Omkostningerne til biler faldt med 15 procent i Aarhus Kommune.",
        "Tiden til at fordele mails faldt meget i Norddjurs Kommune.",
        "Tiden til at fordele mails faldt 66 timer i Norddjurs Kommune.",
        "Faldt 40 procent.",
    ],
)
def test_other_measures_units_and_fragments_do_not(other: str) -> None:
    assert conflicting_unit("Tiden til at fordele mails faldt med 66 procent i Norddjurs Kommune.", other) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Løsningen kan udvikles og gentrænes inden for servicelovens bestemmelser.", True),
        ("Løsningen kan ikke sættes i drift på det samme grundlag.", False),
        ("Kommunen fik ikke lovhjemmel til at samkøre data.", False),
        ("Kommunen spurgte Datatilsynet.", None),
    ],
)
def test_permission_is_told_by_words(text: str, expected: bool | None) -> None:
    assert permits(text) is expected
