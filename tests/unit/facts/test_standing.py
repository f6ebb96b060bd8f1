"""How far a report's project is: by metadata, and else by what the report tells."""

from __future__ import annotations

import pytest

from kb.core.models import Certainty, Metadata
from kb.core.stages import Phase, Status
from kb.facts import Fact, FactKind
from kb.facts.standing import UNTOLD, standing_of


def metadata(*, status: str = "", periode: str = "", projekt: str = "AIR", inferred: bool = False) -> Metadata:
    return Metadata(
        id="a", titel="A", projekt=projekt, status=status, periode=periode,
        inferred=frozenset({"projekt"} if inferred else ()),
    )  # fmt: skip


def fact(kind: FactKind, value: str, date: str = "", **more: object) -> Fact:
    return Fact(kind, value, "a.1", 0, 10, date=date, **more)  # type: ignore[arg-type]


IN_TEST = (fact(FactKind.STATUS, "i test", "2022"), fact(FactKind.PHASE, "afprøvning", "2022"))


@pytest.mark.parametrize(
    ("written", "status", "date", "phase"),
    [
        ("i drift (kilde: februar 2023)", Status.OPERATION, "2023-02", Phase.OPERATION),
        ("ved at blive sat i drift", Status.ON_ITS_WAY, "", Phase.OPERATION),
        ("endnu ikke i drift", Status.NOT_IN_OPERATION, "", None),
        ("afsluttet og under udbredelse (maj 2023)", Status.FINISHED, "2023-05", Phase.SPREAD),
        ("på pause", Status.ON_HOLD, "", None),
        ("I udvikling", Status.ONGOING, "", Phase.DEVELOPMENT),
        ("Stoppet.", Status.STOPPED, "", None),
        ("det går godt", None, "", None),
    ],
)
def test_the_words_of_an_editor_are_read(written: str, status: Status | None, date: str, phase: Phase | None) -> None:
    standing = standing_of(metadata(status=written), (), ())
    assert (standing.status, standing.date, standing.phase, standing.evidence) == (status, date, phase, None)


@pytest.mark.parametrize("status", [*Status])
def test_a_filter_s_own_words_are_understood_in_the_field(status: Status) -> None:
    assert standing_of(metadata(status=status.value), (), ()).status is status


@pytest.mark.parametrize("written", ["", "ukendt (kilde: 2021)"])
def test_what_the_report_tells_counts_where_metadata_do_not_say(written: str) -> None:
    standing = standing_of(metadata(status=written), (), IN_TEST)
    assert (standing.status, standing.phase, standing.evidence) == (Status.TEST, Phase.TRIAL, IN_TEST[0])


def test_what_an_editor_wrote_counts_before_what_the_report_tells() -> None:
    standing = standing_of(metadata(status="stoppet"), (), IN_TEST)
    assert (standing.status, standing.phase, standing.evidence) == (Status.STOPPED, None, None)


def test_that_nobody_knows_is_the_editor_s_word_also_where_the_report_says_the_same() -> None:
    unknown = fact(FactKind.STATUS, "ukendt", "2021")
    assert standing_of(metadata(status="ukendt"), (), [unknown]).evidence is None
    assert standing_of(metadata(), (), [unknown]).evidence is unknown


@pytest.mark.parametrize(
    ("periode", "years"),
    [
        ("primo 2020 – ultimo 2021 (forprojekt 2018-2019)", (2018, 2019, 2020, 2021)),
        ("opstart 2022", (2022,)),
        ("1970 og 2022", (1970, 2022)),
        ("", (2019, 2020, 2021)),
    ],
)
def test_the_years_are_those_of_the_period_and_else_of_what_is_told(periode: str, years: tuple[int, ...]) -> None:
    told = [fact(FactKind.START, "2019-05"), fact(FactKind.END, "2021"), fact(FactKind.END, "2030", shared=True)]
    assert standing_of(metadata(periode=periode), (), told).years == years


def test_a_report_of_many_projects_has_no_standing() -> None:
    crossing = Metadata(id="a", titel="A", type="tværgående", status="i drift", periode="2020")
    assert standing_of(crossing, (), IN_TEST) == UNTOLD


def test_where_no_editor_named_the_project_only_sentences_that_name_it_count() -> None:
    sure = fact(FactKind.STATUS, "i drift", certainty=Certainty.SURE)
    assert standing_of(metadata(inferred=True), (), IN_TEST).status is None
    assert standing_of(metadata(inferred=True), (), (*IN_TEST, sure)).status is Status.OPERATION
