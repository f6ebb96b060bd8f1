"""How near a project is to a plan: signals, and the probability that an adviser would call them similar (pure).

The weights are fitted on the development half of ``benchmarks/project_start`` by ``--fit``, and the probability from
which on a project is called similar is chosen on that half too.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import astuple, dataclass

from kb.core.models import Role
from kb.facts import FactKind
from kb.project_start.plan import Plan
from kb.project_start.profiles import Profile
from kb.retrieval.ports import Vectors

# The roles of the sentences that tell what a project does.
DESCRIBING = (Role.PURPOSE, Role.METHOD, Role.DATA)
# More words of a title in common than this say no more.
MOST_IN_TITLE = 3


@dataclass(frozen=True, slots=True)
class Signals:
    """What a project and a plan have in common, as numbers.

    ``task`` is how near the nearest sentence on what the project does is, in standard deviations above the plan's
    cosines with the base; ``words`` the words in common by rarity, as a logarithm; ``title`` how many words of title
    and subject the plan has; ``data`` and ``technique`` are 1 where a kind of each is in common.
    """

    task: float
    words: float
    data: float
    technique: float
    title: float


# One weight a signal, in the order of the class, and what is added to their sum.
WEIGHTS = (1.72, 1.35, 3.27, 1.56, 1.29)
BIAS = -8.53
# From this probability on a project is called similar.
SIMILAR = 0.3


def probability(signals: Signals) -> float:
    """The probability that a project is similar."""
    logit = BIAS + sum(weight * value for weight, value in zip(WEIGHTS, astuple(signals), strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


@dataclass(frozen=True, slots=True)
class Compared:
    """A plan as it is compared with: its vector, the centre and spread of its cosines with the base, its terms."""

    plan: Plan
    vector: Vectors
    centre: float
    spread: float
    terms: Collection[str]


def signals_of(profile: Profile, compared: Compared, words: float) -> Signals:
    """The signals of a project with ``words``, its score by them."""
    plan, data = compared.plan, {fact.value for fact, _ in profile.of_kind(FactKind.DATA)}
    cosines = [float(line.vector @ compared.vector) for line in profile.own(DESCRIBING)]
    return Signals(
        task=(max(cosines) - compared.centre) / compared.spread if cosines else 0.0,
        words=math.log1p(words),
        data=float(not plan.data.isdisjoint(data)),
        technique=float(not plan.techniques.isdisjoint(profile.techniques())),
        title=float(min(MOST_IN_TITLE, sum(term in compared.terms for term in profile.title_terms))),
    )
