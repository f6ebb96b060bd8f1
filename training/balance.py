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

from training.check import CONTROL_BOUND, QUESTIONS, Place, guessed, judged_questions, near_judged
from training.items import ITEMS, Passage, read

# Stop this far under the bound; a round takes out this share.
MARGIN = 0.01
ROUND_SHARE = 0.02
MOST_ROUNDS = 12


def chosen(passages: Sequence[Passage], judged: Sequence[str]) -> set[Place]:
    """The places of all questions to take out."""
    taken = set(near_judged(passages, judged))
    left = Counter({at: len(passage.questions) for at, passage in enumerate(passages)})
    left.subtract(at for at, _ in taken)
    for _ in range(MOST_ROUNDS):
        share, places = guessed(passages, taken)
        print(f"guessed from the question alone: {share:.3f}, {len(taken)} taken out")
        if share < CONTROL_BOUND - MARGIN:
            break
        for at, number in places[: int(ROUND_SHARE * len(places))]:
            if left[at] > QUESTIONS.start:
                taken.add((at, number))
                left[at] -= 1
    return taken


def rewrite(folder: Path, passages: Sequence[Passage], taken: set[Place]) -> None:
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
