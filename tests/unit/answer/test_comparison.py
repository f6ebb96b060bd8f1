"""Comparisons of projects by the facts of their reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kb.answer.comparison import Compared, compare, kinds_of
from kb.answer.comparison_intent import comparison_of
from kb.core.models import Certainty, Metadata
from kb.facts import Fact, FactKind

KNOWN = {
    one.id: one
    for one in (
        Metadata("air", "AIR", "AIR", "Aalborg Kommune", "kommunal"),
        Metadata("mail", "Mailsortering", "Mailsortering", "Norddjurs Kommune", "kommunal"),
        Metadata("mail-2", "Mailsortering igen", "Mailsortering", "Norddjurs Kommune", "kommunal"),
        Metadata("knae", "Knærøntgen", "Knærøntgen", "Region Nord", "regional"),
        Metadata("asta", "Udtalelse om Asta"),
    )
}


def fact(document: str, kind: FactKind, value: str, date: str = "", *, shared: bool = False) -> tuple[str, Fact]:
    certainty = Certainty.UNSURE if shared else Certainty.SURE
    return document, Fact(kind, value, f"{document}.1", 0, 10, date, certainty, shared)


FACTS = [
    fact("air", FactKind.STATUS, "på vej i drift", "2023-02"),
    fact("mail", FactKind.STATUS, "i test", "2019"),
    fact("mail-2", FactKind.STATUS, "i drift", "2023-02"),
    fact("knae", FactKind.STATUS, "ukendt", "2024"),
    fact("asta", FactKind.STATUS, "stoppet", "2022-08"),
    fact("asta", FactKind.REASON, "stoppet"),
    fact("air", FactKind.SUPPORT, "4100000"),
    fact("mail", FactKind.SUPPORT, "1900000"),
    fact("knae", FactKind.SUPPORT, "11500000", shared=True),
    fact("mail", FactKind.PARTNER, "Syddjurs Kommune"),
    fact("mail", FactKind.PARTNER, "DTU"),
    fact("air", FactKind.PARTNER, "Syddjurs Kommune"),
    fact("mail", FactKind.END, "2022-06"),
    fact("air", FactKind.END, "2021"),
    fact("mail", FactKind.EVENT, "2023-02", "2023-02"),
    fact("air", FactKind.EVENT, "2021-01", "2021-01"),
]


def compared(
    question: str, facts: Sequence[tuple[str, Fact]] = FACTS, known: Mapping[str, Metadata] = KNOWN
) -> Compared | None:
    comparison = comparison_of(question, known)
    assert comparison
    kinds = kinds_of(comparison)
    return compare(comparison, [(id_, one) for id_, one in facts if one.kind in kinds], known)


def ask(question: str) -> Compared:
    found = compared(question)
    assert found
    return found


def listed(question: str) -> list[str]:
    return [entry.told[0].document_id for entry in ask(question).entries]


def test_the_newest_status_of_a_project_counts_whichever_report_tells_it() -> None:
    assert listed("Hvilke projekter er i drift?") == ["mail-2", "air"]


def test_what_is_on_its_way_stands_behind_and_is_told_apart() -> None:
    found = ask("Hvilke projekter er i drift?")
    assert found.lead == (
        "1 projekt er i drift, og 1 projekt er på vej i drift. Status fremgår for 2 projekter og 1 anden sag."
        " 1 projekt siger det ikke."
    )


def test_a_report_of_no_project_is_counted_apart_and_gives_its_reason() -> None:
    found = ask("Hvilke projekter blev stoppet, og hvorfor?")
    assert found.lead.startswith("Ingen projekter, men 1 anden sag er på hold eller stoppet.")
    assert [one.fact.kind for one in found.entries[0].told] == [FactKind.STATUS]
    elsewhere = ("asta", Fact(FactKind.REASON, "stoppet", "asta.2", 40, 60))
    with_reason = compared("Hvilke projekter blev stoppet, og hvorfor?", [*FACTS, elsewhere])
    assert with_reason
    assert [one.fact.kind for one in with_reason.entries[0].told] == [FactKind.STATUS, FactKind.REASON]


def test_what_is_denied_is_left_out_and_what_is_unknown_as_well() -> None:
    assert listed("Hvilke projekter er hverken i test eller på vej?") == ["mail-2", "asta"]


def test_sums_are_sorted_and_shared_ones_stand_last() -> None:
    assert listed("Hvilke projekter fik mest støtte?") == ["air", "mail", "knae"]
    assert listed("Hvilke projekter fik mindst støtte?") == ["mail", "air", "knae"]


def test_support_is_not_told_as_a_price() -> None:
    assert ask("Hvad kostede AIR?").lead == "Prisen står der ikke; støtte: 4,1 mio. kr."
    assert ask("Hvad kostede projekterne?").lead.startswith("Ingen projekter nævner en pris, 3 projekter kun støtten")


def test_a_shared_sum_is_neither_over_nor_under_a_limit() -> None:
    assert listed("Hvilke fik over 4 mio.?") == ["air"]


def test_yes_or_no_comes_first_and_only_where_the_status_says_it() -> None:
    assert ask("Er mailsorteringen i drift?").lead == "Ja – status: i drift (februar 2023)."
    assert ask("Er AIR i drift?").lead == "Nej – status: på vej i drift (februar 2023)."
    assert ask("Er knærøntgen i drift?").lead == "Status er ukendt."
    assert ask("Er AIR afsluttet?").lead.startswith("Nej")


def test_partners_are_listed_and_municipalities_alone_where_these_are_asked_for() -> None:
    assert ask("Hvem samarbejdede mailsortering med?").lead == "Syddjurs Kommune og DTU."
    assert ask("Hvilke kommuner deltog i mailsortering?").lead == "Syddjurs Kommune."


def test_an_end_in_a_year() -> None:
    assert listed("Hvilke sluttede i 2022?") == ["mail"]


def test_news_are_those_since_the_year() -> None:
    assert listed("Hvad er nyt siden 2023?") == ["mail"]


def test_two_projects_differ_in_what_both_tell() -> None:
    lead = ask("Hvad er forskellen på AIR og mailsortering?").lead
    assert lead.startswith(
        "Status: på vej i drift (februar 2023) over for i drift (februar 2023); støtte: 4,1 mio. kr."
    )


def test_two_projects_have_equal_values_in_common() -> None:
    assert ask("Hvad har AIR og mailsortering til fælles?").lead == "Fælles er partner: Syddjurs Kommune."


def test_documents_that_the_filters_leave_out_do_not_count() -> None:
    found = compared("Hvilke projekter er i drift?", known={"air": KNOWN["air"]})
    assert found
    assert [entry.told[0].document_id for entry in found.entries] == ["air"]


def test_where_no_report_tells_it_the_text_is_asked() -> None:
    assert compared("Hvilke projekter er i test?") is None


def test_of_partners_only_the_kind_that_is_asked_for_is_told() -> None:
    kinds = ["firmaer", "universiteter", "hospitaler", "kommuner"]
    partners = ["Qampo", "DTU", "Sjællands Universitetshospital", "Viborg Kommune", "Datatilsynet"]
    facts = [fact("air", FactKind.PARTNER, name) for name in partners]
    told = [compared(f"Hvilke {kind} var med i AIR?", facts) for kind in kinds]
    assert [one.lead if one else "" for one in told] == [
        "Qampo.", "DTU.", "Sjællands Universitetshospital.", "Viborg Kommune.",
    ]  # fmt: skip


def test_the_status_of_one_project_is_told_without_yes_or_no() -> None:
    assert ask("Hvad er status for AIR?").lead == "Status: på vej i drift (februar 2023)."
    assert ask("Hvor langt er Norddjurs med mailsorteringen?").lead == "Status: i drift (februar 2023)."
    assert ask("Hvad er status for Asta?").lead == "Status: stoppet (august 2022)."


def test_yes_or_no_is_said_of_a_sum_that_is_the_projects_own() -> None:
    assert ask("Fik AIR 4,1 mio. kr.?").lead == "Ja – støtte: 4,1 mio. kr."
    assert ask("Fik AIR 5 mio. kr. i støtte?").lead == "Nej – støtte: 4,1 mio. kr."
    assert ask("Fik AIR mere end 4 mio. kr.?").lead == "Ja – støtte: 4,1 mio. kr."
    assert ask("Fik AIR over 4,1 mio. kr.?").lead == "Nej – støtte: 4,1 mio. kr."
    assert ask("Fik AIR mindst 4,1 mio. kr.?").lead == "Ja – støtte: 4,1 mio. kr."
    assert ask("Har AIR fået støtte?").lead == "Ja – støtte: 4,1 mio. kr."
    assert ask("Fik knærøntgen 11,5 mio. kr.?").lead == (
        "Det siger rapporten ikke; støtte: 11,5 mio. kr. for flere projekter tilsammen."
    )
    assert ask("Kostede AIR 4 mio. kr.?").lead == "Prisen står der ikke; støtte: 4,1 mio. kr."


def test_any_of_several_sums_makes_it_yes() -> None:
    facts = [fact("air", FactKind.SUPPORT, "9000000"), fact("air", FactKind.SUPPORT, "4100000")]
    found = compared("Fik AIR 4,1 mio. kr.?", facts)
    assert found
    assert (found.lead, found.entries[0].told[0].fact.value) == ("Ja – støtte: 4,1 mio. kr.", "4100000")


def test_when_a_project_ended_and_what_is_told_where_that_is_not() -> None:
    assert ask("Hvornår sluttede mailsortering?").lead == "Slut: juni 2022."
    found = ask("Hvornår begyndte AIR?")
    assert (found.lead, found.entries[0].certainty) == (
        "Hvornår det begyndte, er ikke fundet; slut: 2021.", Certainty.UNSURE,
    )  # fmt: skip


def test_a_period_has_both_its_ends() -> None:
    facts = [fact("air", FactKind.START, "2020"), fact("air", FactKind.END, "2021-12")]
    found = compared("I hvilken periode kørte AIR?", facts)
    assert found
    assert found.lead == "Start: 2020; slut: december 2021."


def test_the_projects_of_a_partner_are_those_that_name_it() -> None:
    found = ask("Hvilke projekter er DTU partner i?")
    assert (found.lead, [entry.told[0].document_id for entry in found.entries]) == (
        "1 projekt nævner DTU som partner eller leverandør.", ["mail"],
    )  # fmt: skip
    assert ask("Er DTU partner i mailsortering?").lead == "Ja – partner: DTU."
    assert compared("Er DTU partner i AIR?") is None


def test_any_organisation_of_a_kind_may_be_asked_for() -> None:
    found = ask("Hvilke projekter har et universitet som partner?")
    assert (found.lead, [entry.told[0].document_id for entry in found.entries]) == (
        "1 projekt nævner et universitet som partner eller leverandør.", ["mail"],
    )  # fmt: skip
    assert ask("Er et universitet med i mailsortering?").lead == "Ja – partner: DTU."
    assert compared("Er private firmaer med i AIR?") is None
