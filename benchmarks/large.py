"""A base of a million passages, and how search, memory and building grow: ``python -m benchmarks.large``.

    python -m benchmarks.large [--small 100000] [--large 1000000] [--embedded 2000] [--folder PLACE] [--write]

Passages are sentences of a shipped report put together anew, with one word in seven replaced by a made-up compound of
theirs whose frequency falls as words' do (Zipf), so that the vocabulary grows with the base. ``--embedded`` texts are
embedded by the model; they come first, and every further passage's vector is one of theirs, perturbed by noise that
varies as they do: as hard to search by lists as real vectors are (docs/decisions/vector-search.md). Questions are the
project's own, embedded by the model too: the first two hundred are asked, by the others the lists are tuned.

Each size is built in a process of its own by what indexing uses: the database, the vector cache, the vectors and their
lists, the word index, manifest, verification and publication. Then a fresh process opens the build and asks. What is
measured in one run is set beside each other; ``--write`` puts the table into ``docs/speed.md`` between its marks.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import pages
from kb.core.models import Document, Heading, Metadata, Passage, Role
from kb.core.settings import load_settings
from kb.embedding.embedder import Embedder, load_embedder
from kb.evaluation import judged_questions, metrics
from kb.extract import ReadOptions, read_files
from kb.extract.corpus_files import find_files
from kb.index import builds, vectors
from kb.index.local import LocalPlace
from kb.index.store import Store, StoredDocument, StoredPassage, StoreWriter, VectorCache
from kb.index.verification import VECTORS_CACHE
from kb.indexing import lock
from kb.indexing.assembly import Assembler, content_digest, finish
from kb.indexing.chunk_reuse import vector_key
from kb.language import danish
from kb.language.embedding_text import embedding_text
from kb.retrieval import fusion
from kb.retrieval.opening import open_snapshot
from kb.retrieval.searcher import CANDIDATES
from kb.retrieval.snapshot import Snapshot

ROOT = Path(__file__).parents[1]
SECTION = pages.Section(
    ROOT / "docs" / "speed.md", "<!-- large:begin -->", "<!-- large:end -->", heading="## As the base grows"
)
PASSAGES_A_REPORT = 50
LETTERS_A_PASSAGE = 550
SHARE_REPLACED = 0.15
# The exponent of the law by which made-up words are drawn: their number grows with the base's to the power of 0.8.
ZIPF = 1.25
# The noise's variance to that of the embedded texts' vectors.
NOISE = 1.0
# How many questions are asked; those after them are what the lists are tuned by.
QUESTIONS = 200
BATCH = 5000
FINGERPRINT = "store-base"
MEBIBYTE = 1 << 20
_WORD = re.compile(r"[^\W\d_]{4,}")

Vectors = NDArray[np.float32]


class Texts:
    """Passages made of recombined sentences; the same for the same seed."""

    def __init__(self, reports: Sequence[Sequence[str]], seed: int) -> None:
        self._draw = random.Random(seed)  # noqa: S311 - texts, not secrets
        self._parts = [[re.split(r"(\W+)", sentence) for sentence in report] for report in reports]
        self._sizes = [len(report) for report in reports]
        every = (sentence for report in reports for sentence in report)
        self._words = sorted({found.group().lower() for text in every for found in _WORD.finditer(text)})

    def passage(self) -> str:
        """One passage, of a single report's sentences, as a passage tells of one matter."""
        made: list[str] = []
        length = 0
        [report] = self._draw.choices(self._parts, self._sizes)
        while length < LETTERS_A_PASSAGE:
            sentence = "".join(map(self._varied, self._draw.choice(report)))
            made.append(sentence)
            length += len(sentence)
        return " ".join(made)

    def _varied(self, word: str) -> str:
        if not _WORD.fullmatch(word) or self._draw.random() >= SHARE_REPLACED:
            return word
        number = int(self._draw.paretovariate(ZIPF - 1))
        first, rest = number % len(self._words), number // len(self._words)
        return self._words[first * 7919 % len(self._words)] + self._words[(rest * 104729 + first) % len(self._words)]


def sentences_of_the_reports() -> list[list[str]]:
    """The sentences of each shipped report that has some."""
    settings = load_settings(corpus=ROOT / "corpus")
    outcomes = read_files(find_files([settings.corpus]).files, settings.corpus, ReadOptions.from_settings(settings))
    texts = sorted(outcome.document.text for outcome in outcomes if outcome.document)
    found = ([" ".join(text[start:end].split()) for start, end in danish.sentences(text)] for text in texts)
    fit = ([one for one in report if 40 < len(one) < 300 and "://" not in one] for report in found)
    return [report for report in fit if report]


