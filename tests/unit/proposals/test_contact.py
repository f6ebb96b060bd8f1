"""Whom to ask about a report: a unit of an authority, never a person."""

from __future__ import annotations

import pytest

from kb.core.models import Certainty, Document, Metadata
from kb.proposals.contact import proposed_contact, unit_written
from kb.proposals.opening import Line, lines_of
from kb.proposals.proposal import Proposal


def contact(text: str, front: list[Line] | None = None) -> Proposal | None:
    document = Document("a.pdf", "", "application/pdf", "pdfium", Metadata("a", "Salt på veje"), text, (), ())
    return proposed_contact(document, lines_of(document) if front is None else front)


@pytest.mark.parametrize(
    ("text", "unit", "certainty"),
    [
        ("Spørgsmål om salt rettes til Vejafdelingen.", "Vejafdelingen", Certainty.LIKELY),
        ("Kontakt: Sekretariatet for Velfærd og Sundhed", "Sekretariatet for Velfærd og Sundhed", Certainty.LIKELY),
        ("Ansvarlig enhed hos Vandby er Drift/Løn og\n\nPersonale", "Drift/Løn og Personale", Certainty.LIKELY),
        ("Team Data – IT og Drift, Svendborg Kommune", "Team Data – IT og Drift, Svendborg Kommune", Certainty.UNSURE),
        ("Vi er i Team Data blevet opmærksomme på, at tallene ikke passer.", "Team Data", Certainty.UNSURE),
    ],
)
def test_a_unit_is_found_where_the_report_names_it_as_its_own(text: str, unit: str, certainty: Certainty) -> None:
    found = contact(text)
    assert found is not None
    assert (found.value, found.certainty) == (unit, certainty)
    assert text[found.start : found.end] == found.quote


@pytest.mark.parametrize(
    "text",
    [
        "Kontakt: Per Hansen, projektleder",
        "Henvendelser til Mette Sørensen på tlf. [telefonnummer skjult]",
        "Vejafdelingen i Nyborg fik samme idé, men gjorde noget helt andet end det, der er fortalt om i denne rapport.",
    ],
)
def test_a_person_and_anothers_unit_are_not_proposed(text: str) -> None:
    assert contact(text) is None
    assert contact(f"Team Salt\n\n{text}", front=[]) is None


def test_the_name_beside_a_unit_is_neither_value_nor_quote() -> None:
    found = contact("Kontakt: Per Hansen, Vejafdelingen, Vandby")
    assert found is not None
    assert (found.value, found.quote) == ("Vejafdelingen", "Vejafdelingen")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Afdelingen for Digital Udvikling", True), ("Team Data", True), ("jobcentret", True),
        ("digital@kommune.dk", True), ("", True), ("Anna And", False), ("Anna And, Borgerservice", False),
        ("Vejafdelingen v/ Per Hansen", False), ("anna.and@kommune.dk", False),
        ("Vejafdelingen, mobil 40 12 34 56", False),
    ],
)  # fmt: skip
def test_what_an_editor_wrote_is_shown_where_it_names_no_person(written: str, shown: bool) -> None:
    assert unit_written(written) == (written if shown else "")
