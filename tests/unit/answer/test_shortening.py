from __future__ import annotations

import pytest

from kb.answer.shortening import announces, in_full, refers_back, shorten, with_antecedent, with_list
from kb.core.models import Passage
from kb.language.sentences import sentences_of


@pytest.mark.parametrize(
    "text",
    [
        "Derfor blev løsningen sat på pause.",
        "Det kræver en ny aftale med leverandøren.",
        "Samtidig skulle posten journaliseres hurtigere.",
        "De har siden brugt løsningen hver dag.",
        "Den strengeste af dem blev offentliggjort.",
        "To af disse er sat i drift.",
        "Det gjaldt for eksempel databehandleraftalerne.",
    ],
)
def test_openings_that_point_back(text: str) -> None:
    assert refers_back(text)


@pytest.mark.parametrize(
    "text",
    [
        "Det er stadig sagsbehandleren, der anbefaler en indsats.",
        "Det var svært at få adgang til data.",
        "Den største udfordring var data.",
        "Det nationale råd anbefalede en pause.",
        "Kommunen brugte løsningen.",
        "En af kommunerne brugte løsningen.",
    ],
)
def test_openings_that_stand_alone(text: str) -> None:
    assert not refers_back(text)


def _passage(text: str) -> Passage:
    return Passage("d.1", "d", 0, text, 40, 40 + len(text), ())


def test_a_sentence_that_points_back_is_shown_with_the_one_before_it() -> None:
    passage = _passage("Projektet begyndte. Data kom for sent til projektet.  Derfor blev løsningen sat på pause.")
    last = sentences_of(passage)[-1]
    shown = with_antecedent(last)
    assert shown.text == "Data kom for sent til projektet. Derfor blev løsningen sat på pause."
    assert shown.verbatim == passage.text[shown.start - 40 : shown.end - 40]


def test_nothing_is_taken_from_another_paragraph_or_a_heading() -> None:
    passage = _passage("Data kom for sent til projektet.\n\nDerfor blev løsningen sat på pause.")
    assert with_antecedent(sentences_of(passage)[-1]).text == "Derfor blev løsningen sat på pause."
    passage = _passage("Om data\nDerfor blev løsningen sat på pause.")
    assert with_antecedent(sentences_of(passage)[-1]).text == "Derfor blev løsningen sat på pause."


LIST = """Årsagerne til pausen er flere:

- Data kom for sent.
- Ingen havde tid til at følge op på modellens svar.

Derefter gik det bedre for projektet."""


def test_a_lead_in_is_shown_with_its_list_and_no_more() -> None:
    passage = _passage(LIST)
    whole = with_list(sentences_of(passage)[0], 300)
    items = "- Data kom for sent. - Ingen havde tid til at følge op på modellens svar."
    assert whole.text == f"Årsagerne til pausen er flere: {items}"
    assert whole.verbatim == passage.text[whole.start - 40 : whole.end - 40]


def test_a_long_list_is_cut_after_an_item_and_never_before_the_first() -> None:
    lead_in = sentences_of(_passage(LIST))[0]
    assert with_list(lead_in, 60).text == "Årsagerne til pausen er flere: - Data kom for sent."
    assert in_full(lead_in, 40).text == "Årsagerne til pausen er flere: - Data kom for sent."


def test_a_lead_in_without_a_list_is_shown_with_the_sentence_it_leads_in() -> None:
    said = "Projektet måtte sande dette:\n\nIngen havde tid til at følge op. Det blev ikke bedre.\n- Et punkt."
    whole = with_list(sentences_of(_passage(said))[0], 300)
    assert whole.text == "Projektet måtte sande dette: Ingen havde tid til at følge op."
    last = sentences_of(_passage("Projektet måtte sande dette:"))[0]
    assert with_list(last, 300) == last


def test_what_leads_nothing_in_stays_as_it_is() -> None:
    plain = sentences_of(_passage("Årsagerne til pausen er flere: Data kom for sent.\n- Ingen havde tid til det."))[0]
    assert with_list(plain, 300) == plain


def test_a_long_text_is_cut_at_a_comma_and_shows_it() -> None:
    assert shorten("Kommunen brugte løsningen, og det gik godt for alle", 30) == "Kommunen brugte løsningen …"
    assert shorten("Kort.", 30) == "Kort."


def test_a_sentence_that_only_says_where_something_is_told_announces() -> None:
    assert announces("Rapporten viser eksempler på, hvordan projekterne håndterede GDPR.")
    assert announces("Kapitel 3 beskriver, hvordan kommunen gjorde.")
    assert not announces("Projektet viser, at data fra før 2020 ikke kan bruges.")
    assert not announces("Modellen har lært af, hvordan nedbør og grundvand hænger sammen.")
