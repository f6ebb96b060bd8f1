"""The house's own names beside the shipped ones: found both ways, and no part of what is indexed."""

from __future__ import annotations

import pytest

from kb.core.models import MatchKind
from kb.language.analysis import Analyser
from kb.language.synonyms import Synonyms, shipped, shipped_groups
from kb.language.vocabulary import Vocabulary, words_of

TEXT = "Renovationskøretøjet kørte hver mandag med kunstig intelligens."


@pytest.fixture(scope="module")
def analyser() -> Analyser:
    return Analyser(Vocabulary.of([TEXT]))


def others(synonyms: Synonyms, text: str) -> set[str]:
    return {" ".join(name) for name, _ in synonyms.others(words_of(text))}


def kind_of(analyser: Analyser, question: str) -> MatchKind | None:
    """How the vehicle of the text is found."""
    found = analyser.matches(analyser.question(question), TEXT)
    return next((one.kind for one in found if TEXT[one.start : one.end] == "Renovationskøretøjet"), None)


def test_a_word_that_no_report_uses_is_read_as_the_one_they_use(analyser: Analyser) -> None:
    house = analyser.with_synonyms(shipped().with_house([["skraldebil", "renovationskøretøj"]]))
    question = house.question("Hvornår kører skraldebilen mon?")
    assert question.text == "Hvornår kører skraldebilen mon?"
    assert question.read_as == "Hvornår kører renovationskøretøj mon?"
    assert kind_of(house, question.text) is MatchKind.STEM
    quoting = house.question('Hvornår kører "skraldebilen"?')
    assert quoting.read_as == quoting.text, "quoted words are looked for as they are written"


def test_a_word_that_reports_use_too_is_searched_for_beside_the_other(analyser: Analyser) -> None:
    house = analyser.with_synonyms(shipped().with_house([["mandag", "renovationskøretøj"]]))
    question = house.question("Hvad sker der mandag?")
    assert question.read_as == question.text
    assert kind_of(house, question.text) is MatchKind.SYNONYM


def test_the_analyser_without_the_house_and_what_is_indexed_stay_as_they_were(analyser: Analyser) -> None:
    house = analyser.with_synonyms(shipped().with_house([["skraldebil", "renovationskøretøj"]]))
    assert kind_of(analyser, "Hvornår kører skraldebilen?") is None
    assert house.index_terms(TEXT) == analyser.index_terms(TEXT)


def test_the_longest_name_is_read_as_a_whole(analyser: Analyser) -> None:
    groups = [["skrald", "mandag"], ["skrald på hjul", "renovationskøretøj"]]
    house = analyser.with_synonyms(shipped().with_house(groups))
    assert house.question("Hvad er skrald på hjul og skrald?").read_as == "Hvad er renovationskøretøj og mandag?"


def test_a_name_is_read_as_one_of_the_whole_group_it_widens(analyser: Analyser) -> None:
    house = analyser.with_synonyms(shipped().with_house([["tænkemaskinen", "AI"]]))
    assert house.question("Hvad kan tænkemaskinen?").read_as == "Hvad kan kunstig intelligens?"


def test_a_word_of_the_house_that_no_report_uses_is_not_corrected(analyser: Analyser) -> None:
    assert analyser.question("renovasionskøretøj").corrections
    house = analyser.with_synonyms(shipped().with_house([["renovasionskøretøj", "kunstig intelligens"]]))
    assert house.question("renovasionskøretøj").corrections == {}


def test_a_name_shared_with_a_shipped_group_widens_it() -> None:
    house = shipped().with_house([["robotten", "AI"], ["robotten", "maskinen"]])
    assert {"kunstig intelligens", "ai", "maskinen"} <= others(house, "robotten")
    assert {"robotten", "maskinen"} <= others(house, "artificial intelligence")
    assert len(house.groups) == len(shipped().groups)


def test_a_shipped_group_can_be_switched_off() -> None:
    assert "sygehus" in others(shipped(), "hospitalet")
    assert others(shipped().with_house([], ["hospital"]), "hospitalet") == set()
    assert "hospital" in {one.key for one in shipped_groups()}


def test_the_digest_tells_two_sets_of_words_apart() -> None:
    house = shipped().with_house([["skraldebil", "renovationskøretøj"]])
    assert house.digest != shipped().digest
    assert shipped().with_house([]).digest == shipped().digest
