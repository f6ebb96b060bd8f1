"""How alike a question and a lesson must be for the lesson to stand in the answer, measured on the judged questions.

    python benchmarks/lesson_likeness.py

Lessons are made of all proposals of the shipped corpus, as an editor who takes each of them would. A lesson belongs to
a question whose answering sentence, as a person judged it, stands in the lesson's evidence; it does not belong to one
that no report of its project answers. What lies between is not counted, nor are questions without an answer: lessons
stand above answers alone. The limit is chosen on the dev half.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kb.answer.lessons import LIKENESS, proposals_of
from kb.core.settings import load_settings
from kb.embedding.embedder import load_embedder
from kb.evaluation.judged_questions import SPLITS, JudgedQuestion, load
from kb.lessons.proposing import LessonProposal
from kb.retrieval.searcher import Searcher, open_searcher

QUESTIONS = Path(__file__).parent / "questions"
LIMITS = tuple(round(0.84 + 0.01 * step, 2) for step in range(9))


def belonging(question: JudgedQuestion, proposal: LessonProposal, project: frozenset[str]) -> bool | None:
    """Whether a lesson belongs to a question; None where nobody judged."""
    texts = {(one.document_id, " ".join(one.text.split())) for one in proposal.passages}
    if any(document == id_ and quote in text for document, quote in question.evidence for id_, text in texts):
        return True
    return None if project & question.answers.keys() else False


def pairs(searcher: Searcher, questions: Sequence[JudgedQuestion]) -> list[tuple[float, bool]]:
    """The cosine of each judged pair of question and lesson, and whether they belong together."""
    proposals = proposals_of(searcher.snapshot)
    vectors = searcher.embedder.embed_passages([one.as_lesson().text for one in proposals])
    projects = {
        document_id: frozenset(project.document_ids)
        for project in searcher.snapshot.projects()
        for document_id in project.document_ids
    }
    found: list[tuple[float, bool]] = []
    for question in questions:
        cosines = vectors @ searcher.vector_of(question.text)
        for proposal, cosine in zip(proposals, cosines, strict=True):
            document_id = proposal.challenge.document_id
            judged = belonging(question, proposal, projects.get(document_id, frozenset({document_id})))
            if judged is not None:
                found.append((float(cosine), judged))
    return found


def row(judged: Sequence[tuple[float, bool]], limit: float) -> str:
    """Precision and recall at a limit."""
    cosines = np.array([cosine for cosine, _ in judged])
    belongs = np.array([belongs for _, belongs in judged])
    shown = cosines >= limit
    right = int((shown & belongs).sum())
    precision = right / max(1, int(shown.sum()))
    return f"{limit:.2f}  {int(shown.sum()):6d}  {precision:9.2f}  {right / max(1, int(belongs.sum())):6.2f}"


def main() -> None:
    """Print the table of both halves."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "").parse_args()
    settings = load_settings()
    searcher = open_searcher(settings, load_embedder(settings))
    questions = load(QUESTIONS)
    for split in SPLITS:
        judged = pairs(searcher, [one for one in questions if one.split == split and one.answerable])
        print(f"{split}: {len(judged)} pairs, {sum(belongs for _, belongs in judged)} belong together")
        print("limit   shown  precision  recall")
        for limit in LIMITS:
            print(row(judged, limit) + ("  *" if limit == LIKENESS else ""))


if __name__ == "__main__":
    main()
