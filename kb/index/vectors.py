"""Vectors in FAISS: written in batches, read memory-mapped, searched exactly or, in a large base, by inverted lists.

*The rows.* Every vector lies in row order as 16-bit floats in a FAISS file that is filled batch by batch and never held
in memory. Comparison is by inner product, which for unit vectors is the cosine. Up to :data:`EXACT_ROWS` rows a search
compares all of them.

*The inverted lists (IVF).* In a larger base the vectors are also sorted into lists by the nearest of many centroids, as
two bits a number (RaBitQ, some 135 bytes a vector). A search probes the lists nearest the question, takes twice as many
rows as it was asked for, and ranks them by the vectors themselves. How many lists it must probe is found at build time:
passages that the centroids were not fitted to, and questions made of them, are searched for, and more and more lists
are probed until :data:`RECALL` of the ten nearest of both are found. Questions lie further from all passages than
passages from one another, and so are the harder half. Where it takes more than :data:`MOST_LISTS` of the lists there
are none, and the scan stays exact.

*Filters.* A filter that leaves no more than half of the rows is answered by scanning exactly those. What leaves more
(second versions of reports are always left out) is looked up in the lists, where nearly all that is found is allowed.

Rows are read by position, not through the mapping: single rows all over a large file would make the whole of it
resident.
"""

from __future__ import annotations

import os
import struct
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from kb.core.errors import IndexVersionError
from kb.core.machine import unusable
from kb.index.builds import Manifest

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]

# Up to this many rows all are compared; docs/decisions/vector-search.md has the measurements.
EXACT_ROWS = 100_000
LISTS_SUFFIX = ".lists"
RECALL = 0.98
NEAREST = 10
# Beyond this share of the lists an exact scan is hardly slower and finds all.
MOST_LISTS = 1 / 2
FIRST_PROBES = 8
MORE_PROBES = 2**0.5
HELD_OUT = 300
# Bits a number of a row in the lists; one bit confuses so many rows that five times as many must be ranked exactly.
BITS = 2
# Rows that are ranked exactly for each one asked for, and at least: what two bits a number confuse.
CANDIDATES_EACH = 2
FEWEST_CANDIDATES = 200
# Bits a number of the question; fewer are hardly quicker.
QUESTION_BITS = 8
# Vectors that each centroid is fitted to, and passes over them; more did not raise the recall.
SAMPLE_A_LIST = 20
FITTING_PASSES = 5
SEED = 10
BATCH = 4096


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a base is searched: ``kind`` is "exact" or "lists", ``lists`` how many there are and ``probes`` how many of
    them a search looks through. ``recall`` is the share of the ten nearest passages of ``held_out`` passages that this
    finds, ``recall_of_questions`` that of as many questions made of them.
    """

    kind: str
    lists: int = 0
    probes: int = 0
    recall: float = 1.0
    recall_of_questions: float = 1.0
    held_out: int = 0

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self)


def build(path: Path, batches: Iterable[Vectors], dimension: int) -> int:
    """Write the batches' rows, in order, to ``path``; returns how many rows there are."""
    count = 0
    with path.open("wb") as file:
        file.write(_header(0, dimension))
        for batch in batches:
            file.write(np.ascontiguousarray(batch, dtype="<f2").tobytes())
            count += len(batch)
        file.seek(0)
        file.write(_header(count, dimension))
    return count


def _header(count: int, dimension: int) -> bytes:
    """What FAISS writes in front of the rows: that of an empty index, with the number of rows filled in.

    So the rows need not be in memory together, as they must for FAISS to write them.
    """
    empty: bytes = faiss.serialize_index(_flat(dimension)).tobytes()
    # Four letters and the dimension, then the number of rows; at the end the number of bytes that follow.
    return empty[:8] + struct.pack("<q", count) + empty[16:-8] + struct.pack("<Q", count * dimension * 2)


def _flat(dimension: int) -> Any:
    return faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)


