"""Takes questions out of the written data whose wording alone gives the answer away, and those near a judged question.

    python -m training.balance

The control of :mod:`training.check` guesses every question, cross-validated by passage; of those it guesses right with
most confidence some are taken out, and it is fitted anew, until it is under the bound (adversarial filtering, AFLite:
Le Bras et al., ICML 2020). A passage keeps at least the fewest questions that the form allows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.check import CONTROL_BOUND, QUESTIONS, control_model, in_a_row, judged_questions
from training.items import ITEMS, Passage, read

# Stop this far under the bound; a round takes out this share.
MARGIN = 0.01
ROUND_SHARE = 0.02
MOST_ROUNDS = 12


def near_judged(passages: Sequence[Passage], judged: Sequence[str]) -> set[tuple[int, int]]:
    """The places (passage, question) of those that share five words in a row with a judged question."""
    known = {row for text in judged for row in in_a_row(text)}
    return {
        (at, number)
        for at, passage in enumerate(passages)
        for number, question in enumerate(passage.questions)
        if known & in_a_row(question.text)
    }


def telling(passages: Sequence[Passage], taken: set[tuple[int, int]]) -> tuple[float, list[tuple[int, int]]]:
    """How often the control guesses right, and the places it guesses right, most confident first."""
    from sklearn.model_selection import GroupKFold, cross_val_predict  # type: ignore[import-untyped]

    places = [
        (at, number)
        for at, passage in enumerate(passages)
        for number in range(len(passage.questions))
        if (at, number) not in taken
    ]
    questions = [passages[at].questions[number] for at, number in places]
    labels = np.array([bool(question.answers) for question in questions])
    probabilities = cross_val_predict(
        control_model(), [question.text for question in questions], labels,
        groups=[at for at, _ in places], cv=GroupKFold(5), method="predict_proba",
    )[:, 1]  # fmt: skip
    confidence = np.where(labels, probabilities, 1 - probabilities)
    order = np.argsort(-confidence)
    return float((confidence > 0.5).mean()), [places[int(place)] for place in order]


def chosen(passages: Sequence[Passage], judged: Sequence[str]) -> set[tuple[int, int]]:
    """The places of all questions to take out."""
    taken = near_judged(passages, judged)
    left = Counter({at: len(passage.questions) for at, passage in enumerate(passages)})
    left.subtract(at for at, _ in taken)
    for _ in range(MOST_ROUNDS):
        guessed, places = telling(passages, taken)
        print(f"guessed from the question alone: {guessed:.3f}, {len(taken)} taken out")
        if guessed < CONTROL_BOUND - MARGIN:
            break
        for at, number in places[: int(ROUND_SHARE * len(places))]:
            if left[at] > QUESTIONS.start:
                taken.add((at, number))
                left[at] -= 1
    return taken


def rewrite(folder: Path, passages: Sequence[Passage], taken: set[tuple[int, int]]) -> None:
    """Write the files again without the questions taken out; all other lines stay as they are."""
    gone = {(passages[at].source, passages[at].heading, passages[at].questions[number].text) for at, number in taken}
    for path in sorted(folder.glob("*.txt")):
        kept: list[str] = []
        heading = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            text = line.strip()
            heading = text[2:] if text.startswith("# ") else heading
            asked = text.partition("] ")[2].rpartition(" =")[0] if text.startswith("?") else ""
            if not asked or (path.stem, heading, asked) not in gone:
                kept.append(line.rstrip())
        path.write_text("\n".join(kept) + "\n", encoding="utf-8")


def main() -> None:
    """Take the questions out."""
    passages = read()
    taken = chosen(passages, judged_questions())
    rewrite(ITEMS, passages, taken)
    print(f"{len(taken)} questions taken out")


if __name__ == "__main__":
    main()
