"""Checks a plan against a build: finds the projects that are like it, and lays out what their reports say.

    check(searcher, Plan.of("Vi vil fordele post med en algoritme ..."))

The projects near the plan by meaning and by words are judged by :mod:`kb.project_start.similarity`; all that follows
is taken from the reports of those that are similar, sentence by sentence, and cited.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kb.answer.comparison import Told as StatusTold
from kb.answer.comparison import status_of
from kb.answer.composition import Citations
from kb.core.models import Role
from kb.facts import FactKind, Status
from kb.language.roles import role_of
from kb.project_start.challenges import ChallengeKind, challenge_kinds, spaced
from kb.project_start.findings import (
    Ask,
    Challenge,
    Check,
    Met,
    Outcome,
    Reason,
    Reusable,
    SimilarProject,
    Stopped,
    Told,
)
from kb.project_start.plan import Plan
from kb.project_start.profiles import (
    PROFILES,
    TELLING,
    Contact,
    Line,
    Profile,
    Profiles,
    background_of,
    subject_vectors,
)
from kb.project_start.similarity import SIMILAR, Compared, Signals, is_task_alike, probability, signals_of
from kb.project_start.traits import Trait
from kb.retrieval.ports import Vectors
from kb.retrieval.searcher import Searcher

MOST_SIMILAR = 9
NEAREST_SHOWN = 3
MOST_REUSABLE = 8
REASONS_OF_STOP = 2
# A sentence of fewer words does not say what a project does.
FEWEST_WORDS = 6
# In standard deviations of the plan's cosines with the base.
MUCH_NEARER = 1.0
# The roles of the sentences that tell what a project is about, those that say it best first.
_TASK_ROLES = ((Role.PURPOSE,), (Role.METHOD, Role.DATA))
_STOPPED = frozenset((Status.STOPPED.value, Status.ON_HOLD.value, Status.NOT_IN_OPERATION.value))
# What names something that others may use: code, models, templates and guidance.
_REUSABLE = (
    "open source", "åben kildekode", "licens", "skabelon", "tjekliste", "værktøjskasse", "frit kan bruge",
    "kan frit bruge", "frit tilgængelig", "værktøj til", "giver gratis vejledning", "som andre kan bruge", "lagt ud",
    "dele en sprogmodel",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """A profile with what it has in common with a plan."""

    profile: Profile
    signals: Signals
    probability: float
    subject: Vectors
    is_task_alike: bool


def check(searcher: Searcher, plan: Plan) -> Check:
    """All that the searcher's build has to tell a plan."""
    compared = compared_of(searcher, plan)
    judged = judge(searcher, compared)
    cited = _Cited(Citations(searcher.snapshot.pages_of), compared)
    likely = (one for one in judged if one.probability >= SIMILAR)
    # A project is not called similar where nothing shows why.
    chosen = [one for one in likely if _has_reason(one)][:MOST_SIMILAR]
    similar = [one.profile for one in chosen]
    manifest = searcher.snapshot.manifest
    return Check(
        similar=tuple(_similar(one, plan, cited) for one in chosen),
        nearest=() if chosen else tuple(one.profile.project for one in judged[:NEAREST_SHOWN]),
        challenges=tuple(_challenges(similar, plan, cited)),
        stopped=tuple(_stopped(similar, cited)),
        reusable=tuple(_reusable(similar, PROFILES.of(searcher.snapshot), cited)) if similar else (),
        citations=tuple(cited.citations.made),
        notices=tuple(_notices(plan)),
        masked=plan.masked,
        phase=plan.phase,
        build_id=manifest.id,
        created=manifest.created,
    )


def compared_of(searcher: Searcher, plan: Plan) -> Compared:
    """A plan embedded: one vector for its pieces together, of which the first counts twice."""
    vectors = searcher.embedder.embed_queries(list(plan.pieces))
    together = np.sum(vectors, axis=0) + vectors[0]
    vector = np.asarray(together / max(float(np.linalg.norm(together)), 1e-6), dtype=np.float32)
    centre, spread = background_of(PROFILES.of(searcher.snapshot).background @ vector)
    return Compared(plan, vector, centre, spread)


