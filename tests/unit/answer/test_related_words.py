"""What a base has of the names that reports use for everyday words."""

from __future__ import annotations

import pytest

from kb.answer.related_words import RelatedWords
from kb.language import danish
from kb.language.vocabulary import Vocabulary, words_of

TEXTS = [
    "Kommunen fik en bevilling.",
    "Kommunen gør rent hos borgere.",
    "Kommunen har en hjemmeside.",
    "Kommunen brugte sin bevilling.",
]
QUESTION = "Hvad gik skattekronerne til på rådhuset?"


@pytest.fixture(scope="module")
def related() -> RelatedWords:
    return RelatedWords.of(QUESTION, Vocabulary.of(TEXTS))


def stems(text: str) -> frozenset[str]:
    return frozenset(danish.stem(word) for word in words_of(text))


def test_a_rare_name_meets_more_than_one_that_all_passages_have(related: RelatedWords) -> None:
    nothing: frozenset[str] = frozenset()
    rare, common = (related.met(stems(word), nothing) for word in ("bevilling", "kommunen"))
    assert rare > common > 0
    assert related.met(stems("hjemmeside"), nothing) == 0


def test_a_name_in_the_headings_alone_counts_half(related: RelatedWords) -> None:
    bevilling, other = stems("bevilling"), stems("hjemmeside")
    assert related.met(other, bevilling) == pytest.approx(related.met(bevilling, other) / 2)


def test_it_is_searched_with_the_names_that_the_base_has(related: RelatedWords) -> None:
    asked = related.question(QUESTION)
    assert asked is not None
    assert {danish.stem("bevilling"), danish.stem("kommune")} <= {term.term for term in asked.terms}
    assert {term.term for term in asked.terms} <= set(Vocabulary.of(TEXTS).stems)
    assert asked.text != QUESTION, "a result is remembered by the question's text"


def test_nothing_is_searched_for_where_the_base_has_none_of_the_names() -> None:
    assert RelatedWords.of("Xyzzy plugh?", Vocabulary.of(TEXTS)).question("Xyzzy plugh?") is None
    assert RelatedWords.of(QUESTION, Vocabulary.of(["Noget helt andet."])).question(QUESTION) is None
