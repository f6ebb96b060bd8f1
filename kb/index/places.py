"""Where the finished builds of an installation are kept: the one seam between the local index and a server's.

    place = place_of(settings)
    parts = place.open(place.current_id())

A :class:`Place` knows which builds there are and which is in use, puts a finished one in use, and opens its parts for
searching. Two keep builds: :class:`kb.index.local.LocalPlace`, everything in files of this machine, and
:class:`kb.index.milvus.place.MilvusPlace`, vectors and words on a Milvus server. With either a build has a folder with
its manifest and its passages (:mod:`kb.index.builds`); caches and the lock of indexing are in ``index_dir``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kb.core.settings import Settings
from kb.index.builds import Manifest
from kb.index.lexical import Entry
from kb.index.vectors import Tuning
from kb.language.analysis import Analyser, Question

Rows = NDArray[np.int64]
Vectors = NDArray[np.float32]


class VectorPart(Protocol):
    """One unit vector a row, searched by cosine; safe to use from several threads."""

    def __len__(self) -> int: ...

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        ...

    def search(self, query: Vectors, top: int, allowed: Rows | None = None) -> Sequence[tuple[int, float]]:
        """The ``top`` rows nearest one query vector, best first, among ``allowed`` if given."""
        ...

    def scores(self, query: Vectors, rows: Rows) -> NDArray[np.float32]:
        """The cosines of given rows with one query vector."""
        ...

    def vectors(self, rows: Rows) -> Vectors:
        """The vectors of given rows, shape ``(len(rows), dimension)``."""
        ...

    def sample(self, count: int) -> Vectors:
        """Vectors spread evenly over the rows: all of them, or ``count`` and fewer than twice as many."""
        ...

    def batches(self, size: int) -> Iterator[Vectors]:
        """All vectors in row order, ``size`` at a time."""
        ...

    def differences(self, manifest: Manifest) -> Iterator[str]:
        """What is otherwise than the manifest says, as Danish sentences."""
        ...


class WordPart(Protocol):
    """One passage a row, ranked by its terms; safe to use from several threads."""

    analyser: Analyser

    def __len__(self) -> int: ...

    def search(self, question: Question, top: int, allowed: Rows | None = None) -> Sequence[tuple[int, float]]:
        """The ``top`` best rows by the question's terms, best first, among ``allowed`` if given."""
        ...

    def scores(self, question: Question, rows: Rows) -> NDArray[np.float32]:
        """The scores of given rows; 0 where nothing matches."""
        ...

    def containing(self, phrases: Iterable[Sequence[str]]) -> Rows:
        """The rows that hold every one of the phrases, in ascending order."""
        ...


@dataclass(frozen=True, slots=True)
class IndexParts:
    """What of a build is searched: the vectors and the words of its passages, and the vectors of its sentences (none
    in a build made to measure retrieval alone).
    """

    passages: VectorPart
    words: WordPart
    sentences: VectorPart | None


@dataclass(frozen=True, slots=True)
class Content:
    """What the indexes of a build are made of, in row order.

    ``passages`` and ``sentences`` give the vectors in batches, from the beginning at each call; ``questions_of`` those
    of questions made of some passages, by which the search is tuned; ``entries`` are gone through more than once.
    """

    dimension: int
    passages: Callable[[], Iterable[Vectors]]
    sentences: Callable[[], Iterable[Vectors]] | None
    questions_of: Callable[[Rows], Vectors]
    entries: Iterable[Entry]


class Place(Protocol):
    """Keeps builds. What is written is written under the lock of indexing alone.

    Whatever asks a server raises :class:`kb.core.errors.IndexAwayError` where it does not answer.
    """

    @property
    def index_dir(self) -> Path:
        """The folder of the caches and the lock."""
        ...

    @property
    def builds_dir(self) -> Path:
        """The folder of the builds' folders, one a build, named by its id."""
        ...

    def current_id(self) -> str:
        """The id of the build in use; raises :class:`kb.core.errors.IndexMissingError` when there is none."""
        ...

    def build_ids(self) -> list[str]:
        """Finished builds, newest first."""
        ...

    def point_at(self, build_id: str) -> None:
        """Put a finished build in use, in one step; raises :class:`kb.core.errors.NotFoundError`."""
        ...

    def publish(self, staging: Path, build_id: str) -> Path:
        """Put a complete build among the finished ones and in use; returns its folder."""
        ...

    def remove_old(self, keep: int) -> list[str]:
        """Remove all but the newest ``keep`` builds and what may be in use; returns the removed ids."""
        ...

    def remove_leftovers(self) -> list[str]:
        """Remove builds that were never finished or half removed; returns their names."""
        ...

    def write(self, staging: Path, build_id: str, content: Content) -> Tuning:
        """Write the indexes of a new build; tells how its vectors are searched."""
        ...

    def discard(self, staging: Path, build_id: str) -> None:
        """Remove a build that was not finished."""
        ...

    def open(self, folder: Path, build_id: str) -> IndexParts:
        """The parts of a build, whose folder may still be the staging one.

        Raises :class:`kb.core.errors.IndexUnusableError`.
        """
        ...

    def looked_through(self, folder: Path, manifest: Manifest) -> list[str]:
        """What is seen to be wrong with a build's files before it is opened, as Danish sentences."""
        ...


def place_of(settings: Settings) -> Place:
    """Where the settings say that builds are kept.

    Raises :class:`kb.core.errors.ConfigurationError` where the server's settings or its client are missing.
    """
    if not settings.index_url:
        from kb.index.local import LocalPlace

        return LocalPlace(settings.index_dir)
    from kb.index.milvus.place import MilvusPlace

    return MilvusPlace.of(settings)