def judge(searcher: Searcher, compared: Compared) -> list[Judged]:
    """The projects near a plan, the most probably similar first."""
    question = searcher.snapshot.analyser.question(" ".join(compared.plan.pieces))
    near = PROFILES.of(searcher.snapshot).near(compared.vector, question)
    subjects = subject_vectors(searcher.embedder, [profile for profile, _ in near])
    found: list[Judged] = []
    for (profile, words), subject in zip(near, subjects, strict=True):
        signals = signals_of(profile, subject, words, compared)
        is_alike = is_task_alike(profile, signals, compared)
        found.append(Judged(profile, signals, probability(signals), subject, is_alike))
    return sorted(found, key=lambda one: (-one.probability, one.profile.project.name))


@dataclass(frozen=True, slots=True)
class _Cited:
    """Cites lines for a plan."""

    citations: Citations
    plan: Compared

    def told(self, line: Line) -> Told:
        number = self.citations.cite(line.sentence, line.document)
        return Told(line.sentence.text, number, line.sentence.passage.inferred)


def _nearest(lines: Sequence[Line], vector: Vectors) -> Line | None:
    return max(lines, key=lambda line: float(line.vector @ vector), default=None)


def _similar(judged: Judged, plan: Plan, cited: _Cited) -> SimilarProject:
    profile = judged.profile
    return SimilarProject(
        project=profile.project,
        probability=judged.probability,
        reasons=tuple(_reasons(judged, plan, cited)),
        outcome=_outcome(profile, cited),
        ask=_ask(profile.contact, cited),
    )


def _ask(contact: Contact, cited: _Cited) -> Ask:
    if contact.sentence is None or contact.document is None:
        return Ask(contact.authority, contact.unit, None)
    number = cited.citations.cite(contact.sentence, contact.document)
    return Ask(contact.authority, contact.unit, Told(contact.sentence.text, number))


def _reasons(judged: Judged, plan: Plan, cited: _Cited) -> Iterator[Reason]:
    """What the plan and a project have in common, each kind of thing with a sentence of the report that shows it.

    Shown is a sentence whose role it is to tell such a thing, and of several the one nearest plan and subject together:
    what is near the plan alone may be beside what the project is about.
    """
    profile, between = judged.profile, cited.plan.vector + judged.subject
    if judged.is_task_alike and (line := _telling(judged, cited.plan)):
        yield Reason(Trait.TASK, line.document.metadata.emne, cited.told(line))
    suppliers = profile.facts_by_value(FactKind.SUPPLIER)
    shared = (
        (Trait.DATA, plan.data, profile.facts_by_value(FactKind.DATA), (Role.DATA,)),
        (Trait.TECHNIQUE, plan.techniques, profile.techniques(), TELLING),
        (Trait.RULES, plan.rules, profile.rules(), TELLING),
        (
            Trait.SUPPLIER,
            frozenset(name for name in suppliers if spaced(name) in spaced(plan.text)),
            suppliers,
            TELLING,
        ),
    )
    for trait, wanted, by_value, roles in shared:
        for value in sorted(wanted & by_value.keys()):
            lines = by_value[value]
            if line := _nearest([one for one in lines if one.role in roles] or lines, between):
                yield Reason(trait, value, cited.told(line))


def _has_reason(judged: Judged) -> bool:
    """Whether plan and project have their task, a kind of data or a technique in common."""
    return judged.is_task_alike or judged.signals.data > 0 or judged.signals.technique > 0


def _telling(judged: Judged, plan: Compared) -> Line | None:
    """The sentence that tells what a project does: the first of its role, or one that is much nearer to the plan.

    Where a report has none, as the news of a case, what is nearest to plan and subject together tells it.
    """
    whole = [line for line in judged.profile.own() if len(line.sentence.text.split()) >= FEWEST_WORDS]
    for roles in _TASK_ROLES:
        lines = [line for line in whole if line.role in roles]
        if nearest := _nearest(lines, plan.vector):
            ahead = plan.nearness(nearest.vector) - plan.nearness(lines[0].vector)
            return nearest if ahead >= MUCH_NEARER else lines[0]
    return _nearest(whole, plan.vector + judged.subject)


