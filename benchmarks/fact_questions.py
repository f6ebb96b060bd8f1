"""Measures what facts answer of questions by blind hands on sums, dates and partners: right, wrong, left to the text.

    python -m benchmarks.fact_questions [--wrong] [HAND ...]

``benchmarks/fact_questions/hand_*.jsonl`` are questions on the shipped corpus by hands that knew the reports alone:
``kind`` is "sum" (yes or no), "when", "partnerin" (the projects of an organisation), "narrowed" (a superlative or limit
with a condition) or "near" (the same words, asking for something else); ``answer`` is the key in words, with yes or no
and the year where it has one, "ikke oplyst" where no report tells it; ``documents`` tell it. A question is right where
yes or no, the sum, the year or the first project are the key's; where no report tells it, where facts say neither.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from kb.answer.comparison import Compared, compare, kinds_of
from kb.answer.comparison_intent import comparison_of
from kb.core.models import Metadata
from kb.core.settings import load_settings
from kb.facts import Fact, FactKind, facts_of
from kb.facts.amounts import amounts_in
from kb.index import builds
from kb.index.store import Store

FOLDER = Path("benchmarks/fact_questions")
KINDS = ("sum", "when", "partnerin", "narrowed", "near")
RIGHT, WRONG, LEFT = "right", "wrong", "left to the text"
_YEAR = re.compile(r"\b20\d\d\b")


@dataclass(frozen=True, slots=True)
class FactQuestion:
    """A question with its key."""

    question: str
    kind: str
    answer: str
    documents: tuple[str, ...]

    @property
    def is_told(self) -> bool:
        """Whether a report tells it."""
        return bool(self.documents) and not self.answer.lower().startswith("ikke oplyst")


def verdict(asked: FactQuestion, compared: Compared | None) -> str:
    """Whether what facts answer is right."""
    if compared is None:
        return LEFT
    is_right = _is_right(asked, compared)
    return RIGHT if is_right else WRONG


def _is_right(asked: FactQuestion, compared: Compared) -> bool:
    lead = compared.lead.lower()
    said = next((word for word in ("ja", "nej") if lead.startswith(f"{word} ")), "")
    if asked.kind == "near":
        return False
    if not asked.is_told:
        return not said and ("ikke" in lead)
    key = next((word for word in ("ja", "nej") if re.match(rf"{word}\b", asked.answer.lower())), "")
    if asked.kind == "sum" and not said:
        return bool(_kroner(lead) & _kroner(asked.answer))
    if said:
        return said == key
    if asked.kind == "when":
        return bool(set(_YEAR.findall(lead)) & set(_YEAR.findall(asked.answer)))
    found = [entry.told[0].document_id for entry in compared.entries]
    return set(found) == set(asked.documents) if asked.kind == "partnerin" else found[0] in asked.documents


def _kroner(text: str) -> set[int]:
    return {amount.kroner for amount in amounts_in(text.lower())}


def load(path: Path) -> list[FactQuestion]:
    """The questions of one hand."""
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [FactQuestion(row["question"], row["kind"], row["answer"], tuple(row["documents"])) for row in rows]


def _facts(store: Store, known: Mapping[str, Metadata]) -> list[tuple[str, Fact]]:
    """The facts of the build in use, by the rules of this checkout."""
    return [
        (id_, fact)
        for id_, metadata in known.items()
        for fact in facts_of(metadata, [one.passage for one in store.passages_of(id_)])
    ]


def _compared(question: str, facts: Sequence[tuple[str, Fact]], known: Mapping[str, Metadata]) -> Compared | None:
    comparison = comparison_of(question, known)
    kinds: Sequence[FactKind] = kinds_of(comparison) if comparison else ()
    return compare(comparison, [one for one in facts if one[1].kind in kinds], known) if comparison else None


def main() -> None:
    """Print the verdicts by hand and kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hands", type=Path, nargs="*", default=sorted(FOLDER.glob("hand_*.jsonl")), metavar="HAND")
    parser.add_argument("--wrong", action="store_true", help="print what is wrong")
    arguments = parser.parse_args()
    index_dir = load_settings().index_dir
    folder = builds.builds_dir(index_dir) / builds.current_id(index_dir)
    with closing(Store(folder / builds.DATABASE_FILE)) as store:
        known = {one.record.id: one.record.metadata for one in store.records()}
        facts = _facts(store, known)
    for path in arguments.hands:
        counts: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
        for asked in load(path):
            compared = _compared(asked.question, facts, known)
            said = verdict(asked, compared)
            counts[asked.kind][said] += 1
            if arguments.wrong and said == WRONG and compared:
                print(f"  {asked.kind}: {asked.question} | {asked.answer} | {compared.lead}")
        print(path.stem, {kind: dict(count) for kind, count in counts.items()})


if __name__ == "__main__":
    main()
