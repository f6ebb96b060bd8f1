"""Vectors on a Milvus server, by row: searched by cosine, and read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from kb.core.errors import IndexDamagedError
from kb.index.builds import Manifest
from kb.index.milvus import filters
from kb.index.milvus.connection import Connection
from kb.index.milvus.filters import ROW, Ranking
from kb.index.vectors import check_rows, cosines

VECTOR = "vector"
METRIC = "IP"  # of unit vectors the cosine
GRAPH_INDEX = "HNSW"
# Rows that are read at a time: some 2 MB.
READ_ROWS = 1000
# Vectors that are remembered: some 6 MB.
ROWS_REMEMBERED = 4096
# What a search of the graph looks at, at least and for each row that is asked for (Milvus's ef).
FEWEST_LOOKED_AT = 200
LOOKED_AT_EACH = 2

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]


class MilvusVectors:
    """The vectors of one collection, read-only and safe to use from several threads."""

    def __init__(self, milvus: Connection, collection: str, consistency: str) -> None:
        self._milvus = milvus
        self._collection = collection
        self._consistency = consistency
        self.dimension = _dimension(milvus, collection)
        self._count = count_of(milvus, collection)
        self._graph = milvus.ask("describe_index", collection, VECTOR)["index_type"] == GRAPH_INDEX
        self._none = np.empty((0, self.dimension), dtype=np.float32)
        # A question's candidates are scored by their vectors, and the best of them compared with one another.
        self._known: LRUCache[int, Vectors] = LRUCache(ROWS_REMEMBERED)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._count

    def search(self, query: Vectors, top: int, allowed: Rows | None = None) -> Ranking:
        """The ``top`` rows nearest one query vector with their cosines, best first, among ``allowed`` if given."""
        question = query.reshape(-1).astype(np.float32)

        def run(expression: str, limit: int) -> Ranking:
            params = {"ef": max(FEWEST_LOOKED_AT, LOOKED_AT_EACH * limit)} if self._graph else {}
            return hits(
                self._milvus, self._collection, question, VECTOR, expression, limit, self._consistency, **params
            )

        return filters.best(run, top, allowed, len(self), all_found=False)

    def scores(self, query: Vectors, rows: Rows) -> NDArray[np.float32]:
        """The cosines of given rows with one query vector."""
        # The same product over the same numbers as the local index, and so the same ranking.
        return cosines(self.vectors(rows), query) if len(rows) else np.empty(0, dtype=np.float32)

    def vectors(self, rows: Rows) -> Vectors:
        """The vectors of given rows, shape ``(len(rows), dimension)``; raises IndexError for a row there is not."""
        check_rows(rows, len(self))
        with self._lock:
            known = {row: self._known[row] for row in rows.tolist() if row in self._known}
        missing = np.array([row for row in rows.tolist() if row not in known], dtype=np.int64)
        if len(missing):
            found = read(self._milvus, self._collection, missing, [VECTOR], self._consistency)
            known |= {row: np.array(one[VECTOR], dtype=np.float32) for row, one in found.items()}
            with self._lock:
                self._known.update(known)
        return np.stack([known[row] for row in rows.tolist()]) if len(rows) else self._none

    def sample(self, count: int) -> Vectors:
        """Vectors spread evenly over the rows: all of them, or ``count`` and fewer than twice as many."""
        step = max(1, len(self) // count)
        return self.vectors(np.arange(0, len(self), step, dtype=np.int64))

    def batches(self, size: int = READ_ROWS) -> Iterator[Vectors]:
        """All vectors in row order, ``size`` at a time."""
        for start in range(0, len(self), size):
            yield self.vectors(np.arange(start, min(start + size, len(self)), dtype=np.int64))

    def differences(self, manifest: Manifest) -> Iterator[str]:
        """None: how the server searches is the server's."""
        yield from ()


def _dimension(milvus: Connection, collection: str) -> int:
    fields = milvus.ask("describe_collection", collection)["fields"]
    return next(int(field["params"]["dim"]) for field in fields if field["name"] == VECTOR)


def count_of(milvus: Connection, collection: str) -> int:
    """How many rows a collection has."""
    (counted,) = milvus.ask("query", collection, filter="", output_fields=["count(*)"], consistency_level="Strong")
    return int(counted["count(*)"])


def hits(
    milvus: Connection, collection: str, query: Any, field: str, expression: str, limit: int, consistency: str,
    **params: object,
) -> Ranking:  # fmt: skip
    """The rows of a collection that answer one query by a field, with their scores."""
    (found,) = milvus.ask(
        "search",
        collection,
        data=[query],
        anns_field=field,
        filter=expression,
        limit=limit,
        output_fields=[ROW],
        search_params={"metric_type": METRIC, "params": params},
        consistency_level=consistency,
    )
    return [(int(hit[ROW]), float(hit["distance"])) for hit in found]


def read(
    milvus: Connection, collection: str, rows: Rows, fields: list[str], consistency: str, also: str = ""
) -> dict[int, Any]:
    """Fields of some rows by row, of those that ``also`` allows; raises :class:`IndexDamagedError` where one is
    missing that it does not rule out.
    """
    found: dict[int, Any] = {}
    wanted = np.unique(rows)
    for start in range(0, len(wanted), READ_ROWS):
        part = wanted[start : start + READ_ROWS]
        spans = filters.ranges(part)
        which = filters.within(spans) if len(spans) == 1 else next(filters.listed(part))
        expression = f"({which}) and {also}" if also else which
        answer = milvus.ask(
            "query", collection, filter=expression, output_fields=[ROW, *fields], limit=len(part),
            consistency_level=consistency,
        )  # fmt: skip
        found |= {int(one[ROW]): one for one in answer}
    if not also and len(found) != len(wanted):
        raise IndexDamagedError(f"Milvus har {len(found)} af {len(wanted)} rækker i {collection}.")
    return found
