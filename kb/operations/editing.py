"""Changes to the corpus folder: add, replace, move and remove files, write the metadata beside them, go back to before.

Every file is written under a hidden name and renamed when it is whole, so that an indexing run never sees half of one.
Only files below the corpus folder are touched. Nothing is indexed here; the caller starts a job. What a file is that is
sent is told by a process of its own, so that one made to harm costs itself and not the server.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from secrets import token_hex
from typing import Any, Protocol
from uuid import uuid4

import yaml

from kb.core.errors import InputError, ReadError, UnreadableUploadError
from kb.core.paths import inside
from kb.core.settings import Settings
from kb.core.slug import slug
from kb.extract import ReadOptions, recognise_file
from kb.extract.corpus_files import WRONG_NAME, existing_sidecar, on_disk, sidecar_of
from kb.extract.metadata import ACCESS_KEY, MAX_YAML, PARTS_KEY, parse_sidecar
from kb.extract.part import Place
from kb.extract.recognition import Format
from kb.index.store import Failure, StoredRecord
from kb.indexing import roll_back
from kb.state.removals import Removals
from kb.state.upload_names import UploadNames, shown_name

# Where uploads lie below the corpus folder.
FOLDER = "indlagt"
LONGEST_NAME = 100
# Bytes in a file's name on the file systems there are.
LONGEST_FILE_NAME = 255
_ON_THE_SERVER = "Omdøb eller slet den i mappen på serveren, og indeksér igen."


class Upload(Protocol):
    """A file that is being sent, as Werkzeug gives it."""

    filename: str | None

    def save(self, dst: Path) -> None:
        """Write it."""
        ...


def add(settings: Settings, upload: Upload, metadata: Mapping[str, Any] | None = None) -> str:
    """Put a file that is sent in the corpus, with metadata beside it; returns its path there.

    What it is says its content and not its name, which is only what a name of our own is made from; the name it had is
    kept for people to know it by. Raises :class:`UnreadableUploadError` for a file no reader takes.
    """
    folder = settings.corpus / FOLDER
    with _received(settings, upload, folder) as (aside, form):
        target = _free_path(folder / f"{_own_stem(settings, upload)}.{_suffix(form)}")
        if metadata:
            _write_sidecar(target, metadata)
        aside.replace(target)
    return _named(settings, target, upload)


def replace(settings: Settings, stored: StoredRecord, upload: Upload) -> str:
    """Put a new file in an old one's place, with its metadata and its id; returns its path.

    A file of another format lies beside the old one's place. Raises :class:`UnreadableUploadError` as :func:`add` does,
    and :class:`InputError` for a report that is inside a file.
    """
    old = file_of(settings, stored)
    if holder := lies_in(stored):
        raise InputError(f"Rapporten ligger inde i {holder}.", advice="Læg en ny udgave af den fil ind i stedet.")
    with _received(settings, upload, old.parent) as (aside, form):
        target = old if form.value == stored.record.media_type else _free_path(old.with_suffix(f".{_suffix(form)}"))
        if target != old:
            # What an editor wrote may stand in the old file itself; its id came from its path, and citations name it.
            _write_sidecar(target, {**_written(stored), **_read_sidecar(old), "id": stored.record.id})
        elif groups := _written(stored).get(ACCESS_KEY):
            # They may have stood in the old file itself: no one else must see the new one for that.
            _write_sidecar(target, {ACCESS_KEY: groups, **_read_sidecar(old)})
        aside.replace(target)
    if target != old:
        _unlink(settings, old)
    return _named(settings, target, upload)


@contextmanager
def _received(settings: Settings, upload: Upload, folder: Path) -> Iterator[tuple[Path, Format]]:
    """What is sent, whole and under a hidden name in ``folder``, and what it is; removed unless it is taken."""
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f".{uuid4().hex}.new"
    try:
        upload.save(aside)
        try:
            suffix = PurePosixPath(upload.filename or "").suffix
            form = recognise_file(aside, suffix, ReadOptions.from_settings(settings))
        except ReadError as error:
            raise UnreadableUploadError(str(error)) from error
        yield aside, form
    finally:
        aside.unlink(missing_ok=True)


def _own_stem(settings: Settings, upload: Upload) -> str:
    """The name of an uploaded file; where reports are for some groups, one that never tells whether it was taken."""
    return f"{_stem(upload)}-{token_hex(4)}" if settings.access_groups else _stem(upload)


def _stem(upload: Upload) -> str:
    name = shown_name(upload.filename or "")
    return slug(name.rpartition(".")[0] or name, longest=LONGEST_NAME)


_SUFFIXES = {Format.MARKDOWN: "md", Format.TEXT: "txt"}


def _suffix(form: Format) -> str:
    return _SUFFIXES.get(form, form.name.lower())


def _named(settings: Settings, file: Path, upload: Upload) -> str:
    """Store the original name of an uploaded file; returns the file's path below the corpus folder."""
    path = _below_corpus(settings, file).relative_to(settings.corpus.resolve()).as_posix()
    UploadNames(settings.state).keep(path, shown_name(upload.filename or ""))
    return path


