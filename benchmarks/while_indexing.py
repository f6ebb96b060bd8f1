"""How fast questions are answered while a job indexes, and what one changed report costs, with the real model.

``python -m benchmarks.while_indexing [--questions N] [--full]`` copies ``corpus/`` and the vectors already made to a
scratch folder, asks questions of an idle server's searcher, then changes reports so that a job has minutes of work, and
asks on until it is over; then changes one report and counts what a run embeds. ``--full`` also times a run that has no
vectors to begin with. Prints one JSON object; times in milliseconds unless they say otherwise.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from kb import indexing
from kb.core.settings import Settings, load_settings
from kb.embedding.embedder import ModelEmbedder, load_embedder
from kb.evaluation.metrics import percentile
from kb.index.verification import READINGS_CACHE, VECTORS_CACHE
from kb.operations.jobs import Jobs
from kb.retrieval.snapshot_holder import SnapshotHolder

QUESTIONS = (
    "Hvordan håndterede projekterne GDPR?",
    "Hvilke projekter brugte talegenkendelse?",
    "Hvad gik galt med data?",
    "samtykke fra borgerne",
    "Hvem ejer modellen, når projektet er slut?",
)
PAUSE = 0.05
NEW_REPORTS = 12


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure search while indexing, and one changed report.")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--full", action="store_true", help="also time a run that embeds everything")
    arguments = parser.parse_args()
    own = load_settings()
    with tempfile.TemporaryDirectory() as folder:
        settings = _scratch(own, Path(folder))
        embedder = load_embedder(settings)
        values = _changed_report(settings, embedder)
        values |= _latency(settings, embedder, arguments.questions)
        if arguments.full:
            fresh = settings.model_copy(update={"index_dir": Path(folder) / "forfra", "index_url": ""})
            values["full_run_seconds"] = _seconds(lambda: indexing.run(fresh, embedder))
            values["share_of_full_run"] = round(values["changed_report_seconds"] / values["full_run_seconds"], 4)
        print(json.dumps(values, ensure_ascii=False, indent=2))


def _scratch(own: Settings, folder: Path) -> Settings:
    shutil.copytree(own.corpus, folder / "corpus")
    (folder / "index").mkdir()
    for name in (VECTORS_CACHE, READINGS_CACHE):
        if (own.index_dir / name).is_file():
            shutil.copy(own.index_dir / name, folder / "index" / name)
    model = own.models_dir / load_embedder(own).name
    places = {"corpus": folder / "corpus", "index_dir": folder / "index", "state_dir": folder / "state"}
    return own.model_copy(update={**places, "model": str(model.resolve())})


def _changed_report(settings: Settings, embedder: ModelEmbedder) -> dict[str, Any]:
    """Index, change one sentence of one report, index again."""
    indexing.run(settings, embedder)
    report = sorted(settings.corpus.rglob("*.md"))[0]
    report.write_text(report.read_text(encoding="utf-8") + "\n\nDer kom en linje til om nabohjælp.\n", encoding="utf-8")
    begun = time.perf_counter()
    done = indexing.run(settings, embedder)
    return {
        "documents": done.documents,
        "passages": done.passages,
        "changed": list(done.changed),
        "embedded": done.embedded,
        "changed_report_seconds": round(time.perf_counter() - begun, 2),
        "stages": dict(done.seconds),
    }


def _latency(settings: Settings, embedder: ModelEmbedder, questions: int) -> dict[str, Any]:
    holder = SnapshotHolder(settings, embedder)
    asked = cycle(QUESTIONS)
    for _ in range(10):
        _ask(holder, asked)
    idle = [_ask(holder, asked) for _ in range(questions)]
    _write_new_reports(settings.corpus)
    jobs = Jobs(settings, embedder)
    job = jobs.start(by="benchmarks.while_indexing")
    busy = []
    while (found := jobs.get(job.id)) is not None and not found.is_over:
        milliseconds = _ask(holder, asked)
        if found.stage.startswith("indlejrer"):
            busy.append(milliseconds)
    return {
        "idle_p50": round(percentile(idle, 0.5), 1),
        "idle_p95": round(percentile(idle, 0.95), 1),
        "embedding_p50": round(percentile(busy, 0.5), 1),
        "embedding_p95": round(percentile(busy, 0.95), 1),
        "embedding_questions": len(busy),
        "p95_ratio": round(percentile(busy, 0.95) / percentile(idle, 0.95), 2),
        "job": found.state.value if found else "",
    }


def _ask(holder: SnapshotHolder, asked: Iterator[str]) -> float:
    time.sleep(PAUSE)
    begun = time.perf_counter()
    holder.searcher().search(next(asked))
    return (time.perf_counter() - begun) * 1000


def _write_new_reports(corpus: Path) -> None:
    """Reports no part of which has been embedded before."""
    for number in range(NEW_REPORTS):
        lines = [f"# Rapport {number} om nabohjælp"]
        for part in range(8):
            lines.append(f"## Læring {part}")
            lines.append(
                f"I forløb {number}.{part} viste det sig, at frivillige i kvarter {number * 8 + part} havde brug for"
                f" tydelige aftaler. Derfor blev der skrevet {part + 2} sider vejledning, som {number} borgere læste."
            )
        (corpus / f"nabohjælp{number}.md").write_text("\n\n".join(lines), encoding="utf-8")


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return round(time.perf_counter() - begun, 2)


if __name__ == "__main__":
    main()
