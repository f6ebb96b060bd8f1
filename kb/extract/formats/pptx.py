"""PPTX: each slide is a page, its title a heading; text in the order it stands on the slide, then the notes.

What python-pptx passes over (newer forms of content, equations, other files set in) makes the reading partial, and a
warning names the slides. A hidden slide is not read; it keeps its number, so that the page cited is the slide's own,
and a warning names it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from defusedxml import ElementTree
from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE

from kb.core.errors import DamagedFileError
from kb.core.models import ReadWarning
from kb.extract.blocks import Block, Content, Kind, PageInfo, Properties, hidden_slides
from kb.extract.cleaning import one_line, strip_bullet
from kb.extract.options import ReadOptions
from kb.extract.tables import table_blocks
from kb.extract.zip_container import check_xml_parts, opened

_DIAGRAM_DATA = "/diagramData"
_TEXT = "{http://schemas.openxmlformats.org/drawingml/2006/main}t"
_PARAGRAPH = "{http://schemas.openxmlformats.org/drawingml/2006/main}p"
# What a slide repeats on every page: date, footer, slide number.
_FURNITURE = frozenset({13, 15, 16})
_MAX_DEPTH = 20
_NAMED = 20
_UNREAD = "//*[local-name()='AlternateContent'][.//*[local-name()='t']] | //*[local-name()='oleObj']"


def read_pptx(data: bytes, _options: ReadOptions) -> Content:
    """A presentation; raises a :class:`ReadError` for what is damaged, encrypted or a bomb."""
    with opened(data) as archive:
        check_xml_parts(archive)
    try:
        presentation = Presentation(io.BytesIO(data))
        properties = _properties(presentation)
        slides = list(presentation.slides)
        hidden = [number for number, slide in enumerate(slides, start=1) if slide.element.get("show") in {"0", "false"}]
        blocks = [
            block
            for number, slide in enumerate(slides, start=1)
            if number not in hidden
            for block in _slide_blocks(slide, number)
        ]
    except (MemoryError, RecursionError, ImportError):
        raise
    except Exception as error:  # python-pptx lets through whatever its XML layer raises
        raise DamagedFileError("PowerPoint-filen er beskadiget og kan ikke læses.") from error
    pages = tuple(PageInfo(n) for n in range(1, len(slides) + 1))
    unread = [n for n, slide in enumerate(slides, start=1) if n not in hidden and slide.element.xpath(_UNREAD)]
    return Content("python-pptx", tuple(blocks), properties, pages, (*hidden_slides(hidden), *_missing(unread)))


def _missing(numbers: Sequence[int]) -> tuple[ReadWarning, ...]:
    """What is said of slides with content that is not read; nothing when there are none."""
    if not numbers:
        return ()
    shown = ", ".join(map(str, numbers[:_NAMED])) + (" m.fl." if len(numbers) > _NAMED else "")
    text = f"Formler, nyere figurer eller andre filer, der er sat ind, er ikke læst på slide {shown}."
    return (ReadWarning("dele-mangler", text),)


def _properties(presentation: Any) -> Properties:
    core = presentation.core_properties
    return Properties(core.title or "", (core.language or "")[:2].lower())


def _slide_blocks(slide: Any, number: int) -> list[Block]:
    blocks: list[Block] = []
    title = slide.shapes.title
    if title is not None and (text := one_line(title.text_frame.text)):
        blocks.append(Block(Kind.HEADING, text, level=1 if number == 1 else 2, page=number))
    shapes = [shape for shape in _leaves(slide.shapes) if title is None or shape.shape_id != title.shape_id]
    for shape in sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0)):
        blocks += _shape_blocks(shape, number, group=len(blocks) + 1)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        blocks += _paragraph_blocks(slide.notes_slide.notes_text_frame.paragraphs, number, group=len(blocks) + 1)
    return blocks


def _leaves(shapes: Iterable[Any], depth: int = 0) -> Iterator[Any]:
    for shape in shapes:
        if shape.shape_type == MSO_SHAPE_TYPE.GROUP and depth < _MAX_DEPTH:
            yield from _leaves(shape.shapes, depth + 1)
        elif not (shape.is_placeholder and shape.placeholder_format.type in _FURNITURE):
            yield shape


def _shape_blocks(shape: Any, number: int, group: int) -> list[Block]:
    if getattr(shape, "has_table", False):
        rows = [[one_line(cell.text) for cell in row.cells] for row in shape.table.rows]
        return table_blocks(rows, header_rows=int(shape.table.first_row), page=number, group=group)
    if getattr(shape, "has_chart", False):
        return _chart_blocks(shape.chart, number, group)
    if shape.has_text_frame:
        return _paragraph_blocks(shape.text_frame.paragraphs, number, group)
    return _diagram_blocks(shape, number, group)


def _paragraph_blocks(paragraphs: Iterable[Any], number: int, group: int) -> list[Block]:
    """Paragraphs; several in one box are a list, which is what bullets on a slide are."""
    texts = [text for paragraph in paragraphs if (text := one_line(paragraph.text))]
    kind = Kind.ITEM if len(texts) > 1 and all(len(text) < 200 for text in texts) else Kind.PARAGRAPH
    return [_block(kind, text, number, group) for text in texts]


def _block(kind: Kind, text: str, number: int, group: int) -> Block:
    bare = strip_bullet(text)
    text = bare if bare is not None else text
    return Block(kind, f"- {text}" if kind is Kind.ITEM else text, page=number, group=group)


def _chart_blocks(chart: Any, number: int, group: int) -> list[Block]:
    """A chart's title and its values, a row for each category."""
    blocks: list[Block] = []
    if chart.has_title and (title := one_line(chart.chart_title.text_frame.text)):
        blocks.append(Block(Kind.PARAGRAPH, title, page=number))
    series = [(one_line(str(one.name)), list(one.values)) for one in chart.series]
    rows = [["", *(name for name, _ in series)]]
    for index, category in enumerate(chart.plots[0].categories):
        rows.append([one_line(str(category)), *(_number(values, index) for _, values in series)])
    return blocks + table_blocks(rows, header_rows=1, page=number, group=group)


def _number(values: list[float | None], index: int) -> str:
    value = values[index] if index < len(values) else None
    return "" if value is None else f"{value:g}".replace(".", ",")


def _diagram_blocks(shape: Any, number: int, group: int) -> list[Block]:
    """SmartArt keeps its text in a part of its own."""
    if not shape.element.xpath(".//*[local-name()='relIds']"):
        return []
    texts: list[str] = []
    for relation in shape.part.rels.values():
        if relation.reltype.endswith(_DIAGRAM_DATA) and not relation.is_external:
            root = ElementTree.fromstring(relation.target_part.blob)
            texts += ["".join(t.text or "" for t in p.iter(_TEXT)) for p in root.iter(_PARAGRAPH)]
    return [_block(Kind.ITEM, text, number, group) for raw in texts if (text := one_line(raw))]
