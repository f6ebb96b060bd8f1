"""Filters of a search: which values of which fields a document or a passage must have one of (pure).

    filters = Filters.of({"temaer": ["jura"], "rolle": ["læring"]})
    [stored for stored in records if filters.passes(stored)]

A document passes by its metadata and its reader; the role belongs to the passage, and is what :attr:`Filters.roles`
asks of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from kb.core.errors import FilterError
from kb.core.fields import FILTERS, READER, ROLE
from kb.index.store import StoredRecord

FILTER_FIELDS = tuple(field.name for field in FILTERS)


@dataclass(frozen=True, slots=True)
class Filters:
    """Fields with the values asked for, in the order they were given; only fields that have any. A cache key.

    Made by :meth:`of`, which checks the fields.
    """

    items: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, given: GivenFilters | None) -> Filters:
        """Filters from their values by field; raises :class:`FilterError` for a field that cannot be filtered by."""
        if isinstance(given, Filters):
            return given
        for name in given or {}:
            if name not in FILTER_FIELDS:
                raise FilterError(f"Ukendt filter: {name}.", advice=f"Brug et af: {', '.join(FILTER_FIELDS)}.")
        return cls(tuple((name, tuple(values)) for name, values in (given or {}).items() if values))

    def as_dict(self) -> dict[str, tuple[str, ...]]:
        """The values by field."""
        return dict(self.items)

    def without(self, name: str) -> Filters:
        """The filters of the other fields."""
        return Filters(tuple(item for item in self.items if item[0] != name))

    @property
    def roles(self) -> frozenset[str]:
        """The roles of which a passage must have one; none where any will do."""
        return frozenset(self.as_dict().get(ROLE.name, ()))

    def passes(self, stored: StoredRecord) -> bool:
        """Whether a document has one of the values of every field of documents."""
        of_document = (item for item in self.items if item[0] != ROLE.name)
        return all(not set(values).isdisjoint(field_values(stored, name)) for name, values in of_document)


GivenFilters = Filters | Mapping[str, Collection[str]]
NO_FILTERS: Final = Filters()


def field_values(stored: StoredRecord, name: str) -> tuple[str, ...]:
    """A document's values of a filter field, as text."""
    if name == READER.name:
        return (stored.record.reader,)
    value = stored.record.metadata.value(name)
    values = value if isinstance(value, tuple) else (value,)
    return tuple(str(one) for one in values if one not in (None, ""))
