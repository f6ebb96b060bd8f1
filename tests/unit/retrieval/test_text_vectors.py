"""Vectors of texts are worked out once for a model, together, and given in the order asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kb.embedding.embedder import Embedder
from kb.retrieval.ports import Vectors
from kb.retrieval.text_vectors import TextVectors
from tests.support import HashEmbedder


def test_only_what_is_not_known_is_embedded_and_together() -> None:
    embedded: list[Sequence[str]] = []

    def embed(embedder: Embedder, texts: Sequence[str]) -> Vectors:
        embedded.append(texts)
        return embedder.embed_queries(texts)

    embedder, memory = HashEmbedder(), TextVectors(10, embed)
    memory.of(embedder, ["et", "to"])
    found = memory.of(embedder, ["tre", "to", "fire", "tre"])
    assert embedded == [["et", "to"], ["tre", "fire"]]
    np.testing.assert_array_equal(found, embedder.embed_queries(["tre", "to", "fire", "tre"]))


def test_of_no_texts_there_are_no_rows() -> None:
    embedder = HashEmbedder()
    memory = TextVectors(10, lambda one, texts: one.embed_queries(texts))
    assert memory.of(embedder, []).shape == (0, embedder.dimension)
