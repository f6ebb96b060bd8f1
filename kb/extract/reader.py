"""One file to one Document, in this process: recognise, read, check metadata, mask, assemble.

Each format has a reader, which takes the file's bytes and the options and gives back ``Content``; everything that is
the same for all formats happens here. ``load_reader`` imports one when the first file of its format comes: what it
raises is a fault of the installation and not of a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TypeVar

from kb.core.errors import DamagedFileError, NoTextError, ReadError, ReadLimitError, ToolMissingError
from kb.core.models import Document, ReadWarning
from kb.core.paths import inside
from kb.extract.blocks import Block, Content, assemble
from kb.extract.corpus_files import UNOPENED, existing_sidecar
from kb.extract.metadata import ACCESS_KEY, MAX_YAML, PARTS_KEY, build_metadata, parse_sidecar
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

# Where the reader of each format stands.
_READERS = {
    Format.PDF: ("kb.extract.pdf", "read_pdf"),
    Format.DOCX: ("kb.extract.formats.docx", "read_docx"),
    Format.PPTX: ("kb.extract.formats.pptx", "read_pptx"),
    Format.ODT: ("kb.extract.formats.opendocument", "read_odt"),
    Format.ODP: ("kb.extract.formats.opendocument", "read_odp"),
    Format.DOC: ("kb.extract.formats.legacy_office", "read_doc"),
    Format.RTF: ("kb.extract.formats.legacy_office", "read_rtf"),
    Format.EPUB: ("kb.extract.formats.epub", "read_epub"),
    Format.HTML: ("kb.extract.formats.plain_text", "read_html"),
    Format.MARKDOWN: ("kb.extract.formats.plain_text", "read_markdown"),
    Format.TEXT: ("kb.extract.formats.plain_text", "read_text"),
    Format.XLSX: ("kb.extract.formats.spreadsheet", "read_xlsx"),
    Format.ODS: ("kb.extract.formats.spreadsheet", "read_ods"),
    Format.CSV: ("kb.extract.formats.spreadsheet", "read_csv"),
    Format.EML: ("kb.extract.formats.mail", "read_eml"),
    Format.MSG: ("kb.extract.formats.mail", "read_msg"),
    Format.ZIP: ("kb.extract.formats.archive", "read_zip"),
}


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
        content = _read_content(form, data, options)
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
    named = {str(key): value for key, value in own.items()} if isinstance(own, Mapping) else {}
    # Who may see a file may see all of it, and no other may see any of it.
    return {key: value for key, value in named.items() if key != ACCESS_KEY} | {
        key: value for key, value in written.items() if key == ACCESS_KEY
    }


def _read_sidecar(path: Path) -> Mapping[str, object]:
    sidecar = existing_sidecar(path)
    if sidecar is None:
        return {}
    try:
        with sidecar.open("rb") as file:
            return parse_sidecar(file.read(MAX_YAML + 1))
    except OSError as error:
        raise ReadError(f"Metadatafilen kan ikke åbnes: {error.strerror}.", code=UNOPENED) from error


def _read_content(form: Format, data: bytes, options: ReadOptions) -> Content:
    """What the format's reader gives."""
    try:
        reader = load_reader(form)
    except MemoryError as error:
        raise _out_of_memory() from error
    except Exception as error:  # a module that is missing, cut short or of another version raises what it likes
        raise _module_missing(error) from error
    return _guarded(lambda: reader(data, options))


def _guarded(work: Callable[[], _Result]) -> _Result:
    """What a format's code gives; what a library raises unasked becomes a plain reason."""
    try:
        return work()
    except ReadError:
        raise
    except MemoryError as error:
        raise _out_of_memory() from error
    except RecursionError as error:
        raise DamagedFileError("Filen er indlejret i sig selv eller for dybt og kan ikke læses.") from error
    except ImportError as error:  # a library that a reader needs for some files alone
        raise _module_missing(error) from error
    except Exception as error:
        raise DamagedFileError(f"Filen er beskadiget og kan ikke læses ({type(error).__name__}).") from error


def _out_of_memory() -> ReadLimitError:
    return ReadLimitError("Læsningen brugte for meget hukommelse.", code="hukommelsesgrænse")


def _module_missing(error: Exception) -> ToolMissingError:
    module = getattr(error, "name", None) or ""
    return ToolMissingError(
        f"Filen kræver et Python-modul, der ikke kan indlæses ({error}).",
        advice=f"Installér modulet {module} i det miljø, kb kører i.".replace("  ", " "),
        code=MODULE_MISSING,
    )


@cache
def load_reader(form: Format) -> Reader:
    """The reader of a format, imported when it is first needed: together their libraries take a second to load."""
    module, name = _READERS[form]
    reader: Reader = getattr(import_module(module), name)
    return reader


def _within_limit(blocks: tuple[Block, ...]) -> tuple[list[Block], tuple[ReadWarning, ...]]:
    """The blocks up to the longest text a document may have, and a warning when something is left out."""
    total = 0
    for index, block in enumerate(blocks):
        total += len(block.text) + 2
        if total > MAX_TEXT:
            warning = ReadWarning("afkortet", f"Kun de første {MAX_TEXT // 1_000_000} mio. tegn er læst.")
            return list(blocks[:index]), (warning,)
    return list(blocks), ()