def perturbed_vectors(real: Vectors, count: int, seed: int) -> Iterator[Vectors]:
    """``count`` unit vectors: the real ones, and after them perturbed ones of the same mean and covariance."""
    chance = np.random.default_rng(seed)
    mean = real.mean(axis=0)
    deviations = real - mean
    # Weights of all deviations, drawn at random and each of this size, sum up to noise of the deviations' covariance.
    each = (NOISE / len(real)) ** 0.5
    for start in range(0, count, BATCH):
        rows = np.arange(start, min(start + BATCH, count))
        noise = each * chance.standard_normal((len(rows), len(real)), dtype=np.float32) @ deviations
        parents = deviations[chance.integers(0, len(real), len(rows))]
        made = _unit(mean + (parents + noise) / (1 + NOISE) ** 0.5)
        embedded = rows < len(real)
        made[embedded] = real[rows[embedded]]
        yield made


def _unit(vectors_: Vectors) -> Vectors:
    found: Vectors = (vectors_ / np.linalg.norm(vectors_, axis=-1, keepdims=True)).astype(np.float32)
    return found


class Prepared:
    """What both sizes are made from: the sentences, real vectors of passages, and of the project's questions."""

    def __init__(self, folder: Path) -> None:
        self.sentences: list[list[str]] = json.loads((folder / "sentences.json").read_text(encoding="utf-8"))
        self.real: Vectors = np.load(folder / "real.npy")
        self.asked: list[str] = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
        self.questions: Vectors = np.load(folder / "questions.npy")

    @staticmethod
    def make(folder: Path, embedded: int) -> None:
        """Read the reports, embed some passages and the questions, and write all of it to a folder."""
        sentences = sentences_of_the_reports()
        embedder = load_embedder(load_settings())
        made = Texts(sentences, seed=1)
        texts = [made.passage() for _ in range(embedded)]
        asked = [question.text for question in judged_questions.load(ROOT / "benchmarks" / "questions")]
        parts = [embedder.embed_passages(texts[at : at + 128]) for at in range(0, len(texts), 128)]
        np.save(folder / "real.npy", np.concatenate(parts))
        np.save(folder / "questions.npy", embedder.embed_queries(asked))
        (folder / "sentences.json").write_text(json.dumps(sentences, ensure_ascii=False), encoding="utf-8")
        (folder / "asked.json").write_text(json.dumps(asked, ensure_ascii=False), encoding="utf-8")


class MadeUpEmbedder:
    """Stands where the model does: its questions are the prepared ones that are not asked."""

    name = FINGERPRINT
    fingerprint = FINGERPRINT
    max_tokens = 512

    def __init__(self, prepared: Prepared) -> None:
        self.dimension = prepared.real.shape[1]
        self._questions = prepared.questions[QUESTIONS:]

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """As many questions as there are texts, whatever they say."""
        found: Vectors = self._questions[np.arange(len(texts)) % len(self._questions)]
        return found

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Not asked for: the cache has every passage's vector."""
        raise NotImplementedError

    def count_tokens(self, text: str) -> int:
        """About as many as the real model's."""
        return len(text) // 4


def build(index: Path, prepared: Prepared, count: int) -> dict[str, Any]:
    """Build and publish ``count`` passages; returns seconds by part and the peak of memory."""
    builds.builds_dir(index).mkdir(parents=True)
    embedder = MadeUpEmbedder(prepared)
    started = datetime.now(UTC)
    aside = builds.builds_dir(index) / f"{builds.STAGING_PREFIX}{builds.new_id(started)}"
    aside.mkdir()
    seconds: dict[str, float] = {}
    with lock(index), VectorCache(index / VECTORS_CACHE) as cache:
        begun = time.perf_counter()
        _write_passages(aside, prepared, count, cache)
        seconds["making"] = time.perf_counter() - begun
        begun = time.perf_counter()
        with closing(Store(aside / builds.DATABASE_FILE)) as store:
            assembler = Assembler(LocalPlace(index), aside, store, cache, embedder, lambda _: None)
            tuning = assembler.write(builds.new_id(started), with_sentences=False)
            manifest = manifest_of(store, embedder, started, tuning)
        seconds["building"] = time.perf_counter() - begun
        begun = time.perf_counter()
        finish(LocalPlace(index), aside, manifest, cache)
        seconds["verifying"] = time.perf_counter() - begun
        begun = time.perf_counter()
        builds.publish(index, aside, manifest.id)
        seconds["publishing"] = time.perf_counter() - begun
    return {"seconds": seconds, "peak_mb": pages.memory("VmHWM") / MEBIBYTE, "tuning": tuning.as_dict()}


