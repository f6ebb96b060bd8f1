"""The order after a reranker's scores (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def reorder(ranked: Sequence[Item], scores: Sequence[float]) -> list[Item]:
    """The first of the ranked items by the scores given for them, best first, then the others as they were.

    There may be fewer scores than items; equal scores leave the order as it was.
    """
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    return [*(ranked[place] for place in order), *ranked[len(scores) :]]
