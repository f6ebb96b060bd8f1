"""Text that a PDF page holds and a person who opens it does not see.

Whether text is seen is asked of the page itself: PDFium draws it, and where all of a piece of text stands on one even
colour there are no letters to be read. That alone could also mean that PDFium lacks the glyphs, so there must be a
reason: the text is drawn invisibly or see-through, it has the colour of what it stands on, something is drawn over it,
or it is clipped away. The invisible text of a recognised scan stays, since the image under it shows the letters.
Text beside the page's visible part is not seen either. Layers are in ``layers``.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, TypeVar

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray
from pypdfium2 import raw

Box = tuple[float, float, float, float]

_INVISIBLE = frozenset({raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP})
_STROKED = frozenset({raw.FPDF_TEXTRENDERMODE_STROKE, raw.FPDF_TEXTRENDERMODE_STROKE_CLIP})
_SEE_THROUGH = 16
# Of 255 levels of grey: what differs less is one colour to the eye.
_EVEN = 10
_ALIKE = 24
_LIGHT = 128
_MOST = 0.8
_MAX_PIXELS = 4_000_000
_COVERS = (raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_SHADING, raw.FPDF_PAGEOBJ_FORM)
_MAX_OBJECTS = 50_000


@dataclass(frozen=True, slots=True)
class Ink:
    """How a piece of text is drawn.

    ``grey`` is from 0 (black) to 255, ``clip`` the part of the page it may mark, ``handle`` PDFium's address of it.
    """

    invisible: bool = False
    grey: float = 0.0
    clip: Box | None = None
    handle: int | None = None


class Letter(Protocol):
    """What is asked of a character: its box in the page's own coordinates."""

    @property
    def box(self) -> Box: ...  # noqa: D102


_L = TypeVar("_L", bound=Letter)


def ink_of(item: Any) -> Ink:
    """How PDFium says that a text object is drawn."""
    mode = raw.FPDFTextObj_GetTextRenderMode(item)
    colour = raw.FPDFPageObj_GetStrokeColor if mode in _STROKED else raw.FPDFPageObj_GetFillColor
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    told = colour(item, red, green, blue, alpha)
    grey = 0.299 * red.value + 0.587 * green.value + 0.114 * blue.value
    invisible = mode in _INVISIBLE or (bool(told) and alpha.value < _SEE_THROUGH)
    return Ink(invisible, grey, _clip(item), _address(item))


def _address(item: Any) -> int | None:
    return ctypes.cast(item, ctypes.c_void_p).value


def _clip(item: Any) -> Box | None:
    """The box that all clipping paths of an object share, as far as their corners tell it."""
    path = raw.FPDFPageObj_GetClipPath(item)
    count = raw.FPDFClipPath_CountPaths(path) if path else 0
    box: Box | None = None
    x, y = ctypes.c_float(), ctypes.c_float()
    for index in range(max(count, 0)):
        corners: list[tuple[float, float]] = []
        for part in range(max(raw.FPDFClipPath_CountPathSegments(path, index), 0)):
            segment = raw.FPDFClipPath_GetPathSegment(path, index, part)
            if segment and raw.FPDFPathSegment_GetPoint(segment, x, y):
                corners.append((x.value, y.value))
        if corners:
            outline = _around((a, b, a, b) for a, b in corners)
            box = outline if box is None else (*map(max, box[:2], outline[:2]), *map(min, box[2:], outline[2:]))  # type: ignore[assignment]
    return box


