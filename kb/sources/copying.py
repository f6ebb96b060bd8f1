"""The folder below the corpus in which the copies of one source lie, and what is done to files there.

A copy is written under a hidden name and renamed when it is whole, so that an indexing run never sees half of one.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from kb.core.digest import file_sha256
from kb.core.errors import StorageError
from kb.extract.corpus_files import existing_sidecar
from kb.sources.folder import version_of
from kb.state.sources import KnownFile

# Where the folders of the sources lie below the corpus folder.
FOLDER = "kilder"
_ASIDE = ".{}.hentes"


class Copies:
    """The copies of one source, each by its place below ``root``."""

    def __init__(self, corpus: Path, source: str) -> None:
        self.prefix = f"{FOLDER}/{source}"
        self.root = corpus / FOLDER / source

    def prepare(self) -> None:
        """Make the folder, and remove what a killed sync left half written; raises :class:`StorageError`."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            for left in self.root.glob(_ASIDE.format("*")):
                left.unlink()
        except OSError as error:
            raise StorageError(f"Mappen {self.root} kan ikke skrives: {error.strerror}.") from error

    def aside(self) -> Path:
        """A hidden name to write a copy under."""
        return self.root / _ASIDE.format(uuid4().hex)

    def file(self, local: str) -> Path:
        """The file at a place."""
        return self.root / local

    def path(self, local: str) -> str:
        """A place's path below the corpus folder."""
        return f"{self.prefix}/{local}"

    def names(self) -> set[str]:
        """Every file in the folder, whoever put it there."""
        return {file.relative_to(self.root).as_posix() for file in self.root.rglob("*") if not file.is_dir()}

    def stamp(self, local: str) -> str:
        """Size and time of a copy; empty where there is none."""
        try:
            return version_of(self.file(local).lstat())
        except OSError:
            return ""

    def place(self, aside: Path, local: str) -> None:
        """Put a whole copy in its place."""
        target = self.file(local)
        target.parent.mkdir(parents=True, exist_ok=True)
        aside.replace(target)

    def remove(self, local: str) -> None:
        """Delete a copy with its metadata file, and the folders that are then empty."""
        file = self.file(local)
        file.unlink(missing_ok=True)
        if sidecar := existing_sidecar(file):
            sidecar.unlink()
        self.tidy(local)

    def tidy(self, local: str) -> None:
        """Remove the folders above a place that are empty."""
        for folder in self.file(local).parents:
            if folder == self.root:
                return
            with suppress(OSError):  # it holds something
                folder.rmdir()

    def missing(self, known: Iterable[KnownFile]) -> set[str]:
        """The paths of known files whose copy is gone, or was being put in place when a sync was killed."""
        return {one.path for one in known if one.local and not (one.digest and self.stamp(one.local))}

    def edited(self, known: Iterable[KnownFile]) -> set[str]:
        """The paths of known files whose copy someone has changed here."""
        return {one.path for one in known if one.local and one.digest and self._is_edited(one)}

    def _is_edited(self, one: KnownFile) -> bool:
        stamp = self.stamp(one.local)
        if not stamp or stamp == one.stamp:
            return False
        try:
            return file_sha256(self.file(one.local)) != one.digest
        except OSError:
            return True  # what cannot be read is not what a sync put there
