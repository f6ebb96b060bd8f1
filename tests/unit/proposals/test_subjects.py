"""What a report is about by the words it uses: themes and area, each with the paragraph that says most of it."""

from __future__ import annotations

import pytest

from kb.core.fields import THEMES
from kb.core.models import Certainty, Document, Heading, Metadata
from kb.proposals.proposal import Proposal
from kb.proposals.subjects import proposed_area, proposed_themes, words_of_themes

FILLER = (
    "Vejene blev saltet efter behov i tre vintre, og det viste sig, at der kunne spares en tredjedel af saltet. " * 6
)
LAW = "Kommunen manglede hjemmel i lovgivningen, og Datatilsynet fandt, at samtykke ikke var et behandlingsgrundlag."


def document(*lines: str, language: str = "da") -> Document:
    text = "\n\n".join(lines)
    headings = (Heading(1, lines[0], 0, len(lines[0])),)
    metadata = Metadata("a", "Salt på veje", sprog=language)
    return Document("a.pdf", "", "application/pdf", "pdfium", metadata, text, headings, ())


def themes(found: Document) -> dict[str | int, Proposal]:
    return {proposal.value: proposal for proposal in proposed_themes(found)}


def test_a_theme_is_proposed_by_the_paragraph_that_says_most_of_it() -> None:
    found = themes(document("Salt på veje", FILLER, LAW))
    assert (found["jura"].quote, found["jura"].certainty) == (LAW, Certainty.LIKELY)


def test_a_theme_of_which_a_report_says_nothing_is_not_proposed_however_common_it_is() -> None:
    assert themes(document("Salt på veje", FILLER)) == {}


def test_a_report_of_another_language_or_of_few_words_gets_no_themes_and_no_area() -> None:
    for found in (document("Salt", FILLER, LAW, language="en"), document("Salt", LAW)):
        assert (themes(found), proposed_area(found)) == ({}, None)


def test_every_theme_has_words_and_weights() -> None:
    assert set(words_of_themes()) == set(THEMES)


@pytest.mark.parametrize(
    ("text", "area", "certainty"),
    [
        ("Klima, skybrud og oversvømmelser: nedbør fylder vandløb, og havvand fylder mere.", "klima", Certainty.UNSURE),
        ("Område: sundhed", "sundhed", Certainty.SURE),
    ],
)
def test_the_area_is_the_one_named_or_the_one_whose_words_are_used_most(
    text: str, area: str, certainty: Certainty
) -> None:
    found = proposed_area(document("Salt", text, FILLER.replace("Vejene", "De")))
    assert found is not None
    assert (found.value, found.certainty) == (area, certainty)


def test_no_area_is_proposed_where_two_come_near_each_other() -> None:
    mixed = "Klima og patienter. Nedbør og hospitaler. Skybrud og læger. Stormflod og sygdom. Vandløb og kræft. CO2."
    assert proposed_area(document("Salt", mixed, FILLER.replace("Vejene", "De"))) is None
