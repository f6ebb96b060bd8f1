"""The pool of a run that is read and embedded on a cluster: tasks out, results back, by way of the driver."""

from __future__ import annotations

import contextlib
import importlib.util
import math
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from kb.core.child_process import environment_of_child
from kb.core.errors import ClusterError, InstallationError, SettingsError
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder, Vectors
from kb.embedding.wrapping import WrappedEmbedder
from kb.extract import ReadOptions, ReadOutcome, ReadStatus, read_files
from kb.extract.corpus_files import existing_sidecar
from kb.indexing.cluster.edition import Edition
from kb.indexing.cluster.messages import Done, Failed, FileBytes, GivenUp, Kind, Over, Start, Task, Workers
from kb.indexing.cluster.model import packed
from kb.indexing.plan import SourceFile

MODULE = "kb.indexing.cluster.driver"
# Seconds to reach the cluster's port, to get its first worker (which loads the model), and for the driver to end.
REACH_PATIENCE = 5.0
START_PATIENCE = 120.0
STOP_PATIENCE = 15.0
# Seconds that a cluster without any worker is waited for.
PATIENCE = 60.0
# A task's files: few enough to be done again, enough that a child process serves several.
TASK_FILES = 16
TASK_BYTES = 8 << 20
# A larger file is read on this machine: a task passes through the memory of three processes.
LARGEST_SENT = 256 << 20
# Reading tasks under way for each worker, and texts embedded at a time in tasks for each.
READ_AHEAD = 3
EMBED_AHEAD = 8
_ADDRESS = re.compile(r"(?P<host>[\w.-]+):(?P<port>\d{1,5})")


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


class TaskLostError(ClusterError):
    """Several workers were lost while they had a task."""


class DriverClient:
    """The driver as the run sees it: takes tasks from several threads; ``workers`` is how many there are, at least 1.

    Raises :class:`ClusterError` when the cluster cannot be used.
    """

    def __init__(self, start: Start) -> None:
        self.workers = 1
        self._numbers = count()
        self._lock = threading.Lock()
        self._futures: dict[int, Future[Any]] = {}
        self._over: ClusterError | None = None
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._connection: Connection[Any, Any] = Connection(os.dup(ours.fileno()))
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", MODULE, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=environment_of_child(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # an interrupt from the terminal reaches it by way of the run
            )
        self._thread = threading.Thread(target=self._receive, name="kb-klynge", daemon=True)
        try:
            self._connection.send(start)
            self._await_workers(start.address)
        except BaseException:
            self.close()
            raise
        self._thread.start()

    def submit(self, kind: Kind, items: Sequence[Any]) -> Future[Any]:
        """Have a task done; the future raises what it raised, or :class:`ClusterError`."""
        future: Future[Any] = Future()
        with self._lock:
            if self._over:
                raise self._over
            number = next(self._numbers)
            self._futures[number] = future
            with contextlib.suppress(OSError):  # that the driver is gone is told by the thread that listens to it
                self._connection.send(Task(number, kind, items))
        return future

    def close(self) -> None:
        """End the driver and with it the workers."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        if self._thread.is_alive():
            self._thread.join()
        self._connection.close()
        self._socket.close()

    def _await_workers(self, address: str) -> None:
        if not self._connection.poll(START_PATIENCE):
            raise ClusterError(f"Klyngen på {address} svarer ikke.")
        self._take(self._heard())
        if self._over:
            raise self._over

    def _receive(self) -> None:
        while self._over is None:
            self._take(self._heard())
        with self._lock:
            left, self._futures = list(self._futures.values()), {}
        for future in left:
            future.set_exception(self._over)

    def _heard(self) -> object:
        try:
            return self._connection.recv()
        except (EOFError, OSError):
            return Over("Forbindelsen til klyngen gik tabt.")

    def _take(self, told: object) -> None:
        if isinstance(told, Workers):
            self.workers = max(told.count, 1)
        elif isinstance(told, Over):
            with self._lock:
                self._over = ClusterError(told.message, advice=told.advice)
        elif isinstance(told, Done):
            self._future(told.number).set_result(told.result)
        elif isinstance(told, Failed):
            self._future(told.number).set_exception(told.error)
        elif isinstance(told, GivenUp):
            message = "Klyngen blev ved med at miste den maskine, der havde opgaven."
            self._future(told.number).set_exception(TaskLostError(message))

    def _future(self, number: int) -> Future[Any]:
        with self._lock:
            return self._futures.pop(number)


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
    _check_reachable(address)
    options = ReadOptions.from_settings(settings)
    start = Start(address, Edition.here(options, embedder), packed(embedder), options, PATIENCE)
    with contextlib.closing(DriverClient(start)) as driver:
        yield ClusterPool(driver, embedder, settings.batch_size)


def _check_reachable(address: str) -> None:
    """Raise for what is no address, for a missing library, and for a port that nobody listens on."""
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        advice = "Skriv adressen på klyngens hoved, fx 10.0.0.5:6379."
        raise SettingsError(f"{address} er ikke en klynges adresse, som skrives VÆRT:PORT.", advice=advice)
    if importlib.util.find_spec("ray") is None:
        advice = "Installér tilføjelsen, og kør kommandoen igen: pip install '.[cluster]' -c constraints.txt"
        raise InstallationError("Indeksering på en klynge kræver Ray, som ikke er installeret.", advice=advice)
    try:
        socket.create_connection((parts["host"], int(parts["port"])), REACH_PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f"Klyngen på {address} kan ikke nås: {error}.") from error
