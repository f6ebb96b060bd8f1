"""What may be stored as a lesson, and what is told where something is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kb.core.errors import InputError
from kb.lessons.lesson import (
    LONGEST_TEXT,
    Evidence,
    Lesson,
    LessonStatus,
    LessonUse,
    UseOutcome,
    checked,
    checked_use,
    digest_of,
)

WHOLE = Lesson(
    lesson="Begynd med hjemlen.",
    evidence=(Evidence.of("air", "Driften manglede hjemmel."),),
    owner="digital@kommune.dk",
    review_by="2027-01-31",
    themes=("jura",),
    status=LessonStatus.CONFIRMED,
)


def test_a_whole_lesson_is_stored_as_it_is() -> None:
    assert checked(WHOLE) == WHOLE


def test_personal_data_an_editor_writes_is_masked_and_a_quote_keeps_its_addresses() -> None:
    quote = "Skriv til anna.and@kommune.dk, 010190-1234."
    context = "Ring til Anna And, mobil 22 33 44 55."
    lesson = checked(replace(WHOLE, context=context, evidence=(Evidence.of("air", quote),)))
    assert lesson.context == "Ring til Anna And, mobil [telefonnummer skjult]."
    assert lesson.evidence[0].quote == "Skriv til anna.and@kommune.dk, [CPR-nummer skjult]."
    assert lesson.evidence[0].digest == digest_of(lesson.evidence[0].quote)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lesson": "  "}, "ingen læring"),
        ({"lesson": "x" * (LONGEST_TEXT + 1)}, "for lang"),
        ({"event": "a\x00b"}, "ikke er tekst"),
        ({"themes": ("vejret",)}, "Ukendt tema: vejret"),
        ({"owner": "digital"}, "ikke en e-mailadresse"),
        ({"owner": "anna.and@kommune.dk"}, "ligner en persons adresse"),
        ({"review_by": "31/1 2027"}, "ikke en dato"),
        ({"review_by": "20270131"}, "ikke en dato"),
        ({"evidence": ()}, "mindst ét citat"),
        ({"owner": ""}, "en ejer"),
        ({"review_by": ""}, "en dato for gennemsyn"),
        ({"evidence": (Evidence.of("", "ord"),)}, "mangler sin tekst eller sin rapport"),
    ],
)
def test_what_is_missing_or_wrong_is_said(change: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        checked(replace(WHOLE, **change))  # type: ignore[arg-type]
    assert caught.value.advice


@pytest.mark.parametrize("owner", ["digital@kommune.dk", "velfaerdsteam@kommune.dk", "it.drift@kommune.dk"])
def test_a_functions_mailbox_may_own_a_lesson(owner: str) -> None:
    assert checked(replace(WHOLE, owner=owner)).owner == owner


def test_a_draft_may_lack_everything_but_what_was_learnt() -> None:
    assert checked(Lesson(lesson="Begynd med hjemlen.")).status is LessonStatus.DRAFT


def test_layout_makes_no_other_evidence() -> None:
    assert digest_of("Driften  manglede\nhjemmel.") == digest_of("Driften manglede hjemmel.")
    assert digest_of("Driften manglede hjemmel.") != digest_of("Driften havde hjemmel.")


def test_a_use_names_a_project_and_no_person() -> None:
    use = checked_use(LessonUse("a", " Ny\nrute ", UseOutcome.WORKED, "Spørg anna.and@kommune.dk"))
    assert (use.project, use.note) == ("Ny rute", "Spørg [e-mailadresse skjult]")
    with pytest.raises(InputError, match="Projektet mangler"):
        checked_use(LessonUse("a", " ", UseOutcome.WORKED))
