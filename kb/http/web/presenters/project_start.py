"""A Projektstart-tjek laid out: how projects went in words, challenges by phase, and the sources."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from kb.answer.lessons import Stand
from kb.core.stages import Phase
from kb.facts import Status
from kb.facts.dates import in_words
from kb.http.web.presenters.answers import CitationView, citation_view
from kb.http.web.presenters.labels import counted
from kb.http.web.presenters.lessons import LessonView
from kb.http.web.presenters.lessons import view as lesson_view
from kb.project_start.findings import Challenge, Check, Outcome
from kb.retrieval.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class PhaseView:
    """A phase with its challenges; ``is_now`` where the plan says that it is in it."""

    name: str
    is_now: bool
    challenges: tuple[Challenge, ...]


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check with what pages and files show of it; ``plan`` is the plan's masked text.

    ``lessons`` are the confirmed ones that rest on reports of the similar projects.
    """

    plan: str
    check: Check
    phases: tuple[PhaseView, ...]
    citations: tuple[CitationView, ...]
    lessons: tuple[LessonView, ...]


def view_on(snapshot: Snapshot, plan: str, check: Check, lessons: Iterable[Stand] = ()) -> CheckView:
    """What is shown of a check on a build."""
    languages = {id_: stored.record.metadata.sprog for id_, stored in snapshot.records.items()}
    return CheckView(
        plan=plan,
        check=check,
        phases=tuple(
            PhaseView(phase.value, phase is check.phase, tuple(challenges))
            for phase, challenges in groupby(check.challenges, key=_phase)
        ),
        citations=tuple(
            citation_view(one, snapshot.passage(one.passage_id), languages.get(one.document_id, ""))
            for one in check.citations
        ),
        lessons=tuple(lesson_view(one, snapshot, {}) for one in lessons),
    )


def _phase(challenge: Challenge) -> Phase:
    return challenge.phase


def outcome_text(outcome: Outcome | None) -> str:
    """How a project went: "i drift (februar 2023)"."""
    if outcome is None or outcome.status == Status.UNKNOWN:
        return "det fremgår ikke af rapporterne"
    return f"{outcome.status} ({in_words(outcome.date)})" if outcome.date else f"{outcome.status} (uden dato)"


def met_by(challenge: Challenge, check: Check) -> str:
    """How many of the similar projects met a challenge."""
    return f"{len(challenge.met)} af {counted(len(check.similar), 'lignende projekt', 'lignende projekter')}"


def gap_text(challenge: Challenge, check: Check) -> str:
    """What a plan leaves out, and how many met it."""
    return f"Planen nævner ikke {lower_first(challenge.label)}; {met_by(challenge, check)} mødte det"


def lower_first(text: str) -> str:
    """A label within a sentence; a name in capitals stays."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
