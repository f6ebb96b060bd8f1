"""The one table of metadata fields: name, label, kind, bounds and uses of each.

An entry of :data:`FIELDS` is a field. Front matter and the files beside reports are read by it; filters, facets, the
editors' form, exports, the API's models and ``docs/fields.md`` are derived from it. A field that code asks for by name
has an attribute of :class:`kb.core.models.Metadata` too; any other needs its entry here and nothing more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kb.core.stages import Phase, Status

LONGEST_VALUE = 500
LONGEST_LIST = 200
LONGEST_GROUP = 200
# The years that metadata may name.
FIRST_YEAR, LAST_YEAR = 1800, 2200

THEME_LABELS: Mapping[str, str] = {
    "jura": "Jura",
    "data": "Data",
    "it-infrastruktur": "It-infrastruktur",
    "organisation": "Organisation",
    "etik": "Etik",
    "økonomi": "Økonomi",
    "leverandør": "Leverandør",
    "klinisk": "Klinisk",
}
THEMES = tuple(THEME_LABELS)
_TYPES = {"kommunal": "Kommunal", "regional": "Regional", "statslig": "Statslig", "tværgående": "Tværgående"}
_SCOPES = {"ét projekt": "Ét projekt", "flere projekter": "Flere projekter"}
_STANDING = {
    "gældende": "Den gældende: den vises i stedet for de andre udgaver",
    "selvstændig": "En rapport for sig og ingen udgave af en anden",
}
_LANGUAGES = {"da": "Dansk", "en": "Engelsk", "sv": "Svensk", "no": "Norsk"}


class FieldKind(StrEnum):
    """What a field holds. The values are the words shown."""

    IDENTIFIER = "id"
    TEXT = "tekst"
    CHOICE = "et af de kendte ord"
    WORDS = "flere af de kendte ord"
    YEAR = "årstal"
    GROUPS = "grupper"
    SOURCES = "kilder (url, titel, dato)"

    @property
    def empty(self) -> str | tuple[()] | None:
        """The value of a field when it is unknown."""
        if self is FieldKind.YEAR:
            return None
        return () if self in {FieldKind.WORDS, FieldKind.SOURCES, FieldKind.GROUPS} else ""


@dataclass(frozen=True, slots=True)
class Column:
    """A field's column in the exports: its place among them, its heading and its width in characters."""

    place: int
    heading: str
    width: int


@dataclass(frozen=True, slots=True)
class FilterRule:
    """How a field is filtered by where that is not by its own value: the only ``words`` that may be asked for, or where
    there are none, a year or a span of years ("2020-2022"); ``description`` says in Danish what is asked.
    """

    description: str
    words: tuple[str, ...] = ()

    @property
    def years(self) -> bool:
        """Whether years are asked for."""
        return not self.words


def years_of(asked: str) -> range | None:
    """The years that a year or a span of years names; None for what is neither, or is outside the known ones."""
    first, dash, last = asked.partition("-")
    if not all(len(year) == 4 and year.isascii() and year.isdigit() for year in ((first, last) if dash else (first,))):
        return None
    begin, end = int(first), int(last or first)
    return range(begin, end + 1) if FIRST_YEAR <= begin <= end <= LAST_YEAR else None


@dataclass(frozen=True, slots=True)
class MetadataField:
    """A field under its Danish key, with its ``label`` for people and its ``description`` for those who program.

    ``words`` are the known values with their labels: the only ones of a field of kind CHOICE or WORDS, in the order
    they are offered; of one of kind TEXT, the ones that are shown. ``unknown`` ends the code of the warning of another
    one. ``capital`` says that values are shown with a capital letter. ``on_answers`` and ``on_list`` are the places
    among the facets of the answer page and of the list of reports, 0 for none. ``fact`` says that the value is in
    the list of facts of the report's page; other fields have places of their own there. ``rule`` says how the field is
    filtered by, where that is not by its own value.
    """

    name: str
    label: str
    kind: FieldKind
    description: str
    filterable: bool = False
    editable: bool = False
    fact: bool = False
    capital: bool = False
    on_answers: int = 0
    on_list: int = 0
    words: Mapping[str, str] = field(default_factory=dict)
    unknown: str = ""
    longest: int = LONGEST_VALUE
    column: Column | None = None
    rule: FilterRule | None = None

    @property
    def facet(self) -> bool:
        """Whether the values are offered as a facet beside a list."""
        return bool(self.on_answers or self.on_list)

    def label_of(self, value: str) -> str:
        """What a reader sees of a value; empty for one that is not worth showing."""
        if self.words:
            return self.words.get(value, "" if self.kind is FieldKind.TEXT else value)
        return value[:1].upper() + value[1:] if self.capital else value


