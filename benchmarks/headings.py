"""Scores the headings read in ten real documents against the truth of ``benchmarks/real/headings.jsonl``.

    python -m benchmarks.headings [--wrong] [PART_OF_PATH ...]

For each document: how many of the headings that were read are true (precision), how many of the true ones were read
(recall), and F1. A heading is right with the same letters and digits on the same page. ``levels`` is the share of
neighbouring headings, both of them right, of which the second goes up, down or along as it truly does. ``--wrong``
shows what is missing and what is too much in the half that rules are made by. Without the documents (beside the
repository, or in ``KB_SHARED``) nothing is scored, and that is said.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.readers_page import SHARED
from kb.core.models import Document, page_at
from kb.extract import ReadOptions, read_files

TRUTH = Path(__file__).parent / "real" / "headings.jsonl"
DOCUMENTS = SHARED / "documents"


@dataclass(frozen=True, slots=True)
class Title:
    """A heading as it is compared: its page, its letters and digits, its level, and its text as written."""

    page: int
    key: str
    level: int
    text: str

    @classmethod
    def of(cls, page: int, text: str, level: int = 0) -> Title:
        """A heading of a text; what stands between letters and digits does not count."""
        return cls(page, re.sub(r"[\W_]+", "", text.casefold()), level, text)


@dataclass(frozen=True, slots=True)
class Score:
    """What a document's headings came to."""

    path: str
    half: str
    true: int
    right: int
    missing: tuple[Title, ...]
    too_much: tuple[Title, ...]
    levels: float

    @property
    def precision(self) -> float:
        """The share of what was read as a heading that is one."""
        return self.right / (self.right + len(self.too_much)) if self.right else 0.0

    @property
    def recall(self) -> float:
        """The share of the headings that was read as such."""
        return self.right / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.precision * self.recall / (self.precision + self.recall) if self.right else 0.0


def score(truth: Mapping[str, Any], read: Sequence[Title]) -> Score:
    """Compare the headings read in one document with its truth; optional ones count neither for nor against it."""
    true = [Title.of(one["page"], one["text"], one["level"]) for one in truth["headings"]]
    optional = {Title.of(0, text).key for text in truth["optional"]}
    open_places = Counter((title.page, title.key) for title in true)
    right: list[Title] = []
    too_much: list[Title] = []
    for title in read:
        if open_places[title.page, title.key]:
            open_places[title.page, title.key] -= 1
            right.append(title)
        elif title.key not in optional:
            too_much.append(title)
    missing = tuple(title for title in true if _take(open_places, title))
    return Score(truth["path"], truth["half"], len(true), len(right), missing, tuple(too_much), _levels(true, right))


def _take(places: Counter[tuple[int, str]], title: Title) -> bool:
    found = places[title.page, title.key] > 0
    places[title.page, title.key] -= found
    return found


def _levels(true: Iterable[Title], right: Sequence[Title]) -> float:
    """How often the step from one right heading to the next has the direction it has in the truth."""
    level = {(title.page, title.key): title.level for title in true}
    steps = [
        (_sign(after.level - before.level), _sign(level[after.page, after.key] - level[before.page, before.key]))
        for before, after in pairwise(right)
    ]
    return sum(step == wanted for step, wanted in steps) / len(steps) if steps else 1.0


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def titles(document: Document) -> list[Title]:
    """The headings of a document that was read."""
    places = [(page_at(document.pages, heading.start), heading) for heading in document.headings]
    return [Title.of(page.number if page else 0, heading.text, heading.level) for page, heading in places]


def table(scores: Sequence[Score]) -> list[str]:
    """The figures as lines of a table."""
    lines = [f"{'half':6}{'true':>5}{'precision':>11}{'recall':>8}{'F1':>6}{'levels':>8}  document"]
    for one in scores:
        figures = f"{one.precision:11.2f}{one.recall:8.2f}{one.f1:6.2f}{one.levels:8.2f}"
        lines.append(f"{one.half:6}{one.true:5}{figures}  {one.path}")
    for half in ("dev", "held"):
        of_half = [one.f1 for one in scores if one.half == half]
        if of_half:
            lines.append(f"{half}: F1 {sum(of_half) / len(of_half):.3f} over {len(of_half)} documents")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrong", action="store_true", help="show what is not right in the dev half")
    parser.add_argument("part", nargs="*", help="score only documents whose path holds one of these")
    arguments = parser.parse_args()
    if not DOCUMENTS.is_dir():
        print(f"SKIPPED: the real documents are not in {DOCUMENTS}", file=sys.stderr)
        return 0
    truths = [json.loads(line) for line in TRUTH.read_text("utf-8").splitlines()]
    chosen = [one for one in truths if not arguments.part or any(part in one["path"] for part in arguments.part)]
    files = [DOCUMENTS / one["path"] for one in chosen]
    read = {outcome.path: outcome.document for outcome in read_files(files, DOCUMENTS, ReadOptions())}
    scores = [score(one, titles(document) if (document := read[one["path"]]) else ()) for one in chosen]
    print("\n".join(table(scores)))
    if arguments.wrong:
        for one in scores:
            for sign, found in (("-", one.missing), ("+", one.too_much)) if one.half == "dev" else ():
                print(*(f"{sign} {one.path}: page {title.page}: {title.text}" for title in found), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
