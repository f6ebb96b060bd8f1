"""What a question says of projects' metadata: their year, type, authority, area and status, or their name (pure).

"Hvilke kommunale projekter begyndte i 2021?" is answered by metadata and not by any sentence. A constraint is read only
where the question uses a value that some report's metadata has; the words that are left decide the rest by the text.

A project is named by its short name ("AIR", "FleetOptimiser"), or by its authority's place together with a word for
what it made ("Horsens' projekt"): the place alone may be asked about for anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kb.core.models import Metadata
from kb.language import danish

_TYPES = ("kommunal", "regional", "statslig")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_PARTNER = re.compile(r"\b(?:med|deltag\w*|partner\w*|samarbejd\w*)\b")
_NOT_NAMED = re.compile(r"(?<!\s)\s*\([^()]*\)")
# What a status says, by how a question asks for it.
_STATUS = (
    ("i drift", re.compile(r"\bi drift\b")),
    ("afsluttet", re.compile(r"\bafslutte\w*\b")),
    ("igangværende", re.compile(r"\b(?:igangværende|i gang endnu|stadig i gang|er i gang)\b")),
    ("ukendt", re.compile(r"\bukendt status\b|\bstatus(?:sen)? er ukendt\b")),
)
# Words of a question that say only that projects are asked for, or how they relate to a value.
_GENERAL = re.compile(
    r"(?:signatur)?projekt\w*|løsning\w*|begynd\w*|start\w*|opstart\w*|gik|igang|gang|ligger|kommer|hører|findes|base\w*"
    r"|ansvarlig\w*|myndighed\w*|kommune\w*|region\w*|område\w*|drift\w*|sat|status\w*|handler|inden|stået|står"
    r"|bag|mange|af|år|året|lede\w*|ejer"
)
# What a project's name opens with before its dash, or has in brackets at its end, is the short name it goes by.
_SHORT_NAME = re.compile(r"(?P<before>[^–()]+?)(?<!\s)\s+–\s|.*\((?P<brackets>[\w-]+)\)$")
LONGEST_NAME = 2
_NO_PLACE = re.compile(r"(?:region|kommune|sygehus)\w*|(?=\w*hospital)\w+|og", re.IGNORECASE)
_MADE = re.compile(r"(?:projekt|løsning|model|system|algoritme|værktøj)\w*")


@dataclass(frozen=True, slots=True)
class Constraint:
    """A metadata field that must have one of ``values``; a status must begin with one."""

    field: str
    values: tuple[str, ...]

    def met(self, metadata: Metadata) -> str:
        """The value that meets the constraint, or an empty text."""
        own = str(getattr(metadata, self.field) or "")
        if self.field == "status":
            return own if any(_has_status(own, value) for value in self.values) else ""
        return own if own in self.values else ""


@dataclass(frozen=True, slots=True)
class Demands:
    """What a question demands of metadata; ``complete`` where nothing else is asked."""

    constraints: tuple[Constraint, ...] = ()
    complete: bool = False

    def reasons(self, metadata: Metadata) -> tuple[str, ...] | None:
        """How a document's metadata meet every constraint ("år: 2021"); None where one is not met."""
        found = [(constraint.field, constraint.met(metadata)) for constraint in self.constraints]
        if not all(value for _, value in found):
            return None
        return tuple(f"{name}: {value}" for name, value in found)


def demands(question: str, words: Iterable[str], known: Sequence[Metadata]) -> Demands:
    """The constraints in a question across projects; ``words`` are its words of substance, in written form."""
    text = danish.normalise(question)
    found: list[Constraint] = []
    used: set[str] = set()
    for read in (_years, _types, _authorities, _areas, _statuses):
        for constraint, spent in read(text, known):
            found.append(constraint)
            used |= spent
    left = [word for word in words if word not in used and not _GENERAL.fullmatch(word)]
    return Demands(tuple(found), complete=bool(found) and not left)


_Found = Iterable[tuple[Constraint, set[str]]]


def _years(text: str, known: Sequence[Metadata]) -> _Found:
    years = set(_YEAR.findall(text)) & {str(metadata.år) for metadata in known}
    if years:
        yield Constraint("år", tuple(sorted(years))), years | {f"{year}projekterne" for year in years}


def _types(text: str, known: Sequence[Metadata]) -> _Found:
    for value in _TYPES:
        match = re.search(rf"\b{value}e?\b(?=\s+\w*(?:projekt|initiativ|løsning))", text)
        if match and any(metadata.type == value for metadata in known):
            yield Constraint("type", (value,)), {match.group(), value}


def _authorities(text: str, known: Sequence[Metadata]) -> _Found:
    if _PARTNER.search(text):
        return
    names = {_NOT_NAMED.sub("", metadata.myndighed).strip() for metadata in known} - {""}
    for name in sorted(names, key=len, reverse=True):
        folded = danish.normalise(name)
        if re.search(rf"\b{re.escape(folded)}s?\b", text):
            values = tuple(sorted({m.myndighed for m in known if danish.normalise(m.myndighed).startswith(folded)}))
            spent = {word for part in folded.split() for word in (part, f"{part}s")}
            yield Constraint("myndighed", values), spent
            return


def _areas(text: str, known: Sequence[Metadata]) -> _Found:
    for value in sorted({metadata.område for metadata in known} - {""}):
        folded = danish.normalise(value)
        escaped = re.escape(folded)
        match = re.search(rf"\b{escaped}s?området?\b|\b(?:handler om|inden for|området|om) {escaped}\b", text)
        if match:
            yield Constraint("område", (value,)), {folded, *match.group().split()}


def _statuses(text: str, known: Sequence[Metadata]) -> _Found:
    for value, pattern in _STATUS:
        match = pattern.search(text)
        if match and any(_has_status(metadata.status, value) for metadata in known):
            yield Constraint("status", (value,)), set(match.group().split())
            return


def _has_status(status: str, value: str) -> bool:
    """Whether a status, before its source in brackets, begins with a value: "ved at blive sat i drift" does not."""
    return danish.normalise(status).startswith(value)


def named(question: str, known: Iterable[Metadata]) -> tuple[str, ...]:
    """The names of the projects that a question names, each once."""
    text = danish.normalise(question)
    made = _MADE.search(text) is not None
    return tuple(
        dict.fromkeys(
            metadata.projekt
            for metadata in known
            if metadata.projekt
            and (_has_any(text, short_names(metadata.projekt)) or (made and _has_place(text, metadata)))
        )
    )


def short_names(project: str) -> tuple[str, ...]:
    """What a project is called for short, as far as its name tells: a name of few words is one itself."""
    match = _SHORT_NAME.match(project)
    found = [name for name in match.groups() if name] if match else [project]
    return tuple(name for name in found if len(name.split()) <= LONGEST_NAME)


def _has_place(text: str, metadata: Metadata) -> bool:
    words = re.findall(r"\w+", metadata.myndighed)
    return _has_any(text, [word for word in words if word[0].isupper() and not _NO_PLACE.fullmatch(word)])


def _has_any(text: str, names: Iterable[str]) -> bool:
    """Whether a text has one of the names, in the genitive or a compound as well ("Horsens'", "Køge-projektet")."""
    folded = (danish.normalise(name).strip("+ ").removesuffix("s") for name in names)
    return any(name and re.search(rf"\b{re.escape(name)}s?\b", text) for name in folded)
