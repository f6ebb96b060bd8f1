"""Finished builds on disk: their layout, their manifest, and which one is in use.

Builds whose vectors and words are on a server have their other files below ``index/milvus/NAME`` in the same form
(:mod:`kb.index.places`).

    index/
      CURRENT                 the id of the build in use, replaced by one rename
      builds/<id>/            immutable once published
        manifest.json         what the build is made of, with size and sha256 of every other file
        kb.sqlite             documents, passages and facts
        vectors.faiss         one vector a passage
        vectors.lists         the same sorted into lists, where the base is too large to compare them all
        sentences.faiss       one vector a sentence that may answer; not in builds made to measure retrieval alone
        lexical/              the lexical index
      builds/.new-<id>/       the staging folder of a build; removed by the next run if it was never finished
      builds/.old-<id>/       a build being removed; likewise
      vectors.sqlite          the vector cache
      readings.sqlite         what reading each file gave
      cache/pages/            images of PDF pages, named by the file's sha256
      lock                    held by the run at work

A build's id sorts by time. A build counts as good when every file has the size and checksum its manifest names.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kb.core.digest import file_sha256
from kb.core.errors import IndexDamagedError, IndexMissingError, IndexVersionError, NotFoundError, StorageError
from kb.core.file_modes import give_mode_of
from kb.core.machine import busy, refused, unusable

CURRENT_FILE = "CURRENT"
BUILDS_FOLDER = "builds"
STAGING_PREFIX = ".new-"
REMOVED_PREFIX = ".old-"
MANIFEST_FILE = "manifest.json"
DATABASE_FILE = "kb.sqlite"
VECTORS_FILE = "vectors.faiss"
SENTENCES_FILE = "sentences.faiss"
LEXICAL_FOLDER = "lexical"
FORMAT = 6

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_UNWRITABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_SQLITE_UNWRITABLE = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM})
_SQLITE_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a build is. ``content`` is a digest of documents and passages: equal content, equal digest.

    ``chunk_key`` and ``read_key`` name the chunking and extraction rules, so that a change of either is noticed, and
    ``sources`` is a digest of the files it was made of, their places and content. ``files`` maps each file's path in
    the build to ``[size, sha256]``. ``tuning`` tells how vectors are searched and how much of what an exact scan finds
    that finds (:class:`kb.index.vectors.Tuning`).
    """

    id: str
    created: str
    model: str
    model_name: str
    dimension: int
    documents: int
    passages: int
    failures: int
    projects: int
    roots: tuple[str, ...]
    read_key: str
    chunk_key: str
    content: str
    version: str
    sources: str = ""
    tuning: Mapping[str, Any] = field(default_factory=dict)
    format: int = FORMAT
    files: Mapping[str, tuple[int, str]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self)


def builds_dir(index_dir: Path) -> Path:
    """The folder of the finished builds."""
    return index_dir / BUILDS_FOLDER


def new_id(now: datetime) -> str:
    """An id for a build begun at ``now``; ids sort by time."""
    return now.astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")


def current_id(index_dir: Path) -> str:
    """The id of the build in use; raises :class:`IndexMissingError` when there is none."""
    try:
        named = (index_dir / CURRENT_FILE).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise IndexMissingError("Der er ikke noget indeks endnu.") from None
    if not named:
        raise IndexDamagedError(f"Filen {CURRENT_FILE} er tom.", advice="Kør: kb rollback")
    return named


