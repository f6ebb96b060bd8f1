"""Whether a sentence tells of the report's own project, of another or of many (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from kb.core.models import Metadata
from kb.facts import patterns
from kb.facts.municipalities import municipalities
from kb.language import danish

# Words of titles and authorities that name no project.
_GENERAL_WORDS = """
    ai projekt projektet signaturprojekt signaturprojekter signaturprojekterne kommune kommuner kommunal
    kommunale region regional hospital hospitaler universitetshospital universitet sygehus kunstig intelligens
    intelligent intelligente bedre hurtigere øget styrket målrettede målrettet tidlig lavere flere erfaringer
    rapport evaluering sammendrag status løsning løsninger borgere borger patienter med til ved fra data
    statusrapport temperaturmåling beslægtet case behandling system offentlige digitaliseringsstyrelsen
    vurdering udbredelse automatisk automatiske
"""
_GENERAL = frozenset(_GENERAL_WORDS.split())
SHORTEST_NAME = 4
# Projects whose names' words are kept: a question that may be one for facts looks at every project's.
PROJECTS_REMEMBERED = 20_000
_WORD = re.compile(r"[\w+-]+")
_AUTHORITY = re.compile(r"\b(?P<place>[\wæøå-]+) kommunes?\b|\bregion (?P<region>\w+)\b")


def names_of_project(metadata: Metadata) -> frozenset[str]:
    """The words in lower case that a project goes by: of its names, its authority and its id."""
    text = f"{metadata.titel} {metadata.projekt} {metadata.myndighed} {metadata.id.replace('-', ' ')}"
    return _distinctive(text)


def is_general(word: str) -> bool:
    """Whether a word in lower case names no project though names have it."""
    return word in _GENERAL


@lru_cache(PROJECTS_REMEMBERED)
def _distinctive(text: str) -> frozenset[str]:
    """The words of a text that can name something: no short ones but capitals, and no general ones."""
    words = (word for word in _WORD.findall(text) if len(word) >= SHORTEST_NAME or (word.isupper() and len(word) > 1))
    return frozenset(word.casefold().strip("+-") for word in words) - _GENERAL - {""}


class Whose(StrEnum):
    """Whom a sentence tells of."""

    NAMED = "named"
    POINTED_AT = "pointed at"
    SHARED = "shared"
    NOBODY = "nobody"
    OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a report's project is called: its names' distinctive words, and its authority's places.

    The authority of a report of no project is who published it, and names nothing.
    """

    names: frozenset[str]
    authority: str
    is_project: bool

    @classmethod
    def of(cls, metadata: Metadata) -> Subject:
        """The subject of a report, by its title, its project and its authority."""
        is_project = bool(metadata.projekt)
        text = f"{metadata.titel} {metadata.projekt} {metadata.myndighed if is_project else ''}"
        return cls(_distinctive(text), danish.normalise(metadata.myndighed), is_project)

    def whose(self, folded: str) -> Whose:
        """Whom a sentence in lower case tells of."""
        named = self._named_at(folded)
        other = self._other_authority_at(folded)
        if patterns.ANOTHER.search(folded):
            return Whose.OTHERS
        if patterns.MANY.search(folded):
            return Whose.SHARED if named is not None and self.is_project else Whose.OTHERS
        if other is not None and (named is None or other < named):
            return Whose.OTHERS
        if named is not None:
            return Whose.NAMED
        is_pointed_at = patterns.OWN.search(folded) or (self.is_project and patterns.OWN_WEAKLY.search(folded))
        return Whose.POINTED_AT if is_pointed_at else Whose.NOBODY

    def is_own(self, name: str) -> bool:
        """Whether a name is that of the report's own authority or project."""
        words = danish.normalise(name).split()
        return danish.normalise(name).removesuffix(" kommune").removesuffix("s") in self.authority or all(
            word.strip("+") in self.names for word in words
        )

    def _named_at(self, folded: str) -> int | None:
        """Where a sentence first names the project or its authority."""
        words = ((match.group().strip("+-"), match.start()) for match in _WORD.finditer(folded))
        return next((at for word, at in words if any(word.startswith(name) for name in self.names)), None)

    def _other_authority_at(self, folded: str) -> int | None:
        """Where a sentence first names a municipality or a region that is not the project's."""
        if self.is_project and not self.authority:
            return None
        for match in _AUTHORITY.finditer(folded):
            place = match["place"] or match["region"]
            is_known = match["region"] or place in municipalities()
            if is_known and place.removesuffix("s") not in self.authority:
                return match.start()
        return None
