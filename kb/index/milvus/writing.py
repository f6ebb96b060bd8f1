"""Fills the collections of a new build on a Milvus server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.core.errors import IndexingError
from kb.index.milvus.connection import INDEXING, WRITING, Connection, library
from kb.index.milvus.dense import GRAPH_INDEX, METRIC, VECTOR, count_of
from kb.index.milvus.filters import ROW
from kb.index.milvus.words import COUNTS, MOST_BYTES, MOST_WORDS, TERMS, WORDS, WRITTEN, Columns
from kb.index.vectors import EXACT_ROWS, Tuning

# Rows that are sent at a time: some 5 MB.
BATCH = 1000
# The graph (HNSW): neighbours of a row, and how many are looked at when one is put in.
NEIGHBOURS, LOOKED_AT = 24, 200
EXACT, GRAPH = "exact", "graph"
# What is read by row and never searched need not be in the server's memory.
_ON_DISK = {"mmap.enabled": "true"}

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NewCollection:
    """A collection that is not there yet: its name, how long its vectors are and how many rows it will have."""

    milvus: Connection
    name: str
    dimension: int
    count: int

    def with_passages(self, vectors: Iterable[Vectors], columns: Iterable[Columns]) -> Tuning:
        """Make it of a build's passages; tells how its vectors are searched.

        Raises :class:`IndexingError` where the server has not got all of them.
        """
        rows = (
            {**one, VECTOR: vector}
            for one, vector in zip(chain.from_iterable(columns), chain.from_iterable(vectors), strict=True)
        )
        indexes = _indexes()
        indexes.add_index(TERMS, index_type="SPARSE_INVERTED_INDEX", metric_type=METRIC)
        tuning = Tuning(EXACT if self.count <= EXACT_ROWS else GRAPH)
        _index_vectors(indexes, tuning.kind)
        self._make(_word_fields, rows, indexes, {})
        return tuning

    def with_sentences(self, vectors: Iterable[Vectors]) -> None:
        """Make it of a build's sentences, which are read by row; raises as the other."""
        indexes = _indexes()
        _index_vectors(indexes, EXACT)
        rows = ({ROW: row, VECTOR: vector} for row, vector in enumerate(chain.from_iterable(vectors)))
        self._make(lambda _: None, rows, indexes, _ON_DISK)

    def _make(
        self,
        fields: Callable[[Any], None],
        rows: Iterator[dict[str, Any]],
        indexes: Any,
        properties: Mapping[str, str],
    ) -> None:
        types = library().DataType
        schema = library().MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field(ROW, types.INT64, is_primary=True)
        schema.add_field(VECTOR, types.FLOAT_VECTOR, dim=self.dimension)
        fields(schema)
        self.milvus.tell("create_collection", self.name, schema=schema, properties=dict(properties), patience=WRITING)
        while batch := list(islice(rows, BATCH)):
            self.milvus.tell("insert", self.name, batch, patience=WRITING)
        self.milvus.tell("flush", self.name, patience=INDEXING)
        self.milvus.tell("create_index", self.name, indexes, patience=INDEXING)
        self.milvus.tell("load_collection", self.name, patience=INDEXING)
        held = count_of(self.milvus, self.name)
        if held != self.count:
            raise IndexingError(f"Milvus har {held} af {self.count} rækker i {self.name}.", advice="Prøv igen.")


def _word_fields(schema: Any) -> None:
    types = library().DataType
    schema.add_field(TERMS, types.SPARSE_FLOAT_VECTOR)
    for field in (WORDS, COUNTS):
        schema.add_field(field, types.ARRAY, element_type=types.INT32, max_capacity=MOST_WORDS, mmap_enabled=True)
    schema.add_field(WRITTEN, types.VARCHAR, max_length=MOST_BYTES, mmap_enabled=True)


def _indexes() -> Any:
    return library().MilvusClient.prepare_index_params()


def _index_vectors(indexes: Any, kind: str) -> None:
    if kind == EXACT:
        indexes.add_index(VECTOR, index_name=VECTOR, index_type="FLAT", metric_type=METRIC)
        return
    params = {"M": NEIGHBOURS, "efConstruction": LOOKED_AT}
    indexes.add_index(VECTOR, index_name=VECTOR, index_type=GRAPH_INDEX, metric_type=METRIC, params=params)
