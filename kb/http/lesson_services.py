"""What pages and API share of lessons: which of them one may see, how they stand in the build, and what is proposed.

Reading goes on where nothing can be read of the state database: an answer is then shown without lessons.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import date

from flask import current_app, g

from kb.answer.lessons import Stand, belonging, proposals_of, resting_on
from kb.core.errors import IndexUnusableError, KbError, NotFoundError
from kb.core.identity import ANONYMOUS, AccessRole
from kb.core.models import Answer
from kb.http.curation_services import note_refused
from kb.http.gate import is_at_least
from kb.http.refusals import SignInNeeded
from kb.http.services import passage_of, read_or, services, snapshot
from kb.lessons import reviewing
from kb.lessons.lesson import Evidence, Lesson
from kb.lessons.proposing import LessonProposal
from kb.lessons.reviewing import Figures, figures
from kb.project_start import Check
from kb.retrieval.searcher import Searcher


def stand_of(lesson: Lesson) -> Stand:
    """How a lesson stands in the build in use; unchecked where there is none."""
    try:
        return Stand.of(snapshot(), lesson)
    except IndexUnusableError:
        return Stand.unchecked(lesson)


def visible_lessons() -> list[Lesson]:
    """The lessons that the one who asks may see, the last changed first: drafts are for editors."""
    every = services().lessons.all()
    return every if is_at_least(AccessRole.EDITOR) else [one for one in every if one.is_published]


def visible_lesson(lesson_id: str) -> Lesson:
    """One of them; raises :class:`NotFoundError`."""
    found = services().lessons.get(lesson_id)
    if not found.is_published and not is_at_least(AccessRole.EDITOR):
        raise NotFoundError(f"Der er ingen erfaring med id {lesson_id}.")
    return found


def published_stands() -> list[Stand]:
    """Every published lesson as it stands; none where the state cannot be read."""
    return [stand_of(one) for one in _every() if one.is_published]


def lessons_in(held: Searcher, answered: Answer) -> tuple[Stand, ...]:
    """The lessons that stand above an answer; none where the state cannot be read."""
    return belonging(held, answered, _every())


def lessons_for(held: Searcher, found: Check) -> tuple[Stand, ...]:
    """The lessons that stand above what a check found; none where the state cannot be read."""
    return resting_on(held.snapshot, found.document_ids, _every())


def _every() -> list[Lesson]:
    return read_or([], services().lessons.all, "Erfaringerne")


def use_counts() -> Mapping[str, int]:
    """How often each lesson was used; nothing where the state cannot be read."""
    return reviewing.use_counts(read_or([], services().lessons.uses, "Brugen af erfaringerne"))


def lessons_in_use() -> list[tuple[str, int, int]]:
    """What an answer's lessons depend on besides the build: each confirmed one, its revision and its uses."""
    confirmed = [one for one in _every() if one.is_confirmed]
    counts = use_counts() if confirmed else {}
    return [(one.id, one.revision, counts.get(one.id, 0)) for one in confirmed]


def evidence_of(passage_ids: Iterable[str]) -> tuple[Evidence, ...]:
    """The words of passages as evidence; raises :class:`InputError` for one that is not there."""
    passages = (passage_of(id_, advice="Åbn stedet i rapporten, og vælg det derfra.") for id_ in passage_ids)
    return tuple(Evidence.of(passage.document_id, passage.text) for passage in passages)


def open_proposals() -> list[LessonProposal]:
    """The proposals that no editor has decided on."""
    decided = services().lessons.decisions()
    return [one for one in proposals_of(snapshot()) if one.id not in decided]


def open_proposal(proposal_id: str) -> LessonProposal:
    """One of them; raises :class:`NotFoundError`."""
    found = next((one for one in open_proposals() if one.id == proposal_id), None)
    if found is None:
        raise NotFoundError("Forslaget findes ikke mere.", advice="Se de åbne forslag igen.")
    return found


def current_figures() -> Figures:
    """The figures of all lessons, drafts among them, as of today."""
    store = services().lessons
    counts = store.question_counts()
    return figures(store.all(), store.uses(), date.today(), asked=counts.asked, refused=counts.refused)


def need_name() -> None:
    """Raise :class:`SignInNeeded` for one who reads without a name."""
    if g.identity is None or g.identity is ANONYMOUS:
        raise SignInNeeded


def note_answered(held: Searcher, answered: Answer) -> None:
    """Leave word of a question's outcome, for the measurements, the figures and the editors."""
    g.refused = answered.refused
    note_refused(held, answered)
    try:
        services().lessons.count_question(refused=answered.refused)
    except (KbError, sqlite3.Error) as error:
        # A reader gets the answer even where nothing can be written.
        current_app.logger.warning("Spørgsmålet kunne ikke tælles: %s", error)
