"""How files become tasks, and what is read here instead; a whole cluster is in tests/integration/test_cluster.py."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from kb.cluster.client import DriverClient, TaskLostError
from kb.cluster.messages import FileBytes, Kind
from kb.cluster.model import packed
from kb.cluster.worker import Worker
from kb.extract import ReadOptions, ReadOutcome
from kb.indexing import cluster_pool, find_source_files
from kb.indexing.cluster_pool import ClusterPool, tasks_of
from kb.indexing.plan import SourceFile
from tests.support import HashEmbedder, report_text, write_corpus

OPTIONS = ReadOptions(workers=1)


class OneWorker(DriverClient):
    """Hands every task to a worker in this process, and loses the worker of any task with the file ``deadly``."""

    def __init__(self, deadly: str = "") -> None:
        self.workers = 1
        self.sent: list[list[str]] = []
        self._deadly = deadly
        self._worker = Worker(packed(HashEmbedder()), OPTIONS)

    def submit(self, kind: Kind, items: Sequence[FileBytes]) -> Future[Any]:
        future: Future[Any] = Future()
        self.sent.append([file.path for file in items])
        if any(file.path == self._deadly for file in items):
            future.set_exception(TaskLostError("væk"))
        else:
            future.set_result(self._worker.read(items))
        return future


def corpus(folder: Path, count: int) -> list[SourceFile]:
    write_corpus(folder, {f"r{number}.md": report_text(f"emne{number}") for number in range(count)})
    return find_source_files([folder])[0]


def read(driver: OneWorker, sources: Sequence[SourceFile]) -> dict[str, ReadOutcome]:
    outcomes = list(ClusterPool(driver, HashEmbedder(), 4).read(sources, Path(sources[0].root), OPTIONS))
    assert len({one.path for one in outcomes}) == len(outcomes)
    return {one.path: one for one in outcomes}


def test_tasks_are_ranges_of_files_in_the_order_of_their_hashes(tmp_path: Path) -> None:
    sources = corpus(tmp_path, 40)
    tasks = list(tasks_of(sources, workers=2))
    keys = [source.content_key for task in tasks for source in task]
    assert keys == sorted(source.content_key for source in sources)
    assert {len(task) for task in tasks} == {7, 5}  # six tasks, three for each worker


def test_tasks_are_bounded_in_number_and_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = corpus(tmp_path, 40)
    monkeypatch.setattr(cluster_pool, "TASK_FILES", 3)
    assert max(map(len, tasks_of(sources, workers=1))) == 3
    monkeypatch.setattr(cluster_pool, "TASK_BYTES", 1)
    assert {len(task) for task in tasks_of(sources, workers=1)} == {1}


@pytest.mark.slow
def test_a_file_that_workers_are_lost_to_fails_alone(tmp_path: Path) -> None:
    sources = corpus(tmp_path, 5)
    outcomes = read(OneWorker(deadly="r2.md"), sources)
    assert sorted(outcomes) == sorted(source.path for source in sources)
    assert [path for path, one in outcomes.items() if one.document is None] == ["r2.md"]
    assert outcomes["r2.md"].code == "læser-gik-ned"


@pytest.mark.slow
def test_what_is_too_large_to_send_or_gone_is_read_here_and_told_as_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = corpus(tmp_path, 3)
    (tmp_path / "r0.md").write_text(report_text("emne0", paragraphs=40), encoding="utf-8")
    (tmp_path / "r1.md").unlink()
    monkeypatch.setattr(cluster_pool, "LARGEST_SENT", 4000)
    driver = OneWorker()
    outcomes = read(driver, sources)
    assert driver.sent == [["r2.md"]]
    assert outcomes["r0.md"].document is not None
    assert outcomes["r1.md"].code == "kan-ikke-åbnes"
