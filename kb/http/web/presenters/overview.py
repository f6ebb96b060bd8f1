"""The pictures of many projects: themes against projects, a timeline, and a map (pure).

    overview(project_lines(projects, records), records)

Positions are in the units of the pictures' own coordinates, :data:`WIDTH` across; a page scales them. What does not fit
a picture that can be read is left to the table behind it, which has every project.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb.core.fields import THEMES
from kb.core.stages import Status
from kb.http.web.presenters.denmark import DenmarkMap, denmark_map
from kb.http.web.presenters.projects import ProjectLine
from kb.index.store import StoredRecord

WIDTH = 360
# So many projects can be read in one picture.
SHOWN = 25
# How much of a name fits: a line beside the matrix, of which there are two, and the line above a bar.
MATRIX_CHARACTERS = 29
TIMELINE_CHARACTERS = 44
# A timeline has room for so many years and for so many of their names.
YEARS_SHOWN, YEARS_NAMED = 30, 8
# How projects went, by the class that colours them.
WENT: Mapping[Status | None, str] = {
    Status.OPERATION: "running",
    Status.ON_ITS_WAY: "underway",
    Status.TEST: "underway",
    Status.READY_FOR_TEST: "underway",
    Status.ONGOING: "underway",
    Status.IDEA: "underway",
    Status.FINISHED: "finished",
    Status.ON_HOLD: "stopped",
    Status.NOT_IN_OPERATION: "stopped",
    Status.STOPPED: "stopped",
}
WENT_LABELS = {
    "running": "i drift",
    "underway": "undervejs",
    "finished": "afsluttet",
    "stopped": "stoppet eller på hold",
    "untold": "ukendt",
}


def went(line: ProjectLine) -> str:
    """How a project went: a key of :data:`WENT_LABELS`."""
    return WENT.get(line.status, "untold")


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A project against the themes: how many of its reports have each; ``name`` is what fits, in lines."""

    line: ProjectLine
    name: tuple[str, ...]
    reports: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Themes against projects; ``shown`` are the rows of the picture."""

    themes: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    shown: tuple[MatrixRow, ...]

    @property
    def is_cut(self) -> bool:
        """Whether projects that have themes are left out of the picture."""
        return sum(bool(row.reports) for row in self.rows) > len(self.shown)


@dataclass(frozen=True, slots=True)
class Bar:
    """A project's years on a timeline: where the bar begins, how long it is, and how the project went."""

    line: ProjectLine
    name: str
    x: float
    width: float
    went: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The projects that a year is known of, oldest first; ``years`` are those named on the axis, with their places.

    ``bars`` are those of the picture. ``untold`` are the projects of which no year is known.
    """

    years: tuple[tuple[int, float], ...]
    bars: tuple[Bar, ...]
    lines: tuple[ProjectLine, ...]
    untold: tuple[ProjectLine, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """The three pictures of some projects."""

    matrix: Matrix
    timeline: Timeline
    denmark: DenmarkMap


def overview(lines: Sequence[ProjectLine], records: Mapping[str, StoredRecord]) -> Overview:
    """The pictures of some projects, whose reports are among ``records`` by id."""
    return Overview(matrix(lines, records), timeline(lines), denmark_map(lines))


def matrix(lines: Sequence[ProjectLine], records: Mapping[str, StoredRecord]) -> Matrix:
    """Themes against projects; of too many projects those with most themes are in the picture."""
    rows = tuple(MatrixRow(line, _name(line), _reports(line, records)) for line in lines)
    fullest = sorted(range(len(rows)), key=lambda index: -len(rows[index].reports))[:SHOWN]
    return Matrix(
        themes=tuple(theme for theme in THEMES if any(theme in row.reports for row in rows)),
        rows=rows,
        shown=tuple(rows[index] for index in sorted(fullest) if rows[index].reports),
    )


def _name(line: ProjectLine) -> tuple[str, ...]:
    """The name in two lines: as many whole words as fit the first, and what fits the second."""
    name = line.summary.name
    first = textwrap.wrap(name, MATRIX_CHARACTERS)[0]
    rest = name[len(first) :].strip()
    return (first, _cut(rest, MATRIX_CHARACTERS)) if rest else (first,)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _reports(line: ProjectLine, records: Mapping[str, StoredRecord]) -> dict[str, int]:
    themes = [theme for id_ in line.summary.document_ids for theme in records[id_].record.metadata.temaer]
    return {theme: themes.count(theme) for theme in line.summary.themes}


def timeline(lines: Sequence[ProjectLine]) -> Timeline:
    """The projects by their years; of too many those that ran last are in the picture, and so are the last years."""
    dated = sorted((line for line in lines if line.years), key=_begun)
    shown = sorted(sorted(dated, key=lambda line: line.years[-1])[-SHOWN:], key=_begun)
    last = max((line.years[-1] for line in shown), default=0)
    first = max(min((line.years[0] for line in shown), default=0), last - YEARS_SHOWN + 1)
    unit = WIDTH / (last - first + 1)
    step = math.ceil((last - first + 1) / YEARS_NAMED)
    return Timeline(
        years=tuple((year, (year - first) * unit) for year in range(first, last + 1, step)) if shown else (),
        bars=tuple(_bar(line, first, unit) for line in shown if line.years[-1] >= first),
        lines=tuple(dated),
        untold=tuple(line for line in lines if not line.years),
    )


def _begun(line: ProjectLine) -> tuple[int, int]:
    return line.years[0], line.years[-1]


def _bar(line: ProjectLine, first: int, unit: float) -> Bar:
    begin = max(line.years[0], first)
    name = _cut(line.summary.name, TIMELINE_CHARACTERS)
    return Bar(line, name, (begin - first) * unit, (line.years[-1] - begin + 1) * unit, went(line))
