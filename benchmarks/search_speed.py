"""Times a search without the embedding on a large base of made-up passages.

    python benchmarks/search_speed.py [PASSAGES]      100,000 by default; takes some minutes to build

The passages are sentences of the shipped reports in random order, the vectors random unit vectors, the questions those
in ``benchmarks/questions``; so words are as frequent and compounds as many as in real reports.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.evaluation import judged_questions, metrics
from kb.index import lexical, vectors
from kb.index.lexical import LexicalIndex
from kb.language import danish
from kb.retrieval import fusion
from kb.retrieval.searcher import CANDIDATES

ROOT = Path(__file__).parent.parent
DIMENSION = 384
SENTENCES_A_PASSAGE = 6
BATCH = 4096


def made_up_entries(count: int, chance: random.Random) -> list[lexical.Entry]:
    """Passages of sentences drawn from the Markdown reports."""
    sentences = []
    for path in sorted((ROOT / "corpus").rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        sentences += [text[start:end].strip() for start, end in danish.sentences(text) if end - start > 40]
    return [
        lexical.Entry(f"Rapport {number // 20}", (), " ".join(chance.choices(sentences, k=SENTENCES_A_PASSAGE)))
        for number in range(count)
    ]


def made_up_vectors(count: int, chance: np.random.Generator) -> Iterator[NDArray[np.float32]]:
    """Random unit vectors, a batch at a time."""
    for start in range(0, count, BATCH):
        batch = chance.standard_normal((min(BATCH, count - start), DIMENSION), dtype=np.float32)
        yield batch / np.linalg.norm(batch, axis=1, keepdims=True)


def main(count: int) -> None:
    """Build, ask, and print the milliseconds of each step."""
    chance = np.random.default_rng(1)
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        begun = time.perf_counter()
        lexical.build(folder / "lexical", made_up_entries(count, random.Random(1)))  # noqa: S311 - no secret depends on it
        sys.stdout.write(f"{count} passages, word index built in {time.perf_counter() - begun:.0f} s\n")
        vectors.build(folder / "vectors.faiss", made_up_vectors(count, chance), DIMENSION)
        words, dense = LexicalIndex.open(folder / "lexical"), vectors.VectorIndex(folder / "vectors.faiss")
        for question in judged_questions.load(ROOT / "benchmarks" / "questions"):
            vector = next(made_up_vectors(1, chance))[0]
            for step, milliseconds in _search(words, dense, question.text, vector):
                times.setdefault(step, []).append(milliseconds)
    for step, values in times.items():
        p50, p95 = metrics.percentile(values, 0.5), metrics.percentile(values, 0.95)
        sys.stdout.write(f"{step}: {p50:.2f} ms (median), {p95:.2f} ms (95th percentile)\n")


def _search(
    words: LexicalIndex, dense: vectors.VectorIndex, text: str, vector: NDArray[np.float32]
) -> Iterator[tuple[str, float]]:
    begun = last = time.perf_counter()

    def lap() -> float:
        nonlocal last
        passed, last = (time.perf_counter() - last) * 1000, time.perf_counter()
        return passed

    question = words.analyser.question(text)
    yield "analysis", lap()
    by_words = words.search(question, CANDIDATES)
    yield "word index", lap()
    by_meaning = dense.search(vector, CANDIDATES)
    yield "vectors", lap()
    rows = fusion.union(by_meaning, by_words)
    scores = dense.scores(vector, rows), words.scores(question, rows)
    yield "scores of the candidates", lap()
    fusion.fuse(rows, *scores, by_meaning, by_words)
    yield "fusion", lap()
    yield "all", (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
