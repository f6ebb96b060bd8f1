"""What the workers of ``benchmarks/peers_speed.py`` have in common: they build when told, or open and answer lines.

    python -m benchmarks.peers.worker_NAME build FOLDER HOW...    {"seconds": ..., "place": ...} for each way to build
    python -m benchmarks.peers.worker_NAME serve FOLDER PLACE     a question a line in, {"ms": ..., "texts": ...} out

Standard library only: what one system needs must not lengthen another's start. ``FOLDER`` holds ``model.json`` (the
model's folder and prefixes) and, for building, ``set.json`` (the passages as they are embedded, and a question) and
``vectors.npy`` (the passages' vectors, where they are given). Whatever a library prints goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

# Ways of building: embedding included, vectors given, and (ours alone) with the sentences that answers are made of.
EMBEDDED, GIVEN, ANSWERING = "embedded", "given", "answering"
TOP = 10
COMPARED = 8

Search = Callable[[str], list[str]]
Rows = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Model:
    """The prepared model, and what it wants before questions and passages."""

    folder: str
    query_prefix: str
    passage_prefix: str


@dataclass(frozen=True, slots=True)
class Set:
    """What is built from: the passages' texts and, for a trial of the vectors, a question."""

    folder: Path
    passages: Sequence[str]
    question: str


class System(Protocol):
    """A search library as its users use it."""

    def prepare(self, given: Set, how: str) -> None:
        """Load all that a build needs, the model among it; not timed."""
        ...

    def build(self, place: Path) -> None:
        """From what :meth:`prepare` loaded to an index in ``place`` that can be opened; timed."""
        ...

    def embedded(self, passages: Sequence[str], question: str) -> Rows:
        """The vectors of passages and of a question, the last."""
        ...

    def open(self, place: Path) -> Search:
        """An index made before, as a function from a question to the texts of the ``TOP`` best passages."""
        ...


def run(make: Callable[[Model], System]) -> None:
    """Do what the command line says."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    verb, folder, *rest = sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]
    system = make(Model(**json.loads((folder / "model.json").read_text(encoding="utf-8"))))
    replies = built(system, folder, rest) if verb == "build" else answered(system.open(Path(rest[0])), sys.stdin)
    for reply in replies:
        answers.write(json.dumps(reply) + "\n")
        answers.flush()


def built(system: System, folder: Path, ways: Sequence[str]) -> Iterator[dict[str, object]]:
    """Build in each way, and tell how long it took, where it is, and some of the vectors that were made for it."""
    texts = json.loads((folder / "set.json").read_text(encoding="utf-8"))
    given = Set(folder, texts["passages"], texts["question"])
    for number, how in enumerate(ways):
        system.prepare(given, how)
        place = folder / f"{how}-{os.getpid()}-{number}"
        begun = time.perf_counter()
        system.build(place)
        seconds = time.perf_counter() - begun
        compared = [] if how == GIVEN else system.embedded(given.passages[:COMPARED], given.question)
        yield {"seconds": seconds, "place": str(place), "vectors": [[float(one) for one in row] for row in compared]}


def answered(search: Search, lines: Iterable[str]) -> Iterator[dict[str, object]]:
    """Answer each line, a question in JSON, before the next is read."""
    for line in lines:
        question = json.loads(line)
        begun = time.perf_counter()
        texts = search(question)
        yield {"ms": 1000 * (time.perf_counter() - begun), "texts": texts}
