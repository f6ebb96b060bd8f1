"""Fits the weights by which a vague question and one for facts are told by their wording, and measures them.

    python -m benchmarks.fit_wording [--write]

The questions are those of ``benchmarks/question_wording``, by several hands; beside them stand the judged development
questions and those of ``benchmarks/question_scope``, which are neither vague nor, but for a few, for facts; a vague
question is for no facts either. Prints how each hand's questions are told by weights that were fitted without that
hand. ``--write`` writes the weights of all to ``kb/answer/wording_weights.tsv``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

from benchmarks import fit_scope
from kb.answer import wording
from kb.answer.comparison_intent import comparison_of

HERE = Path(__file__).resolve().parent
WRITTEN = HERE / "question_wording"
TARGET = Path(wording.__file__).with_name(wording.WEIGHTS_FILE)
CLEAR = "clear"
# Names that stand for a question's <P> and <O>, in turn: they are masked, and vary in their number of words.
NAMES = ("Vådindeks", "AIR", "AI Aktindsigt", "RAIT", "DESERT", "FleetOptimiser", "Talt", "PLAI")
ORGANISATIONS = ("Netcompany", "Aarhus Universitet", "DTU", "KMD", "Favrskov Kommune", "Enversion A/S", "Rambøll")
# scikit-learn's C: of 15 and 40 the one that finds more of unseen hands' questions where as many are found wrongly.
STRENGTH_VAGUE, STRENGTH_FACTS = 15.0, 40.0


@dataclass(frozen=True)
class Labelled:
    """A question, its label, and the hand that wrote it."""

    text: str
    label: str
    hand: str


def written(name: str) -> list[Labelled]:
    """The questions of a file of the hands'."""
    lines = (WRITTEN / name).read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    return [
        Labelled(
            text.replace("<P>", NAMES[at % len(NAMES)]).replace("<O>", ORGANISATIONS[at % len(ORGANISATIONS)]),
            label,
            hand,
        )
        for at, (label, hand, text) in enumerate(rows)
    ]


def class_of(label: str) -> str:
    """The class of a label: of several values the first, and one for all that deny."""
    fact, _, values = label.partition("=")
    if values.startswith("-"):
        return wording.DENIED
    return f"{fact}={values.partition('+')[0]}" if values else fact


def values_of_label(label: str) -> set[str]:
    """The values that a label names: "status=drift+test" names "status=drift" and "status=test"."""
    fact, _, values = label.partition("=")
    return {f"{fact}={value}" for value in values.split("+")} if values else {fact}


def judged() -> list[str]:
    """The judged development questions that no form of words for facts takes already."""
    asked = [one.text for folder in ("questions", *fit_scope.DEVELOPMENT) for one in fit_scope.judged(folder)]
    return [text for text in dict.fromkeys(asked) if comparison_of(text, {}, by_wording=False) is None]


def matrix(texts: Sequence[str]) -> sparse.csr_matrix:
    """The questions' features, a row each, scaled to length 1."""
    buckets = [wording.buckets_of(text) for text in texts]
    rows = np.repeat(np.arange(len(texts)), [len(one) for one in buckets])
    values = np.concatenate([np.full(len(one), 1 / np.sqrt(max(1, len(one)))) for one in buckets])
    return sparse.csr_matrix((values, (rows, np.concatenate(buckets))), shape=(len(texts), wording.BUCKETS))


def fitted(texts: Sequence[str], labels: Sequence[str], strength: float) -> LogisticRegression:
    """The model of these questions."""
    return LogisticRegression(C=strength, max_iter=2000).fit(matrix(texts), labels)


def told_vague(model: LogisticRegression, texts: Sequence[str]) -> NDArray[np.bool_]:
    """Which questions are called vague."""
    place = list(model.classes_).index(wording.VAGUE)
    found: NDArray[np.bool_] = model.predict_proba(matrix(texts))[:, place] >= wording.VAGUE_FROM
    return found


