"""Backup and restore: corpus, state and, if wanted, the index in one compressed archive.

    backup(settings, Path("erfaringsbasen.tar.gz"))
    restore(settings, Path("erfaringsbasen.tar.gz"))

The first member of the archive, ``backup.json``, lists every other with its size and sha256. Databases are copied by
SQLite's backup API, so that a copy taken beside a running server is consistent; the index's lock is held meanwhile, so
that no run changes the index. A state in PostgreSQL is written as the file that a folder would have, as it is at one
moment, so that an archive restores into either. Of the index, the build in use and the caches are included, so that the
first run after a restore reads and embeds only what is new. The embedding model is not: the packaged one is prepared
again by a command, and others are configured again.

A restore unpacks and verifies the archive beside the target folders, and puts the parts in place by renames when all of
it is complete. What is not in the archive (other builds, models) is left unchanged.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from kb.core.errors import IndexMissingError, IndexUnusableError, InputError
from kb.core.settings import Settings
from kb.core.state_place import StateUrl
from kb.core.version import VERSION
from kb.index import builds
from kb.index.places import Place, place_of
from kb.index.store import check_database
from kb.index.verification import READINGS_CACHE, VECTORS_CACHE
from kb.indexing import LOCK_FILE, lock
from kb.operations.jobs import QUEUE_LOCK
from kb.state.exchange import read_file, write_file
from kb.state.postgresql_repository import PostgresqlRepository
from kb.state.sqlite_repository import SqliteRepository

CONTENTS = "backup.json"
FORM = 1
CORPUS, STATE, INDEX = "corpus", "state", "index"
PARTS = (CORPUS, STATE, INDEX)
_NOT_COPIED = ("-wal", "-shm", "-journal")
_LOCKS = frozenset({LOCK_FILE, QUEUE_LOCK})
_SQLITE_MAGIC = b"SQLite format 3\x00"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What an archive holds. ``outside`` are folders of the index in use that lie outside the corpus, not included."""

    file: str
    created: str
    build_id: str
    files: int
    bytes: int
    outside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was restored. ``build_id`` is empty where the archive has no index; ``reindex`` says that ``kb index``
    must be run: there is no index, the corpus has another path, or the index is of another version."""

    file: str
    created: str
    build_id: str
    files: int
    reindex: bool


def backup(settings: Settings, target: Path, *, with_index: bool = True) -> BackupReport:
    """Write an archive to ``target``, which must not exist.

    Raises :class:`InputError`, :class:`kb.core.errors.LockedError`, :class:`kb.core.errors.StorageError`.
    """
    try:
        if target.exists():
            raise InputError(f"Filen {target} findes allerede.", advice="Angiv et andet navn, eller flyt den gamle.")
        if not target.absolute().parent.is_dir():
            raise InputError(f"Mappen {target.parent} findes ikke.", advice="Angiv en mappe, der findes.")
    except PermissionError as error:
        advice = "Vælg en anden, eller giv den til brugeren: sudo chown erfaringsbasen MAPPE"
        raise InputError(f"Mappen {target.parent} er lukket for den bruger, der kører kb.", advice=advice) from error
    aside = target.with_name(f".{target.name}.new")
    with builds.storage_errors(f"sikkerhedskopien {target.name}"):
        try:
            with _held(settings.index_dir), tempfile.TemporaryDirectory(dir=target.absolute().parent) as scratch:
                report = _write(settings, aside, target, Path(scratch), with_index=with_index)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
    return report


@contextmanager
def _held(index_dir: Path) -> Iterator[None]:
    """The index's lock, where there is an index."""
    if not index_dir.is_dir():
        yield
        return
    with lock(index_dir):
        yield


def _write(settings: Settings, aside: Path, target: Path, scratch: Path, *, with_index: bool) -> BackupReport:
    build_id, roots = _build_in_use(place_of(settings))
    # What a server has is not in the files: after a restore it is made again, from the caches.
    build_id = build_id if with_index and not settings.index_url else ""
    members = dict(_members(settings, build_id, _state_folder(settings, scratch), with_index=with_index))
    # Databases are copied first: the sizes and digests listed must be those of the files in the archive.
    copies = {name: _consistent(path, scratch / str(n)) for n, (name, path) in enumerate(sorted(members.items()))}
    described = {name: (path.stat().st_size, builds.file_digest(path)) for name, path in copies.items()}
    created = datetime.now(UTC).isoformat(timespec="seconds")
    corpus = settings.corpus.resolve()
    contents = {
        "form": FORM,
        "version": VERSION,
        "created": created,
        "build_id": build_id,
        "corpus": str(corpus),
        "files": described,
    }
    with tarfile.open(aside, "w:gz", compresslevel=3) as archive:
        text = json.dumps(contents).encode()  # in ASCII, which holds names that are not UTF-8 as well
        first = tarfile.TarInfo(CONTENTS)
        first.size = len(text)
        archive.addfile(first, io.BytesIO(text))
        for name, path in copies.items():
            archive.add(path, name, recursive=False)
    outside = tuple(root for root in roots if not Path(root).is_relative_to(corpus))
    total = sum(size for size, _ in described.values())
    return BackupReport(str(target), created, build_id, len(described), total, outside)