FIELDS: tuple[MetadataField, ...] = (
    MetadataField(
        "id", "Id", FieldKind.IDENTIFIER, "Rapportens id: små bogstaver a-z, tal og bindestreger.", longest=100,
    ),
    MetadataField(
        "titel", "Titel", FieldKind.TEXT, "Rapportens titel.", editable=True, column=Column(3, "rapport", 36),
    ),
    MetadataField(
        "projekt", "Projekt", FieldKind.TEXT, "Projektets navn.",
        filterable=True, editable=True, on_answers=3, column=Column(1, "projekt", 28),
    ),
    MetadataField(
        "myndighed", "Myndighed", FieldKind.TEXT, "Myndigheden bag projektet.",
        filterable=True, editable=True, fact=True, on_answers=4, on_list=2, column=Column(2, "myndighed", 24),
    ),
    MetadataField(
        "type", "Slags projekt", FieldKind.CHOICE, "kommunal, regional, statslig eller tværgående.", words=_TYPES,
        unknown="type", filterable=True, editable=True, fact=True, on_answers=8, on_list=6,
    ),
    MetadataField(
        "område", "Område", FieldKind.TEXT, "Fagområdet.",
        filterable=True, editable=True, fact=True, capital=True, on_answers=7, on_list=5,
    ),
    MetadataField(
        "omfang", "Handler om", FieldKind.CHOICE, "ét projekt eller flere projekter.", words=_SCOPES, unknown="omfang",
        editable=True, fact=True,
    ),
    MetadataField("emne", "Emne", FieldKind.TEXT, "Det, projektet prøvede.", editable=True, fact=True),
    MetadataField(
        "periode", "Periode", FieldKind.TEXT, "Projektets periode.",
        filterable=True, editable=True, fact=True, on_answers=10, on_list=8,
        rule=FilterRule(
            "Et år, projektet løb i, eller et spand af år: 2020-2022. Nævner metadata ingen periode, gælder den "
            "begyndelse og slutning, rapporten selv fortæller."
        ),
    ),
    MetadataField(
        "år", "År", FieldKind.YEAR, "Årstal.",
        filterable=True, editable=True, fact=True, on_answers=9, on_list=7, column=Column(4, "år", 8),
    ),
    MetadataField(
        "status", "Status", FieldKind.TEXT, "Projektets status.",
        filterable=True, editable=True, fact=True, capital=True, on_answers=5, on_list=3,
        rule=FilterRule(
            "Hvor langt projektet er, læst af feltets ord. Nævner metadata ingen status, gælder den nyeste, rapporten "
            "selv fortæller.",
            tuple(Status),
        ),
    ),
    MetadataField(
        "partnere", "Partnere", FieldKind.TEXT, "Hvem projektet arbejdede sammen med, adskilt af komma.",
        editable=True, fact=True,
    ),
    MetadataField(
        "leverandører", "Leverandører", FieldKind.TEXT, "Hvem der leverede løsningen, adskilt af komma.",
        editable=True, fact=True,
    ),
    MetadataField(
        "økonomi", "Økonomi", FieldKind.TEXT, "Beløb, fx «støtte: 4,1 mio. kr.».", editable=True, fact=True,
    ),
    MetadataField(
        "kontakt", "Kontakt", FieldKind.TEXT, "Afdelingen eller funktionen, der kan spørges. Aldrig en person.",
        editable=True, fact=True,
    ),
    MetadataField(
        "temaer", "Tema", FieldKind.WORDS, "Temaet, fx jura eller data.", words=THEME_LABELS, unknown="tema",
        filterable=True, editable=True, on_answers=1, on_list=1,
    ),
    MetadataField(
        "sprog", "Sprog", FieldKind.TEXT, "Rapportens sprog, fx da.", words=_LANGUAGES, filterable=True, fact=True,
    ),
    MetadataField(
        "udgave", "Udgave", FieldKind.CHOICE, "gældende, eller selvstændig når den ikke er en udgave af en anden.",
        words=_STANDING, unknown="udgave", editable=True,
    ),
    MetadataField(
        "adgang", "Adgang", FieldKind.GROUPS,
        "Grupperne, der må se rapporten, adskilt af komma; «alle» gør en rapport i en begrænset mappe åben.",
        editable=True, longest=LONGEST_GROUP,
    ),
    MetadataField("kilder", "Kilder", FieldKind.SOURCES, "Hvor oplysningerne er fra."),
)  # fmt: skip

# Filters that are not metadata of a report: its project's phase, the reader that read the file, the role of a passage.
PHASE = MetadataField(
    "fase", "Fase", FieldKind.TEXT, "Projektets fase.", filterable=True, capital=True, on_answers=6, on_list=4,
    rule=FilterRule(
        "Den fase, projektet er i efter sin status. Siger den ikke hvilken, gælder den nyeste, rapporten selv "
        "fortæller.",
        tuple(Phase),
    ),
)  # fmt: skip
READER = MetadataField(
    "læser", "Filformat", FieldKind.TEXT, "Læseren, der læste filen, fx markdown.", filterable=True, on_list=9
)
ROLE = MetadataField(
    "rolle", "Hvad passagen fortæller", FieldKind.TEXT, "Hvad passagen fortæller.", filterable=True, on_answers=2
)

BY_NAME: Mapping[str, MetadataField] = {one.name: one for one in (*FIELDS, PHASE, READER, ROLE)}
DOCUMENT_FILTERS = tuple(one for one in (*FIELDS, PHASE, READER) if one.filterable)
FILTERS = (*DOCUMENT_FILTERS, ROLE)
EDITABLE = tuple(one for one in FIELDS if one.editable)
FACTS = tuple(one for one in FIELDS if one.fact)
ANSWER_FACETS = tuple(sorted((one for one in FILTERS if one.on_answers), key=lambda one: one.on_answers))
LIST_FACETS = tuple(sorted((one for one in DOCUMENT_FILTERS if one.on_list), key=lambda one: one.on_list))


def columns() -> list[tuple[Column, MetadataField]]:
    """The columns of the exports in their order, each with its field."""
    pairs = [(one.column, one) for one in FIELDS if one.column is not None]
    return sorted(pairs, key=lambda pair: pair[0].place)


def reading_key() -> str:
    """A short digest of the rules that metadata are read by."""
    rules = [(one.name, one.kind.name, list(one.words), one.longest) for one in FIELDS]
    return hashlib.sha256(json.dumps(rules).encode()).hexdigest()[:8]
