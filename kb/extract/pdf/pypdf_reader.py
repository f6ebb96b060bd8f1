"""PDF pages by pypdf: the pieces of text its visitor reports, gathered into runs.

pypdf tells where each piece begins and in what font, not where it ends; the width is added up from the font's own
table of widths, or estimated where there is none.
"""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import DictionaryObject
from pypdf.generic._font import Font

from kb.extract.pdf.raw_page import RawPage, Rule, Run

Matrix = list[float]
# Of the type size, for a font that does not tell its widths.
_USUAL_WIDTH = 0.5
_MAX_GAP = 1.5

logging.getLogger("pypdf").setLevel(logging.CRITICAL)


class Reader:
    """A PDF opened with pypdf, which forgives what it can mend; raises ``PyPdfError`` and others for the rest."""

    def __init__(self, data: bytes) -> None:
        self._reader = PdfReader(io.BytesIO(data), strict=False)
        if self._reader.is_encrypted:
            self._reader.decrypt("")
        self._fonts: dict[int, tuple[DictionaryObject, _Font]] = {}

    def __len__(self) -> int:
        return len(self._reader.pages)

    def read_page(self, number: int, rules: Sequence[Rule] = ()) -> RawPage:
        """The runs of a page (``number`` from 1), parted at vertical ``rules``.

        Text turned away from the page's own direction is left out; a page full of it is for PDFium.
        """
        page = self._reader.pages[number - 1]
        pieces = _Pieces(self._fonts)
        page.extract_text(visitor_text=pieces.add)
        box = page.cropbox
        left, bottom = float(box.left), float(box.bottom)
        verticals = [rule for rule in rules if rule.x0 == rule.x1]
        runs = tuple(pieces.runs(left, bottom, verticals))
        return RawPage(number, float(box.width), float(box.height), runs, rules=tuple(rules))


class _Pieces:
    """Gathers what the visitor reports; a piece ends where pypdf ends a line or the text jumps."""

    def __init__(self, fonts: dict[int, tuple[DictionaryObject, _Font]]) -> None:
        self._runs: list[Run] = []
        self._fonts = fonts

    def add(self, text: str, cm: Matrix, tm: Matrix, font: DictionaryObject | None, size: float) -> None:
        if not text or font is None:
            return
        if id(font) not in self._fonts:
            self._fonts[id(font)] = (font, _Font(font))  # kept with the font: its id must not pass to another
        known = self._fonts[id(font)][1]
        x, y, scale, upright = _place(cm, tm)
        if not upright:
            return
        points = round(abs(size) * scale, 1) or 1.0
        for index, line in enumerate(text.split("\n")):
            if line.strip() and index == 0:
                self._runs.append(Run(line, x, x + known.width(line) * points, y, points, known.bold))
            elif line.strip():
                # A line pypdf broke off inside one piece: its place is not told.
                last = self._runs[-1] if self._runs else Run("", x, x, y, points)
                y = min(y, last.y) - 1.2 * points
                self._runs.append(Run(line, x, x + known.width(line) * points, y, points, known.bold))

    def runs(self, left: float, bottom: float, rules: Sequence[Rule]) -> list[Run]:
        """The pieces with (left, bottom) as the origin, neighbours of one line and type joined."""
        joined: list[Run] = []
        for piece in self._runs:
            run = replace(piece, x0=piece.x0 - left, x1=piece.x1 - left, y=piece.y - bottom)
            last = joined[-1] if joined else None
            if last is not None and _joins(last, run) and not _parted(last, run, rules):
                gap = " " if run.x0 - last.x1 > 0.16 * run.size and not last.text.endswith(" ") else ""
                joined[-1] = Run(
                    last.text + gap + run.text, last.x0, max(last.x1, run.x1), last.y, last.size, last.bold
                )
            else:
                joined.append(run)
        return joined


def _joins(before: Run, after: Run) -> bool:
    if before.size != after.size or before.bold != after.bold or abs(before.y - after.y) > 0.2 * after.size:
        return False
    return -0.5 * after.size <= after.x0 - before.x1 <= _MAX_GAP * after.size


def _parted(before: Run, after: Run, rules: Sequence[Rule]) -> bool:
    """Whether a vertical rule stands where one piece ends and the next begins."""
    return any(
        before.x1 - before.size < rule.x0 <= after.x0 + 1 and before.x0 < rule.x0 and rule.y0 <= after.y <= rule.y1
        for rule in rules
    )


def _place(cm: Matrix, tm: Matrix) -> tuple[float, float, float, bool]:
    """Where a piece begins on the page, the scale of its type, and whether it runs from left to right."""
    a = tm[0] * cm[0] + tm[1] * cm[2]
    b = tm[0] * cm[1] + tm[1] * cm[3]
    d = tm[2] * cm[1] + tm[3] * cm[3]
    x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
    y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
    scale = abs(d) or math.hypot(a, b) or 1.0
    return x, y, scale, a > 0 and abs(b) < 0.1 * abs(a)


class _Font:
    """What a font's dictionary tells: whether it is bold, and how wide its characters are."""

    def __init__(self, font: DictionaryObject) -> None:
        name = str(font.get("/BaseFont", "")).lower()
        self.bold = any(word in name for word in ("bold", "black", "heavy", "semib", "demi"))
        self._widths, self._default = _widths(font)

    def width(self, text: str) -> float:
        """The width of a text in units of the type size."""
        return sum(self._widths.get(char, self._default) for char in text.rstrip())


def _widths(font: DictionaryObject) -> tuple[Mapping[str, float], float]:
    """Widths by character, and that of the others; pypdf keeps them by the code each character has in the font."""
    try:
        known = Font.from_font_resource(font)
    except (PyPdfError, AttributeError, KeyError, TypeError, ValueError):
        return {}, _USUAL_WIDTH
    by_code = known.character_widths
    default = by_code.get("default", 1000 * _USUAL_WIDTH) / 1000
    widths = {char: width / 1000 for char, width in by_code.items() if len(char) == 1}
    if isinstance(known.encoding, dict):
        widths |= {char: by_code[chr(code)] / 1000 for code, char in known.encoding.items() if chr(code) in by_code}
    for code, char in known.character_map.items():
        if isinstance(code, str) and code in by_code and isinstance(char, str) and char:
            widths[char] = by_code[code] / 1000
    return widths, default
