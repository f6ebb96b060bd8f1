"""Which files are documents, which are skipped and why, and when one of them has changed."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb.core.paths import holders

SIDECAR_SUFFIX = ".meta.yaml"
# What office programs leave beside an open document.
_LOCK_PREFIXES = ("~$", ".~lock.")
_NOT_DOCUMENTS = frozenset({"thumbs.db", "desktop.ini"})
_CHUNK = 1 << 20
# Codes of what is skipped.
UNOPENED, WRONG_NAME, LINK = "kan-ikke-åbnes", "ugyldigt-navn", "link-følges-ikke"
# Bytes that are not UTF-8, as Python keeps them in a path; and what breaks a line, a header or a file of XML.
_NOT_UTF8 = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Skipped:
    """What stands among the documents and is not read: a stable ``code`` and why, as a Danish sentence."""

    path: Path
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """The documents at and below some roots, sorted and without repetition, and what was skipped."""

    files: tuple[Path, ...]
    skipped: tuple[Skipped, ...]


def find_files(roots: Sequence[Path]) -> Found:
    """Look at and below the roots.

    Hidden files, metadata sidecars and lock files are left out without a word. A symbolic link is followed only when it
    leads to a file inside its own root: a link must not carry the rest of the disk into the index. It is skipped, and
    so is what has a name that cannot be shown, stored or sent; nothing here is raised for one odd name or link.
    """
    files: dict[Path, None] = {}
    skipped: dict[Path, Skipped] = {}
    for root in roots:
        for entry in [_by_name(root)] if os.path.isfile(root) else _below(root):
            if isinstance(entry, Skipped):
                skipped[entry.path] = entry
            elif entry is not None:
                files[entry] = None
    return Found(tuple(sorted(files)), tuple(sorted(skipped.values(), key=lambda one: one.path)))


def _below(root: Path) -> Iterator[Path | Skipped | None]:
    home = root.resolve()
    closed: list[Skipped] = []

    def tell(error: OSError) -> None:
        closed.append(Skipped(Path(error.filename), UNOPENED, f"Mappen kan ikke åbnes: {error.strerror}."))

    for folder, folders, names in os.walk(root, onerror=tell):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in (*links, *names):
            if is_document_name(name):
                yield _judged(Path(folder) / name, home)
    yield from closed


def _judged(path: Path, home: Path) -> Path | Skipped | None:
    """A file to read, or why it is skipped.

    None for a link to a folder of the same root, which is read where it is, and for a file that is gone meanwhile.
    """
    named = _by_name(path)
    if isinstance(named, Skipped):
        return named
    if path.is_symlink() and (wrong := _wrong_link(path, home)):
        return Skipped(path, LINK, wrong)
    if os.path.isfile(path):
        return path
    special = os.path.exists(path) and not path.is_dir()
    return Skipped(path, UNOPENED, "Det er ikke en almindelig fil.") if special else None


def _wrong_link(path: Path, home: Path) -> str:
    """Why a link is not followed; empty when it is."""
    try:
        inside = path.resolve(strict=True).is_relative_to(home)
    except FileNotFoundError:
        return "Linket fører ikke til noget."
    except (OSError, RuntimeError):  # Python before 3.13 raises the latter for a link in a circle
        return "Linket fører i ring eller kan ikke følges."
    return "" if inside else "Linket fører ud af mappen og følges ikke."


def _by_name(path: Path) -> Path | Skipped:
    wrong = wrong_name(path)
    return Skipped(path, WRONG_NAME, wrong) if wrong else path


def wrong_name(path: Path) -> str:
    """Why a path cannot be shown, stored or sent; empty when it can."""
    if _NOT_UTF8.search(str(path)):
        return "Navnet på filen eller dens mappe er ikke skrevet i UTF-8. Omdøb den."
    if _CONTROL.search(str(path)):
        return "Navnet på filen eller dens mappe har et linjeskift eller et andet styretegn. Omdøb den."
    return ""


def shown_path(path: str) -> str:
    """A path as it may be shown and stored, whatever its bytes: what is not UTF-8, and control characters, escaped."""
    return _CONTROL.sub(lambda match: repr(match[0])[1:-1], os.fsencode(path).decode("utf-8", "backslashreplace"))


def is_document_name(name: str) -> bool:
    """Whether a file of this name can be a document: not hidden, not a sidecar, not a lock file."""
    lowered = name.lower()
    return not (
        name.startswith((".", *_LOCK_PREFIXES)) or lowered.endswith(SIDECAR_SUFFIX) or lowered in _NOT_DOCUMENTS
    )


def sidecar_of(path: Path) -> Path:
    """Where the metadata of a file that cannot carry its own are written."""
    return path.with_name(path.name + SIDECAR_SUFFIX)


def existing_sidecar(path: Path) -> Path | None:
    """The metadata file beside a file, if there is one; a name may be too long to have any."""
    sidecar = sidecar_of(path)
    return sidecar if os.path.isfile(sidecar) else None


def on_disk(root: Path, path: str) -> Path:
    """The file that a document below ``root`` is, or is inside, by the document's path; it may be gone."""
    return next((file for one in (path, *holders(path)) if os.path.isfile(file := root / one)), root / path)


def content_key(path: Path) -> str:
    """A SHA-256 that changes when the file or its sidecar does; raises OSError when the file cannot be read."""
    digest = hashlib.sha256()
    _add_file(digest, path)
    if sidecar := existing_sidecar(path):
        digest.update(b"\0" + SIDECAR_SUFFIX.encode() + b"\0")
        _add_file(digest, sidecar)
    return digest.hexdigest()


def _add_file(digest: hashlib._Hash, path: Path) -> None:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)


def relative_name(path: Path, root: Path) -> str:
    """The file's path below the root with forward slashes; its bare name when it lies elsewhere.

    As it may be shown. A link goes by its own name, not by that of what it leads to.
    """
    try:
        return shown_path((path.parent.resolve() / path.name).relative_to(root.resolve()).as_posix())
    except ValueError:
        return shown_path(path.name)