def build_ids(index_dir: Path) -> list[str]:
    """Finished builds, newest first."""
    folder = builds_dir(index_dir)
    if not folder.is_dir():
        return []
    names = [path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return sorted(names, reverse=True)


def read_manifest(folder: Path) -> Manifest:
    """A build's manifest; nothing else of a build is read before it.

    Raises :class:`IndexVersionError` for a build of an older or newer form, whose further keys may be any, and another
    :class:`IndexUnusableError` when the manifest is missing or damaged.
    """
    try:
        values = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        form = int(values["format"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise unusable(error, f"Indekset {folder.name} mangler et læseligt manifest.") from error
    if form != FORMAT:
        raise _of_another_form(folder.name, form)
    try:
        values["roots"] = tuple(values["roots"])
        values["files"] = {name: (int(size), str(digest)) for name, (size, digest) in values["files"].items()}
        return Manifest(**values)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise IndexDamagedError(f"Indekset {folder.name} har et manifest med forkert indhold.") from error


def _of_another_form(build_id: str, form: int) -> IndexVersionError:
    if form < FORMAT:
        return IndexVersionError(f"Indekset {build_id} er fra en ældre version af Erfaringsbasen.")
    return IndexVersionError(
        f"Indekset {build_id} er fra en nyere version af Erfaringsbasen.",
        advice="Opdatér Erfaringsbasen, eller lav et nyt indeks med denne version: kb index",
    )


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Write the manifest with size and checksum of every file in ``folder``; returns it so completed."""
    sizes_and_digests = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != MANIFEST_FILE:
            sizes_and_digests[path.relative_to(folder).as_posix()] = (path.stat().st_size, file_digest(path))
    complete = Manifest(**{**asdict(manifest), "files": sizes_and_digests, "roots": manifest.roots})
    text = json.dumps(complete.as_dict(), ensure_ascii=False, indent=2)
    (folder / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")
    return complete


def check_files(folder: Path, manifest: Manifest) -> list[str]:
    """What differs between a build's files and its manifest, as Danish sentences; empty when it is whole."""
    problems = []
    for name, (size, digest) in manifest.files.items():
        path = folder / name
        if not path.is_file():
            problems.append(_missing(name))
        elif path.stat().st_size != size:
            problems.append(_resized(name))
        elif file_digest(path) != digest:
            problems.append(f"Filen {name} har en anden kontrolsum end manifestet siger.")
    return problems


def check_sizes(folder: Path, manifest: Manifest) -> list[str]:
    """What :func:`check_files` sees without reading the files."""
    present = [(name, size, folder / name) for name, (size, _) in manifest.files.items()]
    missing = [_missing(name) for name, _, path in present if not path.is_file()]
    return missing + [_resized(name) for name, size, path in present if path.is_file() and path.stat().st_size != size]


def _missing(name: str) -> str:
    return f"Filen {name} mangler."


def _resized(name: str) -> str:
    return f"Filen {name} har en anden størrelse end manifestet siger."


def file_digest(path: Path) -> str:
    """A file's sha256; raises :class:`IndexBusyError` where the machine refuses to read it."""
    try:
        return file_sha256(path)
    except OSError as error:
        if refused(error):
            raise busy() from error
        raise


def publish(index_dir: Path, staging: Path, build_id: str) -> Path:
    """Put a finished build in its place and in use. Everything is on disk before it can be seen."""
    final = put_in_place(index_dir, staging, build_id)
    point_at(index_dir, build_id)
    return final


def put_in_place(index_dir: Path, staging: Path, build_id: str) -> Path:
    """Put a finished build among the others; returns its folder."""
    give_mode_of(staging / MANIFEST_FILE, staging)
    _sync_tree(staging)
    final = builds_dir(index_dir) / build_id
    staging.rename(final)
    _sync_folder(final.parent)
    return final


def point_at(index_dir: Path, build_id: str) -> None:
    """Make ``build_id`` the build in use, by one rename."""
    if build_id not in build_ids(index_dir):
        raise NotFoundError(f"Der er intet færdigt indeks med id {build_id}.", advice="Se dem med: kb builds")
    staged = index_dir / f"{CURRENT_FILE}.new"
    with staged.open("w", encoding="utf-8") as file:
        file.write(build_id + "\n")
        file.flush()
        os.fsync(file.fileno())
    staged.replace(index_dir / CURRENT_FILE)
    _sync_folder(index_dir)


def remove_leftovers(index_dir: Path) -> list[str]:
    """Remove builds that were never finished or half removed; the caller holds the lock. Returns their names."""
    folder = builds_dir(index_dir)
    leftovers = sorted(path for prefix in (STAGING_PREFIX, REMOVED_PREFIX) for path in folder.glob(f"{prefix}*"))
    for path in leftovers:
        shutil.rmtree(path, ignore_errors=True)
    (index_dir / f"{CURRENT_FILE}.new").unlink(missing_ok=True)
    return [path.name for path in leftovers]


def remove_old(index_dir: Path, keep: int) -> list[str]:
    """Remove all but the newest ``keep`` builds and the one in use; returns the removed ids."""
    in_use = current_id(index_dir)
    gone = [id_ for id_ in build_ids(index_dir)[keep:] if id_ != in_use]
    for id_ in gone:
        remove(index_dir, id_)
    return gone


def remove(index_dir: Path, build_id: str) -> None:
    """Remove a finished build's files."""
    # Out of sight by one rename: a kill while the files go must not leave what looks like a damaged build.
    condemned = builds_dir(index_dir) / f"{REMOVED_PREFIX}{build_id}"
    (builds_dir(index_dir) / build_id).rename(condemned)
    shutil.rmtree(condemned, ignore_errors=True)


@contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Turn a full disk, an unwritable folder or a damaged cache into an error that says so and what to do.

    SQLite has errors of its own for these, and FAISS and Tantivy pass on only the words of the operating system's.
    """
    try:
        yield
    except OSError as error:
        if explained := _storage_error(what, full=error.errno in _FULL, unwritable=error.errno in _UNWRITABLE):
            raise explained from error
        raise
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _SQLITE_DAMAGED:
            raise IndexDamagedError(
                f"Et af lagrene i {what} er beskadiget ({error}).", advice="Kør: kb index --full"
            ) from error
        full = code == sqlite3.SQLITE_FULL or error.sqlite_errorcode == sqlite3.SQLITE_IOERR_SHMSIZE
        if explained := _storage_error(what, full=full, unwritable=code in _SQLITE_UNWRITABLE):
            raise explained from error
        raise
    except (RuntimeError, ValueError) as error:
        if explained := _storage_error(what, full=any(os.strerror(number) in str(error) for number in _FULL)):
            raise explained from error
        raise


def _storage_error(what: str, *, full: bool = False, unwritable: bool = False) -> StorageError | None:
    if full:
        return StorageError(
            f"Disken er fuld: {what} kunne ikke skrives. Det nuværende indeks er uændret.",
            advice="Frigør plads, og kør kommandoen igen; det, der er nået, går ikke tabt.",
        )
    if unwritable:
        return StorageError(
            f"Der kan ikke skrives i {what}. Det nuværende indeks er uændret.",
            advice="Giv brugeren skriveadgang til mappen, eller vælg en anden med KB_INDEX_DIR og KB_STATE_DIR.",
        )
    return None


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
