"""How far two hands agree on which projects answer a question across projects: what an answer can reach at most.

    python -m benchmarks.two_hands [SET ...]

``questions.jsonl`` of a set holds the first hand's key and ``second_hand.jsonl`` the key that another made of the same
questions from the reports alone. The second is scored by the first as an answer is
(:mod:`kb.evaluation.answer_scores`).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from kb.evaluation import metrics
from kb.evaluation.answer_scores import of_projects
from kb.evaluation.judged_questions import JudgedQuestion, load

SECOND_HAND = "second_hand.jsonl"
SETS = (Path("benchmarks/development_8"), Path("benchmarks/blind_3"))


def agreement(first: Sequence[JudgedQuestion], second: Sequence[JudgedQuestion]) -> dict[str, float]:
    """The means over the questions that both hands have a key for, told by group and text."""
    others = {(one.group, one.text): set(one.projects) for one in second}
    pairs = [(set(one.projects), others[one.group, one.text]) for one in first if (one.group, one.text) in others]
    parts = [of_projects(key, [{id_} for id_ in said]) for key, said in pairs if key]
    precision, recall, f1 = (metrics.mean([part[place] for part in parts]) for place in range(3))
    within_one = metrics.mean([float(abs(len(key) - len(said)) <= 1) for key, said in pairs if key])
    return {"questions": len(parts), "precision": precision, "recall": recall, "f1": f1, "within_one": within_one}


def main() -> None:
    """Print the agreement on each set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path, nargs="*", default=SETS, metavar="SET")
    for folder in parser.parse_args().sets:
        found = agreement(load(folder), load(folder / SECOND_HAND))
        print(folder, {name: round(value, 3) for name, value in found.items()})


if __name__ == "__main__":
    main()
