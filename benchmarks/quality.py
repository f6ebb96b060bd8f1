"""Measures the search and what each of its mechanisms is worth, and writes the table into ``docs/quality.md``.

    python benchmarks/quality.py [SET_DIR ...]

Sets in BEIR form are indexed as the product indexes them; ``benchmarks/questions`` is asked of the corpus' index in
use. All rows of the table rank the same passages by the same vectors; documents rank by their best passage. Vectors are
kept in the index folder, so that only the first run takes long. Peers (``benchmarks/peers/install.sh``) are measured
in the same run on the same passages, vectors and questions, if they are installed. Figures are kept beside the index,
so that the sets can be measured one by one and the page always shows them all.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb import indexing
from kb.core.settings import Settings, load_settings
from kb.embedding.embedder import load_embedder
from kb.evaluation import beir, judged_questions, metrics
from kb.index import builds, lexical, vectors
from kb.index.lexical import LexicalIndex
from kb.index.store import Store
from kb.indexing import lexical_entries
from kb.language.analysis import Mechanisms
from kb.retrieval import fusion
from kb.retrieval.searcher import CANDIDATES

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "quality.md"
KEPT = "quality.json"
BEGIN, END = "<!-- retrieval: begin -->", "<!-- retrieval: end -->"
PEERS_PYTHON = ROOT / "benchmarks" / "peers" / ".venv" / "bin" / "python"
SETS = ("squad_da", "bu_sider", "norquad")
RRF_CONSTANT = 60

Scored = list[tuple[int, float]]


@dataclass(frozen=True)
class Query:
    """A question with its vector and its judged documents; ``column`` is where its score goes in the table."""

    text: str
    vector: NDArray[np.float32]
    judged: dict[str, int]
    column: str


@dataclass(frozen=True)
class Prepared:
    """A set ready to be asked: passages with their documents and vectors, and the questions."""

    entries: list[lexical.Entry]
    documents: list[str]
    vectors: vectors.VectorIndex
    queries: list[Query]


ALL = Mechanisms()


@dataclass(frozen=True)
class Row:
    """One way to search: which engines rank, how they are fused, and what the analysis uses."""

    name: str
    dense: bool = True
    words: bool = True
    use: Mechanisms = ALL
    grams: bool = True
    fusion: str = "standard scores"


PLAIN = Mechanisms(stems=False, compounds=False, joined=False, spellings=False, synonyms=False, corrections=False)
STEMS = replace(PLAIN, stems=True)
ROWS = (
    Row("the product: both engines, everything"),
    Row("dense alone", words=False),
    Row("words alone: as written", dense=False, use=PLAIN, grams=False),
    Row("words alone: stems", dense=False, use=STEMS, grams=False),
    Row("words alone: stems and compounds", dense=False, use=replace(STEMS, compounds=True, joined=True), grams=False),
    Row("words alone: all of the analysis", dense=False, grams=False),
    Row("words alone: all, and character n-grams", dense=False),
    Row("fused by reciprocal ranks (k = 60)", fusion="ranks"),
    Row("fused by scores between 0 and 1", fusion="range"),
    Row("without stems", use=replace(ALL, stems=False)),
    Row("without compounds", use=replace(ALL, compounds=False, joined=False)),
    Row("without joining neighbours", use=replace(ALL, joined=False)),
    Row("without other spellings of æ, ø, å", use=replace(ALL, spellings=False)),
    Row("without official names", use=replace(ALL, synonyms=False)),
    Row("without correction", use=replace(ALL, corrections=False)),
    Row("without character n-grams", grams=False),
)


def prepare_beir(folder: Path, settings: Settings) -> Prepared:
    """Index a BEIR set, or open the index of an earlier run."""
    embedder = load_embedder(settings)
    data = beir.load(folder)
    own = settings.model_copy(update={"index_dir": beir.index_folder(settings, folder), "index_url": ""})
    indexing.run_documents(own, embedder, data.documents)
    texts = [data.queries[id_] for id_ in data.judged]
    found = embedder.embed_queries(texts)
    queries = [
        Query(text, vector, judged, folder.name)
        for text, vector, judged in zip(texts, found, data.judged.values(), strict=True)
    ]
    return _open(own.index_dir, queries)


def prepare_questions(folder: Path, settings: Settings) -> Prepared:
    """Open the index in use for the judged questions that have an answer."""
    asked = [question for question in judged_questions.load(folder) if question.answerable]
    found = load_embedder(settings).embed_queries([question.text for question in asked])
    queries = [
        Query(question.text, vector, dict(question.answers), f"questions, {question.split}")
        for question, vector in zip(asked, found, strict=True)
    ]
    return _open(settings.index_dir, queries)


def _open(index_dir: Path, queries: list[Query]) -> Prepared:
    folder = builds.builds_dir(index_dir) / builds.current_id(index_dir)
    store = Store(folder / builds.DATABASE_FILE)
    titles = {stored.record.id: stored.record.metadata.titel for stored in store.records()}
    passages = store.passages(range(len(store)))
    return Prepared(
        entries=lexical_entries(store, titles),
        documents=[passages[row].passage.document_id for row in range(len(store))],
        vectors=vectors.VectorIndex(folder / builds.VECTORS_FILE),
        queries=queries,
    )


def measure(prepared: Prepared, scratch: Path) -> Iterator[tuple[str, dict[str, float], float]]:
    """For each row its name, nDCG@10 by column, and the median milliseconds of a search without the embedding."""
    built: dict[tuple[bool, bool], Path] = {}
    for row in ROWS:
        key = (row.use.stems, row.use.compounds)
        if key not in built:
            built[key] = scratch / f"lexical-{len(built)}"
            lexical.build(built[key], prepared.entries, row.use)
        weight = lexical.NGRAM_WEIGHT if row.grams else 0.0
        index = LexicalIndex.open(built[key], row.use, weight)
        scores: dict[str, list[float]] = {}
        times = []
        for query in prepared.queries:
            begun = time.perf_counter()
            found = search(row, prepared.vectors, index, query)
            times.append((time.perf_counter() - begun) * 1000)
            documents = list(dict.fromkeys(prepared.documents[passage] for passage in found))
            scores.setdefault(query.column, []).append(metrics.ndcg(documents, query.judged))
        yield row.name, {name: metrics.mean(values) for name, values in scores.items()}, metrics.percentile(times, 0.5)


def search(row: Row, dense_index: vectors.VectorIndex, index: LexicalIndex, query: Query) -> list[int]:
    """The passages that a way to search ranks for a question, best first."""
    question = index.analyser.question(query.text)
    dense = dense_index.search(query.vector, CANDIDATES) if row.dense else []
    words = index.search(question, CANDIDATES) if row.words else []
    if not row.words:
        return [passage for passage, _ in dense]
    rows = fusion.union(dense, words)
    word_scores = index.scores(question, rows)
    dense_scores = dense_index.scores(query.vector, rows) if row.dense else np.zeros_like(word_scores)
    if row.fusion == "standard scores":
        return [candidate.key for candidate in fusion.fuse(rows, dense_scores, word_scores)]
    fused = _by_ranks(rows, dense, words) if row.fusion == "ranks" else _by_range(dense_scores, word_scores)
    return [int(rows[place]) for place in np.lexsort((rows, -fused))]


def _by_ranks(rows: NDArray[np.int64], *rankings: Scored) -> NDArray[np.float64]:
    places = [{row: place for place, (row, _) in enumerate(ranked, 1)} for ranked in rankings]
    return np.array([sum(1 / (RRF_CONSTANT + of[int(row)]) for of in places if int(row) in of) for row in rows])


def _by_range(*scores: NDArray[np.float32]) -> NDArray[np.float32]:
    total: NDArray[np.float32] = sum(((s - s.min()) / max(float(np.ptp(s)), 1e-9) for s in scores), start=scores[0] * 0)
    return total


def measure_peers(prepared: Prepared, scratch: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """The peers' figures on the same passages, vectors and questions; nothing where they are not installed."""
    if not PEERS_PYTHON.is_file():
        return
    folder = scratch / "exported"
    folder.mkdir()
    np.save(folder / "vectors.npy", prepared.vectors.vectors(np.arange(len(prepared.entries))))
    np.save(folder / "queries.npy", np.stack([query.vector for query in prepared.queries]))
    texts = [entry.full_text for entry in prepared.entries]
    asked = [query.text for query in prepared.queries]
    (folder / "texts.json").write_text(json.dumps({"passages": texts, "queries": asked}), encoding="utf-8")
    subprocess.run([PEERS_PYTHON, ROOT / "benchmarks" / "peers" / "run.py", folder], check=True)
    for name, ranked in json.loads((folder / "ranked.json").read_text(encoding="utf-8")).items():
        scores: dict[str, list[float]] = {}
        for query, passages in zip(prepared.queries, ranked, strict=True):
            documents = list(dict.fromkeys(prepared.documents[passage] for passage in passages))
            scores.setdefault(query.column, []).append(metrics.ndcg(documents, query.judged))
        yield name, {column: metrics.mean(values) for column, values in scores.items()}


