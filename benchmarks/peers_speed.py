"""How quick the search is beside txtai and LanceDB, on the same passages with the same model: part of ``make bench``.

    python -m benchmarks.peers_speed [--passages N] [--write]

Each system works in processes of its own: ours in the project's environment, the peers in the one that
``benchmarks/peers/install.sh`` makes, as their users use them, at their defaults and hybrid. All take what is embedded
here, title and headings included, as a passage's text, and all embed with the same prepared model and its prefixes:
their vectors are compared before anything is timed. The passages are those of the index in use, or ``N`` made of their
sentences. What is timed, the systems always in turn and in another order each time, so that what else the machine does
falls on all alike:

* building, from texts to an index on disk that can be opened, with the model loaded beforehand: embedding included, and
  with the vectors given. Where ours begins and ends is told in ``benchmarks/peers/worker_ours.py``;
* the cold start: from starting the process to the first answer from the stored index, imports and model included;
* a question to the texts of the ten best passages, embedding included, each question once;
* memory, as the operating system tells of the process that has answered all questions.

The table tells ratios to the best of the peers; ``--write`` puts it into ``docs/speed.md`` between its marks.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks import pages
from benchmarks.large import PASSAGES_A_REPORT, write_report
from benchmarks.peers import worker
from kb.core.settings import load_settings
from kb.embedding.embedder import load_embedder
from kb.embedding.model_store import model_folder, read_card
from kb.embedding.runtimes.choice import Purpose
from kb.evaluation import judged_questions, metrics
from kb.index import builds
from kb.index.store import Store, StoreWriter, VectorCache
from kb.index.verification import VECTORS_CACHE
from kb.language import danish
from kb.language.embedding_text import embedding_text

ROOT = Path(__file__).resolve().parent.parent
SECTION = pages.Section(
    ROOT / "docs" / "speed.md", "<!-- peers: begin -->", "<!-- peers: end -->", heading="## Beside txtai and LanceDB"
)
PEERS_PYTHON = ROOT / "benchmarks" / "peers" / ".venv" / "bin" / "python"
OURS, TXTAI, LANCEDB = "ours", "txtai", "lancedb"
PEERS = {TXTAI: "txtai", LANCEDB: "LanceDB"}
BUILT_EMBEDDED, BUILT_GIVEN, STARTED = 2, 3, 3
WARM_UP = 5
SENTENCES_A_PASSAGE = 5
# Threads that wait for more work after an answer turn for some milliseconds: the next system is not asked meanwhile.
REST = 0.02
# The least cosine between our vectors and a peer's of the same text.
ALIKE = 0.999

T = TypeVar("T")


@dataclass
class Measured:
    """What one system took: seconds to build and to start, milliseconds a question, and MB (10**6) kept and at most."""

    embedded: list[float] = field(default_factory=list)
    given: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    resident: float = 0.0
    peak: float = 0.0


class Working:
    """A worker that has an index open and answers questions."""

    def __init__(self, system: str, folder: Path, place: Path) -> None:
        self._system = system
        self._process = subprocess.Popen(
            _command(system, "serve", str(folder), str(place)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=_environment(),
        )

    def ask(self, question: str) -> float:
        """The milliseconds that the answer took; raises where none came."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        reply = json.loads(self._process.stdout.readline())
        if not reply["texts"]:
            raise RuntimeError(f"{self._system} found nothing for {question}")
        return float(reply["ms"])

    def memory(self, name: str) -> float:
        """What the operating system says of the process, in MB: VmRSS is resident now, VmHWM the most that has been."""
        return pages.memory(name, self._process.pid) / 1e6

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def _command(system: str, *arguments: str) -> list[str]:
    python = sys.executable if system == OURS else str(PEERS_PYTHON)
    return [python, "-m", f"benchmarks.peers.worker_{system}", *arguments]


def _environment() -> dict[str, str]:
    """No system waits for a model hub: the model is a folder here."""
    return {**os.environ, "HF_HUB_OFFLINE": "1"}


def built(system: str, folder: Path, ways: Sequence[str]) -> list[dict[str, Any]]:
    """What building in these ways, one after another in a fresh process, told."""
    command = _command(system, "build", str(folder), *ways)
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, env=_environment())
    return [json.loads(line) for line in done.stdout.splitlines()]


