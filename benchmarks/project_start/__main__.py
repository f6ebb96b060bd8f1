"""Measures Projektstart-tjek on plans written by hand; the weights of nearness are fitted on the half "dev" alone.

    python -m benchmarks.project_start [--half dev|test] [--errors] [--fit]

``plans.jsonl`` has forty plans with the reports that a good adviser would name and what the plan mentions,
``met.jsonl`` the challenges that each report tells of, with words of the sentence, and ``reasons.jsonl`` which of the
reasons for calling a project similar are right by the report. What an adviser would say a plan
lacks are the challenges of the reports named, less what it mentions. ``README.md`` tells how they were written.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.optimize import minimize

from kb.core.models import Citation
from kb.core.settings import load_settings
from kb.embedding.embedder import load_embedder
from kb.project_start import Check, Plan, check
from kb.project_start.checking import compared_of, judge
from kb.retrieval.searcher import Searcher, open_searcher
from kb.retrieval.snapshot import Snapshot

HERE = Path(__file__).parent
SHOWN = 5
# How strongly large weights are held back when they are fitted.
RIDGE = 1.0


@dataclass(frozen=True)
class Written:
    """A plan with what a good adviser would say of it."""

    id: str
    kind: str
    half: str
    plan: str
    projects: frozenset[str]
    also: frozenset[str]
    mentions: frozenset[str]

    @property
    def accepted(self) -> frozenset[str]:
        """The reports that may be called similar."""
        return self.projects | self.also


@dataclass
class Share:
    """So many of so many."""

    part: int = 0
    of: int = 0

    def add(self, part: int, of: int) -> None:
        """Count some more."""
        self.part += part
        self.of += of

    def __str__(self) -> str:
        return f"{self.part / self.of:.2f} ({self.part} of {self.of})" if self.of else "–"


@dataclass
class Figures:
    """The figures of one half."""

    shares: dict[str, Share] = field(default_factory=dict)
    recalls: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def count(self, name: str, part: int, of: int) -> None:
        """Count towards a share."""
        self.shares.setdefault(name, Share()).add(part, of)


def main() -> None:
    """Print the figures, or with ``--fit`` the weights that the half "dev" gives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=("dev", "test"), help="one half alone")
    parser.add_argument("--errors", action="store_true", help="show what was missed and what was wrong")
    parser.add_argument("--fit", action="store_true", help="fit the weights on the half dev")
    asked = parser.parse_args()
    settings = load_settings()
    searcher = open_searcher(settings, load_embedder(settings))
    written = plans()
    out = Console(width=160)
    if asked.fit:
        out.print(fit(searcher, [one for one in written if one.half == "dev"]))
        return
    check(searcher, Plan.of(written[0].plan))  # models are loaded by the first
    for half in (asked.half,) if asked.half else ("dev", "test"):
        figures = measure(searcher, [one for one in written if one.half == half])
        out.print(_table(half, figures))
        for error in figures.errors if asked.errors else ():
            out.print(error, markup=False)


def plans() -> list[Written]:
    """The plans as written."""
    rows = [json.loads(line) for line in (HERE / "plans.jsonl").read_text(encoding="utf-8").splitlines()]
    return [
        Written(
            row["id"], row["kind"], row["half"], row["plan"],
            frozenset(row["projects"]), frozenset(row["also"]), frozenset(row["mentions"]),
        )
        for row in rows
    ]  # fmt: skip


def met() -> dict[str, frozenset[str]]:
    """The challenges that each report tells of."""
    rows = [json.loads(line) for line in (HERE / "met.jsonl").read_text(encoding="utf-8").splitlines()]
    return {row["document"]: frozenset(row["challenges"]) for row in rows}


def judged() -> dict[tuple[str, ...], bool]:
    """Whether each reason that was read is right, by plan, report, trait, value and sentence."""
    rows = [json.loads(line) for line in (HERE / "reasons.jsonl").read_text(encoding="utf-8").splitlines()]
    return {(row["plan"], row["document"], row["trait"], row["value"], row["text"]): row["right"] for row in rows}


def measure(searcher: Searcher, written: Sequence[Written]) -> Figures:
    """The figures of some plans."""
    figures, told, read = Figures(), met(), judged()
    for one in written:
        begun = time.process_time()
        found = check(searcher, Plan.of(one.plan))
        figures.seconds.append(time.process_time() - begun)
        _count(figures, one, found, told)
        _count_reasons(figures, one, found, read)
        figures.count("citations verbatim", *_verbatim(searcher.snapshot, found.citations))
    return figures


