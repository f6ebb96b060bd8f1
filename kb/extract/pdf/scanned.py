"""Pages, and parts of pages, whose text must be recognised from their image.

A page needs it when it shows hardly any text but an image, or many drawn shapes; a part of a page when its font does
not say which letters its glyphs are. What is recognised takes the place of what could not be read, as runs with
their place on the page, so that columns, headings and tables are found in it as in any other page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import pypdfium2 as pdfium
from pypdfium2 import raw

from kb.extract.ocr import DPI, recognise_lines
from kb.extract.pdf.quality import unreadable_share, visible
from kb.extract.pdf.raw_page import RawPage, Run

_FEW_CHARACTERS = 20
_IMAGE_SHARE = 0.2
_MANY_SHAPES = 300
_UNREADABLE = 0.3
_FEW_UNREADABLE = 40
_UNREADABLE_SHARE = 0.04
_MAX_PIXELS = 40_000_000
# Bytes that an image may take up unpacked; PDFium leaves one that is too large out and says nothing.
_MAX_IMAGE = 1 << 30
_PADDING = 3.0
# Of the height of a line's box; recognised lines have both ascenders and descenders.
_TYPE_SIZE = 0.8
_DESCENT = 0.22
_EVEN = 0.2


@dataclass(frozen=True)
class Box:
    """A part of a page in points, the origin at the lower left corner."""

    x0: float
    y0: float
    x1: float
    y1: float


def needs_ocr(document: pdfium.PdfDocument, page: RawPage) -> bool:
    """Whether the page as a whole must be recognised."""
    if visible("".join(run.text for run in (*page.runs, *page.aside))) >= _FEW_CHARACTERS:
        return False
    shown = document[page.number - 1]
    try:
        area = shown.get_width() * shown.get_height()
        images = shown.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3)
        # Scanners often write a page as a stack of strips.
        if sum(_area(item.get_bounds()) for item in images) >= _IMAGE_SHARE * area:
            return True
        shapes = shown.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_SHADING], max_depth=3)
        return sum(1 for _ in shapes) >= _MANY_SHAPES
    finally:
        shown.close()


def is_too_large(document: pdfium.PdfDocument, page: RawPage) -> bool:
    """Whether an image on the page takes up more memory unpacked than there is for one."""
    shown = document[page.number - 1]
    try:
        images = shown.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3)
        return any(_bytes(image) > _MAX_IMAGE for image in images if isinstance(image, pdfium.PdfImage))
    finally:
        shown.close()


def _bytes(image: pdfium.PdfImage) -> int:
    described = image.get_metadata()
    return int(described.width * described.height * max(described.bits_per_pixel, 1)) // 8


def _area(bounds: tuple[float, float, float, float]) -> float:
    left, bottom, right, top = bounds
    return max(0.0, right - left) * max(0.0, top - bottom)


def is_unreadable(run: Run) -> bool:
    """Whether the file does not name the letters of a run."""
    return unreadable_share(run.text) > _UNREADABLE


def unreadable_parts(page: RawPage) -> list[Box]:
    """The parts of a page whose letters the file does not name, as boxes that do not touch.

    A few such characters are signs in a formula or bullets and not worth a look at the page.
    """
    unreadable = sum(len(run.text) for run in page.runs if is_unreadable(run))
    if unreadable < max(_FEW_UNREADABLE, _UNREADABLE_SHARE * sum(len(run.text) for run in page.runs)):
        return []
    boxes = [Box(run.x0, run.y - 0.3 * run.size, run.x1, run.y + run.size) for run in page.runs if is_unreadable(run)]
    return _merged(boxes, 2 * median([run.size for run in page.runs] or [10.0]))


def _merged(boxes: list[Box], near: float) -> list[Box]:
    merged: list[Box] = []
    for box in sorted(boxes, key=lambda box: -box.y1):
        current = box
        apart: list[Box] = []
        for other in merged:
            if _near(current, other, near):
                current = Box(
                    min(current.x0, other.x0),
                    min(current.y0, other.y0),
                    max(current.x1, other.x1),
                    max(current.y1, other.y1),
                )
            else:
                apart.append(other)
        merged = [*apart, current]
    return merged


def _near(a: Box, b: Box, near: float) -> bool:
    return a.x0 - near < b.x1 and b.x0 - near < a.x1 and a.y0 - near < b.y1 and b.y0 - near < a.y1


def recognised(document: pdfium.PdfDocument, page: RawPage, parts: Sequence[Box] | None, seconds: float) -> RawPage:
    """The page with ``parts`` of it, or all of it, read by recognition; raises :class:`ReadLimitError`."""
    whole = [Box(0.0, 0.0, page.width, page.height)]
    runs: list[Run] = []
    for part in parts or whole:
        runs += _read_part(document, page, part, seconds)
    if parts is None:
        return replace(page, runs=tuple(_evened(runs)), aside=())
    readable = tuple(run for run in page.runs if not is_unreadable(run))
    return replace(page, runs=(*readable, *runs))


def recognised_beside(document: pdfium.PdfDocument, page: RawPage, runs: Sequence[Run], seconds: float) -> list[str]:
    """What recognition reads in the part of the page where these runs stand; raises :class:`ReadLimitError`."""
    top, bottom = max(run.y + 1.2 * run.size for run in runs), min(run.y - 0.5 * run.size for run in runs)
    return [run.text for run in _read_part(document, page, Box(0.0, bottom, page.width, top), seconds)]


def _evened(runs: list[Run]) -> list[Run]:
    """Sizes near the usual one made equal: recognised heights vary with the letters in a line."""
    usual = median([run.size for run in runs for _ in range(len(run.text))] or [0.0])
    return [replace(run, size=usual) if abs(run.size - usual) <= _EVEN * usual else run for run in runs]


def _read_part(document: pdfium.PdfDocument, page: RawPage, part: Box, seconds: float) -> list[Run]:
    shown = document[page.number - 1]
    try:
        width, height = shown.get_size()
        scale = min(DPI / 72, (_MAX_PIXELS / max(width * height, 1.0)) ** 0.5)
        crop = (
            max(0.0, part.x0 - _PADDING),
            max(0.0, part.y0 - _PADDING),
            max(0.0, width - part.x1 - _PADDING),
            max(0.0, height - part.y1 - _PADDING),
        )
        image = shown.render(scale=scale, crop=crop, grayscale=True).to_pil()
    finally:
        shown.close()
    left, top = crop[0], height - crop[3]
    return [
        Run(
            line.text,
            left + line.left / scale,
            left + line.right / scale,
            top - line.bottom / scale + _DESCENT * (line.bottom - line.top) / scale,
            # Rounded to whole points: recognised heights differ a little from paragraph to paragraph.
            float(max(4, round(_TYPE_SIZE * line.height / scale))),
        )
        for line in recognise_lines(image, seconds)
    ]
