"""What a check finds, as values that pages, files, the API and the command line lay out; every claim has a citation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kb.core.models import Citation, ProjectRef, Source
from kb.core.stages import Phase
from kb.project_start.traits import Trait


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence of a report on one line, and the number of its citation; ``inferred`` where it is the collector's."""

    text: str
    citation: int
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a project is like the plan: what kind of thing is in common, what that is, and the sentence that shows it."""

    trait: Trait
    value: str
    told: Told


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a project went, by the newest sentence that says it; ``status`` is a word of :class:`kb.facts.Status`."""

    status: str
    date: str
    told: Told


@dataclass(frozen=True, slots=True)
class Ask:
    """Whom to ask: an authority and a unit of it, never a person.

    ``told`` has the words that name the unit, None where an editor wrote it or there is none.
    """

    authority: str
    unit: str
    told: Told | None

    @property
    def text(self) -> str:
        """Both on one line: "Vandby Kommune, Afdelingen for Vand"."""
        return ", ".join(part for part in (self.authority, self.unit) if part)


@dataclass(frozen=True, slots=True)
class SimilarProject:
    """A project near the plan: why, how it went (None where no report says it) and whom to ask.

    ``probability`` is that of its being similar.
    """

    project: ProjectRef
    probability: float
    reasons: tuple[Reason, ...]
    outcome: Outcome | None
    ask: Ask


@dataclass(frozen=True, slots=True)
class Met:
    """That a project met a challenge; how it handled it and what it learnt where its reports say it."""

    project: ProjectRef
    challenge: Told
    handling: Told | None
    lesson: Told | None


@dataclass(frozen=True, slots=True)
class Challenge:
    """A kind of challenge and the similar projects that met it."""

    kind: str
    label: str
    phase: Phase
    question: str
    mentioned: bool
    met: tuple[Met, ...]


@dataclass(frozen=True, slots=True)
class Stopped:
    """A similar project that stopped or was put on hold, and why where its reports say it."""

    project: ProjectRef
    outcome: Outcome
    reasons: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Reusable:
    """What a report names as ready to be used again; ``links`` are the report's sources."""

    project: ProjectRef
    told: Told
    links: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """All that the base has to tell a plan.

    ``similar`` is empty for a plan that no project is like; ``nearest`` are then the projects that come nearest, which
    nothing is concluded from. ``challenges`` stand in the order of phases; ``notices`` tell what a reader must know of
    how the plan was read.
    """

    similar: tuple[SimilarProject, ...]
    nearest: tuple[ProjectRef, ...]
    challenges: tuple[Challenge, ...]
    stopped: tuple[Stopped, ...]
    reusable: tuple[Reusable, ...]
    citations: tuple[Citation, ...]
    notices: tuple[str, ...]
    masked: Mapping[str, int]
    phase: Phase | None
    build_id: str
    created: str

    @property
    def document_ids(self) -> tuple[str, ...]:
        """The reports of the similar projects, the most similar first."""
        return tuple(id_ for similar in self.similar for id_ in similar.project.document_ids)

    @property
    def gaps(self) -> tuple[Challenge, ...]:
        """What similar projects met and the plan does not mention; what most of them met stands first."""
        missing = [challenge for challenge in self.challenges if not challenge.mentioned]
        return tuple(sorted(missing, key=lambda challenge: -len(challenge.met)))
