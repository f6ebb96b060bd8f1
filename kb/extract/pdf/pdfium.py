"""PDF pages by PDFium: the characters with their boxes, gathered into runs."""

from __future__ import annotations

import ctypes
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pypdfium2 as pdfium
from pypdfium2 import raw

from kb.core.errors import DamagedFileError, ProtectedFileError
from kb.extract.pdf.fonts import is_bold_program, is_named_bold
from kb.extract.pdf.letters import HOLE, with_accents, without_squeezed_spaces
from kb.extract.pdf.raw_page import ARTIFACT, Mark, OutlineEntry, RawPage, Rule, Run
from kb.extract.pdf.tags import Tags, page_tags
from kb.extract.pdf.unseen import Ink, Sight, ink_of, split_unseen

# PDFium writes this for a hyphen at the end of a line.
_LINE_END_HYPHEN = {0x02, 0xFFFE}
_GAP = 1.5
# Between two text objects, which may be lines of neighbouring columns.
_OBJECT_GAP = 0.7
_MAX_OUTLINE = 5000
_MAX_PATHS = 20_000
_THIN = 3.0
_SHORTEST_RULE = 4.0
_BOX_SEGMENTS = 6
_MAX_FONT = 50_000_000


@dataclass(frozen=True, slots=True)
class _Type:
    """One text object: size in points, weight, the direction it runs in (0, 90, 180, 270), its ink, its marked content.

    ``weighed`` says that the font's program alone told that it is bold.
    """

    size: float
    bold: bool
    turn: int
    ink: Ink | None
    content: int = -1
    weighed: bool = False


@dataclass(slots=True)
class _Char:
    text: str
    x0: float
    x1: float
    y0: float
    y1: float
    x: float
    y: float
    type: _Type

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and top."""
        return self.x0, self.y0, self.x1, self.y1


def open_document(data: bytes) -> pdfium.PdfDocument:
    """Open a PDF; raises :class:`ProtectedFileError` or :class:`DamagedFileError`."""
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise ProtectedFileError("Filen er beskyttet med en adgangskode.") from error
        raise DamagedFileError("PDF-filen er beskadiget og kan ikke åbnes.") from error


def read_page(document: pdfium.PdfDocument, number: int) -> RawPage:
    """The runs of a page (``number`` from 1)."""
    page = document[number - 1]
    textpage = page.get_textpage()
    try:
        frame = _Frame.of(page)
        chars, unseen = split_unseen(_characters(textpage), lambda char: char.type.ink, Sight(page))
        rules = read_rules(page)
        tags = page_tags(page)
    finally:
        textpage.close()
        page.close()
    upright = _main_direction(chars)
    groups: dict[int, list[_Char]] = {upright: []}
    for char in chars:
        groups.setdefault(char.type.turn, []).append(char)
    framed = tuple(frame.turned_rule(rule, upright) for rule in rules)
    upright_rules = [rule for rule in framed if rule.x0 == rule.x1]
    told = {turn: [frame.turned(char, turn) for char in group] for turn, group in groups.items()}
    spelt = {turn: _spelt(group) for turn, group in told.items()}
    runs = {turn: tuple(_runs(group, upright_rules if turn == upright else [])) for turn, group in spelt.items()}
    aside = tuple(run for turn, group in runs.items() if turn != upright for run in group)
    width, height = frame.size(upright)
    left_out = sum(not char.text.isspace() for char in unseen)
    mended = any(len(spelt[turn]) < len(told[turn]) for turn in told)
    weighed = any(char.type.weighed and char.type.bold for char in chars)
    marks = tuple(_marks(told[upright], tags)) if tags.tagged else ()
    return RawPage(number, width, height, runs[upright], aside, framed, left_out, mended, weighed, marks)


def _marks(chars: list[_Char], tags: Tags) -> Iterator[Mark]:
    """What the tags say, a stretch of characters at a time."""
    open_mark: Mark | None = None
    for char in chars:
        if char.text.isspace():
            continue
        content = char.type.content
        level, element = tags.headings.get(content, (0 if content in tags.tagged else ARTIFACT, 0))
        if (
            open_mark is not None
            and (open_mark.level, open_mark.element) == (level, element)
            and abs(open_mark.y - char.y) <= 1
            and -char.type.size <= char.x0 - open_mark.x1 <= _GAP * char.type.size
        ):
            open_mark = replace(open_mark, x1=max(open_mark.x1, char.x1))
        else:
            if open_mark is not None:
                yield open_mark
            open_mark = Mark(char.x0, char.x1, char.y, level, element)
    if open_mark is not None:
        yield open_mark


def _spelt(chars: list[_Char]) -> list[_Char]:
    """The characters with accents on their letters, and without spaces that lie inside a ligature."""
    return [
        char if char.text == text else replace(char, text=text)
        for char, text in with_accents(without_squeezed_spaces(chars))
    ]


def page_rules(document: pdfium.PdfDocument, number: int) -> list[Rule]:
    """The drawn lines of a page, with the page's lower left corner as the origin."""
    page = document[number - 1]
    try:
        frame = _Frame.of(page)
        return [frame.turned_rule(rule, 0) for rule in read_rules(page)]
    finally:
        page.close()


