"""DOCX by way of mammoth: its HTML keeps headings, lists, tables and footnotes.

Word's style names are the same in every language inside the file ("heading 1"), but documents made by other programs
carry Danish ones; both are mapped. Text boxes are read where they stand; deleted and hidden text and comments are not.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import IO
from zipfile import ZipFile

import mammoth
from defusedxml import ElementTree
from selectolax.lexbor import LexborHTMLParser

from kb.core.errors import DamagedFileError
from kb.core.models import ReadWarning
from kb.extract.blocks import Block, Content, Kind, Properties
from kb.extract.cleaning import one_line
from kb.extract.contents_list import without_contents_list
from kb.extract.formats.word_xml import prepared
from kb.extract.html import html_blocks
from kb.extract.options import ReadOptions
from kb.extract.xml_names import local_name
from kb.extract.zip_container import check_xml_parts, opened, read_part

_STYLES = "\n".join(
    [
        *(
            f"p[style-name='{name} {level}'] => h{level}:fresh"
            for name in ("Overskrift", "heading", "Heading", "Titel")
            for level in range(1, 7)
        ),
        *(f"p[style-name='{name}'] => h1:fresh" for name in ("Title", "Titel", "title")),
        *(f"p[style-name='{name}'] => p:fresh" for name in ("Subtitle", "Undertitel")),
        "r[style-name='Strong'] => strong",
    ]
)
_LONGEST_BOLD = 90
_TRACKED = ReadWarning("rettelser", "Dokumentet har rettelser, der ikke er godkendt; de er læst, som om de var det.")


def read_docx(data: bytes, _options: ReadOptions) -> Content:
    """A Word document; raises a :class:`ReadError` for what is damaged, encrypted or a bomb."""
    with opened(data) as archive:
        check_xml_parts(archive)
        properties = core_properties(archive)
        tracked = b"<w:ins " in read_part(archive, _main_part(archive))
        document = prepared(archive)
    html = _to_html(document.data)
    told = [_TRACKED] * tracked + _unread(document.unread)
    blocks = without_contents_list(with_bold_headings(html, html_blocks(html)))
    return Content("mammoth", tuple(blocks), properties, warnings=tuple(told))


def _unread(kinds: Sequence[str]) -> list[ReadWarning]:
    """What is said of parts whose text is not read; nothing when there are none."""
    text = f"Dokumentet har {', '.join(kinds)}; teksten i dem er ikke læst."
    return [ReadWarning("dele-mangler", text)] if kinds else []


def _main_part(archive: ZipFile) -> str:
    return next(name for name in archive.namelist() if re.fullmatch(r"word/document\d*\.xml", name))


def _to_html(data: bytes) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = mammoth.convert_to_html(
                io.BytesIO(data),
                style_map=_STYLES,
                convert_image=mammoth.images.img_element(_no_image),
                external_file_access=False,
                include_embedded_style_map=False,
            )
    except (MemoryError, RecursionError, ImportError):
        raise
    except Exception as error:  # mammoth lets through whatever its XML and ZIP layers raise
        raise DamagedFileError("Word-filen er beskadiget og kan ikke læses.") from error
    return str(result.value)


def _no_image(image: IO[bytes]) -> dict[str, str]:
    return {"src": ""}


def core_properties(archive: ZipFile) -> Properties:
    """Title, date and language as Office formats keep them."""
    name = "docProps/core.xml"
    if name not in archive.namelist():
        return Properties()
    try:
        root = ElementTree.fromstring(read_part(archive, name))
    except (ElementTree.ParseError, ValueError):
        return Properties()
    values = {local_name(element): (element.text or "").strip() for element in root.iter()}
    return Properties(
        title=values.get("title", ""),
        language=values.get("language", "")[:2].lower(),
    )


def with_bold_headings(html: str, blocks: list[Block]) -> list[Block]:
    """Take short paragraphs in bold, standing alone, for the headings they are meant as.

    Many reports are written without heading styles. Such a heading ranks one below the last real one.
    """
    bold = {
        text
        for paragraph in LexborHTMLParser(html).css("p")
        if (text := one_line(paragraph.text())) == one_line("".join(s.text() for s in paragraph.css("strong")))
        and 2 < len(text) <= _LONGEST_BOLD
        and text[-1] not in ".,;!"
    }
    result: list[Block] = []
    level = 1
    for index, block in enumerate(blocks):
        if block.kind is Kind.HEADING:
            level = block.level
        if block.kind is Kind.PARAGRAPH and block.text in bold and _has_text_below(blocks, index, bold):
            result.append(replace(block, kind=Kind.HEADING, level=min(level + 1, 6)))
        else:
            result.append(block)
    return result


def _has_text_below(blocks: list[Block], index: int, bold: set[str]) -> bool:
    below = blocks[index + 1] if index + 1 < len(blocks) else None
    return below is not None and below.text not in bold
