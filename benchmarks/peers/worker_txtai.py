"""txtai as its users use it, hybrid and with the texts kept; see :mod:`benchmarks.peers.worker`.

Its model is loaded by its default way (transformers, pooled as the model's folder says).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from txtai import Embeddings

from benchmarks.peers import worker


class Txtai:
    """An index made, saved, and loaded again."""

    def __init__(self, model: worker.Model) -> None:
        self._settings: dict[str, Any] = {
            "path": model.folder,
            "instructions": {"query": model.query_prefix, "data": model.passage_prefix},
            "hybrid": True,
            "content": True,
        }

    def prepare(self, given: worker.Set, how: str) -> None:
        """The passages, and the model or the vectors in its stead."""
        self._passages = given.passages
        if how == worker.GIVEN:
            self._embeddings = _external(given)
            return
        self._embeddings = Embeddings(**self._settings)
        self._embeddings.transform(given.question, "query")

    def build(self, place: Path) -> None:
        """Index and save."""
        self._embeddings.index(list(enumerate(self._passages)))
        self._embeddings.save(str(place))

    def embedded(self, passages: Sequence[str], question: str) -> worker.Rows:
        """The vectors as they are indexed and asked with."""
        found: list[Sequence[float]] = list(self._embeddings.batchtransform(passages, "data"))
        return [*found, self._embeddings.transform(question, "query")]

    def open(self, place: Path) -> worker.Search:
        """Load the saved index; the model is loaded with it."""
        embeddings = Embeddings()
        embeddings.load(str(place))
        return lambda question: [found["text"] for found in embeddings.search(question, worker.TOP)]


def _external(given: worker.Set) -> Embeddings:
    """An index fed with vectors made elsewhere."""
    known = dict(zip(given.passages, np.load(given.folder / "vectors.npy"), strict=True))

    def transform(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([known[text] for text in texts])

    return Embeddings(method="external", transform=transform, hybrid=True, content=True)


if __name__ == "__main__":
    worker.run(Txtai)
