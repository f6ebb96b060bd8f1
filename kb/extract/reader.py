"""One file to one Document, in this process: recognise, read, check metadata, mask, assemble.

The readers are held in one table by format. Each takes the file's bytes and gives back ``Content``; everything that
is the same for all formats happens here. ``load_readers`` imports them all: what it raises is a fault of the
installation and not of a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TypeVar

from kb.core.errors import DamagedFileError, NoTextError, ReadError, ReadLimitError, ToolMissingError
from kb.core.models import Document, ReadWarning
from kb.core.paths import inside
from kb.extract.blocks import Block, Content, assemble
from kb.extract.corpus_files import UNOPENED, existing_sidecar
from kb.extract.metadata import MAX_YAML, PARTS_KEY, build_metadata, parse_sidecar
from kb.extract.options import ReadOptions
from kb.extract.part import Place
from kb.extract.parts import MAX_DEPTH, is_cover, parts_of, unpacked
from kb.extract.recognition import Format, recognise

MAX_FILE = 1 << 30
MAX_TEXT = 20_000_000
# The code of a file that needs a module which is not there.
MODULE_MISSING = "modul-mangler"

Reader = Callable[[bytes, ReadOptions], Content]
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was read at a place: its document, none of an archive, and the names of the parts inside it."""

    document: Document | None
    parts: tuple[str, ...] = ()


def read_file(path: Path, root: Path, options: ReadOptions) -> Document:
    """Read one file below ``root``; raises a :class:`ReadError` that says in Danish why it could not be read."""
    document = read_place(Place(path), root, options).document
    if document is None:
        raise NoTextError("Filen er et arkiv; det er filerne i det, der læses.")
    return document


def read_place(place: Place, root: Path, options: ReadOptions) -> Extracted:
    """Read one file below ``root``, or what is inside one, and name what is inside it; raises as :func:`read_file`."""
    written = _metadata_of(place)
    data = take_out(place)
    form = recognise(data, PurePosixPath(place.inside[-1] if place.inside else place.file.name).suffix)
    parts = _opened(form, data) if len(place.inside) < MAX_DEPTH else ()
    if form is Format.ZIP:
        if len(place.inside) == MAX_DEPTH:
            raise ReadLimitError("Arkivet ligger for dybt inde i andre filer til at blive læst.")
        if not parts:
            raise NoTextError("Arkivet har ingen filer, der kan læses.")
        return Extracted(None, parts)
    try:
        content = _guarded(lambda: load_readers()[form](data, options))
        document = _document(content, form, data, written, place.path(root), options)
    except NoTextError:
        if not parts:
            raise
        return Extracted(None, parts)
    return Extracted(None if parts and form is Format.PDF and is_cover(document.text) else document, parts)


def take_out(place: Place) -> bytes:
    """The bytes of a file, or of what is inside one; raises a :class:`ReadError`."""
    data = read_bytes(place.file)
    return _guarded(lambda: unpacked(data, place.file.suffix, place.inside)) if place.inside else data


def _opened(form: Format, data: bytes) -> tuple[str, ...]:
    """The names of what is inside a file."""
    return _guarded(lambda: tuple(part.name for part in parts_of(form, data)))


def _document(
    content: Content,
    form: Format,
    data: bytes,
    written: Mapping[str, object],
    name: str,
    options: ReadOptions,
) -> Document:
    """What all formats have in common: metadata, masking and one text."""
    blocks, cut = _within_limit(content.blocks)
    metadata, metadata_warnings = build_metadata(
        {**(content.front_matter or {}), **written},
        path=name,
        properties=content.properties,
        blocks=blocks,
        contacts=options.mask_contacts,
        names=content.names,
    )
    assembled = assemble(blocks, content.pages, contacts=options.mask_contacts, names=content.names)
    if not assembled.text.strip():
        raise NoTextError("Filen indeholder ingen tekst.")
    return Document(
        path=name,
        sha256=hashlib.sha256(data).hexdigest(),
        media_type=form.value,
        reader=content.reader,
        metadata=metadata,
        text=assembled.text,
        headings=assembled.headings,
        pages=assembled.pages,
        warnings=(*content.warnings, *cut, *metadata_warnings),
        masked=assembled.masked,
    )


