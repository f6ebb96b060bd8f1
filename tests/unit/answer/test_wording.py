"""What a question asks for is told by its wording: facts to compare, or nothing that can be looked up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.answer.wording import (
    BUCKETS,
    FACT_FROM,
    NO_FACT,
    VAGUE_FROM,
    buckets_of,
    fact_asked,
    probability_vague,
    values_of,
)

STATUSES = ("none", "status=drift", "status=stoppet", "status=test")


@pytest.mark.parametrize(
    ("question", "facts"),
    [
        ("Har nogen droppet et projekt?", ("status=stoppet",)),
        ("Hvem har trukket stikket?", ("status=stoppet",)),
        ("Hvem kører stadig pilot?", ("status=test",)),
        ("Hvem fik flest penge?", ("money=mest",)),
        ("Hvilke data fik de mest ud af?", ()),
        ("Hvad lærte de af at stoppe?", ()),
        ("Hvilke projekter i drift bruger røntgenbilleder?", ()),
        ("Hvordan håndterede projekterne GDPR?", ()),
    ],
)
def test_a_fact_is_asked_for_in_many_words_and_not_by_what_only_looks_so(question: str, facts: tuple[str, ...]) -> None:
    assert fact_asked(question) == facts


@pytest.mark.parametrize("question", ["Er modellen god nok?", "Hvad sagde lægerne?", "Hvem står bag systemet?"])
def test_a_question_about_something_unnamed_is_vague(question: str) -> None:
    assert probability_vague(question) >= VAGUE_FROM


@pytest.mark.parametrize(
    "question", ["gdpr", "samtykke", "Må man dele data?", "Hvad lærte de om data?", "Hvordan virker medicinrobotter?"]
)
def test_a_short_question_with_a_subject_is_not(question: str) -> None:
    assert probability_vague(question) < VAGUE_FROM


def test_names_and_numbers_tell_nothing() -> None:
    for one, other in (("Er AIR skrottet?", "Er DESERT skrottet?"), ("Fik de 5 mio. kr.?", "Fik de 19 mio. kr.?")):
        assert np.array_equal(buckets_of(one), buckets_of(other))


def test_several_values_are_asked_for_only_where_a_question_names_several() -> None:
    probable = np.array([0.1, 0.5, 0.4, 0.0])
    assert values_of("Hvem er i drift eller stoppet?", STATUSES, probable) == ("status=drift", "status=stoppet")
    assert values_of("Hvem er i drift?", STATUSES, np.array([0.1, 0.8, 0.1, 0.0])) == ("status=drift",)


def test_a_question_that_may_ask_for_either_of_two_values_is_taken_for_neither() -> None:
    assert values_of("Hvem er i drift?", STATUSES, np.array([0.1, 0.5, 0.4, 0.0])) == ()


def test_a_fact_that_is_not_probable_enough_is_none() -> None:
    less = FACT_FROM - 0.05
    assert values_of("Hvem?", STATUSES, np.array([1 - less, less, 0.0, 0.0])) == ()
    assert values_of("Hvem?", (NO_FACT,), np.array([1.0])) == ()


@given(st.text(max_size=80))
def test_every_question_has_features_and_a_probability(question: str) -> None:
    buckets = buckets_of(question)
    assert len(set(buckets.tolist())) == len(buckets)
    assert all(0 <= bucket < BUCKETS for bucket in buckets)
    assert 0 <= probability_vague(question) <= 1
    assert isinstance(fact_asked(question), tuple)
