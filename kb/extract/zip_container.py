"""Zipped documents (DOCX, PPTX, XLSX, OpenDocument, EPUB) and archives, checked before anything unpacks them.

What is refused: a bomb (too much unpacked, or too many parts), an encrypted part, XML that declares entities, and
damaged containers. The declared sizes are checked first; ``read_part`` then never unpacks more than was declared
to be allowed, because the sizes may lie.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from kb.core.errors import DamagedFileError, ProtectedFileError, ReadLimitError

MAX_PARTS = 20_000
MAX_UNPACKED = 600 << 20
MAX_XML_PART = 100 << 20
_MAX_RATIO = 200
_RATIO_FROM = 20 << 20
_DECLARES = re.compile(rb"<!(?:ENTITY|DOCTYPE)", re.IGNORECASE)
_XML_SUFFIXES = (".xml", ".rels", ".opf", ".ncx")


@contextmanager
def opened(data: bytes, *, encrypted: bool = False) -> Iterator[zipfile.ZipFile]:
    """The container of some bytes, checked; raises a :class:`ReadError`, also for what goes wrong while in use.

    With ``encrypted`` some of its parts may be, which no document's are.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check(archive, encrypted)
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, struct.error) as error:
        raise DamagedFileError("Filen er beskadiget: den pakkede beholder kan ikke læses.") from error


def _check(archive: zipfile.ZipFile, encrypted: bool) -> None:
    parts = archive.infolist()
    if len(parts) > MAX_PARTS:
        raise ReadLimitError(f"Filen har {len(parts)} dele; grænsen er {MAX_PARTS}.", code="for-stor")
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    if unpacked > MAX_UNPACKED or (unpacked > _RATIO_FROM and unpacked > _MAX_RATIO * max(packed, 1)):
        raise ReadLimitError(f"Filen fylder {unpacked >> 20} MiB udpakket og ligner en ZIP-bombe.", code="zip-bombe")
    if not encrypted and any(part.flag_bits & 1 for part in parts):
        raise ProtectedFileError("Filen er beskyttet med en adgangskode.")


def read_part(archive: zipfile.ZipFile, name: str, limit: int = MAX_XML_PART) -> bytes:
    """One part's bytes; raises when it is missing or unpacks to more than ``limit``."""
    try:
        with archive.open(name) as part:
            data = part.read(limit + 1)
    except KeyError as error:
        raise DamagedFileError(f"Filen er beskadiget: delen {name} mangler.") from error
    if len(data) > limit:
        raise ReadLimitError(f"En del af filen fylder mere end {limit >> 20} MiB udpakket.", code="zip-bombe")
    return data


def check_xml_parts(archive: zipfile.ZipFile) -> None:
    """Refuse XML that declares entities or a document type: office formats never need them."""
    for part in archive.infolist():
        if part.filename.lower().endswith(_XML_SUFFIXES) and _DECLARES.search(read_part(archive, part.filename)):
            raise DamagedFileError("Filen indeholder XML-entiteter, og dem læser vi ikke.", code="xml-entiteter")
