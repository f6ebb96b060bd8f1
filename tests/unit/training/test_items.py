"""The written training data: its form is read exactly, and the shipped items keep the rules."""

from pathlib import Path

import pytest

from training.check import faults, in_a_row, judged_questions
from training.items import FormError, Passage, Question, read, read_file

BLOCK = """# Rapport › Kapitel
1p Vi sparede 40 timer om ugen.
2m Mange kommuner sparer tid.
? [fact] Hvor meget blev der sparet? = 1
? [why] Hvorfor blev der sparet? =
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "felt_01.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_block_is_a_passage_with_sentences_and_questions(tmp_path: Path) -> None:
    (passage,) = read_file(written(tmp_path, BLOCK))
    assert passage == Passage(
        "felt_01",
        "Rapport › Kapitel",
        ("Vi sparede 40 timer om ugen.", "Mange kommuner sparer tid."),
        "pm",
        (Question("fact", "Hvor meget blev der sparet?", (0,)), Question("why", "Hvorfor blev der sparet?", ())),
    )


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("# A › B\n2p Anden sætning.\n", "neither the next sentence"),
        ("# A › B\n1p En.\n? [fact] Hvad? = 2\n", "an answer that is no sentence"),
        ("# A › B\n1p En.\n? [gæt] Hvad? =\n", "no question in the form"),
        ("# A › B\n1p En.\n2 To.\n", "some sentences of the block say about whom"),
        ("1p En.\n", "begins with its heading"),
    ],
)
def test_what_is_not_in_the_form_is_told_with_file_and_line(tmp_path: Path, wrong: str, told: str) -> None:
    with pytest.raises(FormError, match=told):
        list(read_file(written(tmp_path, wrong)))


def test_words_in_a_row_are_those_of_the_text_without_marks() -> None:
    assert in_a_row("Hvad, koster det at få en") == {
        ("hvad", "koster", "det", "at", "få"),
        ("koster", "det", "at", "få", "en"),
    }


def test_a_question_near_a_judged_one_is_a_fault(tmp_path: Path) -> None:
    passages = list(read_file(written(tmp_path, BLOCK)))
    assert any(
        "shares «hvor meget blev der sparet»" in fault
        for fault in faults(passages, ["Hvor meget blev der sparet i alt?"])
    )


def test_the_shipped_items_keep_form_balance_and_distance() -> None:
    assert list(faults(read(), judged_questions())) == []
