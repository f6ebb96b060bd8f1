"""One file to one Document, in this process: recognise, read, check metadata, mask, assemble.

The readers are held in one table by format. Each takes the file's bytes and gives back ``Content``; everything that
is the same for all formats happens here. ``load_readers`` imports them all: what it raises is a fault of the
installation and not of a file.
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
    reader = load_readers()[form]
    try:
        return reader(data, options)
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
    from kb.extract.formats import docx, epub, legacy_office, opendocument, plain_text, pptx
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
