"""Proposes metadata of a report from its facts: status, period, partners, suppliers and money (pure).

The facts are what :mod:`kb.facts.extraction` read for the answers; here each becomes a value of a field, with the
sentence that says it first. A status held once and may have changed since, and names are read out of running text: none
of them is "sikkert".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kb.core.models import Certainty, Document, page_at
from kb.facts.amounts import shown
from kb.facts.dates import in_words
from kb.facts.fact import AMOUNTS, Fact, FactKind, Status, current_status
from kb.proposals.proposal import Proposal

# Longer lists are of a table or of many projects.
MOST_NAMES = 12


def with_facts(proposals: Sequence[Proposal], document: Document, facts: Sequence[Fact]) -> tuple[Proposal, ...]:
    """A report's proposals, and those that its facts make for other fields."""
    own = [fact for fact in facts if not fact.shared]
    found = (_status(document, own), _period(document, own), *_participants(document, own), _money(document, own))
    taken = {proposal.field for proposal in proposals}
    return (*proposals, *(proposal for proposal in found if proposal is not None and proposal.field not in taken))


def _said(document: Document, field: str, value: str, why: str, facts: Sequence[Fact]) -> Proposal:
    """A proposal with the sentence of the first fact; as doubtful as the most doubtful of them."""
    first = facts[0]
    unsure = any(fact.certainty is Certainty.UNSURE for fact in facts)
    page = page_at(document.pages, first.start)
    return Proposal(
        field, value, Certainty.UNSURE if unsure else Certainty.LIKELY, why, document.text[first.start : first.end],
        first.start, first.end, page.number if page else None,
    )  # fmt: skip


def _status(document: Document, facts: Sequence[Fact]) -> Proposal | None:
    now = current_status(facts)
    if now is None or now.value == Status.UNKNOWN:
        return None
    value = f"{now.value} ({in_words(now.date)})" if now.date else now.value
    return _said(document, "status", value, "Det er det nyeste, rapporten siger om projektets status.", [now])


def _period(document: Document, facts: Sequence[Fact]) -> Proposal | None:
    """The project's beginning and end where one sentence tells both."""
    ends = {fact.start: fact for fact in facts if fact.kind is FactKind.END}
    for fact in facts:
        if fact.kind is FactKind.START and (end := ends.get(fact.start)):
            value = f"{in_words(fact.value)} – {in_words(end.value)}"
            return _said(document, "periode", value, "Rapporten siger, hvornår projektet løb.", [fact])
    return None


def _participants(document: Document, facts: Sequence[Fact]) -> Iterator[Proposal]:
    for kind, field, word in (
        (FactKind.PARTNER, "partnere", "partnere"),
        (FactKind.SUPPLIER, "leverandører", "leverandører"),
    ):
        found = [fact for fact in facts if fact.kind is kind]
        names = list(dict.fromkeys(fact.value for fact in found))
        if names and len(names) <= MOST_NAMES:
            yield _said(document, field, ", ".join(names), f"Rapporten nævner dem som {word}, først her.", found)


def _money(document: Document, facts: Sequence[Fact]) -> Proposal | None:
    """The largest amount of each kind that the report states of its project."""
    largest: list[Fact] = []
    for kind in AMOUNTS:
        of_kind = [fact for fact in facts if fact.kind is kind]
        largest += [max(of_kind, key=lambda fact: int(fact.value))] if of_kind else []
    if not largest:
        return None
    value = ", ".join(f"{fact.kind.value}: {shown(int(fact.value))}" for fact in largest)
    return _said(document, "økonomi", value, "Beløbene står om projektet, det første her.", largest)
