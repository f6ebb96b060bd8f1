"""A report's facts as proposals for its metadata, each with the sentence that says it first."""

from __future__ import annotations

from dataclasses import replace

from kb.core.models import Certainty, Document, Metadata
from kb.facts.fact import Fact, FactKind
from kb.facts.proposed import MOST_NAMES, with_facts
from kb.proposals.proposal import Proposal

TEXT = "Løsningen blev sat i drift i maj 2023. Vandby samarbejdede med Norsalt. Norsalt leverede den for 2 mio. kr."
WRITTEN = Metadata("a", "Salt", projekt="Norsalt")
DOCUMENT = Document("a.md", "", "text/markdown", "markdown", WRITTEN, TEXT, (), ())


def fact(kind: FactKind, value: str, date: str = "", *, sentence: int = 0, shared: bool = False) -> Fact:
    starts = (0, TEXT.index("Vandby"), TEXT.index("Norsalt leverede"), len(TEXT))
    return Fact(kind, value, "a.1", starts[sentence], starts[sentence + 1], date, Certainty.SURE, shared)


def proposed(*facts: Fact) -> dict[str, Proposal]:
    return {proposal.field: proposal for proposal in with_facts((), DOCUMENT, facts)}


def test_the_newest_status_is_proposed_with_its_date_and_its_sentence() -> None:
    found = proposed(fact(FactKind.STATUS, "i test", "2022"), fact(FactKind.STATUS, "i drift", "2023-05"))["status"]
    assert (found.value, found.certainty) == ("i drift (maj 2023)", Certainty.LIKELY)
    assert found.quote.strip() == "Løsningen blev sat i drift i maj 2023."


def test_an_unknown_status_and_sums_that_many_share_are_not_proposed() -> None:
    assert proposed(fact(FactKind.STATUS, "ukendt"), fact(FactKind.COST, "100", shared=True)) == {}


def test_partners_suppliers_and_the_largest_sum_of_each_kind_are_proposed() -> None:
    found = proposed(
        fact(FactKind.PARTNER, "Norsalt", sentence=1),
        fact(FactKind.PARTNER, "DTU", sentence=1),
        fact(FactKind.SUPPLIER, "Norsalt", sentence=2),
        fact(FactKind.COST, "50000", sentence=2),
        fact(FactKind.COST, "2000000", sentence=2),
    )
    values = {field: proposal.value for field, proposal in found.items()}
    assert values == {"partnere": "Norsalt, DTU", "leverandører": "Norsalt", "økonomi": "pris: 2 mio. kr."}


def test_a_list_of_names_too_long_to_be_a_projects_is_not_proposed() -> None:
    assert proposed(*(fact(FactKind.PARTNER, f"By {number}") for number in range(MOST_NAMES + 1))) == {}


def test_a_period_is_proposed_where_one_sentence_tells_both_ends_and_none_was_before() -> None:
    facts = (fact(FactKind.START, "2020"), fact(FactKind.END, "2021-12"))
    assert proposed(*facts)["periode"].value == "2020 – december 2021"
    assert proposed(facts[0], fact(FactKind.END, "2021", sentence=1)) == {}
    earlier = Proposal("periode", "2019", Certainty.SURE, "Forsiden.", "2019", 0, 4)
    assert with_facts((earlier,), DOCUMENT, facts) == (earlier,)


def test_of_a_report_of_no_named_project_facts_propose_nothing() -> None:
    status = fact(FactKind.STATUS, "i drift", sentence=2)
    for metadata in (Metadata("a", "Salt"), replace(WRITTEN, inferred=frozenset({"projekt"}))):
        assert with_facts((), replace(DOCUMENT, metadata=metadata), (status,)) == ()


def test_where_the_report_alone_names_the_project_the_sentence_must_name_it_too() -> None:
    unwritten = replace(DOCUMENT, metadata=Metadata("a", "Salt"))
    project = Proposal("projekt", "Norsalt", Certainty.LIKELY, "Titlen.", "Norsalt", 0, 7)
    silent, naming = fact(FactKind.STATUS, "i test"), fact(FactKind.STATUS, "i drift", sentence=2)
    assert with_facts((project,), unwritten, (silent,)) == (project,)
    assert with_facts((project,), unwritten, (silent, naming))[1].value == "i drift"
    unsure = replace(project, certainty=Certainty.UNSURE)
    assert with_facts((unsure,), unwritten, (naming,)) == (unsure,)
