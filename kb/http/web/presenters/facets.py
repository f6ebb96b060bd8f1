"""The filters beside a list: what can be chosen, how much there is of it, and how to be rid of it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb.core.fields import ANSWER_FACETS, BY_NAME, ROLE, FieldKind, MetadataField
from kb.http.web.presenters.labels import STORY, value_label


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a filter: what is sent, what is shown, how many there are, and whether it is chosen.

    ``count`` is None of a span of years, whose years are counted each.
    """

    value: str
    label: str
    count: int | None
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One filter with its values; ``open`` when a value of it is chosen."""

    field: str
    label: str
    options: tuple[Option, ...]
    open: bool


@dataclass(frozen=True, slots=True)
class ActiveFilter:
    """A chosen value, and the filters that remain when it is removed."""

    field: str
    field_label: str
    label: str
    without: Mapping[str, tuple[str, ...]]


def facet_views(
    counts: Mapping[str, Mapping[str, int]],
    chosen: Mapping[str, Sequence[str]],
    shown: Sequence[MetadataField] = ANSWER_FACETS,
) -> tuple[Facet, ...]:
    """The filters worth showing: those with a choice to make, or one made."""
    facets = []
    for field in (one.name for one in shown):
        picked = tuple(chosen.get(field, ()))
        values = dict.fromkeys([*counts.get(field, {}), *picked])
        options = tuple(
            Option(value, value_label(field, value), _count(field, value, counts), value in picked)
            for value in values
            if value_label(field, value)
        )
        if len(options) > 1 or picked:
            facets.append(Facet(field, BY_NAME[field].label, _in_order(field, options), bool(picked)))
    return tuple(facets)


def _count(field: str, value: str, counts: Mapping[str, Mapping[str, int]]) -> int | None:
    rule = BY_NAME[field].rule
    is_span = rule is not None and rule.years and "-" in value
    return None if is_span else counts.get(field, {}).get(value, 0)


def _in_order(field: str, options: tuple[Option, ...]) -> tuple[Option, ...]:
    rule = BY_NAME[field].rule
    if BY_NAME[field].kind is FieldKind.YEAR or (rule and rule.years):
        return tuple(sorted(options, key=lambda option: option.value, reverse=True))
    if rule:
        return tuple(sorted(options, key=lambda option: rule.words.index(option.value)))
    if field == ROLE.name:
        labels = [role.value for role in STORY]
        return tuple(sorted(options, key=lambda option: labels.index(option.value)))
    return options


def active_filters(chosen: Mapping[str, Sequence[str]]) -> tuple[ActiveFilter, ...]:
    """Every chosen value with the filters that remain without it."""
    return tuple(
        ActiveFilter(field, BY_NAME[field].label, value_label(field, value) or value, _without(chosen, field, value))
        for field, values in chosen.items()
        for value in values
    )


def _without(chosen: Mapping[str, Sequence[str]], field: str, value: str) -> dict[str, tuple[str, ...]]:
    remaining = {name: tuple(v for v in values if (name, v) != (field, value)) for name, values in chosen.items()}
    return {name: values for name, values in remaining.items() if values}
