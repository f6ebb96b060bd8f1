"""What every runtime is: texts in, unit vectors out; and what they share, batches and the processors at hand."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kb.embedding.runtimes.tokenization import Tokens

Vectors = NDArray[np.float32]


class Runtime(Protocol):
    """One way to run a model, at its best with batches of ``tokens_per_batch``, ``workers`` of them at a time."""

    @property
    def tokens_per_batch(self) -> int:
        """How many tokens, padding included, a pass should hold."""
        ...

    @property
    def workers(self) -> int:
        """How many passes should run side by side to keep the processors at work; each may run in its own thread."""
        ...

    def encode(self, texts: Sequence[str], prefix: str) -> Vectors:
        """One unit vector a text with ``prefix`` in front, shape ``(len(texts), dimension)``, in one pass.

        ``texts`` holds at least one; what they take of memory grows with their number times the longest.
        """
        ...


def cores() -> int:
    """The processors this process may use: ``OMP_NUM_THREADS`` where it is set, as for torch, else what it is let."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def by_length(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """The texts' places in batches of like length, longest first: number times longest is at most ``budget`` tokens.

    A text longer than that is a batch of its own.
    """
    batches: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        if not batches or (len(batches[-1]) + 1) * lengths[batches[-1][0]] > budget:
            batches.append([])
        batches[-1].append(place)
    return batches


def encode_in_batches(runtime: Runtime, texts: Sequence[str], prefix: str, tokens: Tokens) -> Vectors:
    """One unit vector a text, in the texts' order; there is at least one text."""
    if len(texts) == 1:
        return runtime.encode(texts, prefix)
    batches = by_length([tokens.count(prefix + text) for text in texts], runtime.tokens_per_batch)
    by_batch = np.concatenate(_passes(runtime, [[texts[place] for place in batch] for batch in batches], prefix))
    vectors = np.empty_like(by_batch)
    vectors[[place for batch in batches for place in batch]] = by_batch
    return vectors


def _passes(runtime: Runtime, batches: Sequence[Sequence[str]], prefix: str) -> list[Vectors]:
    workers = min(runtime.workers, len(batches))
    if workers == 1:
        return [runtime.encode(batch, prefix) for batch in batches]
    with ThreadPoolExecutor(workers, thread_name_prefix="kb-embed") as pool:
        return list(pool.map(lambda batch: runtime.encode(batch, prefix), batches))