def read_bytes(path: Path) -> bytes:
    """A file's bytes; raises a :class:`ReadError` for one that is too large or cannot be opened."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            raise ReadLimitError(f"Filen fylder {size >> 20} MiB; grænsen er {MAX_FILE >> 20} MiB.", code="for-stor")
        return path.read_bytes()
    except OSError as error:
        raise ReadError(f"Filen kan ikke åbnes: {error.strerror}.", code=UNOPENED) from error


def _metadata_of(place: Place) -> Mapping[str, object]:
    """What the metadata file beside a file says of it; of what is inside it, under the key for parts."""
    written = dict(_read_sidecar(place.file))
    parts = written.pop(PARTS_KEY, None) or {}
    if not place.inside:
        return written
    own = parts.get(inside(*place.inside)) if isinstance(parts, Mapping) else None
    return {str(key): value for key, value in own.items()} if isinstance(own, Mapping) else {}


def _read_sidecar(path: Path) -> Mapping[str, object]:
    sidecar = existing_sidecar(path)
    if sidecar is None:
        return {}
    try:
        with sidecar.open("rb") as file:
            return parse_sidecar(file.read(MAX_YAML + 1))
    except OSError as error:
        raise ReadError(f"Metadatafilen kan ikke åbnes: {error.strerror}.", code=UNOPENED) from error


def _guarded(work: Callable[[], _Result]) -> _Result:
    """What a format's code gives; what a library raises unasked becomes a plain reason."""
    try:
        return work()
    except ReadError:
        raise
    except MemoryError as error:
        raise ReadLimitError("Læsningen brugte for meget hukommelse.", code="hukommelsesgrænse") from error
    except RecursionError as error:
        raise DamagedFileError("Filen er indlejret i sig selv eller for dybt og kan ikke læses.") from error
    except ImportError as error:  # a library that a reader needs for some files alone
        raise ToolMissingError(
            f"Filen kræver et Python-modul, der ikke kan indlæses ({error}).",
            advice=f"Installér modulet {error.name or ''} i det miljø, kb kører i.".replace("  ", " "),
            code=MODULE_MISSING,
        ) from error
    except Exception as error:
        raise DamagedFileError(f"Filen er beskadiget og kan ikke læses ({type(error).__name__}).") from error


@cache
def load_readers() -> Mapping[Format, Reader]:
    """The reader of each format; imported when first needed, since some libraries are slow to load."""
    from kb.extract.formats import archive, docx, epub, legacy_office, mail, opendocument, plain_text, pptx, spreadsheet
    from kb.extract.pdf import read_pdf

    return {
        Format.PDF: read_pdf,
        Format.DOCX: lambda data, _: docx.read_docx(data),
        Format.PPTX: lambda data, _: pptx.read_pptx(data),
        Format.ODT: lambda data, _: opendocument.read_odt(data),
        Format.ODP: lambda data, _: opendocument.read_odp(data),
        Format.DOC: legacy_office.read_doc,
        Format.RTF: legacy_office.read_rtf,
        Format.EPUB: lambda data, _: epub.read_epub(data),
        Format.HTML: lambda data, _: plain_text.read_html(data),
        Format.MARKDOWN: lambda data, _: plain_text.read_markdown(data),
        Format.TEXT: lambda data, _: plain_text.read_text(data),
        Format.XLSX: lambda data, _: spreadsheet.read_xlsx(data),
        Format.ODS: lambda data, _: spreadsheet.read_ods(data),
        Format.CSV: lambda data, _: spreadsheet.read_csv(data),
        Format.EML: lambda data, _: mail.read_eml(data),
        Format.MSG: lambda data, _: mail.read_msg(data),
        Format.ZIP: lambda data, _: archive.read_zip(data),
    }


def _within_limit(blocks: tuple[Block, ...]) -> tuple[list[Block], tuple[ReadWarning, ...]]:
    """The blocks up to the longest text a document may have, and a warning when something is left out."""
    total = 0
    for index, block in enumerate(blocks):
        total += len(block.text) + 2
        if total > MAX_TEXT:
            warning = ReadWarning("afkortet", f"Kun de første {MAX_TEXT // 1_000_000} mio. tegn er læst.")
            return list(blocks[:index]), (warning,)
    return list(blocks), ()
