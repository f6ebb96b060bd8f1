"""Layers of a PDF (optional content) that are switched off: what they hold is taken out of the file before it is read.

Neither reader asks whether a layer is shown. So where the file's own settings for viewing switch a layer off, its
content streams are written anew without what is drawn inside marks of that layer, and without pictures and forms that
belong to it. What is drawn there is turned into nothing rather than left out with its settings, since a colour or font
set inside a mark holds after it. A file without such layers, which is almost every one, is left as it is.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, ContentStream, DictionaryObject, IndirectObject, NameObject, StreamObject

from kb.core.errors import DamagedFileError

_MAX_DEPTH = 20
# A file that does not name its layers in the clear keeps its objects packed.
_SIGN = re.compile(rb"/OCProperties|/ObjStm")
_SHOWS_TEXT = frozenset({b"Tj", b"TJ"})
_NEXT_LINE = frozenset({b"'", b'"'})
_PAINTS = frozenset({b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*", b"S", b"s"})
_LEFT_OUT = frozenset({b"sh", b"INLINE IMAGE"})

Operation = tuple[Any, bytes]


def without_hidden_layers(data: bytes) -> bytes:
    """The file without what its switched-off layers hold; raises :class:`DamagedFileError` when that cannot be done.

    A file that is shown in full comes back unchanged, as does one in which no layers can be found at all.
    """
    if not _SIGN.search(data):
        return data
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted:
            reader.decrypt("")
        layers = _Layers.of(_resolved(reader.trailer["/Root"]))
    except (MemoryError, RecursionError):
        raise
    except Exception:  # pypdf raises whatever its parts do on files that break the format's rules
        return data
    if not layers.off:
        return data
    try:
        writer = PdfWriter(clone_from=reader)
        layers = _Layers.of(_resolved(writer.root_object))
        cutter = _Cutter(layers, writer)
        for page in writer.pages:
            cutter.cut_page(page)
        buffer = io.BytesIO()
        writer.write(buffer)
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        raise DamagedFileError(
            "PDF-filen har skjulte lag, som ikke kan skilles fra det, der vises.",
            advice="Gem filen uden de skjulte lag.",
        ) from error
    return buffer.getvalue()


@dataclass(frozen=True)
class _Layers:
    """Which layers (by object number) the file switches off when it is viewed."""

    off: frozenset[int]

    @classmethod
    def of(cls, catalog: DictionaryObject) -> _Layers:
        described = _resolved(catalog.get("/OCProperties"))
        if not isinstance(described, DictionaryObject):
            return cls(frozenset())
        groups = _numbers(described.get("/OCGs"))
        default = _resolved(described.get("/D")) or DictionaryObject()
        off = set(groups) if default.get("/BaseState") == "/OFF" else set()
        off -= _numbers(default.get("/ON"))
        off |= _numbers(default.get("/OFF"))
        for usage in _resolved(default.get("/AS")) or ():
            rule = _resolved(usage)
            if rule.get("/Event") == "/View" and "/View" in (_resolved(rule.get("/Category")) or ()):
                for group in _resolved(rule.get("/OCGs")) or ():
                    state = _view_state(_resolved(group))
                    if isinstance(group, IndirectObject) and state:
                        (off.add if state == "/OFF" else off.discard)(group.idnum)
        return cls(frozenset(off))

    def shows(self, content: Any) -> bool:
        """Whether a layer, or a combination of layers, is shown."""
        if isinstance(content, IndirectObject) and content.idnum in self.off:
            return False
        entry = _resolved(content)
        if not isinstance(entry, DictionaryObject) or entry.get("/Type") != "/OCMD":
            return True
        rule = _resolved(entry.get("/VE"))
        if isinstance(rule, ArrayObject) and rule:
            return self._holds(rule, 0)
        given = entry.get("/OCGs")
        members = _resolved(given) if isinstance(_resolved(given), ArrayObject) else [given]
        shown = [self.shows(member) for member in members if _resolved(member) is not None]
        judged = {"/AllOn": all(shown), "/AllOff": not any(shown), "/AnyOff": not all(shown)}
        return not shown or judged.get(str(entry.get("/P")), any(shown))

    def _holds(self, rule: Any, depth: int) -> bool:
        """Whether a visibility expression holds: a layer, or And, Or, Not of such."""
        parts = _resolved(rule)
        if not isinstance(parts, ArrayObject) or not parts or depth > _MAX_DEPTH:
            return self.shows(rule)
        held = [self._holds(part, depth + 1) for part in parts[1:]]
        if parts[0] == "/Not":
            return not any(held)
        return all(held) if parts[0] == "/And" else any(held)


def _view_state(group: Any) -> str:
    usage = _resolved(group.get("/Usage")) if isinstance(group, DictionaryObject) else None
    view = _resolved(usage.get("/View")) if isinstance(usage, DictionaryObject) else None
    return str(view.get("/ViewState", "")) if isinstance(view, DictionaryObject) else ""


class _Cutter:
    """Rewrites content streams without what hidden layers hold; a form that several pages use is rewritten once."""

    def __init__(self, layers: _Layers, writer: PdfWriter) -> None:
        self._layers = layers
        self._writer = writer
        self._done: set[int] = set()

    def cut_page(self, page: DictionaryObject) -> None:
        contents = page.get("/Contents")
        if contents is None:
            return
        resources = _resolved(_inherited(page, "/Resources")) or DictionaryObject()
        stream = ContentStream(_resolved(contents), self._writer)
        stream.operations = list(self._shown(stream.operations, resources))
        page[NameObject("/Contents")] = self._writer._add_object(stream)
        self._cut_forms(resources, 0)

    def _cut_forms(self, resources: DictionaryObject, depth: int) -> None:
        for entry in (_resolved(resources.get("/XObject")) or DictionaryObject()).values():
            form = _resolved(entry)
            if not isinstance(form, StreamObject) or form.get("/Subtype") != "/Form" or depth > _MAX_DEPTH:
                continue
            if id(form) in self._done:
                continue
            self._done.add(id(form))
            own = _resolved(form.get("/Resources"))
            inside = own if isinstance(own, DictionaryObject) else resources
            stream = ContentStream(form, self._writer)
            stream.operations = list(self._shown(stream.operations, inside))
            form.set_data(stream.get_data())
            self._cut_forms(inside, depth + 1)

    def _shown(self, operations: Iterable[Operation], resources: DictionaryObject) -> Iterable[Operation]:
        """The operations, those inside hidden marks without what they paint."""
        named = _resolved(resources.get("/Properties")) or DictionaryObject()
        objects = _resolved(resources.get("/XObject")) or DictionaryObject()
        marks: list[bool] = []
        for operands, operator in operations:
            if operator in {b"BDC", b"BMC"}:
                is_layer = operator == b"BDC" and operands[:1] == ["/OC"] and len(operands) > 1
                marks.append(is_layer and not self._layers.shows(named.get(operands[1])))
            elif operator == b"EMC" and marks:
                marks.pop()
            if operator == b"Do" and (any(marks) or self._is_hidden(objects, operands)):
                continue
            if any(marks):
                harmless = _painting_nothing(operands, operator)
                if harmless is not None:
                    yield harmless
            else:
                yield operands, operator

    def _is_hidden(self, objects: DictionaryObject, operands: Any) -> bool:
        item = _resolved(objects.get(operands[0])) if operands else None
        return isinstance(item, DictionaryObject) and "/OC" in item and not self._layers.shows(item.get("/OC"))


def _painting_nothing(operands: Any, operator: bytes) -> Operation | None:
    """An operation without what it paints; None where nothing is left of it."""
    if operator in _SHOWS_TEXT or operator in _LEFT_OUT:
        return None
    if operator in _NEXT_LINE:
        return [], b"T*"
    return ([], b"n") if operator in _PAINTS else (operands, operator)


def _inherited(page: Any, key: str) -> Any:
    """A value of the page or of the nearest node above it that has one."""
    for _ in range(_MAX_DEPTH):
        if key in page:
            return page[key]
        page = _resolved(page.get("/Parent"))
        if not isinstance(page, DictionaryObject):
            return None
    return None


def _numbers(array: Any) -> set[int]:
    return {entry.idnum for entry in _resolved(array) or () if isinstance(entry, IndirectObject)}


def _resolved(value: Any) -> Any:
    return value.get_object() if isinstance(value, IndirectObject) else value
