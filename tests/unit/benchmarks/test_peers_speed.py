"""The comparison with txtai and LanceDB: whom ours is compared with, whose turn it is, and what a worker tells."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import peers_speed
from benchmarks.peers import worker
from benchmarks.peers_speed import LANCEDB, OURS, TXTAI, Measured
from kb.index import builds
from kb.index.store import Store, StoreWriter


class Copying:
    """A system that keeps the passages in a file and finds those with the question in them."""

    def prepare(self, given: worker.Set, how: str) -> None:
        self._lines = [f"{how}: {text}" for text in given.passages]

    def build(self, place: Path) -> None:
        place.write_text("\n".join(self._lines), encoding="utf-8")

    def embedded(self, passages: Sequence[str], question: str) -> worker.Rows:
        return [[float(len(text))] for text in (*passages, question)]

    def open(self, place: Path) -> worker.Search:
        lines = place.read_text(encoding="utf-8").splitlines()
        return lambda question: [line for line in lines if question in line][: worker.TOP]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    texts = {"passages": ["om data", "om jura"], "question": "jura?"}
    (tmp_path / "set.json").write_text(json.dumps(texts), encoding="utf-8")
    return tmp_path


def test_a_worker_builds_in_every_way_told_and_shows_the_vectors_it_made_itself(folder: Path) -> None:
    told = list(worker.built(Copying(), folder, [worker.EMBEDDED, worker.GIVEN]))
    assert [Path(str(one["place"])).read_text(encoding="utf-8").splitlines()[0] for one in told] == [
        "embedded: om data",
        "given: om data",
    ]
    assert [one["vectors"] for one in told] == [[[7.0], [7.0], [5.0]], []]


def test_a_worker_answers_a_line_a_question(folder: Path) -> None:
    [told] = worker.built(Copying(), folder, [worker.EMBEDDED])
    search = Copying().open(Path(str(told["place"])))
    assert [one["texts"] for one in worker.answered(search, ['"jura"\n', '"øl"\n'])] == [["embedded: om jura"], []]


def test_each_round_begins_with_the_next_system() -> None:
    assert "".join(peers_speed.in_turn("abc", 4)) == "abcbcacababc"


def test_ours_is_set_beside_the_best_of_the_peers_in_each_row() -> None:
    measured = {
        OURS: Measured([4.0], [1.0], [1.0, 3.0, 2.0], [10.0, 10.0], 300.0, 400.0),
        TXTAI: Measured([8.0], [0.5], [4.0, 4.0, 4.0], [20.0, 20.0], 600.0, 1600.0),
        LANCEDB: Measured([5.0], [2.0], [8.0, 8.0, 8.0], [40.0, 40.0], 500.0, 1000.0),
    }
    rows = [line.split(" | ") for line in peers_speed.figures(measured)]
    assert [row[-2] for row in rows] == [
        "0.50 of txtai",
        "0.50 of txtai",
        "0.80 of LanceDB",
        "2.00 of txtai",
        "0.50 of txtai",
        "0.60 of LanceDB",
        "0.40 of LanceDB",
    ]
    assert [row[-1] for row in rows] == ["≤ 1 |", " |", "≤ 1 |", "≤ 1 |", "≤ 0.5 |", "≤ 0.5 |", "≤ 0.5 |"]


def test_passages_made_of_others_are_as_many_as_asked_for_and_the_same_each_time(tmp_path: Path) -> None:
    from benchmarks.large import write_report

    source = tmp_path / "source.sqlite"
    said = [f"Projekt nummer {number} lærte meget om at arbejde med data i kommunen." for number in range(8)]
    with StoreWriter(source) as writer:
        write_report(writer, 0, [" ".join(said)])
    made = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        peers_speed.recombine(source, tmp_path / name / builds.DATABASE_FILE, 60)
        made.append([one.passage.text for one in Store(tmp_path / name / builds.DATABASE_FILE).all_passages()])
    assert made[0] == made[1]
    assert len(made[0]) == 60
    assert {sentence for text in made[0] for sentence in said if sentence in text} == set(said)
