"""The probability that a project is similar, and the traits it may share with a plan."""

from __future__ import annotations

from dataclasses import astuple, replace

import pytest

from kb.project_start.similarity import SIMILAR, WEIGHTS, Signals, probability
from kb.project_start.traits import data_in, rules_in, techniques_in

NOTHING = Signals(subject=0.0, words=0.0, data=0.0, technique=0.0)


def test_there_is_a_weight_for_each_signal() -> None:
    assert len(WEIGHTS) == len(astuple(NOTHING))


def test_nothing_in_common_is_not_similar_and_everything_is() -> None:
    assert probability(NOTHING) < SIMILAR < probability(Signals(4.0, 2.0, 1.0, 1.0))


@pytest.mark.parametrize("name", ["subject", "words", "data", "technique"])
def test_more_in_common_is_more_probable(name: str) -> None:
    assert probability(replace(NOTHING, **{name: 1.0})) > probability(NOTHING)


def test_a_distance_without_end_is_no_error() -> None:
    assert probability(replace(NOTHING, subject=-1e9)) == pytest.approx(0)
    assert probability(replace(NOTHING, subject=1e9)) == pytest.approx(1)


def test_traits_are_named_by_parts_of_words() -> None:
    text = "Vi vil varsle om oversvømmelser med sensorer; MDR gælder ikke."
    assert data_in(text) == {"sensordata"}
    assert techniques_in(text) == {"forudsigelse og varsling"}
    assert rules_in(text) == {"forordningen om medicinsk udstyr (MDR)"}