def add_lists(path: Path, questions_of: Callable[[Rows], Vectors], exact_rows: int = EXACT_ROWS) -> Tuning:
    """Sort the rows of a file from :func:`build` into lists beside it, if there are many; tells how it is searched.

    ``questions_of`` gives, for some rows, the vectors of questions made of those passages.
    """
    rows = VectorIndex(path)
    if len(rows) <= exact_rows:
        return Tuning("exact")
    faiss.omp_set_num_threads(len(os.sched_getaffinity(0)))
    chance = np.random.default_rng(SEED)
    count = 1 << round(np.log2(4 * len(rows) ** 0.5))
    drawn = chance.choice(len(rows), min(len(rows), SAMPLE_A_LIST * count + HELD_OUT), replace=False)
    held_out, sample = np.sort(drawn[:HELD_OUT]), np.sort(drawn[HELD_OUT:])
    lists = _fitted(rows.vectors(sample), count)
    for batch in rows.batches(BATCH):
        lists.add(batch)
    faiss.write_index(lists, str(lists_file(path)))
    tuning = _tuned(VectorIndex(path), rows.vectors(held_out), questions_of(held_out))
    if tuning.kind == "exact":
        lists_file(path).unlink()
        return tuning
    lists.nprobe = tuning.probes
    faiss.write_index(lists, str(lists_file(path)))
    return tuning


def lists_file(path: Path) -> Path:
    """Where the lists of a file of rows are, if it has any."""
    return path.with_suffix(LISTS_SUFFIX)


def _fitted(sample: Vectors, count: int) -> Any:
    """Empty lists whose centroids fit a sample."""
    dimension = sample.shape[1]
    centroids = faiss.IndexFlatIP(dimension)
    lists = faiss.IndexIVFRaBitQ(centroids, dimension, count, faiss.METRIC_INNER_PRODUCT, True, BITS)
    lists.qb = QUESTION_BITS
    lists.cp.niter = FITTING_PASSES
    lists.cp.seed = SEED
    lists.cp.min_points_per_centroid = 1
    lists.train(sample)
    return lists


def _tuned(index: VectorIndex, passages: Vectors, questions: Vectors) -> Tuning:
    """The fewest lists, in steps of :data:`MORE_PROBES`, that find enough of what a scan of all rows finds."""
    wanted = [index.nearest(vectors, NEAREST) for vectors in (passages, questions)]
    probes = FIRST_PROBES
    while probes <= MOST_LISTS * index.lists:
        recalls = [
            _recall(index, vectors, nearest, probes)
            for vectors, nearest in zip((passages, questions), wanted, strict=True)
        ]
        if min(recalls) >= RECALL:
            return Tuning("lists", index.lists, probes, round(recalls[0], 4), round(recalls[1], 4), len(passages))
        probes = ceil(probes * MORE_PROBES)
    return Tuning("exact")


def _recall(index: VectorIndex, queries: Vectors, wanted: Rows, probes: int) -> float:
    """The share of the wanted rows that so many lists bring."""
    rankings = (index.search_lists(query.reshape(1, -1), NEAREST, probes) for query in queries)
    shares = [
        len({row for row, _ in ranking}.intersection(nearest)) / len(nearest)
        for ranking, nearest in zip(rankings, wanted.tolist(), strict=True)
    ]
    return float(np.mean(shares)) if shares else 1.0


def check_rows(rows: Rows, count: int) -> None:
    """Raise IndexError for a row that an index of ``count`` rows has not."""
    if len(rows) and not 0 <= rows.min() <= rows.max() < count:
        raise IndexError(f"rows 0 to {count - 1}, asked for {rows.min()} to {rows.max()}")


def cosines(vectors: Vectors, query: Vectors) -> NDArray[np.float32]:
    """The cosines of unit vectors with one query vector."""
    # Row by row: a product of the whole would be shared among threads that have to be waited for.
    found: NDArray[np.float32] = np.vecdot(vectors, query.reshape(-1))
    return found


