"""Vectors in FAISS: build in batches, load memory-mapped, search exactly with an optional filter.

Vectors are kept as 16-bit floats and compared by inner product, which for unit vectors is the cosine. The scan is
exact: every allowed row is compared, so a filter that leaves three passages returns those three.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from kb.errors import IndexDamagedError

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]


def build(path: Path, batches: Iterable[Vectors], dimension: int) -> int:
    """Write an index of the batches' rows, in order, to ``path``; returns how many rows there are."""
    index = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    for batch in batches:
        index.add(np.ascontiguousarray(batch, dtype=np.float32))
    faiss.write_index(index, str(path))
    return int(index.ntotal)


class VectorIndex:
    """A finished index, read-only and safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        try:
            self._index: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise IndexDamagedError("Vektorindekset kan ikke læses.") from error

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self._index.d)

    def search(self, query: Vectors, top: int, allowed: Rows | None = None) -> list[tuple[int, float]]:
        """The ``top`` rows nearest one query vector with their cosines, best first, among ``allowed`` if given."""
        count = min(top, len(self) if allowed is None else len(allowed))
        if count <= 0:
            return []
        params = None
        if allowed is not None:
            params = faiss.SearchParameters()
            params.sel = faiss.IDSelectorBatch(np.ascontiguousarray(allowed, dtype=np.int64))
        scores, rows = self._index.search(np.ascontiguousarray(query.reshape(1, -1)), count, params=params)
        return [(int(row), float(score)) for row, score in zip(rows[0], scores[0], strict=True) if row >= 0]

    def scores(self, query: Vectors, rows: Rows) -> NDArray[np.float32]:
        """The cosines of given rows with one query vector."""
        if len(rows) == 0:
            return np.empty(0, dtype=np.float32)
        found: NDArray[np.float32] = self.vectors(rows) @ query.reshape(-1)
        return found

    def vectors(self, rows: Rows) -> Vectors:
        """The vectors of given rows, shape ``(len(rows), dimension)``."""
        found: Vectors = self._index.reconstruct_batch(np.ascontiguousarray(rows, dtype=np.int64))
        return found

    def batches(self, size: int = 4096) -> Iterator[Vectors]:
        """All vectors in row order, ``size`` at a time."""
        for start in range(0, len(self), size):
            yield self.vectors(np.arange(start, min(start + size, len(self)), dtype=np.int64))
