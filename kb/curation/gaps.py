"""Gaps: questions that were refused or found not useful, grouped so that the wordings of one errand stand together.

    grouped(gaps, vectors, least_cosine=0.95)

A question belongs to the group whose first question, the one asked most, it is most like; one that is like none begins
a group of its own. So a group never drifts from what its heading says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Closing(StrEnum):
    """Why a gap was closed. The values are the words shown."""

    WORD = "et ord er tilføjet"
    PINNED = "et sted er fremhævet"
    REPORT = "en rapport er lagt ind"
    ASKED = "ejeren er spurgt"
    OUTSIDE = "ligger uden for Erfaringsbasen"
    UNCLEAR = "spørgsmålet er uklart"
    DONE = "ordnet"


@dataclass(frozen=True, slots=True)
class Gap:
    """A question that was not answered, or not well: how often, from when to when, and why the last time.

    ``question`` is masked; times are ISO 8601 in UTC. ``reason`` is that of the last refusal, or empty. ``closed`` is
    when an editor closed it, and empty while it is open.
    """

    question: str
    first: str
    last: str
    refused: int
    not_useful: int
    build_id: str
    reason: str
    closed: str = ""
    closed_because: str = ""

    @property
    def times(self) -> int:
        """How often it was refused or found not useful."""
        return self.refused + self.not_useful


@dataclass(frozen=True, slots=True)
class GapGroup:
    """Gaps that are wordings of one errand, the one asked most first."""

    gaps: tuple[Gap, ...]

    @property
    def question(self) -> str:
        """The wording that stands for them."""
        return self.gaps[0].question

    @property
    def questions(self) -> tuple[str, ...]:
        """All wordings."""
        return tuple(one.question for one in self.gaps)

    @property
    def refused(self) -> int:
        """How often it was refused."""
        return sum(one.refused for one in self.gaps)

    @property
    def not_useful(self) -> int:
        """How often its answer was found not useful."""
        return sum(one.not_useful for one in self.gaps)

    @property
    def times(self) -> int:
        """Both together."""
        return self.refused + self.not_useful

    @property
    def first(self) -> str:
        """When it was first asked."""
        return min(one.first for one in self.gaps)

    @property
    def last(self) -> str:
        """When it was last asked."""
        return max(one.last for one in self.gaps)


def grouped(gaps: Sequence[Gap], vectors: NDArray[np.float32], *, least_cosine: float) -> list[GapGroup]:
    """The gaps in groups of the like, those asked most first; ``vectors`` has a row of length 1 for each gap."""
    order = sorted(range(len(gaps)), key=lambda row: (-gaps[row].times, gaps[row].first, gaps[row].question))
    heads: list[int] = []
    members: list[list[int]] = []
    for row in order:
        cosines = vectors[heads] @ vectors[row] if heads else np.zeros(0, np.float32)
        if cosines.size and float(cosines.max()) >= least_cosine:
            members[int(cosines.argmax())].append(row)
        else:
            heads.append(row)
            members.append([row])
    groups = [GapGroup(tuple(gaps[row] for row in rows)) for rows in members]
    return sorted(groups, key=lambda group: (-group.times, group.question))
