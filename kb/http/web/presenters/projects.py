"""Projects beside each other: how far each is, in which years, and what each tells of a step (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kb.answer.comparison import Told, status_of
from kb.core.models import Metadata
from kb.facts import Fact, FactKind, Status
from kb.facts.dates import in_words
from kb.http.web.presenters import labels
from kb.http.web.presenters.hits import HitView
from kb.retrieval.snapshot import ProjectSummary

# What is read of the facts.
KINDS = (FactKind.STATUS, FactKind.START, FactKind.END)
# Of a step, so many passages of a project stand beside those of the other.
SHOWN_OF_ROLE = 3
_STATUS_ORDER = (
    Status.OPERATION, Status.ON_ITS_WAY, Status.TEST, Status.READY_FOR_TEST, Status.ONGOING, Status.IDEA,
    Status.FINISHED, Status.ON_HOLD, Status.NOT_IN_OPERATION, Status.STOPPED, Status.UNKNOWN,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProjectLine:
    """A project in a list: ``status`` is a word of :class:`Status`, empty where no report tells it, ``status_date``
    when it held, and ``year`` the newest of its reports, 0 for none.
    """

    summary: ProjectSummary
    status: str
    status_date: str
    period: str
    year: int

    @property
    def status_text(self) -> str:
        """The status with its date in words."""
        when = f" ({in_words(self.status_date)})" if self.status_date else ""
        return f"{self.status}{when}" if self.status else ""


def project_lines(
    projects: Iterable[ProjectSummary], facts: Iterable[tuple[str, Fact]], metadata: Mapping[str, Metadata]
) -> list[ProjectLine]:
    """The projects with what the facts of their reports say; ``metadata`` are the reports' by id."""
    told: dict[str, list[Told]] = {}
    for id_, fact in facts:
        if not fact.shared:
            told.setdefault(id_, []).append(Told(id_, fact, of_project=True))
    return [
        _line(project, [one for id_ in project.document_ids for one in told.get(id_, [])], metadata)
        for project in projects
    ]


def _line(project: ProjectSummary, told: Sequence[Told], metadata: Mapping[str, Metadata]) -> ProjectLine:
    status = status_of(told)
    own = [metadata[id_] for id_ in project.document_ids]
    return ProjectLine(
        summary=project,
        status=status.fact.value if status else "",
        status_date=status.fact.date if status else "",
        period=next((one.periode for one in own if one.periode), _period(told)),
        year=max((one.år or 0 for one in own), default=0),
    )


def _period(told: Sequence[Told]) -> str:
    """The years from the first beginning to the last end that the reports tell."""
    begins = min((one.fact.value[:4] for one in told if one.fact.kind is FactKind.START), default="")
    ends = max((one.fact.value[:4] for one in told if one.fact.kind is FactKind.END), default="")
    return f"{begins}–{ends}" if begins and ends and begins != ends else begins or ends


def in_order(lines: Iterable[ProjectLine], order: str) -> list[ProjectLine]:
    """The projects in one of the orders of :data:`ORDERS`, those of one place by name."""
    by_name = sorted(lines, key=lambda line: line.summary.name.casefold())
    return sorted(by_name, key=_KEYS[order])


_KEYS: Mapping[str, Callable[[ProjectLine], Any]] = {
    "navn": lambda line: line.summary.name.casefold(),
    "myndighed": lambda line: [name.casefold() for name in line.summary.authorities] or ["~"],
    "status": lambda line: _STATUS_ORDER.index(Status(line.status)) if line.status else len(_STATUS_ORDER),
    "nyeste": lambda line: -line.year,
    "rapporter": lambda line: -len(line.summary.document_ids),
}
ORDERS: Mapping[str, str] = {
    "navn": "navn", "myndighed": "myndighed", "status": "status", "nyeste": "nyeste", "rapporter": "flest rapporter",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One step of a project's story, and the passages of each of the projects that tell it."""

    label: str
    cells: tuple[tuple[HitView, ...], ...]


def side_by_side(passages: Sequence[Sequence[HitView]]) -> list[ComparedRow]:
    """The steps that any of the projects tells, in the order of a story; ``passages`` are each project's."""
    rows = []
    for role in labels.STORY:
        label = labels.ROLE_LABELS[role]
        cells = tuple(tuple(one for one in own if one.role == label)[:SHOWN_OF_ROLE] for own in passages)
        if any(cells):
            rows.append(ComparedRow(label, cells))
    return rows