def prepare(folder: Path, count: int) -> int:
    """Write what the workers read; returns the number of passages, those of the index in use where ``count`` is 0."""
    settings = load_settings()
    model = model_folder(settings).resolve()
    card = read_card(model)
    in_use = builds.builds_dir(settings.index_dir) / builds.current_id(settings.index_dir) / builds.DATABASE_FILE
    if count:
        recombine(in_use, folder / builds.DATABASE_FILE, count)
    else:
        shutil.copyfile(in_use, folder / builds.DATABASE_FILE)
    with closing(Store(folder / builds.DATABASE_FILE)) as store:
        titles = {stored.record.id: stored.record.metadata.titel for stored in store.records()}
        passages = [embedding_text(titles[one.passage.document_id], one.passage) for one in store.all_passages()]
    described = asdict(worker.Model(str(model), card.query_prefix, card.passage_prefix))
    texts = {"passages": passages, "question": "Hvad lærte projekterne?"}
    (folder / "model.json").write_text(json.dumps(described), encoding="utf-8")
    (folder / "set.json").write_text(json.dumps(texts), encoding="utf-8")
    return len(passages)


def recombine(source: Path, target: Path, count: int) -> None:
    """A database of ``count`` passages made of the sentences of another's."""
    with closing(Store(source)) as store:
        texts = [stored.passage.text for stored in store.all_passages()]
    found = {" ".join(text[start:end].split()) for text in texts for start, end in danish.sentences(text)}
    sentences = sorted(sentence for sentence in found if 40 < len(sentence) < 300)
    chance = random.Random(1)  # noqa: S311 - texts, not secrets
    passages = [" ".join(chance.sample(sentences, SENTENCES_A_PASSAGE)) for _ in range(count)]
    with StoreWriter(target) as writer:
        for row in range(0, count, PASSAGES_A_REPORT):
            write_report(writer, row, passages[row : row + PASSAGES_A_REPORT])


def in_turn(systems: Sequence[T], rounds: int) -> Iterator[T]:
    """Every system in every round, each round beginning with the next."""
    for number in range(rounds):
        first = number % len(systems)
        yield from (*systems[first:], *systems[:first])


def measure_building(folder: Path, measured: Mapping[str, Measured]) -> tuple[dict[str, Path], float]:
    """Build with every system; returns where each one's index is, and the seconds of ours with its sentences."""
    places: dict[str, Path] = {}
    vectors: dict[str, Any] = {}
    for system in in_turn(list(measured), BUILT_EMBEDDED):
        [told] = built(system, folder, [worker.EMBEDDED])
        measured[system].embedded.append(told["seconds"])
        places[system], vectors[system] = Path(told["place"]), np.array(told["vectors"])
        _say(system, worker.EMBEDDED, told["seconds"])
    for system, found in vectors.items():
        if (found * vectors[OURS]).sum(axis=1).min() < ALIKE:
            raise RuntimeError(f"{system} has other vectors than ours: the comparison would not be fair")
    _keep_vectors(places[OURS], folder / "vectors.npy")
    for system in measured:
        measured[system].given += [told["seconds"] for told in built(system, folder, [worker.GIVEN] * BUILT_GIVEN)]
        _say(system, worker.GIVEN, *measured[system].given)
    [answering] = built(OURS, folder, [worker.ANSWERING])
    return places, answering["seconds"]


def _keep_vectors(place: Path, file: Path) -> None:
    """Save the vectors that ours made, in the order of the passages."""
    build = builds.builds_dir(place) / builds.current_id(place)
    with closing(Store(build / builds.DATABASE_FILE)) as store, VectorCache(place / VECTORS_CACHE) as cache:
        np.save(file, cache.get(builds.read_manifest(build).model, list(store.vector_keys())))


def measure_asking(folder: Path, places: Mapping[str, Path], measured: Mapping[str, Measured]) -> None:
    """Start every system, ask it all questions, and look at its memory."""
    texts = [question.text for question in judged_questions.load(ROOT / "benchmarks" / "questions")]
    working: dict[str, Working] = {}
    try:
        for system in in_turn(list(places), STARTED):
            if system in working:
                working.pop(system).close()
            begun = time.perf_counter()
            working[system] = Working(system, folder, places[system])
            working[system].ask(f"{texts[0]} 0")
            measured[system].cold.append(time.perf_counter() - begun)
            _say(system, "cold start", measured[system].cold[-1])
        for system in in_turn(list(places), WARM_UP):
            working[system].ask(f"{texts[-1]} {len(measured[system].asked)}")
        turns = in_turn(list(places), len(texts))
        for text in texts:
            for _ in places:
                system = next(turns)
                time.sleep(REST)
                measured[system].asked.append(working[system].ask(text))
        for system, one in working.items():
            measured[system].resident, measured[system].peak = one.memory("VmRSS"), one.memory("VmHWM")
    finally:
        for one in working.values():
            one.close()


