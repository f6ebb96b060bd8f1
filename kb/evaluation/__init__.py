"""Figures for retrieval and answers: BEIR-form sets, and the questions the corpus is judged by.

``metrics`` holds the measures as pure functions, ``beir`` reads and scores a folder in BEIR form, ``questions`` the
search for the judged questions in ``benchmarks/questions``, ``answers`` the answers to them, ``roles`` what sentences
tell.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kb.embed import Embedder
from kb.errors import InputError
from kb.evaluation import answers, beir, questions
from kb.search import Engine, open_searcher
from kb.settings import Settings


def evaluate_folder(folder: Path, settings: Settings, embedder: Embedder, engine: Engine) -> dict[str, Any]:
    """Score whatever set the folder holds; raises :class:`InputError` when it holds none."""
    if questions.is_question_set(folder):
        figures = questions.evaluate(folder, settings, embedder, engine)
        if engine is Engine.HYBRID:
            figures["answers"] = answers.evaluate(questions.load(folder), open_searcher(settings, embedder))
        return figures
    if beir.is_beir(folder):
        return beir.evaluate(folder, settings, embedder, engine=engine).as_dict()
    raise InputError(
        f"{folder} er ikke et testsæt.",
        advice=f"Mappen skal rumme {', '.join(beir.FILES)} eller {questions.FILE}.",
    )
