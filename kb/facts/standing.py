"""How far a report's project is: its status, phase and years, by metadata and else by the report's facts (pure).

    standing = standing_of(metadata, proposals, facts)
    standing.status, standing.phase, standing.years    # what filters ask for

What an editor wrote counts. Where metadata name no status, or say that it is unknown, the newest that the report itself
tells does, with the fact as its evidence; so do its beginning and end where metadata name no period. A report of many
projects has no standing, and one whose project no editor has named only what is said with the project's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kb.core.models import Certainty, Metadata, Passage
from kb.core.stages import PHASE_OF_STATUS, Phase, Status
from kb.facts.dates import dates_in
from kb.facts.extraction import facts_of
from kb.facts.fact import Fact, FactKind, current_status
from kb.proposals.proposal import Proposal
from kb.proposals.scope import crosses

# What a standing is read from.
KINDS = (FactKind.STATUS, FactKind.PHASE, FactKind.START, FactKind.END)
# Years farther apart are not the beginning and the end of one project.
LONGEST_PROJECT = 30
TEXTS_REMEMBERED = 4096
# Words that editors put in the field alone, where a sentence would say it otherwise.
_ALONE = {
    "idé": Status.IDEA, "i udvikling": Status.ONGOING, "udvikling": Status.ONGOING, "pilot": Status.TEST,
    "drift": Status.OPERATION, "lukket": Status.STOPPED,
}  # fmt: skip
_NOBODY = Metadata(id="", titel="")


@dataclass(frozen=True, slots=True)
class Standing:
    """A project's status with its date (ISO, "" where no one says), its phase, and the years that it ran in, in order.

    ``evidence`` is the fact that tells the status, None where metadata do.
    """

    status: Status | None = None
    date: str = ""
    phase: Phase | None = None
    years: tuple[int, ...] = ()
    evidence: Fact | None = None


UNTOLD = Standing()


def standing_of(metadata: Metadata, proposals: Sequence[Proposal], facts: Iterable[Fact]) -> Standing:
    """The standing of a report's project."""
    if crosses(metadata, proposals):
        return UNTOLD
    written = _written(metadata.status)
    told = [fact for fact in facts if _is_own(fact, metadata)]
    status = current_status(written)
    evidence: Fact | None = None
    if status is None or status.value == Status.UNKNOWN:
        newest = current_status(told)
        evidence = newest if newest and (status is None or newest.value != Status.UNKNOWN) else None
        status = evidence or status
    return Standing(
        status=Status(status.value) if status else None,
        date=status.date if status else "",
        phase=_phase(status, written if evidence is None else told),
        years=_years(metadata, told),
        evidence=evidence,
    )


def _is_own(fact: Fact, metadata: Metadata) -> bool:
    """Whether a fact is of the report's project alone, and of it for certain where only the reader named it."""
    named = bool(metadata.projekt) and "projekt" not in metadata.inferred
    return not fact.shared and (named or fact.certainty is Certainty.SURE)


@lru_cache(TEXTS_REMEMBERED)
def _written(text: str) -> tuple[Fact, ...]:
    """The facts that the words of the field "status" tell, read as a sentence of the project."""
    words = text.strip().rstrip(".")
    sentence = f"Projektets status er {words}."
    found = facts_of(_NOBODY, [Passage("", "", 0, sentence, 0, len(sentence))]) if words else []
    alone = _ALONE.get(words.casefold())
    return (Fact(FactKind.STATUS, alone.value, "", 0, len(sentence)),) if alone and not found else tuple(found)


def _phase(status: Fact | None, facts: Sequence[Fact]) -> Phase | None:
    """The phase of the status, and else the newest that is told; a project that ended is in none but that it spreads.

    A solution that spreads is in operation as well, and its spreading is what tells more.
    """
    phases = [fact for fact in facts if fact.kind is FactKind.PHASE]
    of_status = PHASE_OF_STATUS.get(Status(status.value)) if status else None
    spreads = any(fact.value == Phase.SPREAD for fact in phases)
    if spreads and of_status in (None, Phase.OPERATION):
        return Phase.SPREAD
    if status is not None and status.value != Status.UNKNOWN:
        return of_status
    newest = max(phases, key=lambda fact: (fact.date, fact.start), default=None)
    return Phase(newest.value) if newest else None


def _years(metadata: Metadata, told: Sequence[Fact]) -> tuple[int, ...]:
    """The years from the first to the last that the period names."""
    named = [int(date.date[:4]) for date in dates_in(metadata.periode.lower())]
    if not named:
        named = [int(fact.value[:4]) for fact in told if fact.kind in (FactKind.START, FactKind.END)]
    if not named:
        return ()
    first, last = min(named), max(named)
    return tuple(range(first, last + 1)) if last - first <= LONGEST_PROJECT else tuple(sorted(set(named)))