def _say(system: str, what: str, *seconds: float) -> None:
    sys.stderr.write(f"{system}, {what}: {', '.join(f'{one:.2f}' for one in seconds)} s\n")


def figures(measured: Mapping[str, Measured]) -> list[str]:
    """The rows of the table; the ratio is ours to the best of the peers, in each row for itself."""

    def row(name: str, unit: str, found: Mapping[str, float], aim: str) -> str:
        best = min(PEERS, key=lambda system: found[system])
        digits = 0 if unit == "MB" else 2
        cells = " | ".join(f"{found[system]:,.{digits}f} {unit}" for system in measured)
        return f"| {name} | {cells} | {found[OURS] / found[best]:.2f} of {PEERS[best]} | {aim} |"

    def each(value: Callable[[Measured], float]) -> dict[str, float]:
        return {system: value(one) for system, one in measured.items()}

    return [
        row(
            "question to the ten best passages, p50", "ms", each(lambda one: metrics.percentile(one.asked, 0.5)), "≤ 1"
        ),
        row("the same, p95", "ms", each(lambda one: metrics.percentile(one.asked, 0.95)), ""),
        row("index built, embedding included", "s", each(lambda one: statistics.median(one.embedded)), "≤ 1"),
        row("index built, vectors given", "s", each(lambda one: statistics.median(one.given)), "≤ 1"),
        row("process start to first answer", "s", each(lambda one: statistics.median(one.cold)), "≤ 0.5"),
        row("resident after the questions", "MB", each(lambda one: one.resident), "≤ 0.5"),
        row("resident at most", "MB", each(lambda one: one.peak), "≤ 0.5"),
    ]


def table(passages: int, measured: Mapping[str, Measured], answering: float) -> str:
    """All that goes on the page."""
    packages = _versions(str(PEERS_PYTHON), *PEERS, "onnxruntime", "torch", "sentence-transformers")
    runtimes = load_embedder(load_settings()).runtimes
    embedded_by = f"questions by {runtimes[Purpose.QUESTIONS]}, passages by {runtimes[Purpose.PASSAGES]}"
    names = [PEERS.get(system, "ours") for system in measured]
    return "\n".join([
        pages.made_on(packages, "bench"),
        "",
        f"{passages:,} passages, {len(measured[OURS].asked)} questions asked once each, hybrid search, the same model"
        f" and vectors; each system in a process of its own. Ours embeds {embedded_by}.",
        "",
        f"| | {' | '.join(names)} | ratio to the best peer | aim |",
        f"|---|{'---:|' * len(names)}---:|---|",
        *figures(measured),
        "",
        "With the sentences that answers are made of, which the peers have nothing like, ours is built in"
        f" {answering:.1f} s.",
    ])  # fmt: skip


def _versions(python: str, *packages: str) -> str:
    """What an environment has of these packages, in words."""
    code = (
        "import sys, importlib.metadata as m; print(*(f'{name} {m.version(name)}' for name in sys.argv[1:]), sep=', ')"
    )
    return subprocess.run([python, "-c", code, *packages], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main() -> None:
    """Measure, print, and write when told to."""
    parser = argparse.ArgumentParser(description="Measure the search beside txtai and LanceDB.")
    parser.add_argument("--passages", type=int, default=0, help="made of the index's sentences; by default its own")
    parser.add_argument("--write", action="store_true", help="write the table into docs/speed.md")
    given = parser.parse_args()
    if not PEERS_PYTHON.is_file():
        sys.stderr.write("SKIPPED: txtai and LanceDB are not installed. Run: benchmarks/peers/install.sh\n")
        return
    measured = {system: Measured() for system in (OURS, *PEERS)}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        passages = prepare(folder, given.passages)
        places, answering = measure_building(folder, measured)
        measure_asking(folder, places, measured)
    text = table(passages, measured, answering)
    print(text)
    if given.write:
        SECTION.write(text)


if __name__ == "__main__":
    main()
