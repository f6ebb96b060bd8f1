"""Where files are read and texts embedded: in processes of this machine, or on a cluster (:mod:`kb.cluster`).

with opened_pool(settings, embedder) as pool:
    for outcome in pool.read(sources, root, options):
        ...
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.extract import ReadOptions, ReadOutcome, read_files
from kb.indexing.plan import SourceFile


class Pool(Protocol):
    """Reads files and embeds texts for a run."""

    @property
    def embedder(self) -> Embedder:
        """What embeds the run's passages."""
        ...

    @property
    def batch_size(self) -> int:
        """How many texts it should be given at a time."""
        ...

    def read(self, sources: Sequence[SourceFile], root: Path, options: ReadOptions) -> Iterator[ReadOutcome]:
        """Read files below ``root``; outcomes come as :func:`kb.extract.read_files` gives them, in any order of files.

        Raises :class:`InstallationError`, and :class:`ClusterError` for a cluster that is gone.
        """
        ...


class LocalPool:
    """The processes of this machine."""

    def __init__(self, embedder: Embedder, batch_size: int) -> None:
        self.embedder = embedder
        self.batch_size = batch_size

    def read(self, sources: Sequence[SourceFile], root: Path, options: ReadOptions) -> Iterator[ReadOutcome]:
        """Read files in processes of their own."""
        return read_files([source.file for source in sources], root, options)


@contextmanager
def opened_pool(settings: Settings, embedder: Embedder) -> Iterator[Pool]:
    """The pool that the settings ask for: the cluster of ``KB_INDEX_CLUSTER``, else this machine.

    Raises :class:`SettingsError` for what is no address, :class:`InstallationError` where Ray is not installed, and
    :class:`ClusterError` when the cluster cannot be reached or a machine of it would give other results.
    """
    if not settings.index_cluster:
        yield LocalPool(embedder, settings.batch_size)
        return
    # What a cluster takes is not loaded where there is none.
    from kb.indexing.cluster_pool import opened_cluster

    with opened_cluster(settings, embedder) as cluster:
        yield cluster
