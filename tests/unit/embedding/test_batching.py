from __future__ import annotations

import pickle
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from kb.embedding.batching import MAX_BATCH, BatchingEmbedder
from tests.support import HashEmbedder
from tests.timing import PATIENCE, until


class Interrupted(BaseException):
    """As an interrupt from the keyboard, which the test runner would take for its own."""


class Gated(HashEmbedder):
    """Notes its batches, and holds each of them until it is let through."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[str]] = []
        self.begun = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append(list(texts))
        self.begun.release()
        assert self.gate.acquire(timeout=PATIENCE)
        if "gal" in texts:
            raise ValueError("gal")
        if "afbrudt" in texts:
            raise Interrupted
        return super().embed_queries(texts)


def _wait_until_waiting(embedder: BatchingEmbedder, count: int) -> None:
    until(lambda: len(embedder._waiting) == count)


def test_a_lone_question_is_embedded_alone_and_as_without_batching() -> None:
    inner = Gated()
    inner.gate.release()
    found = BatchingEmbedder(inner).embed_queries(["drift"])
    assert inner.asked == [["drift"]]
    np.testing.assert_array_equal(found, HashEmbedder().embed_queries(["drift"]))


def test_questions_that_come_while_one_is_embedded_are_embedded_together() -> None:
    inner = Gated()
    embedder = BatchingEmbedder(inner)
    texts = [f"spørgsmål {number}" for number in range(MAX_BATCH + 5)]
    with ThreadPoolExecutor(len(texts) + 1) as pool:
        first = pool.submit(embedder.embed_queries, ["først"])
        assert inner.begun.acquire(timeout=PATIENCE)
        others = [pool.submit(embedder.embed_queries, [text]) for text in texts]
        _wait_until_waiting(embedder, len(texts))
        inner.gate.release(3)
        found = [future.result(PATIENCE) for future in others]
        assert first.result(PATIENCE).shape == (1, inner.dimension)
    assert [len(batch) for batch in inner.asked] == [1, MAX_BATCH, 5]
    for text, vectors in zip(texts, found, strict=True):
        np.testing.assert_array_equal(vectors, HashEmbedder().embed_queries([text]))


def test_one_question_that_fails_does_not_fail_those_embedded_with_it() -> None:
    inner = Gated()
    embedder = BatchingEmbedder(inner)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(embedder.embed_queries, ["først"])
        assert inner.begun.acquire(timeout=PATIENCE)
        others = {text: pool.submit(embedder.embed_queries, [text]) for text in ("drift", "gal", "data")}
        _wait_until_waiting(embedder, 3)
        inner.gate.release(5)
        with pytest.raises(ValueError, match="gal"):
            others["gal"].result(PATIENCE)
        for text in ("drift", "data"):
            np.testing.assert_array_equal(others[text].result(PATIENCE), HashEmbedder().embed_queries([text]))
        first.result(PATIENCE)


def test_a_thread_that_is_interrupted_leaves_the_others_their_answers() -> None:
    inner = Gated()
    embedder = BatchingEmbedder(inner)
    with ThreadPoolExecutor(2) as pool:
        interrupted = pool.submit(embedder.embed_queries, ["afbrudt"])
        assert inner.begun.acquire(timeout=PATIENCE)
        other = pool.submit(embedder.embed_queries, ["drift"])
        _wait_until_waiting(embedder, 1)
        inner.gate.release()
        with pytest.raises(Interrupted):
            interrupted.result(PATIENCE)
        inner.gate.release()
        assert other.result(PATIENCE).shape == (1, inner.dimension)


def test_many_threads_get_what_each_asked_for() -> None:
    embedder = BatchingEmbedder(HashEmbedder())
    texts = [f"emne {number} og {number * 7 % 13}" for number in range(400)]
    with ThreadPoolExecutor(16) as pool:
        found = np.concatenate(list(pool.map(lambda text: embedder.embed_queries([text]), texts)))
    np.testing.assert_array_equal(found, HashEmbedder().embed_queries(texts))


def test_several_questions_of_one_thread_keep_their_order_and_none_are_none() -> None:
    embedder = BatchingEmbedder(HashEmbedder())
    texts = [f"emne {number}" for number in range(MAX_BATCH * 2 + 1)]
    np.testing.assert_array_equal(embedder.embed_queries(texts), HashEmbedder().embed_queries(texts))
    assert embedder.embed_queries([]).shape[0] == 0


def test_in_another_process_it_is_the_embedder_alone() -> None:
    there = pickle.loads(pickle.dumps(BatchingEmbedder(HashEmbedder("sendt"))))  # noqa: S301 - just made here
    assert isinstance(there, HashEmbedder)
    assert there.name == "sendt"
