"""Finds the authorities a text names, by the sourced list beside this file (pure once the list is loaded)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

# The value of the field "type" that an authority's kind gives; what many do together gives none.
KIND_TYPES: Mapping[str, str] = {"municipalities": "kommunal", "regions": "regional", "state": "statslig"}


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority by its official name.

    ``place`` is what people say of a municipality ("Aarhus"), and ``code`` is its code of Danmarks Statistik.
    """

    name: str
    kind: str
    place: str = ""
    code: int = 0


@dataclass(frozen=True, slots=True)
class Mention:
    """A place in a text that names an authority; ``by_place`` where only its place is named."""

    authority: Authority
    start: int
    end: int
    by_place: bool = False


@dataclass(frozen=True, slots=True)
class _Known:
    names: Mapping[str, Authority]
    places: Mapping[str, Authority]
    any_case: re.Pattern[str]
    as_written: re.Pattern[str]
    by_place: re.Pattern[str]


def mentions(text: str, *, places: bool = False) -> Iterator[Mention]:
    """The authorities a text names, in order; with ``places`` also the places of municipalities, named alone."""
    known = _known()
    named = [*known.any_case.finditer(text), *known.as_written.finditer(text)]
    found = [Mention(known.names[_key(match[1])], *match.span(1)) for match in named]
    if places:
        taken = [(mention.start, mention.end) for mention in found]
        for match in known.by_place.finditer(text):
            if not any(start <= match.start() < end for start, end in taken):
                found.append(Mention(known.places[_key(match[1])], *match.span(1), by_place=True))
    yield from sorted(found, key=lambda mention: mention.start)


@cache
def all_authorities() -> tuple[Authority, ...]:
    """Every authority of the list."""
    return tuple(dict.fromkeys(_known().names.values()))


@cache
def _known() -> _Known:
    listed = yaml.safe_load(files("kb.proposals").joinpath("authorities.yaml").read_text(encoding="utf-8"))
    names: dict[str, Authority] = {}
    places: dict[str, Authority] = {}
    for entry in listed["municipalities"]:
        name = entry.get("name", f"{entry['place']} Kommune")
        authority = Authority(name, "municipalities", entry["place"], entry["code"])
        for place in (entry["place"], *entry.get("forms", ())):
            places[_key(place)] = authority
            for form in (f"{place} Kommune", f"{place}s Kommune", f"{place} Byråd", f"{place} Kommunes"):
                names[_key(form)] = authority
        names[_key(authority.name)] = authority
    for kind in ("regions", "state", "communities"):
        for entry in listed[kind]:
            authority = Authority(entry["name"], kind)
            for form in (entry["name"], *entry.get("forms", ())):
                names[form if form.isupper() else _key(form)] = authority
    short = [name for name in names if name.isupper()]
    long = [name for name in names if not name.isupper()]
    return _Known(
        {**names, **{_key(name): names[name] for name in short}},
        places,
        _pattern(long, "s?", re.IGNORECASE),
        _pattern(short, "(?:['’]?s)?"),
        _pattern([name.title() for name in places], "s?"),
    )


def _pattern(names: list[str], ending: str, flags: int = 0) -> re.Pattern[str]:
    found = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?<![\w-])({found}){ending}(?![\w-])", flags)


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()
