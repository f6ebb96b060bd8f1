"""What pages and API share of what editors do about gaps: the list, the words in force, and the pinned passages.

Questions without an answer are stored, masked, unless the settings say for no days (``gap_days``), and reading goes on
where nothing can be read or written of the state.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress

from flask import current_app

from kb.answer.lessons import anchored
from kb.answer.pinned import pinned
from kb.answer.question_likeness import SAME_FOR_EDITORS, vectors_of
from kb.core.errors import KbError, NotFoundError
from kb.core.models import Answer
from kb.core.privacy import mask
from kb.curation.gaps import Gap, GapGroup, grouped
from kb.curation.words import Curation, Pin, checked_pin
from kb.http.services import access, audience, passage_of, read_or, searcher, services
from kb.lessons.anchoring import Anchor
from kb.operations.curating import Preview, preview
from kb.retrieval.searcher import Searcher
from kb.retrieval.snapshot import Snapshot
from kb.state.curation import CurationVersion
from kb.state.restricted import RestrictedReports

# The likeness of all pairs is worked out: beyond this many questions those asked least are left out.
MOST_GROUPED = 1000


def keeps_gaps() -> bool:
    """Whether questions without an answer are stored at all."""
    return services().settings.gap_days > 0


def note_refused(held: Searcher, answered: Answer) -> None:
    """Count a refused question as a gap, unless editors pinned a passage to it."""
    if answered.refusal is None or not keeps_gaps() or pinned_in(held, answered.question):
        return
    try:
        reason = answered.refusal.reason.value
        services().gaps.note_refused(answered.question, answered.build_id, reason, groups=audience())
    except (KbError, sqlite3.Error) as error:
        # A reader gets the answer even where nothing can be written.
        current_app.logger.warning("Spørgsmål uden svar kunne ikke noteres: %s", error)


def take_feedback(question: str, build_id: str, *, useful: bool, comment: str, citations: Sequence[str]) -> None:
    """Store a reader's word on an answer; one that was not useful is a gap."""
    groups = audience()
    services().feedback.add(question, build_id, useful=useful, comment=comment, citations=citations, groups=groups)
    if not useful and keeps_gaps():
        services().gaps.note_not_useful(question, build_id, groups=groups)


def gap_groups(gaps: Sequence[Gap]) -> list[GapGroup]:
    """Gaps by likeness, those asked most first."""
    taken = sorted(gaps, key=lambda one: -one.times)[:MOST_GROUPED]
    vectors = vectors_of(services().holder.embedder, [one.question for one in taken])
    return grouped(taken, vectors, least_cosine=SAME_FOR_EDITORS)


def gap_group(question: str) -> GapGroup:
    """The group of open gaps that a question is in; raises :class:`NotFoundError`."""
    found = next((one for one in gap_groups(services().gaps.open()) if _holds(one, question)), None)
    if found is None:
        raise NotFoundError("Spørgsmålet står ikke på listen mere.", advice="Se listen over spørgsmål igen.")
    return found


def _holds(group: GapGroup, question: str) -> bool:
    return any(one.question == question for one in group.gaps)


def in_force() -> CurationVersion:
    """The words and pins in force; those of no house where the state cannot be read."""
    return read_or(CurationVersion(), services().curation.current, "Husets ord")


def pinned_in(held: Searcher, question: str) -> tuple[Anchor, ...]:
    """The pinned passages above the answer to a cleaned question."""
    return pinned(held, question, in_force().curation.pins)


def anchor_of(held: Snapshot, pin: Pin) -> Anchor:
    """Where a pinned passage stands in a build."""
    return anchored(held, pin.evidence)


def with_passage_pinned(held: Curation, question: str, passage_id: str) -> Curation:
    """A curation with a passage of the build pinned to a question; raises :class:`InputError` for one not there."""
    passage = passage_of(passage_id, advice="Søg, og vælg en passage.")
    return held.with_pin(checked_pin(question, passage.document_id, passage.text, groups_of(passage.document_id)))


def groups_of(document_id: str) -> tuple[str, ...]:
    """The groups of a report that whoever asks may see; none of one they may not, which is to them as one not there."""
    named = RestrictedReports(services().settings.state).known().get(document_id, ())
    return named if access().permits(named) else ()


def previewed(before: Curation, after: Curation, *, of: str = "") -> Preview:
    """What a change does to the stored questions, ``of`` the first of them."""
    gaps = [one.question for one in services().gaps.all()]
    said = [one.question for one in services().feedback.all()]
    return preview(searcher(), before, after, [*filter(None, [of]), *gaps, *said])


def put_in_force(changed: Curation, what: str, *, based_on: int, closing: str, because: str) -> CurationVersion:
    """Store a change, and close the group of gaps that it was made for; raises as :meth:`CurationStore.put` does."""
    made = services().curation.put(changed, mask(what).text, based_on=based_on)
    if closing:
        with suppress(NotFoundError):  # someone has closed it meanwhile
            services().gaps.close(gap_group(closing).questions, because)
    return made
