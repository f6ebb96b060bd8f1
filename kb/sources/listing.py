"""What a source holds right now, and the port that every kind of source is reached by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file in a source, by its path there with forward slashes.

    ``version`` changes with the content. ``identity`` is what the file keeps when it is renamed (empty: nothing known),
    and is ``certain`` where the source gives every file a number of its own. ``modified`` is seconds since the epoch,
    0 where it is not known; ``address`` is what it is fetched by.
    """

    path: str
    version: str
    size: int = 0
    identity: str = ""
    certain: bool = False
    modified: float = 0.0
    address: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """Everything in a source.

    ``failures`` says by path what could not be looked at and why; ``unseen`` are the paths of which, and of whatever
    lies below, nothing is known this time, so that nothing there is taken to be gone. ``cursor`` is what the source
    wants to be told the next time.
    """

    files: tuple[RemoteFile, ...]
    failures: Mapping[str, str] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    cursor: str = ""


class Connector(Protocol):
    """A source as it is reached."""

    def listing(self, cursor: str) -> Listing:
        """Everything there is, told what it gave as ``cursor`` before; raises :class:`kb.core.errors.SourceError`."""
        ...

    def fetch(self, file: RemoteFile, target: Path) -> None:
        """Write a file's content to ``target``.

        Raises :class:`kb.core.errors.SourceFileError` where this one cannot be had, its parent where nothing can.
        """
        ...