def told_facts(model: LogisticRegression, texts: Sequence[str]) -> list[tuple[str, ...]]:
    """The facts that each question is said to ask for."""
    labels, rows = list(model.classes_), model.predict_proba(matrix(texts))
    return [wording.values_of(text, labels, row) for text, row in zip(texts, rows, strict=True)]


def print_vague(hands: Sequence[Labelled], beside: Sequence[str], others: Sequence[str]) -> None:
    """How each hand's questions are told by weights fitted without it, and how many judged ones are called vague."""
    for hand in sorted({one.hand for one in hands}):
        rest = [one for one in hands if one.hand != hand]
        texts = [*(one.text for one in rest), *beside]
        model = fitted(texts, [*(one.label for one in rest), *(CLEAR for _ in beside)], STRENGTH_VAGUE)
        own = [one for one in hands if one.hand == hand]
        said, right = told_vague(model, [one.text for one in own]), np.array([one.label != CLEAR for one in own])
        print(
            f"vague, hand {hand}: found {said[right].mean():.2f}, of clear ones {said[~right].mean():.3f},"
            f" of judged ones {told_vague(model, others).mean():.4f}"
        )


def print_facts(hands: Sequence[Labelled], beside: Sequence[str], others: Sequence[str]) -> None:
    """The same of questions for facts: found, found as another, and what is taken for one and is none."""
    for hand in sorted({one.hand for one in hands}):
        rest = [one for one in hands if one.hand != hand]
        texts = [*(one.text for one in rest), *beside]
        labels = [*(class_of(one.label) for one in rest), *(wording.NO_FACT for _ in beside)]
        model = fitted(texts, labels, STRENGTH_FACTS)
        own = [one for one in hands if one.hand == hand]
        said = told_facts(model, [one.text for one in own])
        right = np.array([set(values) == values_of_label(one.label) for one, values in zip(own, said, strict=True)])
        asks = np.array([class_of(one.label) not in (wording.NO_FACT, wording.DENIED) for one in own])
        told = np.array([bool(values) for values in said])
        print(
            f"facts, hand {hand}: found {right[asks].mean():.2f},"
            f" as another {(told & ~right)[asks].mean():.3f}, of others {told[~asks].mean():.3f},"
            f" of judged ones {np.mean([bool(values) for values in told_facts(model, others)]):.4f}"
        )


def lines_of(vague: LogisticRegression, facts: LogisticRegression) -> list[str]:
    """The weights as lines: the labels, the bias, and each bucket that has weights."""
    labels = [wording.VAGUE, *facts.classes_]
    # scikit-learn has one row of weights for two classes, that of the second.
    weights = np.vstack([vague.coef_, facts.coef_]).T.round(2) + 0.0
    bias = np.concatenate([vague.intercept_, facts.intercept_])
    rows = [f"{bucket}\t" + "\t".join(f"{value:g}" for value in row) for bucket, row in enumerate(weights) if row.any()]
    return ["\t" + "\t".join(labels), "\t" + "\t".join(f"{value:.3f}" for value in bias), *rows]


def main() -> None:
    """Print the figures; with ``--write`` write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"write {TARGET.name}")
    write = parser.parse_args().write
    vague, facts = written("vague.tsv"), written("facts.tsv")
    scopes, known = [one.text for one in fit_scope.written()], judged()
    fitted_on, others = known[::2], known[1::2]
    print_vague(vague, [*scopes, *fitted_on], others)
    not_for_facts = [one.text for one in vague]
    print_facts(facts, [*fitted_on, *not_for_facts], others)
    if write:
        texts = [*(one.text for one in vague), *scopes, *known]
        labels = [*(one.label for one in vague), *(CLEAR for _ in [*scopes, *known])]
        beside = [*known, *not_for_facts]
        asked = [*(one.text for one in facts), *beside]
        of_facts = [*(class_of(one.label) for one in facts), *(wording.NO_FACT for _ in beside)]
        models = fitted(texts, labels, STRENGTH_VAGUE), fitted(asked, of_facts, STRENGTH_FACTS)
        TARGET.write_text("\n".join(lines_of(*models)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
