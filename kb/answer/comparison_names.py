"""Which projects of the base the words of a question name (pure).

    telling("vådindeks i jammerbugt")           # ["vådindeks", "jammerbugt"]: None where a rest asks for more
    named(["vådindeks", "jammerbugt"], known)   # the documents of each project that goes by every word

A project goes by the words of its title, name, authority and id (:mod:`kb.facts.subject`), in their inflected forms and
by the beginning of a compound ("rengøringen" is "rengøringshjælp").
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from kb.answer.comparison_forms import MORE, PROJECTS
from kb.answer.intent import names_in
from kb.answer.plain_wording import plain
from kb.core.models import Metadata
from kb.facts.municipalities import municipalities
from kb.facts.names import is_called
from kb.facts.subject import SHORTEST_NAME, is_general, names_of_project
from kb.language import danish

_SUFFIX = re.compile(r"(?:['’]s?|-?(?:projektet|løsningen|systemet|modellen))$")
_WORD = re.compile(r"[\w+-]+")
_DEFINITE = re.compile(r"(?<=\w{5})(?:en|et|erne)s?$")
SHORTEST_BEGINNING = 5
AUTHORITIES_REMEMBERED = 2_000


def written_names(question: str, known: Mapping[str, Metadata]) -> list[str]:
    """The words of a question that are written as names, are places, or are words of a project's name."""
    first = question.split(maxsplit=1)[0] if question.split() else ""
    own = first if sum(letter.isupper() for letter in first) > 1 else ""
    written = " ".join(danish.normalise(name) for name in (own, *names_in(question)))
    words = (_bare(word).strip(",.?:") for word in PROJECTS.sub(" ", written).split())
    typed = (_bare(word) for word in PROJECTS.sub(" ", plain(question)).split())
    theirs = frozenset[str]().union(*(names_of_project(one) for one in known.values() if one.projekt))
    others = (
        word for word in typed if len(word) >= SHORTEST_NAME and (word in municipalities() or _forms(word) & theirs)
    )
    found = (word for word in dict.fromkeys((*words, *others)) if word and word not in danish.stop_words())
    return [word for word in found if not is_general(word.removesuffix("s"))]


def telling(rest: str) -> list[str] | None:
    """The words of a rest that may name a project; None where the rest asks for more, or has general words alone."""
    if MORE.search(rest):
        return None
    words = [_bare(word) for word in PROJECTS.sub(" ", rest).split()]
    words = [word for word in words if word and word not in danish.stop_words()]
    return words if not words or any(not is_general(word) for word in words) else None


def named(words: Sequence[str], known: Mapping[str, Metadata], *, projects_only: bool) -> list[frozenset[str]]:
    """The documents of each project that every word names; where none is named, the reports of no project that are."""
    met = {id_: one for id_, one in known.items() if all(_is_named(word, one) for word in words)}
    projects: dict[str, set[str]] = {}
    for id_, metadata in met.items():
        if metadata.projekt:
            projects.setdefault(metadata.projekt, set()).add(id_)
    if projects or projects_only:
        return [frozenset(ids) for ids in _of_the_place(words, projects, known)]
    return [frozenset((id_,)) for id_ in met]


def has_projects(organisation: str, known: Mapping[str, Metadata]) -> bool:
    """Whether an organisation is the authority of some project."""
    return any(one.projekt and is_called(one.myndighed, organisation) for one in known.values())


def _of_the_place(
    words: Sequence[str], projects: Mapping[str, set[str]], known: Mapping[str, Metadata]
) -> list[set[str]]:
    """Of the projects that a place names, those of its municipality: the university in it is another authority."""
    places = {name for word in words if (name := municipalities().get(word))}
    own = [ids for ids in projects.values() if any(known[id_].myndighed in places for id_ in ids)]
    return own or list(projects.values())


def _is_named(word: str, metadata: Metadata) -> bool:
    """Whether a project goes by a word; a general word names it only beside others, as its names have it."""
    if is_general(word):
        return word in _WORD.findall(danish.normalise(f"{metadata.titel} {metadata.projekt} {metadata.myndighed}"))
    if municipalities().get(word) == metadata.myndighed != "":
        return True
    forms, names = _forms(word), names_of_project(metadata) | _places_of(metadata.myndighed)
    beginnings = tuple(form for form in forms if len(form) >= SHORTEST_BEGINNING)
    return any(name in forms or name.removesuffix("s") in forms or name.startswith(beginnings) for name in names)


@lru_cache(AUTHORITIES_REMEMBERED)
def _places_of(authority: str) -> frozenset[str]:
    """The parts of an authority's hyphenated name: "Rigshospitalet-Glostrup" is in Glostrup as well."""
    parts = danish.normalise(authority).replace("-", " ").split()
    return frozenset(part.strip("()/,") for part in parts if len(part) >= SHORTEST_NAME and not is_general(part))


def _forms(word: str) -> frozenset[str]:
    """A word, and the words that it may be the genitive or the definite form of."""
    return frozenset((word, word.removesuffix("s"), _DEFINITE.sub("", word)))


def _bare(word: str) -> str:
    """A word without what says only that it is a project's."""
    return _SUFFIX.sub("", word).strip("+-")
