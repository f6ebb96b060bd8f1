"""The editors' form of a report's metadata, made of the table of fields: what stands in it and what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from kb.core.errors import InputError
from kb.core.fields import EDITABLE, FIRST_YEAR, LAST_YEAR, FieldKind, MetadataField
from kb.core.models import Metadata


@dataclass(frozen=True, slots=True)
class Entry:
    """A field in the form: ``values`` are those it has, ``words`` what can be chosen among, by value with its label."""

    name: str
    label: str
    kind: FieldKind
    values: tuple[str, ...]
    inferred: bool
    words: Mapping[str, str]

    @property
    def value(self) -> str:
        """The one value of a field that has one."""
        return next(iter(self.values), "")


def entries(metadata: Metadata) -> list[Entry]:
    """The form of a report, with what was inferred filled in."""
    return [
        Entry(
            field.name,
            field.label,
            field.kind,
            _values(metadata.value(field.name)),
            field.name in metadata.inferred,
            field.words,
        )
        for field in EDITABLE
    ]


def _values(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, tuple) else (value,)
    return tuple(str(one) for one in values if one not in (None, ""))


def read(sent: MultiDict[str, str]) -> dict[str, Any]:
    """The values that were sent; raises :class:`InputError` for a year that is none."""
    return {field.name: _sent(field, sent) for field in EDITABLE}


def _sent(field: MetadataField, sent: MultiDict[str, str]) -> Any:
    if field.kind is FieldKind.WORDS:
        return [word for word in field.words if word in sent.getlist(field.name)]
    text = " ".join(sent.get(field.name, "").split())
    if field.kind is FieldKind.CHOICE:
        return text if text in field.words else ""
    return _year(field, text) if field.kind is FieldKind.YEAR else text


def _year(field: MetadataField, text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and FIRST_YEAR <= int(text) <= LAST_YEAR):
        raise InputError(f"{field.label} skal være et årstal, fx 2023.")
    return int(text)
