"""Word's XML made ready for mammoth: what Word does not show is taken out, what mammoth does not know is put plainly.

mammoth reads hidden text like any other and passes over elements it does not know without a word. So the parts with
text are rewritten first:

* runs that are hidden (``w:vanish``, of their own or by a style) are taken out, and what a reviewer deleted;
* an element with text in it that mammoth does not know, such as a simple field, text that runs the other way or a shape
  that is no box, gives way to what it holds; breaks and tabs that it does not know are put as those it does;
* an equation becomes a run with its characters, a phonetic guide its base text;
* a text box in a drawing is put as the kind mammoth knows; of two forms of the same thing one is kept.

What cannot be read here at all (other files set in, diagrams) is named, so that the reading can be marked.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as Plain
from xml.etree.ElementTree import Element

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from kb.core.errors import DamagedFileError
from kb.extract.xml_names import attribute, local_name
from kb.extract.zip_container import read_part

_WITH_TEXT = re.compile(r"word/(?:document\d*|footnotes\d*|endnotes\d*)\.xml")
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STYLES = "word/styles.xml"
_PICTURES = "word/media/"
# What mammoth reads, or passes over as it should, of the elements that can have text in them.
_KNOWN = frozenset(
    {
        "AlternateContent", "anchor", "body", "customXml", "del", "document", "drawing", "endnote", "endnotes",
        "footnote", "footnotes", "group", "hyperlink", "inline", "ins", "moveFrom", "moveTo", "object", "p", "pict",
        "r", "rect", "roundrect", "sdt", "sdtContent", "shape", "smartTag", "t", "tbl", "tc", "textbox", "tr",
        "txbxContent",
    }
)  # fmt: skip
_PUT_AS = {"cr": "br", "ptab": "tab"}
# What has its text in a part, or a form, of its own.
_UNREAD = {
    "altChunk": "andre filer sat ind i sig",
    "subDoc": "andre filer sat ind i sig",
    "OLEObject": "andre filer sat ind i sig",
    "chart": "diagrammer",
    "relIds": "SmartArt",
    "contentPart": "håndskrift",
    "lockedCanvas": "tegninger",
}
_OFF = frozenset({"0", "false", "off"})
_MAX_DEPTH = 300


@dataclass(frozen=True, slots=True)
class Prepared:
    """The document for mammoth, and what it holds that is not read, in Danish."""

    data: bytes
    unread: tuple[str, ...]


def prepared(archive: zipfile.ZipFile) -> Prepared:
    """The document with its text put so that mammoth reads what Word shows, no less and no more."""
    hidden = _hidden_styles(_parsed(read_part(archive, _STYLES))) if _STYLES in archive.namelist() else frozenset()
    unread: dict[str, None] = {}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as result:
        for name in dict.fromkeys(archive.namelist()):
            if name.startswith(_PICTURES) or name.endswith("/"):
                continue
            data = read_part(archive, name)
            if _WITH_TEXT.fullmatch(name):
                root = _parsed(data)
                unread |= dict.fromkeys(_UNREAD[kind] for e in root.iter() if (kind := local_name(e)) in _UNREAD)
                data = Plain.tostring(shown(root, hidden), encoding="utf-8", xml_declaration=True)
            result.writestr(name, data)
    return Prepared(buffer.getvalue(), tuple(unread))


def shown(root: Element, hidden_styles: frozenset[str] = frozenset()) -> Element:
    """A copy of the XML without hidden text and with the rest in elements that mammoth knows."""
    copy = Element(root.tag, root.attrib)
    copy.text = root.text
    copy.extend(_children(root, hidden_styles, hidden=False, depth=0))
    return copy


def _children(element: Element, styles: frozenset[str], *, hidden: bool, depth: int) -> Iterator[Element]:
    if depth > _MAX_DEPTH:
        return
    for child in element:
        yield from _rewritten(child, styles, hidden=hidden, depth=depth + 1)


def _rewritten(element: Element, styles: frozenset[str], *, hidden: bool, depth: int) -> Iterator[Element]:
    """What stands in an element's place; ``hidden`` says whether the paragraph's style hides its runs."""
    name = local_name(element)
    namespace = element.tag.rpartition("}")[0] + "}"
    if name in {"oMath", "oMathPara"}:
        yield _run(_equation(element))
    elif name in _PUT_AS:
        yield Element(namespace + _PUT_AS[name])
    elif name == "ruby":
        for run in (run for part in element if local_name(part) == "rubyBase" for run in part):
            yield from _children(run, styles, hidden=hidden, depth=depth)
    elif name == "AlternateContent":
        yield from _children(_one_form(element), styles, hidden=hidden, depth=depth)
    elif name == "drawing" and (boxes := list(_boxes(element))):
        picture = Element(f"{namespace}pict")
        for box in boxes:
            copy = Element(box.tag, box.attrib)
            copy.extend(_children(box, styles, hidden=hidden, depth=depth))
            picture.append(copy)
        yield picture
    elif name not in _KNOWN and _has_text(element):
        yield from _children(element, styles, hidden=hidden, depth=depth)
    elif not (name == "r" and _is_hidden(element, styles, hidden)):
        inside = _paragraph_hides(element, styles) if name == "p" else hidden
        copy = Element(element.tag, element.attrib)
        copy.text, copy.tail = element.text, element.tail
        copy.extend(_children(element, styles, hidden=inside, depth=depth))
        yield copy


def _has_text(element: Element) -> bool:
    return any(local_name(inside) == "t" for inside in element.iter())


def _one_form(element: Element) -> Element:
    """Of the forms of the same thing the plain one, unless only another holds a text box or anything at all."""
    forms = [form for kind in ("Fallback", "Choice") for form in element if local_name(form) == kind]
    full = [form for form in forms if any(local_name(inside) == "txbxContent" for inside in form.iter())]
    return next((form for form in full or forms if len(form)), element)


def _boxes(element: Element, depth: int = 0) -> Iterator[Element]:
    """The text boxes of a drawing, not those inside another; each of them once."""
    if depth > _MAX_DEPTH:
        return
    for child in _one_form(element) if local_name(element) == "AlternateContent" else element:
        if local_name(child) == "txbxContent":
            yield child
        else:
            yield from _boxes(child, depth + 1)


def _equation(element: Element) -> str:
    """The characters of an equation; a fraction gets its stroke and a root its sign."""
    parts: list[str] = []
    for child in element:
        name = local_name(child)
        if name == "t":
            parts.append(child.text or "")
        elif name == "f":
            parts.append("/".join(_equation(part) for part in child if local_name(part) in {"num", "den"}))
        elif name == "rad":
            parts.append("√" + _equation(child))
        elif name == "sup" and (raised := _equation(child)):
            parts.append("^" + raised)
        elif name == "d":
            parts.append(f"({_equation(child)})")
        elif name != "rPr":
            parts.append(_equation(child))
    return "".join(parts)


def _run(text: str) -> Element:
    run = Element(f"{_WORD}r")
    Plain.SubElement(run, f"{_WORD}t").text = text
    return run


def _is_hidden(run: Element, styles: frozenset[str], by_paragraph: bool) -> bool:
    properties = _child(run, "rPr")
    own = _switch(properties, "vanish")
    if own is not None:
        return own
    style = _child(properties, "rStyle")
    return by_paragraph or (style is not None and _value(style) in styles)


def _paragraph_hides(paragraph: Element, styles: frozenset[str]) -> bool:
    style = _child(_child(paragraph, "pPr"), "pStyle")
    return style is not None and _value(style) in styles


def _hidden_styles(root: Element) -> frozenset[str]:
    """The styles that hide text, by their own word or that of a style they are based on."""
    own: dict[str, bool | None] = {}
    based_on: dict[str, str] = {}
    for style in root:
        if local_name(style) == "style":
            identity = attribute(style, "styleId")
            own[identity] = _switch(_child(style, "rPr"), "vanish")
            parent = _child(style, "basedOn")
            based_on[identity] = _value(parent) if parent is not None else ""
    return frozenset(style for style in own if _inherited(style, own, based_on))


def _inherited(style: str, own: Mapping[str, bool | None], based_on: Mapping[str, str]) -> bool:
    seen: set[str] = set()
    while style and style not in seen:
        seen.add(style)
        said = own.get(style)
        if said is not None:
            return said
        style = based_on.get(style, "")
    return False


def _switch(properties: Element | None, name: str) -> bool | None:
    """Whether a property is on; None where nothing is said."""
    element = _child(properties, name)
    return None if element is None else _value(element).lower() not in _OFF


def _child(element: Element | None, name: str) -> Element | None:
    return next((child for child in element if local_name(child) == name), None) if element is not None else None


def _value(element: Element) -> str:
    return attribute(element, "val")


def _parsed(data: bytes) -> Element:
    try:
        root: Element = ElementTree.fromstring(data)
    except (Plain.ParseError, DefusedXmlException) as error:
        raise DamagedFileError("Word-filen er beskadiget og kan ikke læses.") from error
    return root
