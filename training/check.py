"""Checks the written training data: form, balance, and distance to the judged questions.

    python -m training.check [--control]

Prints the counts by kind and fails when a file is not in the form, when a passage or a share is out of bounds, or when
a question shares five words in a row with a judged one. ``--control`` also fits a classifier that sees the question
alone: where it tells answered from unanswered ones, their wording gives the answer away.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np

from training.items import Passage, Question, read

# Passage and question, both from 0.
Place = tuple[int, int]
BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
SENTENCES = range(4, 11)
QUESTIONS = range(7, 15)
# Half of the questions are without an answer, in all and of every kind within these bounds.
UNANSWERED = (0.45, 0.55)
UNANSWERED_OF_KIND = (0.35, 0.65)
WORDS_IN_A_ROW = 5
# The control's share of right guesses stays under this.
CONTROL_BOUND = 0.60


def faults(passages: Sequence[Passage], judged: Sequence[str]) -> Iterator[str]:
    """What is wrong with the data, one sentence each."""
    for passage in passages:
        if len(passage.sentences) not in SENTENCES:
            yield f"{passage.source}: {len(passage.sentences)} sentences in «{passage.heading[:60]}»"
        if len(passage.questions) not in QUESTIONS:
            yield f"{passage.source}: {len(passage.questions)} questions in «{passage.heading[:60]}»"
        texts = Counter(question.text.lower() for question in passage.questions)
        yield from (f"{passage.source}: asked twice in a passage: {text}" for text, count in texts.items() if count > 1)
    yield from _shares([question for passage in passages for question in passage.questions])
    yield from _too_near(passages, judged)


def _shares(questions: Sequence[Question]) -> Iterator[str]:
    by_kind: dict[str, list[bool]] = defaultdict(list)
    for question in questions:
        by_kind[question.kind].append(not question.answers)
    every = [unanswered for several in by_kind.values() for unanswered in several]
    for name, values, (least, most) in (
        ("all", every, UNANSWERED),
        *((kind, values, UNANSWERED_OF_KIND) for kind, values in by_kind.items()),
    ):
        share = sum(values) / len(values)
        if not least <= share <= most:
            yield f"{share:.2f} of {name} questions are without an answer, not {least} to {most}"


def _too_near(passages: Sequence[Passage], judged: Sequence[str]) -> Iterator[str]:
    for (at, _), rows in near_judged(passages, judged).items():
        yield from (f"{passages[at].source}: shares «{' '.join(row)}» with a judged question" for row in rows)


def near_judged(passages: Sequence[Passage], judged: Sequence[str]) -> dict[Place, set[tuple[str, ...]]]:
    """The questions that share :data:`WORDS_IN_A_ROW` words in a row with a judged one, and which words."""
    known = {row for text in judged for row in in_a_row(text)}
    return {
        (at, number): shared
        for at, passage in enumerate(passages)
        for number, question in enumerate(passage.questions)
        if (shared := known & in_a_row(question.text))
    }


def in_a_row(text: str) -> set[tuple[str, ...]]:
    """Every :data:`WORDS_IN_A_ROW` neighbouring words of a text."""
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[at : at + WORDS_IN_A_ROW]) for at in range(len(words) - WORDS_IN_A_ROW + 1)}


def guessed(passages: Sequence[Passage], left_out: Collection[Place] = ()) -> tuple[float, list[Place]]:
    """How often the question alone tells whether it is answered, and all places, the most confidently right first.

    A logistic regression of the question's character n-grams, weighted by rarity, guesses every question but those
    left out; cross-validated by passage: the questions of one passage are never on both sides.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
    from sklearn.model_selection import GroupKFold, cross_val_predict  # type: ignore[import-untyped]
    from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]

    places = [
        (at, number)
        for at, passage in enumerate(passages)
        for number in range(len(passage.questions))
        if (at, number) not in left_out
    ]
    questions = [passages[at].questions[number] for at, number in places]
    labels = np.array([bool(question.answers) for question in questions])
    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True)
    probabilities = cross_val_predict(
        make_pipeline(grams, LogisticRegression(C=1.0, max_iter=500)),
        [question.text for question in questions], labels,
        groups=[at for at, _ in places], cv=GroupKFold(5), method="predict_proba",
    )[:, 1]  # fmt: skip
    confidence = np.where(labels, probabilities, 1 - probabilities)
    return float((confidence > 0.5).mean()), [places[int(place)] for place in np.argsort(-confidence)]


def judged_questions(folder: Path = BENCHMARKS) -> list[str]:
    """The texts of all judged questions that figures are taken on, the blind ones among them."""
    files = (file for file in sorted(folder.glob("*/questions.jsonl")) if not file.parent.name.startswith("develop"))
    return [json.loads(line)["text"] for path in files for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Check, and exit with 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--control", action="store_true", help="fit the classifier that sees the question alone")
    options = parser.parse_args()
    passages = read()
    questions = [question for passage in passages for question in passage.questions]
    kinds = Counter(question.kind for question in questions)
    answered = Counter(question.kind for question in questions if question.answers)
    about = Counter("".join(passage.about for passage in passages))
    print(f"{len(passages)} passages, {len(questions)} questions, {answered.total()} answered")
    print("answered of all: " + ", ".join(f"{kind} {answered[kind]}/{count}" for kind, count in kinds.most_common()))
    print("about whom: " + ", ".join(f"{letter} {count}" for letter, count in about.most_common()))
    found = list(faults(passages, judged_questions()))
    if options.control:
        share, _ = guessed(passages)
        print(f"guessed from the question alone: {share:.3f}")
        if share >= CONTROL_BOUND:
            found.append(f"the question alone gives the answer away: {share:.3f}, not under {CONTROL_BOUND}")
    print("\n".join(found))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
