"""What the run, its driver and the workers send one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kb.cluster.edition import Edition
from kb.extract import ReadOptions


class Kind(StrEnum):
    """What a task is: a worker has some of each at a time, as reading mostly waits and embedding computes."""

    READ = "read"
    EMBED = "embed"


@dataclass(frozen=True, slots=True)
class FileBytes:
    """A file as it is sent: its path below its root, its content, and that of its metadata file if it has one."""

    path: str
    data: bytes
    sidecar: bytes | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """What a driver is for: the cluster it reaches, and what its workers are given.

    ``opening`` is a pickled callable that gives the embedder; ``patience`` are the seconds that a cluster without any
    worker is waited for, and ``starting_patience`` those where some are about to begin.
    """

    address: str
    edition: Edition
    opening: bytes
    options: ReadOptions
    patience: float
    starting_patience: float


@dataclass(frozen=True, slots=True)
class Task:
    """Files to read (:class:`FileBytes`) or texts to embed."""

    number: int
    kind: Kind
    items: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Workers:
    """How many workers are ready; the first of these says that the cluster is reached."""

    count: int


@dataclass(frozen=True, slots=True)
class Done:
    """A task's result."""

    number: int
    result: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """The error that a task raised in its worker."""

    number: int
    error: Exception


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A task that several workers were lost with: it may be what they were lost to."""

    number: int


@dataclass(frozen=True, slots=True)
class Over:
    """Why the cluster cannot be used, or no longer; the last thing a driver says."""

    message: str
    advice: str = ""