def page_text(document: pdfium.PdfDocument, number: int) -> str:
    """The page's text as PDFium orders it: quick, without places."""
    page = document[number - 1]
    textpage = page.get_textpage()
    try:
        return str(textpage.get_text_range())
    finally:
        textpage.close()
        page.close()


def outline(document: pdfium.PdfDocument) -> list[OutlineEntry]:
    """The bookmarks; an outline that cannot be read, or goes in circles, is cut short."""
    entries: list[OutlineEntry] = []
    try:
        for bookmark in document.get_toc(max_depth=8):
            target = bookmark.get_dest()
            index = target.get_index() if target else None
            entries.append(OutlineEntry(bookmark.level + 1, bookmark.get_title(), 0 if index is None else index + 1))
            if len(entries) >= _MAX_OUTLINE:
                break
    except (pdfium.PdfiumError, ValueError):
        return entries
    return entries


def page_labels(document: pdfium.PdfDocument) -> list[str]:
    """The printed label of each page, where the file names one that differs from the number."""
    labels: list[str] = []
    for index in range(len(document)):
        try:
            label = document.get_page_label(index).strip()
        except (pdfium.PdfiumError, UnicodeDecodeError):
            label = ""
        labels.append("" if label == str(index + 1) else label[:20])
    return labels


def _characters(textpage: pdfium.PdfTextPage) -> Iterator[_Char]:
    types: dict[int | None, _Type] = {}
    weights: dict[int | None, bool] = {}
    left, right, bottom, top, x, y = (ctypes.c_double() for _ in range(6))
    for index in range(textpage.count_chars()):
        code = raw.FPDFText_GetUnicode(textpage, index)
        if code in (10, 13):
            continue
        if not raw.FPDFText_GetCharOrigin(textpage, index, x, y):
            continue
        raw.FPDFText_GetCharBox(textpage, index, left, right, bottom, top)
        handle = raw.FPDFText_GetTextObject(textpage, index)
        key = ctypes.cast(handle, ctypes.c_void_p).value if handle else None
        if key not in types:
            types[key] = _type_of(textpage, index, handle, weights)
        text = "-" if code in _LINE_END_HYPHEN else chr(code) if code else HOLE
        yield _Char(text, left.value, right.value, bottom.value, top.value, x.value, y.value, types[key])


def _type_of(textpage: pdfium.PdfTextPage, index: int, handle: Any, weights: dict[int | None, bool]) -> _Type:
    matrix = raw.FS_MATRIX()
    size = raw.FPDFText_GetFontSize(textpage, index) or 1.0
    turn = 0
    if raw.FPDFText_GetMatrix(textpage, index, matrix):
        size *= math.hypot(matrix.b, matrix.d) or math.hypot(matrix.a, matrix.c) or 1.0
        turn = round(math.degrees(math.atan2(matrix.b, matrix.a)) / 90) * 90 % 360
    size, named = round(abs(size), 1), is_named_bold(_font_name(textpage, index))
    if not handle:
        return _Type(size, named, turn, None)
    bold = named or _is_heavy(handle, weights)
    return _Type(size, bold, turn, ink_of(handle), raw.FPDFPageObj_GetMarkedContentID(handle), bold and not named)


def _is_heavy(handle: Any, weights: dict[int | None, bool]) -> bool:
    """Whether the font of a text object says itself that it is bold; each font is asked once."""
    font = raw.FPDFTextObj_GetFont(handle)
    key = ctypes.cast(font, ctypes.c_void_p).value if font else None
    if key not in weights:
        weights[key] = is_bold_program(_font_program(font))
    return weights[key]


def _font_name(textpage: pdfium.PdfTextPage, index: int) -> bytes:
    """The name of a character's font; the weight that PDFium tells is often wrong, and pypdf does not tell it."""
    buffer = ctypes.create_string_buffer(128)
    flags = ctypes.c_int()
    raw.FPDFText_GetFontInfo(textpage, index, buffer, 128, flags)
    return buffer.value


def _font_program(font: Any) -> bytes:
    """A font as it is set into the file; empty where it is not."""
    length = ctypes.c_size_t()
    if not font or not raw.FPDFFont_GetFontData(font, None, 0, length) or length.value > _MAX_FONT:
        return b""
    buffer = (ctypes.c_uint8 * length.value)()
    if not raw.FPDFFont_GetFontData(font, buffer, length.value, length):
        return b""
    return bytes(buffer)


def _main_direction(chars: list[_Char]) -> int:
    """The direction most of the text runs in: what a reader turns the page to."""
    counts = Counter(char.type.turn for char in chars)
    return max(counts, key=lambda turn: counts[turn], default=0)


