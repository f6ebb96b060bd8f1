"""One file to one Document, in this process: recognise, read, check metadata, mask, assemble.

Each format has a reader, which takes the file's bytes and the options and gives back ``Content``; everything that is
the same for all formats happens here. ``load_reader`` imports one when the first file of its format comes: what it
raises is a fault of the installation and not of a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from kb.core.errors import DamagedFileError, NoTextError, ReadError, ReadLimitError, ToolMissingError
from kb.core.models import Document, ReadWarning
from kb.extract.blocks import Block, Content, assemble
from kb.extract.corpus_files import UNOPENED, existing_sidecar, relative_name
from kb.extract.metadata import MAX_YAML, build_metadata, parse_sidecar
from kb.extract.options import ReadOptions
from kb.extract.recognition import Format, recognise

MAX_FILE = 1 << 30
MAX_TEXT = 20_000_000
# The code of a file that needs a module which is not there.
MODULE_MISSING = "modul-mangler"

Reader = Callable[[bytes, ReadOptions], Content]


def read_file(path: Path, root: Path, options: ReadOptions) -> Document:
    """Read one file below ``root``; raises a :class:`ReadError` that says in Danish why it could not be read."""
    data = read_bytes(path)
    written = _read_sidecar(path)
    form = recognise(data, path.suffix)
    content = _read_content(form, data, options)
    name = relative_name(path, root)
    blocks, cut = _within_limit(content.blocks)
    metadata, metadata_warnings = build_metadata(
        {**(content.front_matter or {}), **written},
        path=name,
        properties=content.properties,
        blocks=blocks,
        contacts=options.mask_contacts,
    )
    assembled = assemble(blocks, content.pages, contacts=options.mask_contacts)
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
    """Call the format's reader; what a library raises unasked becomes a plain reason."""
    try:
        reader = load_reader(form)
    except MemoryError as error:
        raise _out_of_memory() from error
    except Exception as error:  # a module that is missing, cut short or of another version raises what it likes
        raise _module_missing(error) from error
    try:
        return reader(data, options)
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
    reader: Reader
    match form:
        case Format.PDF:
            from kb.extract.pdf import read_pdf as reader
        case Format.DOCX:
            from kb.extract.formats.docx import read_docx as reader
        case Format.PPTX:
            from kb.extract.formats.pptx import read_pptx as reader
        case Format.ODT:
            from kb.extract.formats.opendocument import read_odt as reader
        case Format.ODP:
            from kb.extract.formats.opendocument import read_odp as reader
        case Format.DOC:
            from kb.extract.formats.legacy_office import read_doc as reader
        case Format.RTF:
            from kb.extract.formats.legacy_office import read_rtf as reader
        case Format.EPUB:
            from kb.extract.formats.epub import read_epub as reader
        case Format.HTML:
            from kb.extract.formats.plain_text import read_html as reader
        case Format.MARKDOWN:
            from kb.extract.formats.plain_text import read_markdown as reader
        case Format.TEXT:
            from kb.extract.formats.plain_text import read_text as reader
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
