"""Fits the weights by which a question across projects is told from one for one thing, and measures them.

    python -m benchmarks.fit_scope [--write]

The questions are those of ``benchmarks/question_scope``, by four hands, and the judged development questions. Prints
how each hand's questions are told by weights that were fitted without them, the judged ones by five folds over groups
of wordings, and those of the blind sets. ``--write`` writes the weights of all to ``kb/answer/scope_weights.tsv``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.model_selection import StratifiedGroupKFold  # type: ignore[import-untyped]
from sklearn.pipeline import Pipeline, make_pipeline  # type: ignore[import-untyped]
from sklearn.preprocessing import Normalizer  # type: ignore[import-untyped]

from benchmarks.fit_themes import row
from kb.answer import scope
from kb.evaluation.judged_questions import load

HERE = Path(__file__).resolve().parent
WRITTEN = HERE / "question_scope" / "questions.tsv"
OF_CORPUS = ("development", *(f"development_{number}" for number in range(2, 8)))
DEVELOPMENT = (*OF_CORPUS, "development_real", "development_real_2", "development_real_3")
BLIND = ("blind", "blind_2", "blind_3")
TARGET = Path(scope.__file__).with_name(scope.WEIGHTS_FILE)
FOLDS = 5
# scikit-learn's C, and in how many questions a feature stands at least: F1 of unseen hands differs little from 3 to 5.
STRENGTH = 15.0
MOST_RARE = 4


@dataclass(frozen=True)
class Labelled:
    """A question, whether it is across projects, the hand or set it is of, and its group of wordings."""

    text: str
    is_across: bool
    source: str
    group: str


def written() -> list[Labelled]:
    """The questions of the hands; neighbours are pairs, and a group."""
    rows = [line.split("\t") for line in WRITTEN.read_text(encoding="utf-8").splitlines()]
    return [Labelled(text, label == "across", hand, f"{hand} {at // 2}") for at, (label, hand, text) in enumerate(rows)]


def judged(folder: str) -> list[Labelled]:
    """The questions of a judged set, of the first one the development half."""
    asked = [question for question in load(HERE / folder) if folder != "questions" or question.split == "dev"]
    return [Labelled(one.text, bool(one.projects), "judged", one.group) for one in asked]


def fitted(questions: Sequence[Labelled]) -> Pipeline:
    """The model of these questions."""
    words = CountVectorizer(analyzer=scope.features_of, binary=True, min_df=MOST_RARE)
    model = make_pipeline(words, Normalizer(), LogisticRegression(C=STRENGTH, max_iter=3000))
    return model.fit([one.text for one in questions], [one.is_across for one in questions])


def told(name: str, asked: Sequence[Labelled], probabilities: NDArray[np.float64]) -> str:
    """How many are across, how many are called so, and how many of either rightly."""
    return row(name, probabilities >= scope.ACROSS_FROM, np.array([one.is_across for one in asked]))


def crossed(asked: Sequence[Labelled], beside: Sequence[Labelled]) -> NDArray[np.float64]:
    """Each question's probability by weights fitted without its group, with the others ``beside`` them."""
    found = np.zeros(len(asked))
    labels, groups = [one.is_across for one in asked], [one.group for one in asked]
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for train, test in folds.split(np.zeros(len(asked)), labels, groups):
        model = fitted([*(asked[at] for at in train), *beside])
        found[test] = model.predict_proba([asked[at].text for at in test])[:, 1]
    return found


def lines_of(model: Pipeline) -> list[str]:
    """The weights as lines, the bias first."""
    words, _, logistic = (step for _, step in model.steps)
    names = words.get_feature_names_out()
    weights = sorted(zip(names, logistic.coef_[0], strict=True))
    return [f"{scope.BIAS}\t{logistic.intercept_[0]:.3f}", *(f"{name}\t{weight:.3f}" for name, weight in weights)]


def main() -> None:
    """Print the figures; with ``--write`` write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"write {TARGET.name}")
    write = parser.parse_args().write
    by_hands = written()
    development = [one for folder in ("questions", *DEVELOPMENT) for one in judged(folder)]
    print(f"{'':24}{'across':>8}{'called':>8}{'precision':>11}{'recall':>8}{'F1':>7}")
    for hand in sorted({one.source for one in by_hands}):
        own = [one for one in by_hands if one.source == hand]
        model = fitted([one for one in [*by_hands, *development] if one.source != hand])
        print(told(f"hand {hand}", own, model.predict_proba([one.text for one in own])[:, 1]))
    print(told("development", development, crossed(development, by_hands)))
    model = fitted([*by_hands, *development])
    for folder in BLIND:
        asked = judged(folder)
        print(told(folder, asked, model.predict_proba([one.text for one in asked])[:, 1]))
    if write:
        TARGET.write_text("\n".join(lines_of(model)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
