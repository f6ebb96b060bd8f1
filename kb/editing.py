"""Changes to the corpus folder: add, replace and remove files, and write the metadata beside them.

Every file is written under a hidden name and renamed when it is whole, so that an indexing run never sees half of one.
Only files below the corpus folder are touched. Nothing is indexed here; the caller starts a job.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from uuid import uuid4

import yaml

from kb.errors import InputError, ReadError, UnreadableUploadError
from kb.extract.files import sidecar_of
from kb.extract.metadata import parse_sidecar
from kb.extract.sniff import Format, recognise
from kb.settings import Settings
from kb.store import Failure, StoredRecord
from kb.text import slug

# Where uploads lie below the corpus folder.
FOLDER = "indlagt"
LONGEST_NAME = 120
FORM_KEYS = ("titel", "projekt", "myndighed", "type", "område", "emne", "periode", "år", "status", "temaer")


class Upload(Protocol):
    """A file that is being sent, as Werkzeug gives it."""

    filename: str | None

    def save(self, dst: Path) -> None:
        """Write it."""
        ...


def add(settings: Settings, upload: Upload) -> str:
    """Put an uploaded file in the corpus; returns its path there. A name that is taken gets a number."""
    name = safe_name(upload.filename or "")
    target = free_path(settings.corpus / FOLDER / name)
    _write(upload, target)
    return target.relative_to(settings.corpus).as_posix()


def add_recognised(settings: Settings, upload: Upload, metadata: Mapping[str, Any]) -> str:
    """Put a file that a program sends in the corpus, with metadata beside it; returns its path there.

    What it is says its content and not its name, which is only what a name of our own is made from. Raises
    :class:`UnreadableUploadError` for a file no reader takes.
    """
    folder = settings.corpus / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f".{uuid4().hex}.new"
    try:
        upload.save(aside)
        target = free_path(folder / generated_name(upload.filename or "", _recognised(aside, upload.filename or "")))
        if metadata:
            _write_sidecar(target, metadata)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
    return target.relative_to(settings.corpus).as_posix()


def _recognised(file: Path, name: str) -> Format:
    try:
        return recognise(file.read_bytes(), PurePosixPath(name).suffix)
    except ReadError as error:
        raise UnreadableUploadError(str(error)) from error


def generated_name(name: str, form: Format) -> str:
    """A file name of letters, digits and hyphens, with the suffix of what the file is."""
    stem = slug(name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or name)
    return f"{stem[:LONGEST_NAME].strip('-')}.{form.name.lower() if form not in _SUFFIXES else _SUFFIXES[form]}"


_SUFFIXES = {Format.MARKDOWN: "md", Format.TEXT: "txt"}


def replace(settings: Settings, stored: StoredRecord, upload: Upload) -> str:
    """Put a new file in an old one's place, with its metadata and its id; returns its path."""
    old = file_of(settings, stored)
    name = safe_name(upload.filename or "")
    target = old if Path(name).suffix.lower() == old.suffix.lower() else free_path(old.with_suffix(Path(name).suffix))
    if target != old:
        # What an editor wrote may stand in the old file itself; its id came from its path, and citations name it.
        _write_sidecar(target, {**_written(stored), **_read_sidecar(old), "id": stored.record.id})
    _write(upload, target)
    if target != old:
        remove(settings, stored)
    return target.relative_to(settings.corpus.resolve()).as_posix()


def _written(stored: StoredRecord) -> dict[str, Any]:
    """A report's metadata without what was inferred."""
    metadata = stored.record.metadata
    values = metadata.as_dict()
    del values["udledt"]
    return {key: value for key, value in values.items() if value and key not in metadata.inferred}


def remove(settings: Settings, stored: StoredRecord) -> None:
    """Remove a report's file and the metadata beside it."""
    path = file_of(settings, stored)
    path.unlink(missing_ok=True)
    sidecar_of(path).unlink(missing_ok=True)


def write_metadata(settings: Settings, stored: StoredRecord, values: Mapping[str, Any]) -> None:
    """Write the form's values beside a report; keys the form does not have are kept, empty ones removed."""
    path = file_of(settings, stored)
    kept = {key: value for key, value in _read_sidecar(path).items() if key not in FORM_KEYS}
    _write_sidecar(path, {**kept, **{key: value for key, value in values.items() if value}})


def replace_metadata(settings: Settings, stored: StoredRecord, values: Mapping[str, Any]) -> None:
    """Write values beside a report in place of its own; an empty one stands for what the file says nothing of."""
    path = file_of(settings, stored)
    _write_sidecar(path, {**_read_sidecar(path), **values})


def remove_unread(settings: Settings, failure: Failure) -> None:
    """Remove a file that gave no document, and the metadata beside it."""
    path = _below_corpus(settings, Path(failure.root) / failure.path)
    path.unlink(missing_ok=True)
    sidecar_of(path).unlink(missing_ok=True)


def file_of(settings: Settings, stored: StoredRecord) -> Path:
    """A report's file; raises :class:`InputError` when it does not lie in the corpus folder."""
    return _below_corpus(settings, Path(stored.root) / stored.record.path)


def _below_corpus(settings: Settings, path: Path) -> Path:
    path = path.resolve()
    if not path.is_relative_to(settings.corpus.resolve()):
        raise InputError("Filen ligger uden for mappen med rapporter og kan ikke ændres herfra.")
    return path


def safe_name(name: str) -> str:
    """A file name without folders, control characters or a leading dot; raises :class:`InputError` without a suffix."""
    base = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    base = re.sub(r"[^\w .()+,&'-]", "", base).strip(" .")
    stem, dot, suffix = base.rpartition(".")
    if not stem or not dot or not suffix.isalnum() or base.lower().endswith(".meta.yaml"):
        raise InputError(f"Filen »{name[:80]}« mangler en filendelse som .pdf eller .docx.")
    return f"{stem[: LONGEST_NAME - len(suffix)].rstrip(' .')}.{suffix}"


def free_path(path: Path) -> Path:
    """The path, or the first with a number that is not taken."""
    found = path
    number = 2
    while found.exists():
        found = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return found


def _write(upload: Upload, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{uuid4().hex}.new")
    try:
        upload.save(aside)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def _read_sidecar(path: Path) -> dict[str, Any]:
    sidecar = sidecar_of(path)
    return dict(parse_sidecar(sidecar.read_bytes())) if sidecar.is_file() else {}


def _write_sidecar(path: Path, values: Mapping[str, Any]) -> None:
    sidecar = sidecar_of(path)
    aside = sidecar.with_name(f".{uuid4().hex}.new")
    aside.write_text(yaml.safe_dump(dict(values), allow_unicode=True, sort_keys=False), encoding="utf-8")
    aside.replace(sidecar)
