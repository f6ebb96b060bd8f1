"""What a reader may do instead: precise questions for a vague one, and whom to ask what the base does not say.

A vague question is made precise by a project or place that it can be about, as a follow-up is by the question before.
Only questions that the base answers are offered. Working out an answer takes a while, so at most :data:`TRIED`
candidates are tried: a number and not a time, for a page says the same on a slow machine as on a quick one. Examples
fill the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kb.answer import answer
from kb.answer.follow_up import completed
from kb.answer.intent import names_in
from kb.core.models import Certainty, Hit
from kb.core.slug import slug
from kb.http.web.example_questions import CANDIDATES, examples
from kb.retrieval.searcher import Searcher
from kb.retrieval.snapshot import ProjectSummary

SHOWN = 3
TRIED = 12
# A name that can stand in a question: one word that is written as no common one is ("RAIT", "FleetOptimiser").
_OWN_NAME = re.compile(r"[A-ZÆØÅ][\w-]*[A-ZÆØÅ][\w-]*(?= [–-] |: |$)")
_PLACE = re.compile(r"(?P<town>[A-ZÆØÅ][\w-]+) Kommune|Region [A-ZÆØÅ]\w+")


@dataclass(frozen=True, slots=True)
class Nearby:
    """A project whose reports come nearest, and the authority behind it."""

    name: str
    slug: str
    authority: str


def nearby(hits: Iterable[Hit]) -> tuple[Nearby, ...]:
    """The projects of the best passages, each once, best first."""
    found: dict[str, Nearby] = {}
    for hit in hits:
        metadata = hit.document.metadata
        if metadata.projekt:
            found.setdefault(metadata.projekt, Nearby(metadata.projekt, slug(metadata.projekt), metadata.myndighed))
    return tuple(found.values())[:SHOWN]


def precise_questions(searcher: Searcher, vague: str) -> tuple[str, ...]:
    """Up to :data:`SHOWN` questions with an answer that a vague one can mean, examples where there are fewer."""
    found: list[str] = []
    for question in candidates(vague, searcher.snapshot.projects())[:TRIED]:
        if len(found) == SHOWN:
            break
        given = answer(searcher, question)
        if not given.refused and given.certainty is not Certainty.UNSURE:
            found.append(question)
    return tuple(dict.fromkeys([*found, *examples(searcher)]))[:SHOWN]


def candidates(vague: str, projects: Iterable[ProjectSummary]) -> list[str]:
    """What a vague question can mean: of each project, or of the place that it names what examples ask."""
    before = CANDIDATES if names_in(vague) else _subjects(projects)
    meant = (completed(vague, question) for question in before)
    return list(dict.fromkeys(question for question in meant if question))


def _subjects(projects: Iterable[ProjectSummary]) -> Iterator[str]:
    """A question about each project that can be named in one, those with most reports first."""
    for project in sorted(projects, key=lambda one: (-len(one.document_ids), one.name)):
        name = _OWN_NAME.match(project.name)
        place = next(filter(None, map(_PLACE.fullmatch, project.authorities)), None)
        if name:
            yield f"Hvad er {name.group()}?"
        elif place:
            yield f"Hvad er projektet i {place['town'] or place.group()}?"
