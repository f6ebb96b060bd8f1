"""Evaluation of retrieval and answers, on test sets in BEIR format and on the judged questions of the corpus.

``metrics`` has the measures as pure functions; ``beir`` evaluates retrieval on a folder in BEIR format;
``judged_questions`` evaluates retrieval, and ``answer_scores`` the answers, on ``benchmarks/questions``;
``role_labels`` evaluates the classification of roles.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from kb.core.errors import InputError
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.evaluation import answer_scores, beir, judged_questions
from kb.retrieval.searcher import Engine, open_searcher


def evaluate_folder(folder: Path, settings: Settings, embedder: Embedder, engine: Engine) -> dict[str, Any]:
    """Score whatever set the folder holds; raises :class:`InputError` when it holds none."""
    if judged_questions.is_question_set(folder):
        figures = judged_questions.evaluate(folder, settings, embedder, engine)
        if engine is Engine.HYBRID:
            figures["answers"] = answer_scores.evaluate(
                judged_questions.load(folder), open_searcher(settings, embedder)
            )
        return figures
    if beir.is_beir(folder):
        return asdict(beir.evaluate(folder, settings, embedder, engine=engine))
    raise InputError(
        f"{folder} er ikke et testsæt.",
        advice=f"Mappen skal rumme {', '.join(beir.FILES)} eller {judged_questions.FILE}.",
    )
