"""Filters of a search: which values of which fields a document or a passage must have one of (pure).

    filters = Filters.of({"temaer": ["jura"], "rolle": ["læring"]})
    [stored for stored in records if filters.passes(stored)]

A document passes by its metadata, its project's standing (:mod:`kb.facts.standing`) and its reader; the role belongs to
the passage, and is what :attr:`Filters.roles` asks of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from kb.core.errors import FilterError
from kb.core.fields import BY_NAME, FILTERS, PHASE, READER, ROLE, years_of
from kb.facts.standing import Standing
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
        """Filters from their values by field.

        Raises :class:`FilterError` for a field that cannot be filtered by, and for a value that its rule does not know.
        """
        if isinstance(given, Filters):
            return given
        for name in given or {}:
            if name not in FILTER_FIELDS:
                raise FilterError(f"Ukendt filter: {name}.", advice=f"Brug et af: {', '.join(FILTER_FIELDS)}.")
            _check(name, (given or {})[name])
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
        return all(not _asked(name, values).isdisjoint(field_values(stored, name)) for name, values in of_document)


_OF_STANDING: Mapping[str, Callable[[Standing], tuple[str, ...]]] = {
    "status": lambda standing: (standing.status.value,) if standing.status else (),
    PHASE.name: lambda standing: (standing.phase.value,) if standing.phase else (),
    "periode": lambda standing: tuple(map(str, standing.years)),
}
GivenFilters = Filters | Mapping[str, Collection[str]]
NO_FILTERS: Final = Filters()


def _check(name: str, values: Collection[str]) -> None:
    """Raises :class:`FilterError` for a value that the field's rule does not know."""
    rule = BY_NAME[name].rule
    if rule is None:
        return
    for value in values:
        if rule.years and years_of(value) is None:
            raise FilterError(
                f"{name} kan ikke være {value!r}.", advice="Skriv et årstal eller et spand af år, fx 2020-2022."
            )
        if rule.words and value not in rule.words:
            raise FilterError(f"{name} kan ikke være {value!r}.", advice=f"Brug et af: {', '.join(rule.words)}.")


def _asked(name: str, values: Collection[str]) -> frozenset[str]:
    """The values that are asked for, a span of years as its years."""
    rule = BY_NAME[name].rule
    if not rule or not rule.years:
        return frozenset(values)
    return frozenset(str(year) for value in values for year in years_of(value) or ())


def field_values(stored: StoredRecord, name: str) -> tuple[str, ...]:
    """A document's values of a filter field, as text."""
    if name == READER.name:
        return (stored.record.reader,)
    if name in _OF_STANDING:
        return _OF_STANDING[name](stored.standing)
    value = stored.record.metadata.value(name)
    values = value if isinstance(value, tuple) else (value,)
    return tuple(str(one) for one in values if one not in (None, ""))
