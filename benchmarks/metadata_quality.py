"""Scores titles and proposals on real documents against the truth of ``benchmarks/real/metadata.jsonl``.

    python -m benchmarks.metadata_quality [--wrong]

For each half and field: how many documents say the value, how much of what is proposed is right (precision), how many
of the values are found (recall), and how much of what is proposed as certain is right. ``--wrong`` shows what is not
right in the half that rules are made by. Without the documents (beside the repository, or in ``KB_SHARED``) nothing is
scored, and that is said.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.core.models import Certainty, Document
from kb.extract import ReadOptions, read_files
from kb.facts import facts_of
from kb.facts.proposed import with_facts
from kb.indexing.chunking import chunk
from kb.indexing.naming import Name, named
from kb.proposals.proposal import Proposal
from kb.proposals.proposing import propose

TRUTH = Path(__file__).parent / "real" / "metadata.jsonl"
DOCUMENTS = Path(os.environ.get("KB_SHARED", Path(__file__).parents[2] / "shared")) / "documents"
FIELDS = (
    "titel", "projekt", "myndighed", "år", "periode", "type", "område", "status", "partnere", "leverandører", "økonomi",
    "kontakt",
)  # fmt: skip
# Fields that hold several values, separated by commas: right where each of them is.
LISTS = frozenset({"partnere", "leverandører", "økonomi"})
HALVES = ("dev", "held")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was given for one field of one document: ``given`` is None where nothing was."""

    half: str
    field: str
    path: str
    given: Any
    certain: bool
    right: bool
    is_said: bool


@dataclass(frozen=True, slots=True)
class Score:
    """A field's figures in one half, None where there is nothing to divide by."""

    said: int
    given: int
    precision: float | None
    recall: float | None
    certain: int
    certain_precision: float | None


def same(given: Any, wanted: Any) -> bool:
    """Whether two values are one to a reader: letters and digits alike, whatever stands between them."""
    return _letters(given) == _letters(wanted)


def _letters(value: Any) -> str:
    return re.sub(r"[\W_]+", "", str(value).casefold())


def all_proposals(document: Document) -> tuple[Proposal, ...]:
    """What an editor is shown of a document that has no metadata, as indexing makes it."""
    proposals = propose(document)
    title = document.metadata.titel
    known = named(document, Name(title, title), proposals)
    return with_facts(proposals, known, facts_of(known.metadata, chunk(known, lambda text: len(text.split()))))


def judge(truth: Mapping[str, Any], document: Document) -> Iterator[Judgement]:
    """Each field of one document. The title is always given, and is not proposed."""
    proposed = {proposal.field: proposal for proposal in all_proposals(document)}
    for field in FIELDS:
        wanted = [value for value in truth[field] if value is not None]
        given: Any = document.metadata.titel if field == "titel" else None
        certain = False
        if field in proposed:
            given, certain = proposed[field].value, proposed[field].certainty is Certainty.SURE
        parts = str(given).split(", ") if field in LISTS else [given]
        right = given is not None and all(any(same(part, value) for value in wanted) for part in parts)
        yield Judgement(truth["half"], field, truth["path"], given, certain, right, None not in truth[field])


def score(judgements: Iterable[Judgement]) -> Score:
    """The figures of some judgements."""
    held = list(judgements)
    said = [one for one in held if one.is_said]
    given = [one for one in held if one.given is not None]
    certain = [one for one in held if one.certain]
    return Score(len(said), len(given), _share(given), _share(said), len(certain), _share(certain))


def _share(judgements: Sequence[Judgement]) -> float | None:
    return sum(one.right for one in judgements) / len(judgements) if judgements else None


def judge_all(truths: Sequence[Mapping[str, Any]], root: Path) -> list[Judgement]:
    """Read the documents of the truth and judge each; one that cannot be read gives nothing."""
    files = [root / truth["path"] for truth in truths]
    read = {outcome.path: outcome.document for outcome in read_files(files, root, ReadOptions())}
    found: list[Judgement] = []
    for truth in truths:
        document = read.get(truth["path"])
        if document is not None:
            found += judge(truth, document)
    return found


def table(judgements: Sequence[Judgement]) -> list[str]:
    """The figures as lines of a table."""
    lines = [f"{'half':6}{'field':12}{'said':>6}{'given':>7}{'precision':>11}{'recall':>8}{'certain':>9}{'right':>7}"]
    for half in HALVES:
        for field in FIELDS:
            found = score(one for one in judgements if (one.half, one.field) == (half, field))
            lines.append(
                f"{half:6}{field:12}{found.said:6}{found.given:7}{_shown(found.precision):>11}{_shown(found.recall):>8}"
                f"{found.certain:9}{_shown(found.certain_precision):>7}"
            )
    return lines


def _shown(figure: float | None) -> str:
    return "–" if figure is None else f"{figure:.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrong", action="store_true", help="show what is not right in the dev half")
    arguments = parser.parse_args()
    if not DOCUMENTS.is_dir():
        print(f"SKIPPED: the real documents are not in {DOCUMENTS}", file=sys.stderr)
        return 0
    truths = [json.loads(line) for line in TRUTH.read_text(encoding="utf-8").splitlines()]
    judgements = judge_all(truths, DOCUMENTS)
    print("\n".join(table(judgements)))
    if arguments.wrong:
        for one in judgements:
            if one.half == "dev" and not one.right and (one.given is not None or one.is_said):
                print(f"{one.field}: {one.path}: {one.given!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
