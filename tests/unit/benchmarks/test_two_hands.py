"""How far two hands agree is counted over the questions that both have a key for."""

from benchmarks.two_hands import agreement
from kb.evaluation.judged_questions import JudgedQuestion


def key(text: str, *projects: str) -> JudgedQuestion:
    return JudgedQuestion(id=text, group="g", text=text, kind="across", projects=projects)


def test_the_second_hand_is_scored_by_the_first() -> None:
    first = [key("begge?", "a", "b"), key("en?", "a", "b", "c", "d"), key("alene?", "a")]
    found = agreement(first, [key("en?", "a"), key("begge?", "b", "a")])
    assert found == {"questions": 2, "precision": 1.0, "recall": 0.625, "f1": 0.7, "within_one": 0.5}
