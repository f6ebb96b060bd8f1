"""Compares the hits of an index on Milvus with those of the local one it is a copy of, on judged sets.

    python -m benchmarks.milvus_hits [SET_DIR ...]

Sets in BEIR form are indexed as the product indexes them; ``benchmarks/questions``, which is measured where no set is
named, is asked of the local index in use. The local build is copied to the server of ``KB_INDEX_URL``, under a name of
its own, and removed from it afterwards; without the setting a milvus-lite folder is made. What is compared is nDCG@10,
in how many questions the first ten passages are the same, in how many they are with a filter by one document's year,
and the time of a search without the embedding. ``docs/scale.md`` has the figures.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from kb import indexing
from kb.core.settings import Settings, load_settings
from kb.embedding.embedder import Embedder, load_embedder
from kb.evaluation import beir, judged_questions, metrics
from kb.index import builds
from kb.index.builds import Manifest
from kb.index.places import Content, Place, place_of
from kb.index.store import Store
from kb.index.verification import verify_build
from kb.indexing import lexical_entries
from kb.retrieval.searcher import Searcher, open_searcher

QUESTIONS = Path(__file__).parent / "questions"
NAME = "maaling"


@dataclass(frozen=True)
class Figures:
    """What was found of one set: the nDCG@10 of both, the shares of questions with the same first ten passages."""

    set: str
    questions: int
    passages: int
    ndcg_local: float
    ndcg_milvus: float
    same_ten: float
    same_ten_filtered: float
    copied_s: float
    ms_local: float
    ms_milvus: float


def copied(local: Place, milvus: Place) -> Manifest:
    """Copy the local build in use, and put it in use there; its id stays."""
    build_id = local.current_id()
    folder = local.builds_dir / build_id
    manifest = builds.read_manifest(folder)
    parts = local.open(folder, build_id)
    staging = milvus.builds_dir / f"{builds.STAGING_PREFIX}{build_id}"
    staging.mkdir(parents=True)
    shutil.copy(folder / builds.DATABASE_FILE, staging)
    with closing(Store(staging / builds.DATABASE_FILE)) as store:
        titles = {stored.record.id: stored.record.metadata.titel for stored in store.records()}
        sentences = parts.sentences
        content = Content(
            dimension=manifest.dimension,
            passages=lambda: parts.passages.batches(1000),
            sentences=(lambda: sentences.batches(1000)) if sentences is not None else None,
            questions_of=parts.passages.vectors,
            entries=lexical_entries(store, titles),
        )
        tuning = milvus.write(staging, build_id, content)
    builds.write_manifest(staging, replace(manifest, tuning=tuning.as_dict(), files={}))
    milvus.publish(staging, build_id)
    return manifest


def compared(name: str, asked: Mapping[str, Mapping[str, int]], local: Searcher, milvus: Searcher) -> Figures:
    """Ask both every question, which has the grades of the documents that answer it."""
    pairs = {text: (_asked(local, text), _asked(milvus, text)) for text in asked}
    years = sorted({str(stored.record.metadata.år) for stored in local.snapshot.records.values()} - {"None"})
    filtered = [
        _passages(local, text, year) == _passages(milvus, text, year)
        for text, year in zip(asked, years * len(asked), strict=False)
    ]

    def ndcg(which: int) -> float:
        return metrics.mean([metrics.ndcg(pairs[text][which][1], dict(grades)) for text, grades in asked.items()])

    return Figures(
        set=name,
        questions=len(asked),
        passages=len(local.snapshot.store),
        ndcg_local=round(ndcg(0), 4),
        ndcg_milvus=round(ndcg(1), 4),
        same_ten=metrics.mean([float(ours[0] == theirs[0]) for ours, theirs in pairs.values()]),
        same_ten_filtered=metrics.mean([float(same) for same in filtered]) if filtered else 1.0,
        copied_s=0.0,
        ms_local=round(metrics.percentile([ours[2] for ours, _ in pairs.values()], 0.5), 1),
        ms_milvus=round(metrics.percentile([theirs[2] for _, theirs in pairs.values()], 0.5), 1),
    )


def _asked(searcher: Searcher, text: str) -> tuple[list[str], list[str], float]:
    """The first ten passages, the documents in order, and the milliseconds of the search."""
    question = searcher.analyse(text)
    searcher.vector_of(question.read_as)
    begun = time.perf_counter()
    result = searcher.search(question, top=beir.PASSAGES, marked=False)
    took = (time.perf_counter() - begun) * 1000
    return [hit.passage.id for hit in result.hits[:10]], beir.ranked_documents(result), took


def _passages(searcher: Searcher, text: str, year: str) -> list[str]:
    return [hit.passage.id for hit in searcher.search(text, top=10, filters={"år": [year]}, marked=False).hits]


def measured(folder: Path, settings: Settings, embedder: Embedder, scratch: Path) -> Figures:
    """The figures of one set."""
    own = settings.model_copy(update={"index_url": "", "max_question_chars": 100_000})
    asked: dict[str, Mapping[str, int]]
    if beir.is_beir(folder):
        own = own.model_copy(update={"index_dir": beir.index_folder(settings, folder)})
        data = beir.load(folder)
        indexing.run_documents(own, embedder, data.documents)
        asked = {data.queries[id_]: grades for id_, grades in data.judged.items()}
    else:
        asked = {one.text: one.answers for one in judged_questions.load(folder) if one.answerable}
    url = settings.index_url or str(scratch / "milvus.db")
    served = own.model_copy(update={"index_dir": scratch / folder.name, "index_url": url, "index_name": NAME})
    place = place_of(served)
    begun = time.perf_counter()
    manifest = copied(place_of(own), place)
    took = time.perf_counter() - begun
    try:
        if problems := verify_build(place, manifest.id):
            raise SystemExit(" ".join(problems))
        figures = compared(folder.name, asked, open_searcher(own, embedder), open_searcher(served, embedder))
    finally:
        place.discard(place.builds_dir / manifest.id, manifest.id)
    return replace(figures, copied_s=round(took, 1))


def main(folders: Sequence[Path]) -> None:
    """Measure the sets and print a line of JSON for each."""
    settings = load_settings()
    embedder = load_embedder(settings)
    with tempfile.TemporaryDirectory() as scratch:
        for folder in folders or [QUESTIONS]:
            print(
                json.dumps(asdict(measured(folder, settings, embedder, Path(scratch))), ensure_ascii=False), flush=True
            )


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