def _written(stored: StoredRecord) -> dict[str, Any]:
    """A report's metadata without the inferred values."""
    metadata = stored.record.metadata
    values = metadata.as_dict()
    del values["udledt"]
    return {key: value for key, value in values.items() if value and key not in metadata.inferred}


def remove(settings: Settings, stored: StoredRecord) -> None:
    """Delete a report's file and metadata file, and hide at once all that was read from the file."""
    path = file_of(settings, stored)
    Removals(settings.state).mark(stored.record.id)
    _unlink(settings, path)


def use_build(settings: Settings, build_id: str | None = None) -> str:
    """Put an older build in use, with its reports that have been deleted since; returns its id.

    Raises what :func:`kb.indexing.roll_back` raises.
    """
    chosen = roll_back(settings, build_id)
    Removals(settings.state).forget()
    return chosen


def replace_metadata(settings: Settings, stored: StoredRecord, values: Mapping[str, Any]) -> None:
    """Write values to a report's metadata file; an empty one overrides what the report itself states.

    What is inside a file has its metadata in the file's.
    """
    path = file_of(settings, stored)
    written = _read_sidecar(path)
    place = Place.of(Path(stored.root), stored.record.path)
    if not place.inside:
        _write_sidecar(path, {**written, **values})
        return
    # Who may see it is a matter of the whole file.
    of_file = {key: value for key, value in values.items() if key == ACCESS_KEY}
    of_part = {key: value for key, value in values.items() if key != ACCESS_KEY}
    parts = dict(written.get(PARTS_KEY) or {})
    name = inside(*place.inside)
    parts[name] = {**(parts.get(name) or {}), **of_part}
    _write_sidecar(path, {**written, **of_file, PARTS_KEY: parts})


def remove_unread(settings: Settings, failure: Failure) -> None:
    """Delete a file that could not be read, and its metadata file.

    Raises :class:`InputError` for one that can only be deleted on the server.
    """
    if failure.code == WRONG_NAME:
        raise InputError(f"{failure.path} kan ikke slettes herfra.", advice=_ON_THE_SERVER)
    if Place.of(Path(failure.root), failure.path).inside:
        raise InputError(f"{failure.path} ligger inde i en anden fil.", advice="Slet den fil, den ligger i.")
    try:
        _unlink(settings, _below_corpus(settings, Path(failure.root) / failure.path))
    except OSError as error:
        message = f"{failure.path} kan ikke slettes herfra: {error.strerror}."
        raise InputError(message, advice=_ON_THE_SERVER) from error


def _unlink(settings: Settings, path: Path) -> None:
    path.unlink(missing_ok=True)
    if sidecar := existing_sidecar(path):
        sidecar.unlink()
    UploadNames(settings.state).forget(path.relative_to(settings.corpus.resolve()).as_posix())


def move(file: Path, target: Path, document_id: str) -> None:
    """Put a file in another place with its metadata, under the id it has, which citations name; empty: it has none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    written = _read_sidecar(file)
    if written or document_id:
        _write_sidecar(target, {**written, **({"id": document_id} if document_id else {})})
    file.replace(target)
    if sidecar := existing_sidecar(file):
        sidecar.unlink()


def file_of(settings: Settings, stored: StoredRecord) -> Path:
    """The file that a report is, or is inside; raises :class:`InputError` when it is outside the corpus folder."""
    return _below_corpus(settings, on_disk(Path(stored.root), stored.record.path))


def lies_in(stored: StoredRecord) -> str:
    """The path of the file that a report is inside; empty for one that is a file of its own."""
    place = Place.of(Path(stored.root), stored.record.path)
    return place.file.relative_to(stored.root).as_posix() if place.inside else ""


def _below_corpus(settings: Settings, path: Path) -> Path:
    path = path.parent.resolve() / path.name  # a link itself, not its target
    if path.name == ".." or not path.is_relative_to(settings.corpus.resolve()):
        raise InputError("Filen ligger uden for mappen med rapporter og kan ikke ændres herfra.")
    return path


def _free_path(path: Path) -> Path:
    """The path, or with the first number that makes it one that does not exist."""
    candidate = path
    number = 2
    while os.path.exists(candidate):
        candidate = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return candidate


def _read_sidecar(path: Path) -> dict[str, Any]:
    sidecar = existing_sidecar(path)
    if sidecar is None:
        return {}
    with sidecar.open("rb") as file:
        return dict(parse_sidecar(file.read(MAX_YAML + 1)))


def _write_sidecar(path: Path, values: Mapping[str, Any]) -> None:
    """Write a file's metadata file; raises :class:`InputError` when its name would be too long."""
    sidecar = sidecar_of(path)
    if len(os.fsencode(sidecar.name)) > LONGEST_FILE_NAME:
        message = "Filens navn er for langt til, at metadata kan lægges ved siden af den."
        raise InputError(message, advice="Giv filen et kortere navn på serveren, og indeksér igen.")
    aside = sidecar.with_name(f".{uuid4().hex}.new")
    aside.write_text(yaml.safe_dump(dict(values), allow_unicode=True, sort_keys=False), encoding="utf-8")
    aside.replace(sidecar)