def _build_in_use(place: Place) -> tuple[str, tuple[str, ...]]:
    try:
        build_id = place.current_id()
    except IndexMissingError:
        return "", ()
    return build_id, builds.read_manifest(place.builds_dir / build_id).roots


def _state_folder(settings: Settings, scratch: Path) -> Path:
    """The folder of the state; for one in a database, a folder with a file of the same."""
    if not isinstance(settings.state, StateUrl):
        return settings.state_dir
    folder = scratch / STATE
    folder.mkdir()
    write_file(PostgresqlRepository(settings.state), folder)
    return folder


def _members(settings: Settings, build_id: str, state: Path, *, with_index: bool) -> Iterator[tuple[str, Path]]:
    """Every file to include, by its name in the archive."""
    for part, folder in ((CORPUS, settings.corpus), (STATE, state)):
        for path in _files_below(folder):
            yield f"{part}/{path.relative_to(folder).as_posix()}", path
    if not with_index:
        return
    for name in (READINGS_CACHE, VECTORS_CACHE):
        if (settings.index_dir / name).is_file():
            yield f"{INDEX}/{name}", settings.index_dir / name
    if build_id:
        folder = builds.builds_dir(settings.index_dir) / build_id
        for path in _files_below(folder):
            yield f"{INDEX}/{builds.BUILDS_FOLDER}/{build_id}/{path.relative_to(folder).as_posix()}", path


def _files_below(folder: Path) -> Iterator[Path]:
    """Regular files; symbolic links are not followed, as they may lead outside the folder."""
    for path in sorted(folder.rglob("*")):
        is_file = path.is_file() and not path.is_symlink()
        if is_file and not path.name.endswith(_NOT_COPIED) and path.name not in _LOCKS:
            yield path


