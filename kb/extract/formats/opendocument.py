"""ODT and ODP: the XML of OpenDocument read directly.

The formats are plain: headings, paragraphs, lists, tables, notes and slides are elements of those names. Tables of
contents, deleted text, comments and the text of fields that only repeat (page numbers) are left out, and so is what is
hidden: sections, paragraphs and text hidden by their display or their condition, text in a hidden style, hidden slides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from kb.core.errors import DamagedFileError, ProtectedFileError
from kb.core.models import ReadWarning
from kb.extract.blocks import Block, Content, Kind, PageInfo, Properties, hidden_slides
from kb.extract.cleaning import one_line, strip_bullet
from kb.extract.options import ReadOptions
from kb.extract.tables import table_blocks
from kb.extract.xml_names import attribute, local_name
from kb.extract.zip_container import check_xml_parts, opened, read_part

_LEFT_OUT = frozenset(
    {
        "tracked-changes",
        "annotation",
        "annotation-end",
        "table-of-content",
        "alphabetical-index",
        "illustration-index",
        "table-index",
        "page-number",
        "page-count",
        "forms",
        "sequence-decls",
        "variable-decls",
        "settings",
        "handout-master",
        "desc",
        "title",
        "hidden-text",
        "ruby-text",
    }
)
# Formulas, charts and other files that stand in a frame.
_OBJECTS = frozenset({"object", "object-ole", "floating-frame", "applet", "plugin"})
_UNREAD = ReadWarning(
    "dele-mangler", "Dokumentet har formler, diagrammer eller andre filer sat ind i sig; teksten i dem er ikke læst."
)
_MAX_REPEAT = 50
_MAX_DEPTH = 200


def read_odt(data: bytes, _options: ReadOptions) -> Content:
    """A text document; raises a :class:`ReadError` for what is damaged, encrypted or a bomb."""
    content, properties, styles = parsed(data)
    walker = _Walker()
    body = _body(without_hidden(content, _hidden_styles([content, *styles])))
    walker.walk(body, 0)
    walker.finish_notes()
    return Content("odf", tuple(walker.blocks), properties, warnings=_unread(body))


def read_odp(data: bytes, _options: ReadOptions) -> Content:
    """A presentation: each slide is a page, its title a heading."""
    content, properties, styles = parsed(data)
    hidden_styles = _hidden_styles([content, *styles])
    invisible = styles_where([content, *styles], lambda properties: attribute(properties, "visibility") == "hidden")
    without_hidden(content, hidden_styles)
    slides = [element for element in content.iter() if local_name(element) == "page"]
    blocks: list[Block] = []
    hidden: list[int] = []
    for number, slide in enumerate(slides, start=1):
        if attribute(slide, "style-name") in invisible:
            hidden.append(number)
        else:
            blocks += _slide_blocks(slide, number)
    pages = tuple(PageInfo(n) for n in range(1, len(slides) + 1))
    shown = [slide for number, slide in enumerate(slides, start=1) if number not in hidden]
    unread = next(filter(None, map(_unread, shown)), ())
    return Content("odf", tuple(blocks), properties, pages, (*hidden_slides(hidden), *unread))


def _unread(root: Element) -> tuple[ReadWarning, ...]:
    """What is said of objects whose text is not read; nothing when there are none."""
    return (_UNREAD,) if any(local_name(element) in _OBJECTS for element in root.iter()) else ()


def parsed(data: bytes) -> tuple[Element, Properties, list[Element]]:
    """The content, what the file says of itself, and its styles where they stand in a part of their own."""
    with opened(data) as archive:
        check_xml_parts(archive)
        names = set(archive.namelist())
        if "META-INF/manifest.xml" in names and b"encryption-data" in read_part(archive, "META-INF/manifest.xml"):
            raise ProtectedFileError("Filen er beskyttet med en adgangskode.")
        meta = read_part(archive, "meta.xml") if "meta.xml" in names else b""
        content = read_part(archive, "content.xml")
        styles = [read_part(archive, "styles.xml")] if "styles.xml" in names else []
    try:
        return ElementTree.fromstring(content), _properties(meta), [ElementTree.fromstring(part) for part in styles]
    except (ElementTree.ParseError, DefusedXmlException) as error:
        raise DamagedFileError("OpenDocument-filen er beskadiget: dens indhold er ikke gyldig XML.") from error


def _properties(meta: bytes) -> Properties:
    if not meta:
        return Properties()
    values = {local_name(element): (element.text or "").strip() for element in ElementTree.fromstring(meta).iter()}
    return Properties(values.get("title", ""), values.get("language", "")[:2].lower())


def _body(root: Element) -> Element:
    body = next((element for element in root.iter() if local_name(element) == "body"), None)
    if body is None:
        raise DamagedFileError("OpenDocument-filen er beskadiget: den har intet indhold.")
    return body


def without_hidden(root: Element, hidden_styles: frozenset[str]) -> Element:
    """The tree with the elements that are not shown taken out of it; the text behind each stays."""
    for parent in root.iter():
        for child in list(parent):
            if _is_hidden(child, hidden_styles):
                _take_out(parent, child)
    return root


def _take_out(parent: Element, child: Element) -> None:
    place = list(parent).index(child)
    if child.tail and place:
        parent[place - 1].tail = (parent[place - 1].tail or "") + child.tail
    elif child.tail:
        parent.text = (parent.text or "") + child.tail
    parent.remove(child)


def _is_hidden(element: Element, hidden_styles: frozenset[str]) -> bool:
    """Whether an element is not shown: as the program that saved it says, or by its style."""
    name = local_name(element)
    said = attribute(element, "is-hidden")
    if name == "section" and attribute(element, "display") in {"none", "condition"}:
        return attribute(element, "display") == "none" or said == "true"
    if name in {"p", "h"} and any(
        local_name(c) == "hidden-paragraph" and attribute(c, "is-hidden") == "true" for c in element
    ):
        return True
    if name in {"p", "h", "span", "a"} and attribute(element, "style-name") in hidden_styles:
        return True
    if name == "table-row" and attribute(element, "visibility") == "collapse":
        return True
    return attribute(element, "display") == "none" and name in {"frame", "custom-shape", "g"}


def _hidden_styles(roots: Iterable[Element]) -> frozenset[str]:
    """The styles whose text is not shown."""
    return styles_where(roots, lambda properties: attribute(properties, "display") == "none")


def styles_where(roots: Iterable[Element], holds: Callable[[Element], bool]) -> frozenset[str]:
    """The names of the styles some of whose properties say so, and of those that descend from one."""
    names: set[str] = set()
    children: dict[str, list[str]] = {}
    for style in (element for root in roots for element in root.iter() if local_name(element) == "style"):
        name = attribute(style, "name")
        children.setdefault(attribute(style, "parent-style-name"), []).append(name)
        if any(local_name(part).endswith("-properties") and holds(part) for part in style):
            names.add(name)
    waiting = list(names)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in names:
                names.add(child)
                waiting.append(child)
    return frozenset(names)


@dataclass
class _Walker:
    """Gathers blocks; notes wait until the text they belong to is done."""

    page: int = 0
    blocks: list[Block] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    group: int = 0
    item: bool = False

    def walk(self, element: Element, depth: int) -> None:
        if depth > _MAX_DEPTH:
            return
        for child in element:
            self._visit(child, depth + 1)

    def finish_notes(self) -> None:
        """Put the foot- and endnotes behind the text."""
        self.blocks += [Block(Kind.PARAGRAPH, note, page=self.page) for note in self.notes]
        self.notes.clear()

    def _visit(self, element: Element, depth: int) -> None:
        name = local_name(element)
        if name in _LEFT_OUT:
            return
        if name == "h":
            self._heading(element, depth)
        elif name == "p":
            self._paragraph(element, depth)
        elif name == "list":
            self._list(element, depth)
        elif name == "table":
            self._table(element)
        else:
            self.walk(element, depth)

    def _heading(self, element: Element, depth: int) -> None:
        level = attribute(element, "outline-level")
        text = one_line(self._text(element))
        if text:
            number = int(level) if level.isdecimal() else 1
            self.blocks.append(Block(Kind.HEADING, text, level=min(max(number, 1), 6), page=self.page))
        self._boxes(element, depth)

    def _paragraph(self, element: Element, depth: int) -> None:
        text = one_line(self._text(element))
        if text:
            bare = strip_bullet(text)
            kind = Kind.ITEM if self.item or bare is not None else Kind.PARAGRAPH
            text = f"- {text if bare is None else bare}" if kind is Kind.ITEM else text
            self.blocks.append(Block(kind, text, page=self.page, group=self.group if kind is Kind.ITEM else 0))
            self.item = False  # a second paragraph of the same item is not a new item
        self._boxes(element, depth)

    def _boxes(self, element: Element, depth: int) -> None:
        """The text boxes anchored in a paragraph or heading, below it."""
        for box in _text_boxes(element):
            self.walk(box, depth + 1)

    def _list(self, element: Element, depth: int) -> None:
        outer = self.item
        if not outer and (not self.blocks or self.blocks[-1].kind is not Kind.ITEM):
            self.group += 1
        for entry in element:
            self.item = True
            self.walk(entry, depth + 1)
        self.item = outer

    def _table(self, element: Element) -> None:
        rows: list[list[str]] = []
        header_rows = 0
        for row, is_header in _rows(element):
            rows.append([self._cell(cell) for cell in _cells(row)])
            header_rows += is_header and header_rows == len(rows) - 1
        self.group += 1
        self.blocks += table_blocks(rows, header_rows=header_rows, page=self.page, group=self.group)

    def _cell(self, cell: Element) -> str:
        """A cell's text, and that of the boxes in it."""
        return one_line(" ".join([self._text(cell), *(self._text(box) for box in _text_boxes(cell))]))

    def _text(self, element: Element) -> str:
        """The inline text of an element; notes are set aside, frames belong to the walk."""
        return "".join(self._pieces(element, 0))

    def _pieces(self, element: Element, depth: int) -> Iterator[str]:
        yield element.text or ""
        for child in element:
            name = local_name(child)
            if name == "note":
                body = next((part for part in child if local_name(part) == "note-body"), None)
                if body is not None and (note := one_line(self._text(body))):
                    self.notes.append(note)
            elif name in {"tab", "s", "line-break"}:
                yield " "
            elif name not in _LEFT_OUT and name not in {"frame", "custom-shape"} and depth < _MAX_DEPTH:
                yield from self._pieces(child, depth + 1)
                if name in {"p", "h", "list-item"}:
                    yield " "
            yield child.tail or ""


