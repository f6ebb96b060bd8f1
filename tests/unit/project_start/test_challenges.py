"""What a sentence on a challenge tells of, and what a plan mentions."""

from __future__ import annotations

import pytest

from kb.core.stages import Phase
from kb.project_start.challenges import challenge_kinds, mentioned_in, told_in


@pytest.mark.parametrize(
    ("sentence", "headings", "kinds"),
    [
        ("Kommunen fik ikke lovhjemmel til at samkøre data.", (), {"hjemmel", "dataadgang"}),
        ("Softwaren skal CE-mærkes via et bemyndiget organ.", (), {"medicinsk udstyr"}),
        ("Ansøgningerne kommer med mange fejl og mangler.", (), {"datakvalitet"}),
        ("Det var uklart, om modellen måtte deles.", ("Udfordringer", "Jura"), {"hjemmel"}),
        ("Det gik langsomt.", ("Udfordringer",), set()),
        # A term is looked for before the heading is.
        ("Hospitalerne mangler røntgenlæger.", ("Jura",), {"ressourcer"}),
    ],
)
def test_a_challenge_is_told_by_its_words_and_else_by_its_heading(
    sentence: str, headings: tuple[str, ...], kinds: set[str]
) -> None:
    assert set(told_in(sentence, headings)) == kinds


def test_a_hyphen_and_a_line_break_hide_no_term() -> None:
    assert "medicinsk udstyr" in mentioned_in("Løsningen er\nmedicinsk-\nudstyr")


def test_a_plan_mentions_a_subject_that_is_no_trouble_yet() -> None:
    assert "økonomi" in mentioned_in("Vi har søgt penge hos en fond.")
    assert "organisering" in mentioned_in("Klinikerne er med i styregruppen.")
    assert not told_in("Klinikerne er med i styregruppen.")


def test_part_of_another_word_is_no_mention() -> None:
    assert "ressourcer" not in mentioned_in("Menneskeressourcerne i arbejdet nævnes ikke her.")


def test_the_table_has_every_phase_in_order_and_a_question_each() -> None:
    kinds = challenge_kinds()
    phases = list(dict.fromkeys(kind.phase for kind in kinds))
    assert phases == list(Phase)
    assert all(kind.question.endswith("?") and kind.terms for kind in kinds)
    assert len({kind.id for kind in kinds}) == len(kinds)
