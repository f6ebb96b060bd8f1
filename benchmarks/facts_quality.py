"""Measures the facts that are read from the reports against a table written by hand: precision and recall per kind.

    python benchmarks/facts_quality.py [--errors]

``benchmarks/facts/truth.jsonl`` tells of every report of the shipped corpus what a careful reader finds in its text,
with words of the sentence that says it. The rules were written on the half "dev" alone; "held out" tells how they hold
on reports they were not written for. The passages are those of the build in use, the rules those of this checkout. A
fact is right where kind and value are; "evidence" is the share of right facts whose sentence has the words of the
table, "date" the share of right statuses with the table's date.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from kb.core.settings import load_settings
from kb.facts import Fact, FactKind, facts_of
from kb.index import builds
from kb.index.store import Store

TRUTH = Path(__file__).parent / "facts" / "truth.jsonl"


@dataclass
class Score:
    """What was found, what there was and what was right, of one kind in one half."""

    found: int = 0
    there: int = 0
    right: int = 0
    evident: int = 0
    dated: int = 0
    errors: list[str] = field(default_factory=list)

    def row(self) -> tuple[str, ...]:
        """The figures as shown."""
        shares = ((self.right, self.found), (self.right, self.there), (self.evident, self.right))
        return (str(self.there), *(f"{part / of:.2f}" if of else "–" for part, of in shares))


@dataclass(frozen=True, slots=True)
class Found:
    """A fact with its sentence."""

    fact: Fact
    sentence: str


def main() -> None:
    """Print the figures; with ``--errors`` what was missed and what was found too much as well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--errors", action="store_true", help="show every wrong fact")
    errors = parser.parse_args().errors
    index_dir = load_settings().index_dir
    folder = builds.builds_dir(index_dir) / builds.current_id(index_dir)
    truth = [json.loads(line) for line in TRUTH.read_text(encoding="utf-8").splitlines()]
    with closing(Store(folder / builds.DATABASE_FILE)) as store:
        found = {row["document"]: list(found_in(store, row["document"])) for row in truth}
    out = Console()
    for half in ("dev", "held out"):
        scores = measure([row for row in truth if row["half"] == half], found)
        out.print(_table(half, scores))
        if errors:
            for score in scores.values():
                for error in score.errors:
                    out.print(error, markup=False)


def found_in(store: Store, document_id: str) -> Iterator[Found]:
    """The facts of a report of the store, read by the rules of this checkout."""
    document = store.stored_document(document_id).document
    for fact in facts_of(document.metadata, [stored.passage for stored in store.passages_of(document_id)]):
        yield Found(fact, " ".join(document.text[fact.start : fact.end].split()))


def measure(truth: Sequence[Mapping[str, Any]], found: Mapping[str, Sequence[Found]]) -> dict[FactKind, Score]:
    """The scores of every kind over some reports; a value that several sentences of a report tell counts once."""
    scores = {kind: Score() for kind in FactKind}
    for row in truth:
        sentences: dict[tuple[FactKind, str], list[Found]] = {}
        for one in found[row["document"]]:
            sentences.setdefault((one.fact.kind, one.fact.value), []).append(one)
        wanted = {(FactKind(fact["kind"]), fact["value"]): fact for fact in row["facts"]}
        for kind, count in Counter(kind for kind, _ in sentences).items():
            scores[kind].found += count
        for (kind, value), fact in wanted.items():
            score = scores[kind]
            score.there += 1
            told = sentences.get((kind, value))
            if told is None:
                score.errors.append(f"missed  {row['document']}: {kind} {value} ({fact['quote']})")
                continue
            score.right += 1
            score.evident += any(fact["quote"] in one.sentence for one in told)
            score.dated += any(one.fact.date == fact["date"] for one in told)
        for (kind, value), told in sentences.items():
            if (kind, value) not in wanted:
                scores[kind].errors.append(f"wrong   {row['document']}: {kind} {value} ({told[0].sentence})")
    return scores


def _table(half: str, scores: Mapping[FactKind, Score]) -> Table:
    table = Table("kind", "in truth", "precision", "recall", "evidence", title=half)
    for kind, score in scores.items():
        table.add_row(kind.value, *score.row())
    total = Score(*(sum(getattr(s, name) for s in scores.values()) for name in ("found", "there", "right", "evident")))
    table.add_row("all", *total.row())
    status = scores[FactKind.STATUS]
    table.caption = f"dates of right statuses: {status.dated} of {status.right}"
    return table


if __name__ == "__main__":
    main()
