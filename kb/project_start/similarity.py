"""How near a project is to a plan: signals, and the probability that an adviser would call them similar (pure).

The weights are fitted on the development half of ``benchmarks/project_start`` by ``--fit``, and the probability from
which on a project is called similar is chosen on that half too.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass

from kb.facts import FactKind
from kb.project_start.plan import Plan
from kb.project_start.profiles import TELLING, Profile
from kb.retrieval.ports import Vectors


@dataclass(frozen=True, slots=True)
class Signals:
    """What a project and a plan have in common, as numbers.

    ``subject`` is how near the project's title and subject are, in standard deviations above the plan's cosines with
    the base; ``words`` the words in common by rarity, as a logarithm; ``data`` and ``technique`` are 1 where a kind of
    each is in common.
    """

    subject: float
    words: float
    data: float
    technique: float


# One weight a signal, in the order of the class, and what is added to their sum.
WEIGHTS = (1.53, 3.60, 3.18, 1.57)
BIAS = -8.90
# From this probability on a project is called similar.
SIMILAR = 0.3

# A task is called alike from this nearness on, the mean of that of the subject and that of the nearest sentence on what
# the project does; chosen on the half dev by reading what was so called.
LIKE_TASK = 2.05


def probability(signals: Signals) -> float:
    """The probability that a project is similar."""
    logit = BIAS + sum(weight * value for weight, value in zip(WEIGHTS, astuple(signals), strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


@dataclass(frozen=True, slots=True)
class Compared:
    """A plan as it is compared with: its vector, and the centre and spread of its cosines with the base."""

    plan: Plan
    vector: Vectors
    centre: float
    spread: float

    def nearness(self, vector: Vectors) -> float:
        """How near something is to the plan, in standard deviations above the plan's cosines with the base."""
        return (float(vector @ self.vector) - self.centre) / self.spread


def is_task_alike(profile: Profile, signals: Signals, compared: Compared) -> bool:
    """Whether a plan and a project have their task in common, and not only what it is about or is done with."""
    nearest = max((compared.nearness(line.vector) for line in profile.own(TELLING)), default=signals.subject)
    return (signals.subject + nearest) / 2 >= LIKE_TASK


def signals_of(profile: Profile, subject: Vectors, words: float, compared: Compared) -> Signals:
    """The signals of a project with the vector of its ``subject`` and ``words``, its score by them."""
    plan, data = compared.plan, {fact.value for fact, _ in profile.of_kind(FactKind.DATA)}
    return Signals(
        subject=compared.nearness(subject),
        words=math.log1p(words),
        data=float(not plan.data.isdisjoint(data)),
        technique=float(not plan.techniques.isdisjoint(profile.techniques())),
    )
