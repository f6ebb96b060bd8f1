"""Which files are documents, and when one of them has changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

SIDECAR_SUFFIX = ".meta.yaml"
# What office programs leave beside an open document.
_LOCK_PREFIXES = ("~$", ".~lock.")
_NOT_DOCUMENTS = frozenset({"thumbs.db", "desktop.ini"})
_CHUNK = 1 << 20


def find_files(roots: Sequence[Path]) -> list[Path]:
    """The documents at and below the roots, sorted and without repetition.

    Hidden files, metadata sidecars and lock files are left out. A symbolic link is followed only when it leads to a
    file inside its own root: a link must not carry the rest of the disk into the index.
    """
    found: dict[Path, None] = {}
    for root in roots:
        if root.is_file():
            found[root] = None
        else:
            found.update(dict.fromkeys(_below(root)))
    return sorted(found)


def _below(root: Path) -> Iterator[Path]:
    home = root.resolve()
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(folder) / name
            if is_document_name(name) and _is_inside(path, home):
                yield path


def is_document_name(name: str) -> bool:
    """Whether a file of this name can be a document: not hidden, not a sidecar, not a lock file."""
    lowered = name.lower()
    return not (
        name.startswith((".", *_LOCK_PREFIXES)) or lowered.endswith(SIDECAR_SUFFIX) or lowered in _NOT_DOCUMENTS
    )


def _is_inside(path: Path, home: Path) -> bool:
    try:
        resolved = path.resolve(strict=True)
    except OSError:
        return False  # a link to nothing, or in a circle
    return resolved.is_file() and (not path.is_symlink() or resolved.is_relative_to(home))


def sidecar_of(path: Path) -> Path:
    """Where the metadata of a file that cannot carry its own are written."""
    return path.with_name(path.name + SIDECAR_SUFFIX)


def content_key(path: Path) -> str:
    """A SHA-256 that changes when the file or its sidecar does; raises OSError when the file cannot be read."""
    digest = hashlib.sha256()
    _add_file(digest, path)
    sidecar = sidecar_of(path)
    if sidecar.is_file():
        digest.update(b"\0" + SIDECAR_SUFFIX.encode() + b"\0")
        _add_file(digest, sidecar)
    return digest.hexdigest()


def _add_file(digest: hashlib._Hash, path: Path) -> None:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)


def relative_name(path: Path, root: Path) -> str:
    """The file's path below the root with forward slashes; its bare name when it lies elsewhere."""
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return path.name
