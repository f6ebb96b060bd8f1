"""Evaluates retrieval on the judged questions (``benchmarks/questions/questions.jsonl``) with the index in use.

Retrieval is scored by document on the questions that have an answer: nDCG@10 with grades, recall@10, the place of the
first relevant project, and for questions across projects the share of the right projects among the first ``2 x`` as
many. Both splits are scored apart; only "dev" is ever tuned on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kb.core.errors import InputError
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.evaluation import metrics
from kb.evaluation.beir import PASSAGES, ranked_documents
from kb.retrieval.searcher import Engine, Searcher, open_searcher

FILE = "questions.jsonl"
SPLITS = ("dev", "test")
FOLDS = 2
UNANSWERABLE = frozenset({"far", "near", "vague"})


@dataclass(frozen=True, slots=True)
class JudgedQuestion:
    """A question with the documents that answer it (2) or add to it (1), and the sentences that hold the answer."""

    id: str
    group: str
    text: str
    kind: str
    answers: Mapping[str, int] = field(default_factory=dict)
    projects: tuple[str, ...] = ()
    count: int | None = None
    evidence: tuple[tuple[str, str], ...] = ()

    @property
    def split(self) -> str:
        """ "dev" or "test", by the hash of the group: wordings of one question stay together."""
        return "dev" if hashlib.sha256(self.group.encode()).digest()[0] % 2 == 0 else "test"

    @property
    def fold(self) -> int:
        """One of :data:`FOLDS` folds, by another hash of the group: what was trained on one is judged by the other."""
        return hashlib.sha256(f"fold {self.group}".encode()).digest()[0] % FOLDS

    @property
    def answerable(self) -> bool:
        """Whether the corpus answers it."""
        return self.kind not in UNANSWERABLE


def is_question_set(folder: Path) -> bool:
    """Whether a folder holds judged questions."""
    return (folder / FILE).is_file()


def load(source: Path) -> list[JudgedQuestion]:
    """The questions of a folder or file, in its order; raises :class:`InputError` naming the line that is wrong."""
    file = source / FILE if source.is_dir() else source
    questions = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            questions.append(
                JudgedQuestion(
                    id=row["id"],
                    group=row.get("group", row["id"]),
                    text=row["text"],
                    kind=row["kind"],
                    answers=row.get("answers", {}),
                    projects=tuple(row.get("projects", ())),
                    count=row.get("count"),
                    evidence=tuple((item["document"], item["quote"]) for item in row.get("evidence", ())),
                )
            )
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{file}, linje {number}: {error}") from error
    return questions


def evaluate(folder: Path, settings: Settings, embedder: Embedder, engine: Engine) -> dict[str, Any]:
    """The figures of both splits, with the build they were measured on."""
    asked = load(folder)
    searcher = open_searcher(settings, embedder)
    _check_corpus(asked, searcher)
    return {
        "set": folder.name,
        "engine": engine.value,
        "build": searcher.snapshot.build_id,
        **{split: score([q for q in asked if q.split == split], searcher, engine) for split in SPLITS},
    }


def _check_corpus(asked: Sequence[JudgedQuestion], searcher: Searcher) -> None:
    missing = {id_ for question in asked for id_ in question.answers} - searcher.snapshot.records.keys()
    if missing:
        raise InputError(
            f"Indekset mangler rapporter, som spørgsmålene gælder: {', '.join(sorted(missing)[:5])} …",
            advice="Kør: kb index corpus",
        )


def score(asked: Sequence[JudgedQuestion], searcher: Searcher, engine: Engine = Engine.HYBRID) -> dict[str, Any]:
    """The retrieval figures of some questions, as a whole and by kind."""
    ranked = {
        question.id: ranked_documents(searcher.search(question.text, top=PASSAGES, engine=engine))
        for question in asked
        if question.answerable
    }
    answerable = [question for question in asked if question.answerable]
    kinds = sorted({question.kind for question in answerable})
    return {
        "questions": len(asked),
        "answerable": len(answerable),
        **_figures(answerable, ranked, searcher),
        "by_kind": {kind: _figures([q for q in answerable if q.kind == kind], ranked, searcher) for kind in kinds},
    }


def _figures(
    asked: Sequence[JudgedQuestion], ranked: Mapping[str, Sequence[str]], searcher: Searcher
) -> dict[str, float]:
    figures = {
        "ndcg_at_10": metrics.mean([metrics.ndcg(ranked[q.id], q.answers) for q in asked]),
        "recall_at_10": metrics.mean([metrics.recall(ranked[q.id], q.answers) for q in asked]),
        "mrr_at_10": metrics.mean([metrics.reciprocal_rank(ranked[q.id], q.answers) for q in asked]),
    }
    ranks = [rank for q in asked if (rank := _first_project(q, ranked[q.id], searcher)) is not None]
    if ranks:
        figures["first_project_rank"] = metrics.mean(ranks)
        figures["right_project_first"] = metrics.mean([float(rank == 1) for rank in ranks])
    shares = [_projects_found(q, ranked[q.id]) for q in asked if q.projects]
    if shares:
        figures["projects_found"] = metrics.mean(shares)
    return {name: round(value, 4) for name, value in figures.items()}


def _first_project(question: JudgedQuestion, ranked: Sequence[str], searcher: Searcher) -> int | None:
    """The place, among projects, of the first that answers; None where no project is in the key."""
    records = searcher.snapshot.records
    right = {id_ for id_ in question.answers if records[id_].record.metadata.projekt}
    if not right:
        return None
    projects = [id_ for id_ in ranked if records[id_].record.metadata.projekt]
    return next((place for place, id_ in enumerate(projects, 1) if id_ in right), len(projects) + 1)


def _projects_found(question: JudgedQuestion, ranked: Sequence[str]) -> float:
    """The share of the right projects among twice as many first documents."""
    return metrics.recall(ranked, dict.fromkeys(question.projects, 1), 2 * len(question.projects))
