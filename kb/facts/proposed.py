"""Proposes metadata of a report from its facts: status, period, partners, suppliers and money (pure).

The facts are what :mod:`kb.facts.extraction` read for the answers; here each becomes a value of a field, with the
sentence that says it first. The rules of the facts were made for reports of one project each; of a newsletter or a
guide they say what is another's. So facts count where an editor has named the project, and else where the report itself
names one and the sentence names it too. None of them is "sikkert": a status may have changed since, and names are read
out of running text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kb.core.models import Certainty, Document, page_at
from kb.core.stages import Status
from kb.facts.amounts import shown
from kb.facts.dates import in_words
from kb.facts.fact import AMOUNTS, Fact, FactKind, current_status
from kb.proposals.proposal import Proposal

# Longer lists are of a table or of many projects.
MOST_NAMES = 12


def with_facts(proposals: Sequence[Proposal], document: Document, facts: Sequence[Fact]) -> tuple[Proposal, ...]:
    """A report's proposals, and those that its facts make for other fields."""
    own = _of_project(proposals, document, facts)
    found = (_status(document, own), _period(document, own), *_participants(document, own), _money(document, own))
    taken = {proposal.field for proposal in proposals}
    return (*proposals, *(proposal for proposal in found if proposal is not None and proposal.field not in taken))


def _of_project(proposals: Sequence[Proposal], document: Document, facts: Sequence[Fact]) -> list[Fact]:
    """The facts that are of the report's project alone."""
    alone = [fact for fact in facts if not fact.shared]
    if document.metadata.projekt and "projekt" not in document.metadata.inferred:
        return alone
    named = (one for one in proposals if one.field == "projekt" and one.certainty is not Certainty.UNSURE)
    project = next((str(one.value).casefold() for one in named), "")
    return [fact for fact in alone if project and _names(document.text[fact.start : fact.end], project, fact)]


def _names(sentence: str, project: str, fact: Fact) -> bool:
    """Whether a sentence is of the project: it has its name, or of money a word of its title."""
    return project in sentence.casefold() or (fact.kind in AMOUNTS and fact.certainty is Certainty.SURE)


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
