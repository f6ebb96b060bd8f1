"""Names of organisations in lists ("Syddjurs, Norddjurs og Hjørring Kommune"), each in its full form (pure)."""

from __future__ import annotations

import re
from enum import StrEnum

from kb.facts.municipalities import municipalities
from kb.facts.patterns import NO_NAMES, SEVERAL
from kb.language.danish import stop_words


class OrganisationKind(StrEnum):
    """What an organisation is; ``AUTHORITY`` is a public one that is none of the others, or a community of them."""

    MUNICIPALITY = "kommune"
    UNIVERSITY = "universitet"
    HOSPITAL = "hospital"
    AUTHORITY = "myndighed"
    COMPANY = "virksomhed"


# In order: a university's hospital is a hospital.
_KINDS: tuple[tuple[OrganisationKind, re.Pattern[str]], ...] = (
    (OrganisationKind.HOSPITAL, re.compile(r"hospital|sygehus|klinik|\bOUH\b|\bAUH\b|\bafdeling\b", re.IGNORECASE)),
    (
        OrganisationKind.UNIVERSITY,
        re.compile(r"[Uu]niversitet|[Pp]rofessionshøjskole|\b(?:DTU|ITU|CBS|RUC|SDU|AAU|AU|KU|VIA|UCL|UCN)\b"),
    ),
    (
        OrganisationKind.AUTHORITY,
        re.compile(
            r"\bregion|styrelse|tilsyn|ministeri|kommune|forvaltning|\bråd\b|institut|\bKL\b|\bDMI\b|\bKEID\b|\bOS2\b|\bCAI-X\b"
            r"|danske regioner|advokat|cluster|klynge|\blab\b|forening|museum|bibliotek",
            re.IGNORECASE,
        ),
    ),
)
_WORD = re.compile(r"\w[\w./&+-]*")
_BETWEEN = re.compile(r",\s(?:og\s)?|\s(?:og|samt)\s")
_ACRONYM = re.compile(r"\((?P<letters>[A-ZÆØÅ]{2,})\)$")


def is_municipality(name: str) -> bool:
    """Whether a name is that of a municipality."""
    return name.casefold().endswith(" kommune") or name.casefold() in municipalities()


def kind_of(name: str) -> OrganisationKind:
    """What a partner is, by its name: what is no authority, university or hospital is a company."""
    if is_municipality(name):
        return OrganisationKind.MUNICIPALITY
    return next((kind for kind, pattern in _KINDS if pattern.search(name)), OrganisationKind.COMPANY)


def is_called(name: str, asked: str) -> bool:
    """Whether an organisation goes by what a question calls it: a part of its name, but no place for who is in it.

    "Enversion" is "Enversion A/S", and "Aarhus" is the municipality and not the university.
    """
    words = _words(asked) - {"kommune"}
    if is_municipality(asked) and not is_municipality(name):
        return False
    return bool(words) and words <= _words(name)


def _words(name: str) -> set[str]:
    return {word.rstrip("./&+-") for word in _WORD.findall(name.casefold())}


def names_of(text: str) -> tuple[str, ...]:
    """The names in a list of names, in order; a municipality's place gets its full name."""
    pieces = _joined([piece.strip(" .,") for piece in _BETWEEN.split(text)])
    full = [_full(piece) for piece in pieces if piece and piece.split()[0].casefold() not in NO_NAMES | stop_words()]
    return tuple(dict.fromkeys(name for name in full if len(name) > 1 and not SEVERAL.search(name)))


def _joined(pieces: list[str]) -> list[str]:
    """Pieces put together again that are one name with "og" in it, as the short form in its brackets tells."""
    found: list[str] = []
    for piece in pieces:
        acronym = _ACRONYM.search(piece)
        if acronym and found and not piece.startswith(acronym["letters"][0]) and found[-1][0] == acronym["letters"][0]:
            found[-1] = f"{found[-1]} og {piece}"
        else:
            found.append(piece)
    return found


def _full(name: str) -> str:
    place = re.sub(r"\s[Kk]ommunes?$", "", name)
    return municipalities().get(place.casefold(), name) if place != name or is_municipality(name) else name