def _outcome(profile: Profile, cited: _Cited) -> Outcome | None:
    """How a project went by its newest status; None where no sentence says it."""
    statuses = profile.of_kind(FactKind.STATUS)
    now = status_of([StatusTold(line.document.id, fact, bool(profile.project.slug)) for fact, line in statuses])
    if now is None:
        return None
    line = next(line for fact, line in statuses if fact is now.fact)
    return Outcome(now.fact.value, now.fact.date, cited.told(line))


def _challenges(similar: Sequence[Profile], plan: Plan, cited: _Cited) -> Iterator[Challenge]:
    """The kinds of challenges that similar projects met, in the order of the table, which is that of the phases."""
    for kind in challenge_kinds():
        met = tuple(_met(kind, similar, cited))
        if met:
            # What a plan in another language mentions is not known, and nothing is said to be missing from it.
            mentioned = kind.id in plan.mentions or plan.is_foreign
            yield Challenge(kind.id, kind.label, kind.phase, kind.question, mentioned, met)


def _met(kind: ChallengeKind, similar: Iterable[Profile], cited: _Cited) -> Iterator[Met]:
    for profile in similar:
        lines = [line for line in profile.own((Role.CHALLENGE,)) if kind.id in line.challenges]
        # What no other kind is told by says most of this one.
        line = min(lines, key=lambda line: len(line.challenges), default=None)
        if line is None:
            continue
        handling = _answering(line, profile.own((Role.HANDLING,)))
        lesson = _answering(line, profile.lessons())
        yield Met(
            profile.project,
            cited.told(line),
            cited.told(handling) if handling else None,
            cited.told(lesson) if lesson else None,
        )


def _answering(challenge: Line, lines: Iterable[Line]) -> Line | None:
    """The line that answers a challenge: the nearest under its theme's heading, else under none; its own words first.

    What stands under the heading of another theme answers another challenge.
    """
    theme = _theme_of(challenge)
    beside = [line for line in lines if line.document.id == challenge.document.id and _theme_of(line) in ((), theme)]
    ranked = sorted(beside, key=lambda line: (not line.is_own, _theme_of(line) != theme))
    best = [line for line in ranked if (line.is_own, _theme_of(line)) == (ranked[0].is_own, _theme_of(ranked[0]))]
    return _nearest(best, challenge.vector)


def _theme_of(line: Line) -> tuple[str, ...]:
    """The headings of a theme that has its own challenge, handling and lesson below it; none of a report without."""
    path = line.sentence.passage.heading_path
    return path[:-1] if len(path) > 2 and role_of((path[-1],)) is not Role.OTHER else ()


def _stopped(similar: Iterable[Profile], cited: _Cited) -> Iterator[Stopped]:
    for profile in similar:
        outcome = _outcome(profile, cited)
        if outcome is None or outcome.status not in _STOPPED:
            continue
        lines = [line for _, line in profile.of_kind(FactKind.REASON)]
        reasons = tuple(cited.told(line) for line in lines[:REASONS_OF_STOP] if line.sentence.text != outcome.told.text)
        yield Stopped(profile.project, outcome, reasons)


def _reusable(similar: Sequence[Profile], profiles: Profiles, cited: _Cited) -> Iterator[Reusable]:
    """What similar projects, then other reports, name as ready to be used; the nearest to the plan first."""
    found: list[tuple[Profile, Line]] = []
    for group in (similar, profiles.across()):
        lines = [(profile, line) for profile in group for line in profile.own() if _is_reusable(line)]
        found += sorted(lines, key=lambda one: -float(one[1].vector @ cited.plan.vector))
    for profile, line in found[:MOST_REUSABLE]:
        yield Reusable(profile.project, cited.told(line), line.document.metadata.kilder)


def _is_reusable(line: Line) -> bool:
    text = spaced(line.sentence.text)
    return line.role is not Role.CHALLENGE and any(term in text for term in _REUSABLE)


def _notices(plan: Plan) -> Iterator[str]:
    if plan.is_foreign:
        yield (
            "Planen er ikke på dansk. Den er sammenlignet på betydningen, men hvad den ikke nævner, kan ikke afgøres."
        )
    if plan.is_cut:
        yield "Planen er meget lang; kun de første cirka 200 sider er læst."
    if plan.masked:
        yield "CPR-numre, e-mailadresser eller telefonnumre i planen er skjult, før den blev sammenlignet."
