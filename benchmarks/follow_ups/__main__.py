"""Which share of written follow-up questions is completed as meant, and which are not.

    python -m benchmarks.follow_ups [SPLIT]

README.md tells how the pairs are judged.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb.answer.follow_up import completed

PAIRS = Path(__file__).with_name("pairs.jsonl")


@dataclass(frozen=True, slots=True)
class Pair:
    """A question, what is asked after it, and what the question meant holds; None where it stands by itself."""

    before: str
    asked: str
    split: str
    holds: tuple[str, ...] | None
    lacks: tuple[str, ...]


def pairs(split: str = "") -> Iterator[Pair]:
    """The written pairs, of one split or of all."""
    for line in PAIRS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        holds = None if row["holds"] is None else tuple(row["holds"])
        if split in ("", row["split"]):
            yield Pair(row["before"], row["asked"], row["split"], holds, tuple(row["lacks"]))


def is_right(pair: Pair, meant: str | None) -> bool:
    """Whether a question is completed as meant: None is right for one that stands by itself."""
    if pair.holds is None or meant is None:
        return pair.holds is None and meant is None
    text = meant.casefold()
    return all(word.casefold() in text for word in pair.holds) and not any(
        word.casefold() in text for word in pair.lacks
    )


def main(arguments: Sequence[str]) -> None:
    """Print the pairs that are not understood, of the split named or of dev, and the shares of all splits."""
    shown = arguments[0] if arguments else "dev"
    for split in ("dev", "test"):
        found = [(pair, completed(pair.asked, pair.before)) for pair in pairs(split)]
        right = [is_right(pair, meant) for pair, meant in found]
        for (pair, meant), is_so in zip(found, right, strict=True):
            if split == shown and not is_so:
                print(f"{pair.before} | {pair.asked} | {meant}")
        print(f"{split}: {sum(right)} of {len(right)} right ({sum(right) / len(right):.3f})")


if __name__ == "__main__":
    main(sys.argv[1:])