def _count(figures: Figures, one: Written, found: Check, told: Mapping[str, frozenset[str]]) -> None:
    similar = [set(project.project.document_ids) for project in found.similar]
    if one.kind == "far":
        figures.count("far plans called like nothing", not similar, 1)
        if similar:
            figures.errors.append(f"{one.id} far, but like {similar}")
        return
    shown = frozenset().union(*similar[:SHOWN])
    figures.count("similar projects, recall@5", len(shown & one.projects), len(one.projects))
    figures.recalls.append(len(shown & one.projects) / len(one.projects))
    right = sum(not ids.isdisjoint(one.accepted) for ids in similar)
    figures.count("called similar, precision", right, len(similar))
    challenges = _of(one.projects, told)
    named = {challenge.kind for challenge in found.challenges}
    figures.count("challenges, recall", len(named & challenges), len(challenges))
    gaps = {challenge.kind for challenge in found.gaps}
    wanted = _of(one.accepted, told) - one.mentions
    figures.count("gaps, precision", len(gaps & wanted), len(gaps))
    figures.count("gaps, recall", len(gaps & (challenges - one.mentions)), len(challenges - one.mentions))
    for label, names in (
        ("not found", one.projects - shown),
        ("wrongly similar", frozenset().union(*similar) - one.accepted),
        ("challenge missed", challenges - named),
        ("gap that is none", gaps - wanted),
    ):
        if names:
            figures.errors.append(f"{one.id} {label}: {', '.join(sorted(names))}")


def _count_reasons(figures: Figures, one: Written, found: Check, read: Mapping[tuple[str, ...], bool]) -> None:
    """Count the reasons that were read by hand; one that is new since then is shown to be read."""
    for similar in found.similar if one.kind != "far" else ():
        for reason in similar.reasons:
            key = (one.id, similar.project.document_ids[0], reason.trait.value, reason.value, reason.told.text)
            figures.count("reasons that were read", key in read, 1)
            if key in read:
                figures.count("why, precision of those read", read[key], 1)
            else:
                figures.errors.append(f"{one.id} reason to be read: {' | '.join(key[1:])}")


def _of(documents: Iterable[str], told: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*(told.get(id_, frozenset()) for id_ in documents))


def _verbatim(snapshot: Snapshot, citations: Sequence[Citation]) -> tuple[int, int]:
    texts = {one.document_id: snapshot.document(one.document_id).document.text for one in citations}
    right = sum(texts[one.document_id][one.start : one.end] == one.quote for one in citations)
    return right, len(citations)


def fit(searcher: Searcher, written: Sequence[Written]) -> str:
    """The weights that tell the reports an adviser names from the others; those that may go either way do not count."""
    rows: list[tuple[float, ...]] = []
    labels: list[float] = []
    for one in written:
        for judged in judge(searcher, compared_of(searcher, Plan.of(one.plan))):
            ids = frozenset(judged.profile.project.document_ids)
            if ids & one.also and not ids & one.projects:
                continue
            rows.append(astuple(judged.signals))
            labels.append(float(bool(ids & one.projects)))
    signals, wanted = np.array(rows), np.array(labels)
    centre, spread = signals.mean(axis=0), signals.std(axis=0) + 1e-9
    scaled = (signals - centre) / spread

    def loss(weights: Any) -> float:
        logits = scaled @ weights[1:] + weights[0]
        ridge = RIDGE / len(wanted) * weights[1:] @ weights[1:]
        return float(np.mean(np.logaddexp(0, logits) - wanted * logits) + ridge)

    found = minimize(loss, np.zeros(signals.shape[1] + 1)).x
    weights = found[1:] / spread
    shown = ", ".join(f"{value:.2f}" for value in weights)
    return f"BIAS = {found[0] - weights @ centre:.2f}\nWEIGHTS = ({shown})"


def _table(half: str, figures: Figures) -> Table:
    table = Table("figure", "value", title=half)
    for name, share in figures.shares.items():
        table.add_row(name, str(share))
    table.add_row("similar projects, recall@5, mean of plans", f"{np.mean(figures.recalls):.2f}")
    table.add_row(
        "seconds of processor a plan, median and longest",
        f"{np.median(figures.seconds):.2f}, {max(figures.seconds):.2f}",
    )
    return table


if __name__ == "__main__":
    main()