class VectorIndex:
    """A finished index, read-only and safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._flat: Any = _read(path)
        lists = lists_file(path)
        self._lists: Any = _read_lists(lists) if lists.is_file() else None
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        self._width = 2 * self.dimension
        self._start = os.fstat(self._file).st_size - len(self) * self._width

    def __len__(self) -> int:
        return int(self._flat.ntotal)

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self._flat.d)

    @property
    def lists(self) -> int:
        """How many lists there are; 0 where a search compares all rows."""
        return int(self._lists.nlist) if self._lists is not None else 0

    @property
    def probes(self) -> int:
        """How many lists a search looks through; 0 where it compares all rows."""
        return int(self._lists.nprobe) if self._lists is not None else 0

    @property
    def listed(self) -> int:
        """How many rows are in the lists."""
        return int(self._lists.ntotal) if self._lists is not None else 0

    def search(self, query: Vectors, top: int, allowed: Rows | None = None) -> list[tuple[int, float]]:
        """The ``top`` rows nearest one query vector with their cosines, best first, among ``allowed`` if given."""
        left = len(self) if allowed is None else len(allowed)
        count = min(top, left)
        if count <= 0:
            return []
        # One thread a question: a second one has to be waited for, and others may be asking.
        faiss.omp_set_num_threads(1)
        question = np.ascontiguousarray(query.reshape(1, -1))
        selector = None if allowed is None else self._selector(allowed)
        if self._lists is not None and left > len(self) // 2:
            ranking = self.search_lists(question, count, self.probes, selector)
            if len(ranking) == count:
                return ranking
        params = faiss.SearchParameters()
        params.sel = selector
        scores, rows = self._flat.search(question, count, params=params)
        return [(row, score) for row, score in zip(rows[0].tolist(), scores[0].tolist(), strict=True) if row >= 0]

    def nearest(self, queries: Vectors, top: int) -> Rows:
        """The rows nearest each query vector by comparison with all of them, shape ``(len(queries), top)``."""
        faiss.omp_set_num_threads(len(os.sched_getaffinity(0)))
        rows: Rows = self._flat.search(np.ascontiguousarray(queries), min(top, len(self)))[1]
        return rows

    def scores(self, query: Vectors, rows: Rows) -> NDArray[np.float32]:
        """The cosines of given rows with one query vector."""
        return cosines(self.vectors(rows), query) if len(rows) else np.empty(0, dtype=np.float32)

    def vectors(self, rows: Rows) -> Vectors:
        """The vectors of given rows, shape ``(len(rows), dimension)``; raises IndexError for a row there is not."""
        check_rows(rows, len(self))
        return self._as_vectors(b"".join([self._bytes(row, 1) for row in rows.tolist()]))

    def sample(self, count: int) -> Vectors:
        """Vectors spread evenly over the rows: all of them, or ``count`` and fewer than twice as many."""
        step = max(1, len(self) // count)
        return self.vectors(np.arange(0, len(self), step, dtype=np.int64))

    def differences(self, manifest: Manifest) -> Iterator[str]:
        """What is otherwise than a build's manifest says, as Danish sentences."""
        wanted = manifest.tuning.get("probes", 0)
        if self.probes != wanted:
            yield f"Vektorerne søges i {self.probes} lister, men manifestet siger {wanted}."
        if self.listed not in (0, len(self)):
            yield f"Der er {self.listed} vektorer i listerne, men {len(self)} i alt."

    def batches(self, size: int = BATCH) -> Iterator[Vectors]:
        """All vectors in row order, ``size`` at a time."""
        for start in range(0, len(self), size):
            yield self._as_vectors(self._bytes(start, min(size, len(self) - start)))

    def _bytes(self, first: int, count: int) -> bytes:
        return os.pread(self._file, count * self._width, self._start + first * self._width)

    def _as_vectors(self, data: bytes) -> Vectors:
        return np.frombuffer(data, dtype="<f2").reshape(-1, self.dimension).astype(np.float32)

    def search_lists(self, question: Vectors, count: int, probes: int, selector: Any = None) -> list[tuple[int, float]]:
        """The best rows of the lists nearest a question, shape ``(1, dimension)``, with their cosines, best first.

        Fewer than ``count`` where these lists hold no more.
        """
        params = faiss.IVFRaBitQSearchParameters()
        params.sel, params.nprobe, params.qb = selector, probes, QUESTION_BITS
        candidates = min(max(CANDIDATES_EACH * count, FEWEST_CANDIDATES), len(self))
        rows = self._lists.search(question, candidates, params=params)[1][0]
        rows = rows[rows >= 0]
        scores = self.scores(question, rows)
        order = np.lexsort((rows, -scores))[:count]
        return list(zip(rows[order].tolist(), scores[order].tolist(), strict=True))

    def _selector(self, allowed: Rows) -> Any:
        mask = np.zeros(len(self), dtype=np.bool_)
        mask[allowed] = True
        selector: Any = faiss.IDSelectorBitmap  # its stub does not know of the form that takes an array
        return selector(np.packbits(mask, bitorder="little"))


def _read(path: Path) -> Any:
    try:
        return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        raise unusable(error, "Vektorindekset kan ikke læses.") from error


def _read_lists(path: Path) -> Any:
    """Lists; those of another form are refused: they need other numbers of candidates to find as much."""
    lists = _read(path)
    # The stub of what encodes the rows does not know of the number of bits.
    encoder: Any = getattr(lists, "rabitq", None)
    if encoder is None or encoder.nb_bits != BITS:
        raise IndexVersionError(
            "Vektorindeksets lister er fra en anden version af Erfaringsbasen.", advice="Kør: kb index --full"
        )
    return lists