def _text_boxes(element: Element) -> Iterator[Element]:
    """The text boxes and shapes anchored in a paragraph."""
    for child in element:
        if local_name(child) in {"text-box", "custom-shape"}:
            yield child
        elif local_name(child) not in _LEFT_OUT | {"note"}:
            yield from _text_boxes(child)


def _rows(table: Element) -> Iterator[tuple[Element, bool]]:
    for child in table:
        name = local_name(child)
        if name == "table-row":
            yield child, False
        elif name == "table-header-rows":
            yield from ((row, True) for row in child if local_name(row) == "table-row")
        elif name in {"table-rows", "table-row-group"}:
            yield from _rows(child)


def _cells(row: Element) -> Iterator[Element]:
    for cell in row:
        if local_name(cell) in {"table-cell", "covered-table-cell"}:
            repeat = attribute(cell, "number-columns-repeated")
            yield from [cell] * (min(int(repeat), _MAX_REPEAT) if repeat.isdecimal() else 1)


def _slide_blocks(slide: Element, number: int) -> list[Block]:
    frames = [child for child in slide if local_name(child) in {"frame", "custom-shape", "g"}]
    titles = [frame for frame in frames if attribute(frame, "class") == "title"]
    walker = _Walker(page=number, group=number * 1000)
    title = one_line(" ".join(" ".join(frame.itertext()) for frame in titles))
    if title:
        walker.blocks.append(Block(Kind.HEADING, title, level=1 if number == 1 else 2, page=number))
    for child in slide:
        if child not in titles and attribute(child, "class") not in {"date-time", "footer", "page-number"}:
            walker.walk(child, 0)
    return walker.blocks
