"""The pool of a run that is read and embedded on a cluster: tasks out, results back, by way of the driver."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from kb.cluster.client import DriverClient, TaskLostError, check_reachable
from kb.cluster.edition import Edition
from kb.cluster.messages import FileBytes, Kind, Start
from kb.cluster.model import packed
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder, Vectors
from kb.embedding.wrapping import WrappedEmbedder
from kb.extract import ReadOptions, ReadOutcome, ReadStatus, read_files
from kb.extract.corpus_files import existing_sidecar
from kb.indexing.plan import SourceFile

# Seconds that a cluster without any worker is waited for, and those that workers which are about to begin are: they
# load the model, and their machines may be busy.
PATIENCE = 60.0
STARTING_PATIENCE = 600.0
# A task's files: few enough to be done again, enough that a child process serves several.
TASK_FILES = 16
TASK_BYTES = 8 << 20
# A larger file is read on this machine: a task passes through the memory of three processes.
LARGEST_SENT = 256 << 20
# Reading tasks under way for each worker, and texts embedded at a time in tasks for each.
READ_AHEAD = 3
EMBED_AHEAD = 8


class ClusterPool:
    """Reads and embeds on a cluster; :func:`opened_cluster` makes one."""

    def __init__(self, driver: DriverClient, embedder: Embedder, batch_size: int) -> None:
        self.embedder: Embedder = ClusterEmbedder(embedder, driver, batch_size)
        self._driver = driver
        self._task_texts = batch_size

    @property
    def batch_size(self) -> int:
        """Texts for all workers."""
        return self._task_texts * EMBED_AHEAD * self._driver.workers

    def read(self, sources: Sequence[SourceFile], root: Path, options: ReadOptions) -> Iterator[ReadOutcome]:
        """Read files on the cluster, in the order of their hashes; those that cannot be sent are read here."""
        tasks = iter(tasks_of(sources, self._driver.workers))
        under_way: dict[Future[Any], Sequence[SourceFile]] = {}
        while True:
            while len(under_way) < READ_AHEAD * self._driver.workers and (task := next(tasks, None)):
                yield from self._begin(task, root, options, under_way)
            if not under_way:
                return
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                yield from self._outcomes(future, under_way.pop(future), root, options, under_way)

    def _begin(
        self,
        task: Sequence[SourceFile],
        root: Path,
        options: ReadOptions,
        under_way: dict[Future[Any], Sequence[SourceFile]],
    ) -> Iterator[ReadOutcome]:
        """Send a task's files; yields the outcomes of those that are read here instead."""
        bytes_of = {source: _bytes_of(source) for source in task}
        here = [source.file for source, sent in bytes_of.items() if sent is None]
        files = [sent for sent in bytes_of.values() if sent is not None]
        if files:
            future = self._driver.submit(Kind.READ, files)
            under_way[future] = [source for source, sent in bytes_of.items() if sent is not None]
        if here:
            yield from read_files(here, root, options)

    def _outcomes(
        self,
        future: Future[Any],
        task: Sequence[SourceFile],
        root: Path,
        options: ReadOptions,
        under_way: dict[Future[Any], Sequence[SourceFile]],
    ) -> Iterator[ReadOutcome]:
        """A task's outcomes. One that workers were lost with is split, so that a file they were lost to fails alone."""
        try:
            yield from future.result()
        except TaskLostError:
            if len(task) == 1:
                yield _lost_outcome(task[0])
                return
            for source in task:
                yield from self._begin([source], root, options, under_way)


class ClusterEmbedder(WrappedEmbedder):
    """An embedder whose passages are embedded on the cluster."""

    def __init__(self, inner: Embedder, driver: DriverClient, task_texts: int) -> None:
        super().__init__(inner)
        self._driver = driver
        self._task_texts = task_texts

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a passage; raises :class:`ClusterError` when the cluster is lost."""
        parts = [list(texts[at : at + self._task_texts]) for at in range(0, len(texts), self._task_texts)]
        futures = [self._driver.submit(Kind.EMBED, part) for part in parts]
        empty = np.empty((0, self.dimension), dtype=np.float32)
        return np.concatenate([empty, *(future.result() for future in futures)])


def tasks_of(sources: Sequence[SourceFile], workers: int) -> Iterator[list[SourceFile]]:
    """The files in the order of their hashes, in tasks of limited number and size that all workers get some of."""
    most = min(TASK_FILES, math.ceil(len(sources) / (READ_AHEAD * workers)))
    task: list[SourceFile] = []
    size = 0
    for source in sorted(sources, key=lambda one: one.content_key):
        length = _length(source)
        if task and (len(task) == most or size + length > TASK_BYTES):
            yield task
            task, size = [], 0
        task.append(source)
        size += length
    if task:
        yield task


def _length(source: SourceFile) -> int:
    try:
        return source.file.stat().st_size
    except OSError:
        return 0


def _bytes_of(source: SourceFile) -> FileBytes | None:
    """A file to send; None for one that is too large to be, or cannot be opened: reading it here says so as always."""
    if _length(source) > LARGEST_SENT:
        return None
    try:
        sidecar = existing_sidecar(source.file)
        return FileBytes(source.path, source.file.read_bytes(), sidecar.read_bytes() if sidecar else None)
    except OSError:
        return None


def _lost_outcome(source: SourceFile) -> ReadOutcome:
    reason = "Klyngens maskiner gik ned under læsningen af filen."
    return ReadOutcome(source.path, ReadStatus.FAILED, None, "læser-gik-ned", reason, file=source.path)


@contextmanager
def opened_cluster(settings: Settings, embedder: Embedder) -> Iterator[ClusterPool]:
    """The cluster of ``KB_INDEX_CLUSTER`` as a pool; raises as :func:`kb.indexing.pool.opened_pool`."""
    address = settings.index_cluster
    check_reachable(address)
    options = ReadOptions.from_settings(settings)
    start = Start(address, Edition.here(options, embedder), packed(embedder), options, PATIENCE, STARTING_PATIENCE)
    with contextlib.closing(DriverClient(start)) as driver:
        yield ClusterPool(driver, embedder, settings.batch_size)
