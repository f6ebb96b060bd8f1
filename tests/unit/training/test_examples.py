"""Training windows: a right window holds an answer, a wrong one none, and nothing is invented."""

import random

from training.examples import Similar, of_items
from training.items import Passage, read

PASSAGES = read()[:60]


def test_a_question_s_first_window_answers_exactly_when_its_passage_does() -> None:
    answered = [bool(question.answers) for passage in PASSAGES for question in passage.questions]
    examples = list(of_items(PASSAGES, random.Random(1)))
    assert [bool(example.windows[0].label) for example in examples] == answered
    assert all(not window.label for example in examples for window in example.windows[1:])


def test_windows_are_sentences_of_the_passages_in_their_order() -> None:
    known = {passage.heading: passage.sentences for passage in PASSAGES}
    for example in of_items(PASSAGES, random.Random(2)):
        for window in example.windows:
            places = [known[window.context].index(sentence) for sentence in window.sentences]
            assert places == sorted(places)


def test_similar_passages_are_never_of_the_report_itself() -> None:
    def report(passage: Passage) -> str:
        return passage.heading.partition(" › ")[0]

    similar = Similar(PASSAGES)
    for passage in PASSAGES[:10]:
        for question in passage.questions:
            assert all(report(one) != report(passage) for one in similar.best(question.text, besides=report(passage)))


def test_the_same_seed_makes_the_same_examples() -> None:
    assert list(of_items(PASSAGES, random.Random(3))) == list(of_items(PASSAGES, random.Random(3)))
