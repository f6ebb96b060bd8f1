"""Vectors of texts that are compared again and again: remembered by model and text, whatever build is in use.

QUESTIONS = TextVectors(4096, lambda embedder, texts: embedder.embed_queries(texts))
QUESTIONS.of(embedder, ["Hvad kostede det?", "Hvad var prisen?"])     # shape (2, dimension), rows of length 1
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from kb.embedding.embedder import Embedder
from kb.retrieval.caches import Cache
from kb.retrieval.ports import Vectors


class TextVectors:
    """A bounded memory of vectors; the least recently used give way."""

    def __init__(self, most: int, embed: Callable[[Embedder, Sequence[str]], Vectors]) -> None:
        self._embed = embed
        self._known: Cache[tuple[str, str], Vectors] = Cache(most)

    def of(self, embedder: Embedder, texts: Sequence[str]) -> Vectors:
        """A row for each text; those not known are embedded together."""
        keys = [(embedder.fingerprint, text) for text in texts]
        found = self._known.get_all(keys, lambda missing: self._embed(embedder, [text for _, text in missing]))
        return np.stack(found) if found else np.zeros((0, embedder.dimension), np.float32)