def _write_passages(aside: Path, prepared: Prepared, count: int, cache: VectorCache) -> None:
    """The database of made-up reports, and a vector in the cache for every passage."""
    texts = Texts(prepared.sentences, seed=2)
    made = perturbed_vectors(prepared.real, count, seed=3)
    row = 0
    with StoreWriter(aside / builds.DATABASE_FILE) as writer:
        for batch in made:
            keys: list[str] = []
            while len(keys) < len(batch):
                size = min(PASSAGES_A_REPORT, len(batch) - len(keys))
                stored = write_report(writer, row, [texts.passage() for _ in range(size)])
                keys += [passage.vector_key for passage in stored]
                row += size
            cache.put(FINGERPRINT, keys, batch)


def write_report(writer: StoreWriter, row: int, passages: Sequence[str]) -> list[StoredPassage]:
    """Add a report of these passages, each under a heading of its own."""
    number = f"r{row:07}"
    metadata = Metadata(id=number, titel=f"Rapport {row}", projekt=f"Projekt {row % 500}")
    text, headings, stored = "", [], []
    for ordinal, passage in enumerate(passages):
        heading = f"Afsnit {ordinal}"
        headings.append(Heading(2, heading, len(text), len(text) + len(heading)))
        start = len(text) + len(heading) + 1
        text += f"{heading}\n{passage}\n"
        cut = Passage(
            f"{number}.{ordinal}", number, ordinal, passage, start, start + len(passage), (heading,), None, None,
            Role.OTHER, inferred=True, ocr=False,
        )  # fmt: skip
        stored.append(StoredPassage(row + ordinal, cut, 150, vector_key(embedding_text(metadata.titel, cut))))
    document = Document(f"{number}.md", number, "text/markdown", "markdown", metadata, text, tuple(headings))
    writer.add_document(StoredDocument(document, "", number))
    writer.add_passages(stored)
    return stored


def manifest_of(store: Store, embedder: Embedder, started: datetime, tuning: vectors.Tuning) -> builds.Manifest:
    """The manifest of a build whose passages came from no files."""
    records = store.records()
    return builds.Manifest(
        id=builds.new_id(started), created=started.isoformat(timespec="seconds"), model=embedder.fingerprint,
        model_name=embedder.name, dimension=embedder.dimension, documents=len(records), passages=len(store),
        failures=0, projects=len({stored.record.metadata.projekt for stored in records}), roots=(), read_key="",
        chunk_key="", content=content_digest(store), version=version("erfaringsbasen"), tuning=tuning.as_dict(),
    )  # fmt: skip


def ask(index: Path, prepared: Prepared) -> dict[str, Any]:
    """Open the build, answer questions without embedding them, and tell the times, the memory and the recall."""
    begun = time.perf_counter()
    snapshot = open_snapshot(LocalPlace(index))
    opened = time.perf_counter() - begun
    asked = prepared.questions[:QUESTIONS]
    times: dict[str, list[float]] = {"meaning": [], "words": [], "scores": [], "all": []}
    for text, vector in zip(prepared.asked[:QUESTIONS], asked, strict=True):
        for step, milliseconds in _search(snapshot, text, vector).items():
            times[step].append(milliseconds)
    memory = pages.memory("VmRSS") / MEBIBYTE
    return {
        "open_seconds": opened,
        "p50": {step: metrics.percentile(values, 0.5) for step, values in times.items()},
        "p95": metrics.percentile(times["all"], 0.95),
        "resident_mb": memory,
        "words": len(snapshot.analyser.vocabulary.frequencies),
        "recall": _recall(builds.builds_dir(index) / snapshot.build_id, asked),
    }


def _search(snapshot: Snapshot, text: str, vector: Vectors) -> dict[str, float]:
    """The milliseconds of one search, as :class:`kb.retrieval.searcher.Searcher` goes about it."""
    marks = [time.perf_counter()]
    question = snapshot.analyser.question(text)
    by_words = snapshot.sparse.search(question, CANDIDATES)
    marks.append(time.perf_counter())
    by_meaning = snapshot.dense.search(vector, CANDIDATES)
    marks.append(time.perf_counter())
    rows = fusion.union(by_meaning, by_words)
    scores = snapshot.dense.scores(vector, rows), snapshot.sparse.scores(question, rows)
    fusion.fuse(rows, *scores, by_meaning, by_words)
    marks.append(time.perf_counter())
    words, meaning, rest = (1000 * (after - before) for before, after in pairwise(marks))
    return {"words": words, "meaning": meaning, "scores": rest, "all": words + meaning + rest}


