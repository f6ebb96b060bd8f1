"""Questions that come at the same time are embedded together: one pass through the model for all who wait.

A question that finds nobody at work is embedded at once, alone. Those that come meanwhile gather, and when the work is
done one of their threads embeds them all; so the window in which questions gather is the work itself, and a lone
question waits for nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from kb.embedding.embedder import Embedder, Vectors
from kb.embedding.wrapping import WrappedEmbedder

# The largest batch: in a larger one the first question would wait for the last.
MAX_BATCH = 32


class _PendingQuestion:
    """A question that waits for its vector, or has it or an error."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.vector: Vectors | None = None
        self.error: Exception | None = None

    @property
    def is_done(self) -> bool:
        return self.vector is not None or self.error is not None


class BatchingEmbedder(WrappedEmbedder):
    """An embedder for several threads that embeds their questions together; otherwise the one it is given.

        embedder = BatchingEmbedder(load_embedder(settings))

    Questions that fail together are embedded one by one, so that each thread gets its own question's vector or error.
    """

    def __init__(self, inner: Embedder) -> None:
        super().__init__(inner)
        self._changed = threading.Condition()
        self._waiting: list[_PendingQuestion] = []
        self._busy = False

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a question, embedded together with those of other threads."""
        if not texts:
            return self._inner.embed_queries(texts)
        asked = [_PendingQuestion(text) for text in texts]
        with self._changed:
            self._waiting.extend(asked)
        while not all(one.is_done for one in asked):
            if batch := self._take(asked):
                self._embed_and_tell(batch, asked)
        for one in asked:
            if one.error is not None:
                raise one.error
        return np.stack([one.vector for one in asked if one.vector is not None])

    def _take(self, asked: Sequence[_PendingQuestion]) -> list[_PendingQuestion]:
        """Those who wait, when nobody is at work on others; nothing when ``asked`` has been embedded meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: not self._busy or all(one.is_done for one in asked))
            if all(one.is_done for one in asked):
                return []
            self._busy = True
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            return batch

    def _embed_and_tell(self, batch: list[_PendingQuestion], own: Sequence[_PendingQuestion]) -> None:
        try:
            self._embed(batch)
        finally:
            with self._changed:
                # Only an interrupt of this thread leaves any: others embed theirs, and nobody this thread's own.
                self._waiting[:0] = [one for one in batch if not one.is_done and one not in own]
                self._busy = False
                self._changed.notify_all()

    def _embed(self, batch: list[_PendingQuestion]) -> None:
        try:
            vectors = self._inner.embed_queries([one.text for one in batch])
        except Exception as error:
            if len(batch) == 1:
                batch[0].error = error
                return
            for one in batch:
                self._embed([one])
        else:
            for one, vector in zip(batch, vectors, strict=True):
                one.vector = vector