@dataclass(frozen=True, slots=True)
class _Frame:
    """The part of the plane that the page shows, in the file's own coordinates."""

    left: float
    bottom: float
    width: float
    height: float

    @classmethod
    def of(cls, page: pdfium.PdfPage) -> _Frame:
        left, bottom, right, top = page.get_bbox()
        return cls(left, bottom, right - left, top - bottom)

    def size(self, turn: int) -> tuple[float, float]:
        return (self.height, self.width) if turn in (90, 270) else (self.width, self.height)

    def turned(self, char: _Char, turn: int) -> _Char:
        """The character where it stands when the page is turned so that its text runs from left to right."""
        if turn == 0 and not self.left and not self.bottom:
            return char
        x0, x1, y = char.x0 - self.left, char.x1 - self.left, char.y - self.bottom
        if turn == 90:
            low, high = char.y0 - self.bottom, char.y1 - self.bottom
            return replace(char, x0=low, x1=high, y=self.width - (char.x - self.left))
        if turn == 180:
            return replace(char, x0=self.width - x1, x1=self.width - x0, y=self.height - y)
        if turn == 270:
            low, high = self.height - (char.y1 - self.bottom), self.height - (char.y0 - self.bottom)
            return replace(char, x0=low, x1=high, y=char.x - self.left)
        return replace(char, x0=x0, x1=x1, y=y)

    def turned_rule(self, rule: Rule, turn: int) -> Rule:
        """The rule where it stands when the page is turned as for ``turned``."""
        x0, x1, y0, y1 = rule.x0 - self.left, rule.x1 - self.left, rule.y0 - self.bottom, rule.y1 - self.bottom
        if turn == 90:
            return Rule(y0, self.width - x1, y1, self.width - x0)
        if turn == 180:
            return Rule(self.width - x1, self.height - y1, self.width - x0, self.height - y0)
        if turn == 270:
            return Rule(self.height - y1, x0, self.height - y0, x1)
        return Rule(x0, y0, x1, y1)


def read_rules(page: pdfium.PdfPage) -> list[Rule]:
    """The straight horizontal and vertical lines drawn on a page, thin filled boxes among them."""
    rules: list[Rule] = []
    for index, item in enumerate(page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=3)):
        if index >= _MAX_PATHS:
            break
        left, bottom, right, top = item.get_bounds()
        if right - left > _THIN and top - bottom > _THIN:
            # A box: its edges, whether drawn or told by a fill, bound a cell.
            if raw.FPDFPath_CountSegments(item) <= _BOX_SEGMENTS:
                rules += (Rule(left, bottom, right, bottom), Rule(left, top, right, top))
                rules += (Rule(left, bottom, left, top), Rule(right, bottom, right, top))
        elif right - left > _SHORTEST_RULE:
            rules.append(Rule(left, (bottom + top) / 2, right, (bottom + top) / 2))
        elif top - bottom > _SHORTEST_RULE:
            rules.append(Rule((left + right) / 2, bottom, (left + right) / 2, top))
    return rules


def _runs(chars: list[_Char], rules: list[Rule]) -> Iterator[Run]:
    """Gather neighbouring characters of one baseline and type, parted at vertical ``rules``."""
    start = 0
    for index in range(1, len(chars) + 1):
        if index == len(chars) or _breaks(chars, start, index) or _parted(chars[index - 1], chars[index], rules):
            run = _run(chars[start:index])
            if run is not None:
                yield run
            start = index


def _breaks(chars: list[_Char], start: int, index: int) -> bool:
    first, before, after = chars[start], chars[index - 1], chars[index]
    size = max(before.type.size, 1.0)
    if after.type is not before.type and (after.type.bold != before.type.bold or after.type.size != before.type.size):
        return True
    if abs(after.y - before.y) > 0.25 * size or abs(after.y - first.y) > 0.5 * size:
        return not (after.text == " " and after.x1 <= after.x0)
    gap = _GAP if after.type is before.type else _OBJECT_GAP
    return after.x0 - before.x1 > gap * size or after.x0 < before.x0 - 0.5 * size


def _parted(before: _Char, after: _Char, rules: list[Rule]) -> bool:
    """Whether a vertical rule stands between two characters."""
    if after.x0 <= before.x1:
        return False
    left, right = (before.x0 + before.x1) / 2, (after.x0 + after.x1) / 2
    return any(left < rule.x0 < right and rule.y0 - 1 <= before.y <= rule.y1 + 1 for rule in rules)


def _run(chars: list[_Char]) -> Run | None:
    text = "".join(char.text for char in chars)
    inked = [char for char in chars if not char.text.isspace()]
    if not inked:
        return None
    return Run(
        text,
        min(char.x0 for char in inked),
        max(char.x1 for char in inked),
        inked[0].y,
        inked[0].type.size,
        inked[0].type.bold,
    )
