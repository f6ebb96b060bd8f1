from __future__ import annotations

from kb.answer.topics import narrower


def test_a_subject_brings_its_narrower_terms() -> None:
    assert {"hjemmel", "samtykke", "konsekvensanalyse"} <= set(narrower("gdpr", {"gdpr"}))


def test_a_subject_is_known_in_its_inflections() -> None:
    assert "bias" in narrower("etiske", {"etik"})


def test_a_name_of_several_words_must_stand_whole_in_the_question() -> None:
    assert "CE-mærkning" in narrower("udstyr", {"medicinsk", "udstyr"})
    assert narrower("udstyr", {"teknisk", "udstyr"}) == ()


def test_what_a_project_cost_is_told_by_its_support_and_budget() -> None:
    assert {"støtte", "budget"} <= set(narrower("kostede", {"kosted"}))


def test_other_words_bring_nothing() -> None:
    assert narrower("mailsortering", {"mailsortering"}) == ()
