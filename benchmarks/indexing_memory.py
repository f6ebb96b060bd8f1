"""How much memory and time indexing takes for a large corpus: ``python -m benchmarks.indexing_memory [--passages N]``.

The corpus is made on the spot (reports of Danish-like sentences), read, cut and built as any other; only the model is
replaced, by one that makes a vector of the model's size from a text's checksum, so that the memory measured is that of
indexing. Prints one JSON object; the peak is that of the process, readers not counted.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb import indexing
from kb.core.settings import Settings

DIMENSION = 384
SECTIONS_A_REPORT = 50
SYLLABLES = ("be", "for", "kom", "mune", "data", "sag", "drift", "ning", "lov", "re", "gel", "borg", "er", "plan")
LIMIT_MB = 2048


class ChecksumEmbedder:
    """Unit vectors from checksums: no meaning, and next to no time."""

    name = "kontrolsum"
    fingerprint = "kontrolsum-384"
    dimension = DIMENSION
    max_tokens = 512

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One vector a text."""
        return self.embed_passages(texts)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One vector a text."""
        seeds = np.array([zlib.crc32(text.encode()) for text in texts], dtype=np.float64)
        found = np.sin(seeds[:, None] * np.arange(1, DIMENSION + 1) * 0.6180339).astype(np.float32)
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        return found

    def count_tokens(self, text: str) -> int:
        """About as many as the real model's."""
        return len(text) // 4 + 3


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the memory of indexing.")
    parser.add_argument("--passages", type=int, default=100_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _write_corpus(home / "corpus", arguments.passages)
        settings = Settings(
            corpus=home / "corpus", index_dir=home / "index", state_dir=home / "state", batch_size=256, read_workers=1
        )
        begun = time.perf_counter()
        report = indexing.run(settings, ChecksumEmbedder(), started_by="benchmarks.indexing_memory")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        values = {
            "passages": report.passages,
            "documents": report.documents,
            "embedded": report.embedded,
            "seconds": round(time.perf_counter() - begun, 1),
            "stages": dict(report.seconds),
            "peak_mb": round(peak),
            "within_2_gb": peak < LIMIT_MB,
        }
        print(json.dumps(values, ensure_ascii=False, indent=2))


def _write_corpus(folder: Path, passages: int) -> None:
    """Reports whose sections are about one passage each."""
    folder.mkdir()
    draw = random.Random(7)  # noqa: S311  (texts, not secrets)
    words = ["".join(draw.choices(SYLLABLES, k=draw.randrange(1, 5))) for _ in range(60_000)]
    for number in range(max(1, passages // SECTIONS_A_REPORT)):
        lines = [f"# Rapport {number}"]
        for section in range(SECTIONS_A_REPORT):
            lines.append(f"## Afsnit {section} om {draw.choice(words)}")
            sentences = (" ".join(draw.choices(words, k=12)).capitalize() + "." for _ in range(5))
            lines.append(" ".join(sentences))
        (folder / f"r{number:05}.md").write_text("\n\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