class Sight:
    """What is seen of one page; the page is drawn when the first piece of text is asked about."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        self._page = page
        self._left, self._bottom, self._right, self._top = page.get_bbox()
        self._drawn: tuple[NDArray[np.uint8], float] | None = None
        self._drawn_order: tuple[dict[int | None, int], list[tuple[int, Box]]] | None = None

    def is_on_page(self, box: Box) -> bool:
        """Whether the middle of a box lies in the part of the page that is shown."""
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        return bool(self._left <= x <= self._right and self._bottom <= y <= self._top)

    def shows(self, boxes: Sequence[Box], ink: Ink) -> bool:
        """Whether a person sees a piece of text whose letters stand in these boxes."""
        whole = _around(boxes)
        ground = self._even_ground(whole, around=1)
        if ground is None:
            suspicious = ink.invisible or ink.grey >= _LIGHT
            return not suspicious or self._shows_letters(boxes, ink)
        covered = any(_within(whole, cover) for cover in self._drawn_after(ink))
        clipped = ink.clip is not None and not _touch(ink.clip, whole)
        return not (ink.invisible or abs(ground - ink.grey) < _ALIKE or clipped or covered)

    def _shows_letters(self, boxes: Sequence[Box], ink: Ink) -> bool:
        """Whether enough single letters of text that may be invisible stand out from what is behind them."""
        grounds = [self._even_ground(box) for box in boxes]
        unseen = sum(g is not None and (ink.invisible or abs(g - ink.grey) < _ALIKE) for g in grounds)
        return unseen < _MOST * len(boxes)

    def _even_ground(self, box: Box, around: int = 0) -> float | None:
        """The one colour that a part of the page, and so many pixels around it, has; None where it has more."""
        pixels, scale = self._picture()
        x0, x1 = int((box[0] - self._left) * scale) - around, int((box[2] - self._left) * scale) + 1 + around
        y0, y1 = int((self._top - box[3]) * scale) - around, int((self._top - box[1]) * scale) + 1 + around
        part = pixels[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
        if not part.size:
            return None
        low, high = float(part.min()), float(part.max())
        return (low + high) / 2 if high - low < _EVEN else None

    def _picture(self) -> tuple[NDArray[np.uint8], float]:
        """The page in grey as it is before it is turned for show, and its pixels a point."""
        if self._drawn is None:
            area = max((self._right - self._left) * (self._top - self._bottom), 1.0)
            scale = min(1.0, (_MAX_PIXELS / area) ** 0.5)
            bitmap = self._page.render(scale=scale, rotation=-self._page.get_rotation() % 360, grayscale=True)
            pixels = bitmap.to_numpy().copy()
            bitmap.close()
            self._drawn = (pixels.reshape(pixels.shape[:2]), scale)
        return self._drawn

    def _drawn_after(self, ink: Ink) -> list[Box]:
        """The boxes of what is drawn after a piece of text, text left aside; none for text inside a form."""
        if self._drawn_order is None:
            places: dict[int | None, int] = {}
            covers: list[tuple[int, Box]] = []
            for place, item in enumerate(islice(self._page.get_objects(max_depth=1), _MAX_OBJECTS)):
                places[_address(item.raw)] = place
                if item.type in _COVERS:
                    covers.append((place, item.get_bounds()))
            self._drawn_order = places, covers
        places, covers = self._drawn_order
        own = places.get(ink.handle)
        return [] if own is None else [box for place, box in covers if place > own]


def split_unseen(letters: Iterable[_L], ink: Callable[[_L], Ink | None], sight: Sight) -> tuple[list[_L], list[_L]]:
    """The characters that are seen and those that are not; ``ink`` is one object for each piece of text."""
    on_page: list[_L] = []
    unseen: list[_L] = []
    pieces: dict[int, tuple[Ink, list[Box]]] = {}
    for letter in letters:
        if not sight.is_on_page(letter.box):
            unseen.append(letter)
            continue
        on_page.append(letter)
        look = ink(letter)
        if look is not None and letter.box[2] > letter.box[0] and letter.box[3] > letter.box[1]:
            pieces.setdefault(id(look), (look, []))[1].append(letter.box)
    hidden = {key for key, (look, boxes) in pieces.items() if not sight.shows(boxes, look)}
    seen: list[_L] = []
    for letter in on_page:
        (unseen if id(ink(letter)) in hidden else seen).append(letter)
    return seen, unseen


def _around(boxes: Iterable[Box]) -> Box:
    left, bottom, right, top = zip(*boxes, strict=True)
    return min(left), min(bottom), max(right), max(top)


def _touch(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _within(inner: Box, outer: Box) -> bool:
    return (
        outer[0] <= inner[0] + 1 and outer[1] <= inner[1] + 1 and inner[2] - 1 <= outer[2] and inner[3] - 1 <= outer[3]
    )
