"""A part: a file inside another that is a document of its own, as an attachment or a file in an archive is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kb.core.paths import MARK, inside
from kb.extract.corpus_files import on_disk, relative_name


@dataclass(frozen=True, slots=True)
class Part:
    """A file inside a file: its name there, and what unpacks its bytes."""

    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document is: in a file, or inside one under these names, the outermost first."""

    file: Path
    inside: tuple[str, ...] = ()

    @classmethod
    def of(cls, root: Path, path: str) -> Place:
        """The place of a document below ``root``, by its path."""
        file = on_disk(root, path)
        below = path.removeprefix(file.relative_to(root).as_posix()).removeprefix(MARK)
        return cls(file, tuple(below.split(MARK)) if below else ())

    def path(self, root: Path) -> str:
        """The document's path below ``root``."""
        return inside(relative_name(self.file, root), *self.inside)
