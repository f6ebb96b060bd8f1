"""The sentences of a passage that may answer: exact places, and nothing that is no statement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.core.models import Passage
from kb.language.sentences import may_answer, sentences_of


def passage(text: str, *headings: str, start: int = 0) -> Passage:
    return Passage("d.1", "d", 0, text, start, start + len(text), headings)


def texts(text: str, *headings: str) -> list[str]:
    return [sentence.text for sentence in sentences_of(passage(text, *headings))]


def test_sentences_stand_at_their_offsets_in_the_document() -> None:
    document = "Indledning.\n\nAsta fandt 12 fejl i journalerne. Det tog en uge at rette dem.\n"
    part = document[13:]
    sentences = sentences_of(passage(part, start=13))
    assert [document[s.start : s.end] for s in sentences] == [
        "Asta fandt 12 fejl i journalerne.",
        "Det tog en uge at rette dem.",
    ]
    assert [s.verbatim for s in sentences] == [document[s.start : s.end] for s in sentences]


@given(st.text(alphabet="abcæøå. \n-;:AB1", max_size=200), st.integers(0, 50))
def test_every_sentence_is_its_passage_at_its_place(text: str, start: int) -> None:
    for sentence in sentences_of(passage(text, start=start)):
        assert text[sentence.start - start : sentence.end - start] == sentence.verbatim
        assert sentence.verbatim == sentence.verbatim.strip() != ""


def test_a_line_broken_by_the_file_is_shown_on_one_line() -> None:
    sentences = sentences_of(passage("Kommunen målte\nvandstanden hver uge i et år.\n"))
    assert all("\n" not in sentence.text for sentence in sentences)


@pytest.mark.parametrize("heading", ["Kilder", "Kildeliste", "Referencer", "Litteratur og links", "Noter"])
def test_a_list_of_sources_never_answers(heading: str) -> None:
    assert texts("Kommunen skrev i sin rapport, at tiden faldt med 66 procent.", heading) == []


def test_a_heading_that_only_begins_like_sources_does() -> None:
    assert texts("Projektet vurderede sine kilder hver uge.", "Kildernes kvalitet") != []


@pytest.mark.parametrize(
    "notice",
    [
        "Sammendrag af offentlige kilder. Den er ikke skrevet af Aalborg Kommune.",
        "Teksten er skrevet til Erfaringsbasen. Hospitalerne har ikke skrevet den.",
        "Det er hverken Sønderborg Kommunes eller projektets egen rapport.",
    ],
)
def test_the_notice_of_who_wrote_a_summary_never_answers_with_any_of_its_sentences(notice: str) -> None:
    assert texts(f"{notice}\n\nModellen fandt tolv fejl i journalerne.") == ["Modellen fandt tolv fejl i journalerne."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tiden faldt med 66 procent.", True),
        ("- Sæt tid af til at bemande projektet med de rette kompetencer", True),
        ("Om projektet", False),
        ("Myndighed Aalborg Kommune", False),
        ("Om AIR: Støtte til projektet; Tal: 4,1 mio. kr.", True),
        ("Ansøger: Foreninger; Antal ansøgninger: 3", True),
        ("År: 2022; Tal: 3", False),
        ("Myndighed: Aalborg Kommune", False),
        ("Nej.", False),
    ],
)
def test_a_statement_is_a_sentence_a_full_list_item_or_a_row(text: str, expected: bool) -> None:
    assert may_answer(text) is expected


@pytest.mark.parametrize("mark", ["- ", "•\t", "– ", "* ", "1. ", "12) ", "b) ", "o  "])
def test_a_sentence_begins_after_the_mark_of_its_list(mark: str) -> None:
    text = f"Råd til andre:\n{mark}Sæt god tid af til at afklare juraen før udviklingen\n"
    sentences = sentences_of(passage(text, start=7))
    assert [s.text for s in sentences][-1] == "Sæt god tid af til at afklare juraen før udviklingen"
    assert all(text[s.start - 7 : s.end - 7] == s.verbatim for s in sentences)


@pytest.mark.parametrize(
    "text", ["1. april 2020 begyndte projektet i Køge.", "-5 grader var det koldeste.", "AI - ja tak, sagde de."]
)
def test_what_looks_like_a_mark_stays(text: str) -> None:
    assert texts(text) == [text]
