"""Evaluates retrieval on a folder in BEIR format: ``corpus.jsonl``, ``queries.jsonl`` and ``qrels.tsv``.

The corpus is indexed as any other, in a folder of its own below the index folder, so that the figures are those of the
product: same chunking, same vectors, same ranking. A document without a title gets its opening words for one. It is
ranked by its best passage, or after the document that its passage was collapsed into as a near-duplicate. Vectors are
kept from one evaluation to the next, the build is not.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb import indexing
from kb.core.errors import InputError
from kb.core.models import Document, Metadata, SearchResult
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.evaluation import metrics
from kb.index import builds
from kb.language.danish import opening
from kb.retrieval.searcher import Engine, Searcher, open_searcher

# Enough passages that ten different documents are among them.
PASSAGES = 100
FILES = ("corpus.jsonl", "queries.jsonl", "qrels.tsv")
EVALUATION_FOLDER = "evaluation"


@dataclass(frozen=True, slots=True)
class BeirSet:
    """A test set: documents, questions by id, and for each question the relevant documents with their grades."""

    name: str
    documents: tuple[Document, ...]
    queries: dict[str, str]
    judged: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class BeirScores:
    """Means over the questions that have a relevant document; times in milliseconds, embedding included."""

    set: str
    engine: str
    documents: int
    passages: int
    queries: int
    ndcg_at_10: float
    recall_at_10: float
    mrr_at_10: float
    ms_p50: float
    ms_p95: float


def is_beir(folder: Path) -> bool:
    """Whether a folder holds a set in BEIR form."""
    return all((folder / name).is_file() for name in FILES)


def load(folder: Path) -> BeirSet:
    """Read a set; raises :class:`InputError` naming what is missing or wrong."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise InputError(f"{folder} er ikke et testsæt: {', '.join(missing)} mangler.")
    try:
        documents = tuple(_document(row) for row in _jsonl(folder / "corpus.jsonl"))
        queries = {str(row["_id"]): str(row["text"]) for row in _jsonl(folder / "queries.jsonl")}
        judged: dict[str, dict[str, int]] = {}
        with (folder / "qrels.tsv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                if int(row["score"]) > 0:
                    judged.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder} kan ikke læses som testsæt: {error}") from error
    return BeirSet(folder.name, documents, queries, judged)


def evaluate(folder: Path, settings: Settings, embedder: Embedder, *, engine: Engine = Engine.HYBRID) -> BeirScores:
    """Index the set into a temporary build and score it."""
    data = load(folder)
    update = {"index_dir": index_folder(settings, folder), "index_url": "", "max_question_chars": 100_000}
    own = settings.model_copy(update=update)
    try:
        indexing.run_documents(own, embedder, data.documents)
        searcher = open_searcher(own, embedder)
        return score(data, searcher, engine)
    finally:
        shutil.rmtree(builds.builds_dir(own.index_dir), ignore_errors=True)
        (own.index_dir / builds.CURRENT_FILE).unlink(missing_ok=True)


def score(data: BeirSet, searcher: Searcher, engine: Engine) -> BeirScores:
    """Ask every judged question and take the means."""
    ranked: dict[str, list[str]] = {}
    versions = _versions(searcher)
    times = []
    for query_id in data.judged:
        begun = time.perf_counter()
        result = searcher.search(data.queries[query_id], top=PASSAGES, engine=engine)
        times.append((time.perf_counter() - begun) * 1000)
        ranked[query_id] = ranked_documents(result, versions)
    pairs = [(ranked[query_id], grades) for query_id, grades in data.judged.items()]
    return BeirScores(
        set=data.name,
        engine=engine.value,
        documents=len(data.documents),
        passages=searcher.snapshot.manifest.passages,
        queries=len(pairs),
        ndcg_at_10=round(metrics.mean([metrics.ndcg(ids, grades) for ids, grades in pairs]), 4),
        recall_at_10=round(metrics.mean([metrics.recall(ids, grades) for ids, grades in pairs]), 4),
        mrr_at_10=round(metrics.mean([metrics.reciprocal_rank(ids, grades) for ids, grades in pairs]), 4),
        ms_p50=round(metrics.percentile(times, 0.5), 1),
        ms_p95=round(metrics.percentile(times, 0.95), 1),
    )


def ranked_documents(result: SearchResult, versions: Mapping[str, Sequence[str]] | None = None) -> list[str]:
    """The documents of a result, ranked by their best passage or the one that theirs was collapsed into.

    ``versions`` are the other versions of a document, which the product does not list: they follow it.
    """
    ranked: list[str] = []
    for hit in result.hits:
        ranked.append(hit.document.id)
        ranked += [passage_id.rpartition(".")[0] for passage_id in hit.duplicates]
    others = versions or {}
    return list(dict.fromkeys(id_ for first in ranked for id_ in (first, *others.get(first, ()))))


def _versions(searcher: Searcher) -> dict[str, list[str]]:
    versions: dict[str, list[str]] = {}
    for id_, stored in searcher.snapshot.records.items():
        if stored.copy_of:
            versions.setdefault(stored.copy_of, []).append(id_)
    return versions


def index_folder(settings: Settings, folder: Path) -> Path:
    """The index folder of a set, named by the set's path, with the vectors of earlier evaluations."""
    key = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]
    return settings.index_dir / EVALUATION_FOLDER / f"{folder.name}-{key}"


def _jsonl(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def _document(row: dict[str, Any]) -> Document:
    text = str(row["text"])
    return Document(
        path=str(row["_id"]),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        media_type="text/plain",
        reader="beir",
        metadata=Metadata(id=str(row["_id"]), titel=str(row.get("title") or opening(text))),
        text=text,
    )
