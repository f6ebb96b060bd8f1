"""The runs of the index: what each did to the files, how long it took, and who asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kb.http.web.presenters.labels import counted
from kb.state.runs import Run

SHORTEST, MINUTE, HOUR = 0.1, 60, 3600


@dataclass(frozen=True, slots=True)
class Change:
    """What a run did to some files: in words for one and for many, and the files, each with what there is to say."""

    one: str
    label: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RunView:
    """A run. ``took`` is its time in words, ``stages`` each stage's; ``summary`` is its changes in a few words."""

    run: Run
    took: str
    stages: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...]
    summary: str


def run_view(run: Run) -> RunView:
    """What the pages show of a run."""
    changes = tuple(change for change in _changes(run.report) if change.files)
    return RunView(
        run=run,
        took=_between(run.started, run.finished),
        stages=tuple((name, duration(seconds)) for name, seconds in run.report.get("seconds", {}).items()),
        changes=changes,
        summary=", ".join(counted(len(change.files), change.one, change.label.lower()) for change in changes),
    )


def _changes(report: Mapping[str, Any]) -> tuple[Change, ...]:
    masked = {path: _masked(kinds) for path, kinds in report.get("masked", {}).items()}
    failed = {path: failure["grund"] for path, failure in report.get("failed", {}).items()}
    return (
        Change("ny", "Nye", dict.fromkeys(report.get("added", ()), "")),
        Change("ændret", "Ændrede", dict.fromkeys(report.get("changed", ()), "")),
        Change("fjernet", "Fjernede", dict.fromkeys(report.get("removed", ()), "")),
        Change("kunne ikke læses", "Kunne ikke læses", failed),
        Change("kun delvist læst", "Kun delvist læst", report.get("partial", {})),
        Change("med skjulte personoplysninger", "Med skjulte personoplysninger", masked),
    )


def _masked(kinds: Mapping[str, int]) -> str:
    return ", ".join(f"{kind}: {counted(count, 'sted', 'steder')}" for kind, count in kinds.items())


def _between(started: str, finished: str) -> str:
    if not finished:
        return ""
    return duration((datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds())


def duration(seconds: float) -> str:
    """A length of time in words: 0,4 sek., 3 min. 20 sek., 2 t. 5 min."""
    if 0 < seconds < SHORTEST:
        return "under 0,1 sek."
    if seconds < MINUTE:
        return f"{seconds:.1f} sek.".replace(".", ",", 1)
    if seconds < HOUR:
        return f"{int(seconds // MINUTE)} min. {int(seconds % MINUTE)} sek."
    return f"{int(seconds // HOUR)} t. {int(seconds % HOUR // MINUTE)} min."
