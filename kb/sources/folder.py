"""A folder of this machine as a source: a disk, or a network drive that is mounted.

It is walked each time, as a network drive does not tell what other machines write to it. Links are not followed. A
folder that cannot be opened is unseen: what lies in it is not taken to be gone. Of a file only size and time are looked
at; one that changes while it is copied is waited for.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from kb.core.errors import SourceError, SourceFileError
from kb.extract.corpus_files import shown_path, wrong_name
from kb.sources.configuration import FolderSource
from kb.sources.listing import Listing, RemoteFile


class FolderConnector:
    """Looks through a folder and copies from it."""

    def __init__(self, source: FolderSource) -> None:
        self._source = source
        self._root = source.path

    def listing(self, cursor: str) -> Listing:
        """Every ordinary file below the folder."""
        del cursor  # a folder has nothing to remember
        if not self._root.is_dir():
            raise SourceError(f"Mappen {self._root} findes ikke, eller drevet er ikke tilsluttet.")
        found: list[RemoteFile] = []
        failures: dict[str, str] = {}
        unseen: list[str] = []
        for path in self._below(unseen, failures):
            if wrong := wrong_name(Path(path)):
                failures[shown_path(path)] = wrong
                continue
            try:
                found += self._looked_at(path)
            except OSError as error:
                failures[path] = f"Filen kan ikke åbnes: {error.strerror}."
                unseen.append(path)
            if len(found) > self._source.max_files:
                raise SourceError(f"Mappen rummer flere end {self._source.max_files} filer (max_files).")
        return Listing(tuple(found), failures, tuple(unseen))

    def _below(self, unseen: list[str], failures: dict[str, str]) -> Iterator[str]:
        """The path of every file, below the folder."""

        def tell(error: OSError) -> None:
            folder = Path(error.filename).relative_to(self._root).as_posix()
            if folder == ".":
                raise SourceError(f"Mappen {self._root} kan ikke åbnes: {error.strerror}.")
            unseen.append(folder)
            failures[shown_path(folder)] = f"Mappen kan ikke åbnes: {error.strerror}."

        for folder, folders, names in os.walk(self._root, onerror=tell):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                yield (Path(folder) / name).relative_to(self._root).as_posix()

    def _looked_at(self, path: str) -> list[RemoteFile]:
        """The file at a path; none where it is gone, or is a link, a pipe or the like."""
        try:
            status = os.lstat(self._root / path)
        except FileNotFoundError:
            return []
        if not stat.S_ISREG(status.st_mode):
            return []
        version = version_of(status)
        return [RemoteFile(path, version, status.st_size, identity=version, modified=status.st_mtime)]

    def fetch(self, file: RemoteFile, target: Path) -> None:
        """Copy a file, which must be the same before and after."""
        source = self._root / file.path
        if file.size > self._source.max_bytes:
            raise SourceFileError(f"Filen er større end {self._source.max_file_mb} MiB og hentes ikke.")
        try:
            # Not through a link that has come in its place meanwhile.
            with os.fdopen(os.open(source, os.O_RDONLY | os.O_NOFOLLOW), "rb") as read, target.open("wb") as written:
                shutil.copyfileobj(read, written)
                after = os.fstat(read.fileno())
        except OSError as error:
            raise SourceFileError(f"Filen kan ikke læses: {error.strerror}.") from error
        if version_of(after) != file.version:
            raise SourceFileError("Filen ændrede sig, mens den blev hentet. Den hentes næste gang.")


def version_of(status: os.stat_result) -> str:
    """Size and time of a file, as one text."""
    return f"{status.st_size}-{status.st_mtime_ns}"