def table(found: dict[str, dict[str, float]], columns: Sequence[str]) -> list[str]:
    """The figures as a Markdown table."""
    lines = [f"| nDCG@10 | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for name, scores in found.items():
        cells = [f"{scores[column]:.3f}" if column in scores else "" for column in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def main(arguments: Sequence[str]) -> None:
    """Measure the named sets (else all there are) and write the page."""
    settings = load_settings()
    shared = ROOT.parent / "shared" / "eval"
    folders = [Path(name) for name in arguments] or [
        *(shared / name for name in SETS if (shared / name).is_dir()),
        ROOT / "benchmarks" / "questions",
    ]
    for folder in folders:
        found: dict[str, dict[str, float]] = {}
        prepare: Callable[[Path, Settings], Prepared] = prepare_beir
        if judged_questions.is_question_set(folder):
            prepare = prepare_questions
        prepared = prepare(folder, settings)
        size = ""
        with tempfile.TemporaryDirectory() as scratch:
            for name, scores, milliseconds in measure(prepared, Path(scratch)):
                found[name] = scores
                size = size or _size(folder.name, prepared, milliseconds)
                sys.stderr.write(f"{folder.name}: {name}: {scores}, {milliseconds:.1f} ms\n")
            for name, scores in measure_peers(prepared, Path(scratch)):
                found[name] = scores
                sys.stderr.write(f"{folder.name}: {name}: {scores}\n")
        keep(settings.index_dir / beir.EVALUATION_FOLDER / KEPT, folder.name, {"size": size, "found": found})
    write(settings.index_dir / beir.EVALUATION_FOLDER / KEPT)


def keep(path: Path, name: str, figures: dict[str, Any]) -> None:
    """Add a set's figures to those kept, in place of older ones of the same set."""
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**kept, name: figures}, ensure_ascii=False, indent=1), encoding="utf-8")


def _size(name: str, prepared: Prepared, milliseconds: float) -> str:
    documents = len(set(prepared.documents))
    return (
        f"* {name}: {len(prepared.queries)} questions, {documents} documents, {len(prepared.entries)} passages; "
        f"{milliseconds:.1f} ms a question (median, without the embedding)"
    )


def write(path: Path) -> None:
    """Put the kept figures between the page's marks."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    found: dict[str, dict[str, float]] = {}
    for figures in kept.values():
        for name, scores in figures["found"].items():
            found.setdefault(name, {}).update(scores)
    columns = list(dict.fromkeys(column for scores in found.values() for column in scores))
    lines = [*table(found, columns), "", *(figures["size"] for figures in kept.values())]
    page = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else f"# Quality\n\n{BEGIN}\n{END}\n"
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
