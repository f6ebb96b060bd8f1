"""The editors' form of a report's metadata, made of the table of fields: what stands in it and what was sent.

What no editor wrote is filled in with what the report says of itself, shown as a proposal with its evidence; it counts
from when the form is saved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from kb.core.access import names_in
from kb.core.errors import InputError
from kb.core.fields import EDITABLE, FIRST_YEAR, LAST_YEAR, FieldKind, MetadataField
from kb.core.models import Certainty, Metadata
from kb.proposals.proposal import Proposal

# What each report has of its own: nothing to choose among.
_OWN = frozenset({"titel", "emne", "periode", "økonomi"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A field in the form: ``values`` are those it has, ``words`` what can be chosen among, by value with its label.

    ``proposals`` are where the values are from when no editor wrote them, one a word of a field of many; ``offered``
    is what other reports have.
    """

    name: str
    label: str
    kind: FieldKind
    values: tuple[str, ...]
    inferred: bool
    words: Mapping[str, str]
    proposals: tuple[Proposal, ...] = ()
    offered: tuple[str, ...] = ()

    @property
    def value(self) -> str:
        """The one value of a field that has one, groups as one line."""
        return ", ".join(self.values) if self.kind is FieldKind.GROUPS else next(iter(self.values), "")


def entries(
    metadata: Metadata,
    proposals: Sequence[Proposal] = (),
    known: Mapping[str, Iterable[str]] | None = None,
    *,
    with_groups: bool = False,
) -> list[Entry]:
    """The form of a report, with what was inferred and proposed filled in; ``known`` are other reports' values.

    ``with_groups`` lets the groups be set that may see the report.
    """
    waiting = unconfirmed(metadata, proposals)
    return [
        _entry(
            field,
            metadata,
            tuple(one for one in waiting if one.field == field.name),
            tuple((known or {}).get(field.name, ())),
        )
        for field in EDITABLE
        if with_groups or field.kind is not FieldKind.GROUPS
    ]


def _entry(
    field: MetadataField, metadata: Metadata, proposals: tuple[Proposal, ...], offered: tuple[str, ...]
) -> Entry:
    written = _values(metadata.value(field.name))
    own_project = field.name == "projekt" and "projekt" in metadata.inferred
    values: tuple[str, ...]
    if proposals:  # what is unsure is told of, and left to be written
        values = tuple(str(one.value) for one in proposals if one.certainty is not Certainty.UNSURE)
    else:
        values = () if own_project else written
    if field.kind is FieldKind.GROUPS and field.name in metadata.inferred:
        values = ()  # the folder's rule goes on being the one that counts
    inferred = field.name in metadata.inferred and not own_project and not proposals
    return Entry(field.name, field.label, field.kind, values, inferred, field.words, proposals, offered)


def unconfirmed(metadata: Metadata, proposals: Sequence[Proposal]) -> tuple[Proposal, ...]:
    """The proposals for fields that no editor has written."""
    return tuple(one for one in proposals if not metadata.value(one.field) or one.field in metadata.inferred)


def known_values(all_metadata: Iterable[Metadata]) -> dict[str, tuple[str, ...]]:
    """What reports have in the fields that several may share, by field, the most used first."""
    held = list(all_metadata)
    shared = (field.name for field in EDITABLE if field.kind is FieldKind.TEXT and field.name not in _OWN)
    return {name: tuple(value for value, _ in _counted(held, name)) for name in shared}


def _counted(held: Sequence[Metadata], name: str) -> list[tuple[str, int]]:
    return Counter(value for metadata in held for value in _values(metadata.value(name))).most_common()


def _values(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, tuple) else (value,)
    return tuple(str(one) for one in values if one not in (None, ""))


def read(sent: MultiDict[str, str]) -> dict[str, Any]:
    """The values that were sent; raises :class:`InputError` for a year that is none.

    Groups that the form did not have stay as they are: what was for some must not be for all for a form of its own.
    """
    return {
        field.name: _sent(field, sent) for field in EDITABLE if field.kind is not FieldKind.GROUPS or field.name in sent
    }


def _sent(field: MetadataField, sent: MultiDict[str, str]) -> Any:
    if field.kind is FieldKind.WORDS:
        return [word for word in field.words if word in sent.getlist(field.name)]
    text = " ".join(sent.get(field.name, "").split())
    if field.kind is FieldKind.GROUPS:
        return list(names_in(text))
    if field.kind is FieldKind.CHOICE:
        return text if text in field.words else ""
    return _year(field, text) if field.kind is FieldKind.YEAR else text


def _year(field: MetadataField, text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and FIRST_YEAR <= int(text) <= LAST_YEAR):
        raise InputError(f"{field.label} skal være et årstal, fx 2023.")
    return int(text)
