"""The tags of a PDF, by PDFium: which marked content is a heading, and which is text at all.

Word, LibreOffice and browsers write them for screen readers, and the law asks public bodies for them. Headings (``H``,
``H1`` to ``H6``, ``Title``) are told by level; content that no tag holds is an artifact by the format's own rules: page
numbers, running headers, the labels of charts.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import pypdfium2 as pdfium
from pypdfium2 import raw

_HEADING = re.compile(r"H([1-6]?)|Title")
_MAX_DEPTH = 60
_MAX_ELEMENTS = 20_000


@dataclass(slots=True)
class Tags:
    """The marked content of one page by its number: all that is tagged, and the level and element of headings."""

    tagged: set[int] = field(default_factory=set)
    headings: dict[int, tuple[int, int]] = field(default_factory=dict)


def page_tags(page: pdfium.PdfPage) -> Tags:
    """The tags of a page; empty for a page that has none."""
    tags = Tags()
    tree = raw.FPDF_StructTree_GetForPage(page)
    if not tree:
        return tags
    try:
        for element, level in islice(_elements(tree), _MAX_ELEMENTS):
            for number in _contents(element):
                tags.tagged.add(number)
                if level:
                    tags.headings[number] = level
    finally:
        raw.FPDF_StructTree_Close(tree)
    return tags


def _elements(tree: object) -> Iterator[tuple[object, tuple[int, int] | None]]:
    """Each element with the level and the number of the heading that it is or lies in."""
    stack: list[tuple[object, tuple[int, int] | None, int]] = [
        (raw.FPDF_StructTree_GetChildAtIndex(tree, index), None, 0)
        for index in reversed(range(raw.FPDF_StructTree_CountChildren(tree)))
    ]
    headings = 0
    while stack:
        element, heading, depth = stack.pop()
        if not element or depth > _MAX_DEPTH:
            continue
        named = _HEADING.fullmatch(_type(element))
        if named and heading is None:
            headings += 1
            heading = int(named[1] or 1), headings
        yield element, heading
        children = raw.FPDF_StructElement_CountChildren(element)
        for index in reversed(range(max(children, 0))):
            stack.append((raw.FPDF_StructElement_GetChildAtIndex(element, index), heading, depth + 1))


def _contents(element: object) -> Iterator[int]:
    """The numbers of the marked content that an element holds itself."""
    for index in range(max(raw.FPDF_StructElement_GetMarkedContentIdCount(element), 0)):
        number = raw.FPDF_StructElement_GetMarkedContentIdAtIndex(element, index)
        if number >= 0:
            yield number


def _type(element: object) -> str:
    length = raw.FPDF_StructElement_GetType(element, None, 0)
    if length <= 0:
        return ""
    buffer = ctypes.create_string_buffer(length)
    raw.FPDF_StructElement_GetType(element, buffer, length)
    return str(buffer.raw.decode("utf-16-le", "replace")).rstrip("\0")
