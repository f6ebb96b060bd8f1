"""Figures for retrieval and answers: BEIR-form sets, and the questions the corpus is judged by.

``metrics`` holds the measures as pure functions, ``beir`` reads and scores a folder in BEIR form, ``questions`` the
judged questions in ``benchmarks/questions``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kb.embed import Embedder
from kb.errors import InputError
from kb.evaluation import beir, questions
from kb.search import Engine
from kb.settings import Settings


def evaluate_folder(folder: Path, settings: Settings, embedder: Embedder, engine: Engine) -> dict[str, Any]:
    """Score whatever set the folder holds; raises :class:`InputError` when it holds none."""
    if questions.is_question_set(folder):
        return questions.evaluate(folder, settings, embedder, engine)
    if beir.is_beir(folder):
        return beir.evaluate(folder, settings, embedder, engine=engine).as_dict()
    raise InputError(
        f"{folder} er ikke et testsæt.",
        advice=f"Mappen skal rumme {', '.join(beir.FILES)} eller {questions.FILE}.",
    )