def _consistent(path: Path, copy: Path) -> Path:
    """The file itself; for a database, which may be written to meanwhile, a consistent copy."""
    with path.open("rb") as file:
        if file.read(len(_SQLITE_MAGIC)) != _SQLITE_MAGIC or path.name == builds.DATABASE_FILE:
            return path
    with closing(sqlite3.connect(path, timeout=30)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def restore(settings: Settings, source: Path, *, force: bool = False) -> RestoreReport:
    """Restore an archive's corpus, state and index to the folders of the settings.

    Without ``force`` the corpus and state folders must be empty or absent. Raises :class:`InputError` when the archive
    is not one or is damaged, :class:`kb.core.errors.StateVersionError` when its state is of a newer version; nothing
    has been changed then.
    """
    if not source.is_file():
        raise InputError(f"Filen {source} findes ikke.", advice="Angiv en fil, der er lavet med kb backup.")
    if (occupied := list(_occupied(settings))) and not force:
        raise InputError(
            f"Der er allerede filer eller rækker i {' og '.join(occupied)}.",
            advice="Brug --force for at erstatte dem, eller vælg nye mapper med KB_CORPUS, KB_STATE_DIR, KB_INDEX_DIR.",
        )
    with builds.storage_errors("mapperne, der gendannes til,"):
        settings.index_dir.mkdir(parents=True, exist_ok=True)
        with lock(settings.index_dir), _unpacked(settings, source) as (contents, places):
            _bring_up_to_date(places[STATE])
            answers = _is_of_this_form(places[INDEX], contents["build_id"])
            moved = contents["corpus"] != str(settings.corpus.resolve())
            if moved:
                _move_readings(places[INDEX] / READINGS_CACHE, contents["corpus"], str(settings.corpus.resolve()))
            with _state_put_in_place(settings, places[STATE]):
                _swap(places[CORPUS], settings.corpus)
            _take_index(places[INDEX], settings.index_dir, contents["build_id"])
    reindex = moved or not answers
    return RestoreReport(str(source), contents["created"], contents["build_id"], len(contents["files"]), reindex)


def _occupied(settings: Settings) -> Iterator[str]:
    """What a restore would replace."""
    if any(_files_below(settings.corpus)):
        yield str(settings.corpus)
    if isinstance(settings.state, StateUrl):
        if PostgresqlRepository(settings.state).has_rows():
            yield settings.state.shown
    elif any(_files_below(settings.state_dir)):
        yield str(settings.state_dir)


@contextmanager
def _state_put_in_place(settings: Settings, unpacked: Path) -> Iterator[None]:
    """Put an unpacked state in the place of the one there is when the block has ended well."""
    if isinstance(settings.state, StateUrl):
        with read_file(unpacked, PostgresqlRepository(settings.state)):
            yield
    else:
        yield
        _swap(unpacked, settings.state_dir)


def _bring_up_to_date(state: Path) -> None:
    """Migrate the unpacked state of an earlier version before it is put in place: what fails here changes nothing."""
    repository = SqliteRepository(state)
    if repository.exists:
        repository.bring_up_to_date()


def _is_of_this_form(unpacked: Path, build_id: str) -> bool:
    """Whether an unpacked archive has a build that this version can answer from."""
    try:
        return bool(build_id) and bool(builds.read_manifest(unpacked / builds.BUILDS_FOLDER / build_id))
    except IndexUnusableError:
        return False


@contextmanager
def _unpacked(settings: Settings, source: Path) -> Iterator[tuple[dict[str, Any], dict[str, Path]]]:
    """The archive's contents and its parts, each unpacked beside the folder it will fill, and checked."""
    targets = {CORPUS: settings.corpus, STATE: settings.state_dir, INDEX: settings.index_dir / builds.BUILDS_FOLDER}
    places: dict[str, Path] = {}
    try:
        for part, target in targets.items():
            target.absolute().parent.mkdir(parents=True, exist_ok=True)
            places[part] = Path(tempfile.mkdtemp(prefix=".gendan-", dir=target.absolute().parent))
        yield _unpack(source, places), places
    finally:
        for place in places.values():
            shutil.rmtree(place, ignore_errors=True)


def _unpack(source: Path, places: dict[str, Path]) -> dict[str, Any]:
    damaged = InputError(f"{source.name} er ikke en hel sikkerhedskopi.", advice="Brug en anden kopi.")
    try:
        with tarfile.open(source, "r:gz") as archive:
            first = archive.next()
            text = archive.extractfile(first) if first and first.name == CONTENTS else None
            if text is None:
                raise damaged
            contents: dict[str, Any] = json.loads(text.read())
            if contents["form"] != FORM:
                raise InputError(f"{source.name} er fra en anden version af Erfaringsbasen.", advice="Opgradér først.")
            waiting = dict(contents["files"])
            while member := archive.next():
                size, digest = waiting.pop(member.name)
                part, _, name = member.name.partition("/")
                data = archive.extractfile(member)
                if data is None or member.size != size or not _write_checked(data, places[part], name, digest):
                    raise damaged
    except (tarfile.TarError, OSError, EOFError, ValueError, KeyError, TypeError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of this machine's disk, not of the archive
        raise damaged from error
    if waiting:
        raise damaged
    return contents


def _write_checked(data: Any, folder: Path, name: str, digest: str) -> bool:
    """Write one file below ``folder``; False when its name leads outside or its content has another digest."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name or "\0" in name:
        return False
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    actual = hashlib.sha256()
    with target.open("wb") as file:
        while chunk := data.read(_CHUNK):
            actual.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return actual.hexdigest() == digest


def _move_readings(cache: Path, old: str, new: str) -> None:
    """Make the cached readings of the corpus valid for its new path."""
    if cache.is_file() and not check_database(cache):
        with closing(sqlite3.connect(cache)) as connection, connection:
            connection.execute("UPDATE readings SET root = ? WHERE root = ?", (new, old))


def _swap(replacement: Path, target: Path) -> None:
    """Replace a folder by another with two renames; the old one is removed last."""
    replaced = Path(tempfile.mkdtemp(prefix=".erstattet-", dir=target.absolute().parent))
    if target.exists():
        target.rename(replaced / "gammel")
    replacement.chmod(0o755)
    replacement.rename(target)
    shutil.rmtree(replaced, ignore_errors=True)


def _take_index(unpacked: Path, index_dir: Path, build_id: str) -> None:
    """Move the caches and the build into the index folder, replacing a build of the same id."""
    for name in (READINGS_CACHE, VECTORS_CACHE):
        if (unpacked / name).is_file():
            for suffix in ("-wal", "-shm"):
                (index_dir / f"{name}{suffix}").unlink(missing_ok=True)
            (unpacked / name).replace(index_dir / name)
    if build_id:
        builds.builds_dir(index_dir).mkdir(parents=True, exist_ok=True)
        _swap(unpacked / builds.BUILDS_FOLDER / build_id, builds.builds_dir(index_dir) / build_id)
        builds.point_at(index_dir, build_id)