def _recall(build: Path, asked: Vectors) -> float:
    """The share of the ten nearest passages, by an exact scan, that the search brings."""
    index = vectors.VectorIndex(build / builds.VECTORS_FILE)
    nearest = index.nearest(asked, vectors.NEAREST).tolist()
    found = [{row for row, _ in index.search(vector, vectors.NEAREST)} for vector in asked]
    shares = [len(rows.intersection(wanted)) / len(wanted) for rows, wanted in zip(found, nearest, strict=True)]
    return metrics.mean(shares)


def _in_a_process_of_its_own(step: str, folder: Path, count: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.large", "--step", step, "--folder", str(folder), "--count", str(count)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def table(small: int, large: int, figures: dict[int, dict[str, Any]]) -> str:
    """The figures of both sizes and their ratios as Markdown."""

    def row(name: str, what: str, bound: str = "", *, ratio: bool = True) -> str:
        one, other = (_number(figures[size], what) for size in (small, large))
        share = f"{other / one:.2f}" if ratio and one else ""
        return f"| {name} | {one:,.2f} | {other:,.2f} | {share} | {bound} |"

    tuning = figures[large]["tuning"]
    made = pages.made_on(pages.versions("faiss-cpu", "tantivy", "numpy"), "bench-large")
    tuned = (
        f"At {large:,} passages: {tuning['kind']}, {tuning['probes']} of {tuning['lists']} lists looked through;"
        f" recall@10 when tuned {tuning['recall']:.3f} for held-out passages,"
        f" {tuning['recall_of_questions']:.3f} for questions."
    )
    return "\n".join([
        made, "",
        f"| | {small:,} passages | {large:,} passages | ratio | bound |", "|---|---:|---:|---:|---|",
        row("search without embedding, p50 (ms)", "p50.all", "ratio under 2"),
        row("– words: analysis and word index (ms)", "p50.words"),
        row("– meaning: vectors (ms)", "p50.meaning"),
        row("– scores of the candidates, fusion (ms)", "p50.scores"),
        row("search without embedding, p95 (ms)", "p95"),
        row("recall@10 against the exact scan", "recall", "≥ .98", ratio=False),
        row(f"resident after {QUESTIONS} questions (MB)", "resident_mb", "under 1,536"),
        row("opening the build, checksums included (s)", "open_seconds"),
        row("build, verify and publish (ms a passage)", "per_passage", "ratio at most 1.3"),
        row("– of it building (ms a passage)", "per_passage_building"),
        row("peak memory of building (MB)", "peak_mb"),
        row("distinct words", "words"), "", tuned,
    ])  # fmt: skip


def _number(figures: dict[str, Any], what: str) -> float:
    value: Any = figures
    for name in what.split("."):
        value = value[name]
    return float(value)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a large base against a smaller one.")
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--embedded", type=int, default=2_000, help="texts embedded by the model")
    parser.add_argument("--folder", type=Path, help="where to build, kept; a temporary folder by default")
    parser.add_argument("--write", action="store_true", help="write the table into docs/speed.md")
    parser.add_argument("--step", choices=("build", "ask"), help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        prepared, index = Prepared(given.folder), given.folder / f"index-{given.count}"
        print(json.dumps(build(index, prepared, given.count) if given.step == "build" else ask(index, prepared)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "asked.json").is_file():
            Prepared.make(folder, given.embedded)
        text = table(given.small, given.large, {size: _measured(folder, size) for size in (given.small, given.large)})
    print(text)
    if given.write:
        SECTION.write(text)


def _measured(folder: Path, count: int) -> dict[str, Any]:
    figures: dict[str, Any] = _in_a_process_of_its_own("build", folder, count)
    spent = figures["seconds"]
    figures["per_passage_building"] = 1000 * spent["building"] / count
    figures["per_passage"] = 1000 * (spent["building"] + spent["verifying"] + spent["publishing"]) / count
    sys.stderr.write(f"{count} built: {json.dumps(figures)}\n")
    figures |= _in_a_process_of_its_own("ask", folder, count)
    sys.stderr.write(f"{count} asked: {json.dumps(figures)}\n")
    return figures


if __name__ == "__main__":
    main()
