"""LanceDB as its users use it, hybrid, embedding by its registry; see :mod:`benchmarks.peers.worker`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lancedb
import numpy as np
from lancedb.embeddings import EmbeddingFunctionConfig, register
from lancedb.embeddings.sentence_transformers import SentenceTransformerEmbeddings
from lancedb.index import FTS

from benchmarks.peers import worker

TABLE = "passages"


@register("sentence-transformers-prefixed")
class Prefixed(SentenceTransformerEmbeddings):  # type: ignore[misc]
    """The registry's own embedding, with the model's prefixes, for which it has no setting."""

    query_prefix: str = ""
    passage_prefix: str = ""

    def compute_query_embeddings(self, query: str, *_: Any, **__: Any) -> list[Any]:
        """The vector of a question, alone in a list."""
        return list(self.generate_embeddings([self.query_prefix + query]))

    def compute_source_embeddings(self, texts: Any, *_: Any, **__: Any) -> list[Any]:
        """The vectors of passages."""
        return list(self.generate_embeddings([self.passage_prefix + text for text in self.sanitize_input(texts)]))


class LanceDb:
    """A table made in a folder, and opened again."""

    def __init__(self, model: worker.Model) -> None:
        self._model = model

    def prepare(self, given: worker.Set, how: str) -> None:
        """The rows, with the vectors where they are given and else the model."""
        self._rows: list[dict[str, Any]] = [{"text": text} for text in given.passages]
        self._functions: list[EmbeddingFunctionConfig] = []
        if how == worker.GIVEN:
            vectors = np.load(given.folder / "vectors.npy").tolist()
            self._rows = [row | {"vector": vector} for row, vector in zip(self._rows, vectors, strict=True)]
            return
        self._function = Prefixed.create(
            name=self._model.folder,
            query_prefix=self._model.query_prefix,
            passage_prefix=self._model.passage_prefix,
        )
        self._function.compute_query_embeddings(given.question)
        self._functions = [
            EmbeddingFunctionConfig(vector_column="vector", source_column="text", function=self._function)
        ]

    def build(self, place: Path) -> None:
        """Write the table, and its words' index."""
        table = lancedb.connect(place).create_table(TABLE, self._rows, embedding_functions=self._functions or None)
        table.create_index("text", config=FTS())

    def embedded(self, passages: Sequence[str], question: str) -> worker.Rows:
        """The vectors as they are written and asked with."""
        found = self._function.compute_source_embeddings(list(passages))
        return [*found, *self._function.compute_query_embeddings(question)]

    def open(self, place: Path) -> worker.Search:
        """Open the table; the model is loaded by the first question."""
        table = lancedb.connect(place).open_table(TABLE)

        def search(question: str) -> list[str]:
            asked = table.search(question, query_type="hybrid").limit(worker.TOP)
            return [found["text"] for found in asked.to_list()]

        return search


if __name__ == "__main__":
    worker.run(LanceDb)
