"""A worker: what runs on each machine of the cluster. It reads files in child processes under limits, and embeds.

The files it is sent lie in a folder of its own, for its user alone, while they are read; what a worker that was killed
left is removed by the next one on the machine. A task changes nothing else, so it can be done again by another worker.
"""

from __future__ import annotations

import os
import pickle
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kb.cluster.edition import Edition
from kb.cluster.messages import FileBytes, Over
from kb.core.errors import KbError
from kb.embedding.embedder import Embedder, Vectors
from kb.extract import ReadOptions, ReadOutcome, read_files
from kb.extract.corpus_files import sidecar_of

_PREFIX = "kb-read-"
_FOLDER = re.compile(rf"{_PREFIX}(\d+)-")


class Worker:
    """Reads and embeds by one set of options and one model; each task may come in a thread of its own."""

    def __init__(self, opening: bytes, options: ReadOptions) -> None:
        self._opening = opening
        self._options = options
        self._embedder: Embedder | None = None
        self._stopping = threading.Event()

    def check(self) -> Edition | Over:
        """Load the model; what this machine reads and embeds by, or why it cannot."""
        remove_leftovers(Path(tempfile.gettempdir()))
        try:
            # Only the run that started this worker can send it anything.
            self._embedder = pickle.loads(self._opening)()  # noqa: S301
            return Edition.here(self._options, self._embedder)
        except KbError as error:
            return Over(str(error), error.advice)

    def read(self, files: Sequence[FileBytes]) -> list[ReadOutcome]:
        """Read files and what is inside them; raises :class:`InstallationError` when the readers cannot be loaded."""
        with _folder() as root:
            return list(read_files(_write(files, root), root, self._options, stop=self._stopping.is_set))

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a text."""
        assert self._embedder is not None, "a worker is checked before it is given anything"
        return self._embedder.embed_passages(texts)

    def stop(self) -> None:
        """End the child processes; what is being read is not wanted any more."""
        self._stopping.set()


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-") as folder:
        yield Path(folder).resolve()


def _write(files: Sequence[FileBytes], root: Path) -> list[Path]:
    paths = []
    for file in files:
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
        if file.sidecar is not None:
            sidecar_of(path).write_bytes(file.sidecar)
        paths.append(path)
    return paths


def remove_leftovers(folder: Path) -> None:
    """Remove the folders of workers that are gone without having removed them."""
    for left in folder.glob(f"{_PREFIX}*"):
        owner = _FOLDER.match(left.name)
        if owner and not os.path.exists(f"/proc/{owner[1]}"):
            shutil.rmtree(left, ignore_errors=True)
