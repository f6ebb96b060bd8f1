"""How alike two questions must be to be one errand, measured on the judged questions that were worded several times.

    python -m benchmarks.question_likeness

The list of what was not found is grouped by a limit of its own, and a passage that editors pinned to a question is
shown for those that are as like it as a stricter one says. Two questions are alike where they are wordings of one (a
group), are answered by the same sentence, or ask across projects and have the same ones for an answer; a question and
what no report answers are not. Two that no report answers are not judged. The limits are chosen on the dev half.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from kb.answer.question_likeness import SAME_FOR_EDITORS, SAME_FOR_READERS, vectors_of
from kb.core.settings import load_settings
from kb.embedding.embedder import Embedder, load_embedder
from kb.evaluation.judged_questions import SPLITS, JudgedQuestion, load

ROOT = Path(__file__).parent
SETS = ("questions", "development")
LIMITS = tuple(round(0.86 + 0.01 * step, 2) for step in range(14))


def alike(one: JudgedQuestion, other: JudgedQuestion) -> bool | None:
    """Whether two questions are one errand; None where nobody judged."""
    if not (one.answerable and other.answerable):
        judged = one.group != other.group and (one.answerable or other.answerable)
        return False if judged else None
    across = one.kind == other.kind == "across" and len(one.answers) > 1 and one.answers.keys() == other.answers.keys()
    return across or one.group == other.group or bool(set(one.evidence) & set(other.evidence))


def pairs(embedder: Embedder, questions: Sequence[JudgedQuestion]) -> list[tuple[float, bool]]:
    """The cosine of each judged pair of questions, and whether the two are one errand."""
    vectors = vectors_of(embedder, [one.text for one in questions])
    cosines = vectors @ vectors.T
    found = (
        (float(cosines[row, column]), alike(questions[row], questions[column]))
        for row, column in combinations(range(len(questions)), 2)
    )
    return [(cosine, judged) for cosine, judged in found if judged is not None]


def row(judged: Sequence[tuple[float, bool]], limit: float) -> str:
    """Precision and recall at a limit."""
    taken = [together for cosine, together in judged if cosine >= limit]
    right, every = sum(taken), sum(together for _, together in judged)
    precision, recall = right / max(1, len(taken)), right / max(1, every)
    return f"{limit:.2f}  {len(taken):5d}  {precision:9.2f}  {recall:6.2f}"


def main() -> None:
    """Print the table of both halves."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "").parse_args()
    embedder = load_embedder(load_settings())
    questions = [one for name in SETS for one in load(ROOT / name)]
    for split in SPLITS:
        judged = pairs(embedder, [one for one in questions if one.split == split])
        print(f"{split}: {len(judged)} pairs, {sum(right for _, right in judged)} of one errand")
        print("limit  taken  precision  recall")
        for limit in LIMITS:
            print(row(judged, limit) + ("  *" if limit in {SAME_FOR_EDITORS, SAME_FOR_READERS} else ""))


if __name__ == "__main__":
    main()
