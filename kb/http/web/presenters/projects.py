"""Projects beside each other: how far each is, in which years, and what each tells of a step (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kb.core.stages import Phase, Status
from kb.facts.dates import in_words
from kb.http.web.presenters import labels
from kb.http.web.presenters.hits import HitView
from kb.index.store import StoredRecord
from kb.retrieval.snapshot import ProjectSummary

# Of a step, so many passages of a project stand beside those of the other.
SHOWN_OF_ROLE = 3
_STATUS_ORDER = (
    Status.OPERATION, Status.ON_ITS_WAY, Status.TEST, Status.READY_FOR_TEST, Status.ONGOING, Status.IDEA,
    Status.FINISHED, Status.ON_HOLD, Status.NOT_IN_OPERATION, Status.STOPPED, Status.UNKNOWN, None,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProjectLine:
    """A project in a list: ``status`` and ``phase`` are None where no report tells them, ``status_date`` is when the
    status held, ``years`` are those that the project ran in, and ``year`` is the newest of its reports, 0 for none.
    """

    summary: ProjectSummary
    status: Status | None
    status_date: str
    phase: Phase | None
    period: str
    years: tuple[int, ...]
    year: int

    @property
    def status_text(self) -> str:
        """The status with its date in words."""
        when = f" ({in_words(self.status_date)})" if self.status_date else ""
        return f"{self.status}{when}" if self.status else ""


def project_lines(projects: Iterable[ProjectSummary], records: Mapping[str, StoredRecord]) -> list[ProjectLine]:
    """The projects with what their reports' standings say; ``records`` are the reports by id."""
    return [_line(project, [records[id_] for id_ in project.document_ids]) for project in projects]


def _line(project: ProjectSummary, own: Sequence[StoredRecord]) -> ProjectLine:
    standings = [stored.standing for stored in own]
    # The newest that is known; of equals that of the newest report.
    now = max(standings, key=lambda one: (one.status not in (None, Status.UNKNOWN), one.status is not None, one.date))
    years = tuple(sorted({year for one in standings for year in one.years}))
    return ProjectLine(
        summary=project,
        status=now.status,
        status_date=now.date,
        phase=now.phase,
        period=next((one.record.metadata.periode for one in own if one.record.metadata.periode), _span(years)),
        years=years,
        year=max(stored.record.metadata.år or 0 for stored in own),
    )


def _span(years: Sequence[int]) -> str:
    """Years in words: "2020–2023"."""
    return f"{years[0]}–{years[-1]}" if len(years) > 1 else "".join(map(str, years))


def in_order(lines: Iterable[ProjectLine], order: str) -> list[ProjectLine]:
    """The projects in one of the orders of :data:`ORDERS`, those of one place by name."""
    by_name = sorted(lines, key=lambda line: line.summary.name.casefold())
    return sorted(by_name, key=_KEYS[order])


_KEYS: Mapping[str, Callable[[ProjectLine], Any]] = {
    "navn": lambda line: line.summary.name.casefold(),
    "myndighed": lambda line: [name.casefold() for name in line.summary.authorities] or ["~"],
    "status": lambda line: _STATUS_ORDER.index(line.status),
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
