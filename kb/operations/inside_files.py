"""What is inside files, unpacked for those who ask for the original or the picture of a page, and kept by its digest.

    file = unpacked_file(settings, snapshot.file_of(document_id), stored)

Nothing of a foreign file is opened in the process that asks.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from uuid import uuid4

from kb.core.errors import NotFoundError, ReadError
from kb.core.settings import Settings
from kb.extract import ReadOptions, take_out_isolated
from kb.extract.part import Place
from kb.index.store import StoredRecord
from kb.indexing.run import UNPACKED


def unpacked_file(settings: Settings, file: Path, stored: StoredRecord) -> Path:
    """A file with what was read for a document: ``file`` itself, or what is inside it, unpacked.

    Raises :class:`NotFoundError` when it cannot be unpacked, or is not what was read.
    """
    place = Place.of(Path(stored.root), stored.record.path)
    if not place.inside:
        return file
    kept = settings.index_dir / UNPACKED / stored.record.sha256
    if kept.is_file():
        return kept
    try:
        data = take_out_isolated(place, ReadOptions.from_settings(settings))
    except ReadError as error:
        raise NotFoundError(str(error)) from error
    if hashlib.sha256(data).hexdigest() != stored.record.sha256:
        raise NotFoundError("Filen er ændret, siden den blev indekseret.", advice="Indeksér igen: kb index")
    kept.parent.mkdir(parents=True, exist_ok=True)
    aside = kept.with_name(f".{uuid4().hex}.new")
    try:
        aside.write_bytes(data)
        aside.replace(kept)
    finally:
        aside.unlink(missing_ok=True)
    return kept
