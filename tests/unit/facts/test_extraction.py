"""Facts of a report, each with the sentence that says it: what counts, what does not, and whose it is."""

from __future__ import annotations

import pytest

from kb.core.models import Certainty, Metadata, Passage, Role
from kb.facts import Fact, FactKind, facts_of

PROJECT = Metadata("vaad", "Vådindeks i Jammerbugt Kommune", "Vådindeks", "Jammerbugt Kommune", "kommunal")
REPORT = Metadata("omtale", "Omtale af signaturprojekterne", myndighed="Digitaliseringsstyrelsen")


def passage(text: str, role: Role = Role.OTHER, *, inferred: bool = False) -> Passage:
    return Passage("vaad.1", "vaad", 0, text, 100, 100 + len(text), ("Om",), role=role, inferred=inferred)


def read(text: str, metadata: Metadata = PROJECT, role: Role = Role.OTHER) -> list[Fact]:
    return facts_of(metadata, [passage(text, role)])


def values(text: str, kind: FactKind, metadata: Metadata = PROJECT, role: Role = Role.OTHER) -> list[str]:
    return [fact.value for fact in read(text, metadata, role) if fact.kind is kind]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Vådindeks var i drift ifølge en kilde fra maj 2023.", "i drift"),
        ("Vådindeks var i testdrift ifølge en kilde fra maj 2023.", "i test"),
        ("Vådindeks var ved at blive sat i drift i maj 2023.", "på vej i drift"),
        ("Vådindeks forventes sat i drift i 2024.", "på vej i drift"),
        ("Vådindeks er ikke sat i drift.", "ikke i drift"),
        ("I maj 2023 var Vådindeks klar til at blive testet klinisk.", "klar til test"),
        ("Projektet blev stoppet i maj 2023, fordi hjemlen manglede.", "stoppet"),
        ("Kommunen satte Vådindeks på pause.", "på hold"),
        ("Vådindeks er afsluttet.", "afsluttet"),
        ("Vådindeks var i gang i juni 2021.", "i gang"),
        ("Jammerbugt Kommune har brugt løsningen siden november 2021.", "i drift"),
        ("Hvad der siden er sket, er ukendt; kilden er fra 2020.", "ukendt"),
        ("Vådindeks blev taget i brug for en afgrænset tid.", "i test"),
    ],
)
def test_the_status_is_read(text: str, status: str) -> None:
    assert values(text, FactKind.STATUS) == [status]


@pytest.mark.parametrize(
    "text",
    [
        "Vådindeks skulle sættes i drift i 2022.",
        "Det skal afklares, om Vådindeks kan sættes i drift.",
        "Forudsigelserne fra Vådindeks efterprøves, før værktøjet er taget i brug.",
        "Vådindeks kan ikke sættes i drift på det samme grundlag.",
        "Kunstig intelligens skal støtte vurderingen, mens samtalen om vandet i Jammerbugt er i gang.",
        "To af de syv projekter er sat i drift.",
        "Mange signaturprojekter er stoppet.",
        "Datatilsynet vurderede en løsning i Odense Kommune, der svarer til Vådindeks og er i drift.",
        "Odense Kommune har brugt løsningen siden november 2021.",
    ],
)
def test_a_plan_and_what_is_said_of_others_is_no_status(text: str) -> None:
    assert values(text, FactKind.STATUS) == []


def test_each_of_two_statuses_has_the_date_nearest_to_it() -> None:
    found = read("Jammerbugt Kommune prøvede Vådindeks af i en pilot i 2024 og indførte den fuldt ud i januar 2025.")
    dates = {fact.value: fact.date for fact in found if fact.kind is FactKind.STATUS}
    assert dates == {"i test": "2024", "i drift": "2025-01"}


def test_the_next_sentence_may_tell_when_it_held() -> None:
    found = read("Kommunen satte Vådindeks på pause. Oplysningen er fra februar 2019.")
    assert [fact.date for fact in found if fact.kind is FactKind.STATUS] == ["2019-02"]


def test_the_date_that_a_project_began_is_not_the_date_of_its_status() -> None:
    found = read("Vådindeks begyndte i 2020 og var i gang, da kommunen omtalte det.")
    assert [fact.date for fact in found if fact.kind is FactKind.STATUS] == [""]
    assert [fact.value for fact in found if fact.kind is FactKind.START] == ["2020"]


def test_a_fact_stands_at_its_sentence() -> None:
    text = "Her er kortet. Vådindeks er afsluttet. Det var alt."
    fact = next(fact for fact in read(text) if fact.kind is FactKind.STATUS)
    assert text[fact.start - 100 : fact.end - 100] == "Vådindeks er afsluttet."
    assert fact.passage_id == "vaad.1"


def test_a_sentence_that_names_the_project_is_surer_than_one_that_points_at_it() -> None:
    named, pointed = (read(text)[0] for text in ("Vådindeks er afsluttet.", "Projektet er afsluttet."))
    assert (named.certainty, pointed.certainty) == (Certainty.SURE, Certainty.LIKELY)


def test_the_collectors_own_reading_gives_no_facts() -> None:
    assert facts_of(PROJECT, [passage("Vådindeks er afsluttet.", inferred=True)]) == []


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Jammerbugt Kommune fik 5,0 mio. kr. i støtte til Vådindeks.", FactKind.SUPPORT, "5000000"),
        ("Fonden gav Vådindeks 500.000 kr. i 2022.", FactKind.SUPPORT, "500000"),
        ("Projektet kostede 1,2 mio. kr.", FactKind.COST, "1200000"),
        ("Vådindeks har et budget på 2.100 t.kr.", FactKind.COST, "2100000"),
        ("Vådindeks sparer kommunen for 300.000 kroner om året.", FactKind.SAVING, "300000"),
    ],
)
def test_money_is_told_apart_and_counted_in_kroner(text: str, kind: FactKind, value: str) -> None:
    money = (FactKind.SUPPORT, FactKind.COST, FactKind.SAVING)
    assert [(fact.kind, fact.value) for fact in read(text) if fact.kind in money] == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "En komplikation koster 35.000-40.000 kr.",
        "Signaturprojekterne fik en samlet bevilling på 187 mio. kr.",
        "Vådindeks bruger en enhedsomkostning på 301 kr. pr. køretøjstime.",
    ],
)
def test_other_money_is_not_the_projects(text: str) -> None:
    money = (FactKind.SUPPORT, FactKind.COST, FactKind.SAVING)
    assert [fact for fact in read(text, REPORT) if fact.kind in money] == []


def test_what_all_got_together_is_not_one_projects() -> None:
    text = "Vådindeks fik 8,7 mio. kr. i støtte og mest i første runde, hvor der i alt var 67 mio. kr."
    assert values(text, FactKind.SUPPORT) == ["8700000"]


def test_a_sum_of_several_projects_is_marked() -> None:
    shared = next(fact for fact in read("Vådindeks og de to andre projekter fik 11,5 mio. kr. i alt."))
    assert (shared.kind, shared.shared, shared.certainty) == (FactKind.SUPPORT, True, Certainty.UNSURE)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("Projektperioden for Vådindeks er 2021-2023.", ["2021"], ["2023"]),
        ("Vådindeks løb fra oktober 2019 til december 2023.", ["2019-10"], ["2023-12"]),
        (
            "Vådindeks løb som projekt fra primo 2020 til ultimo 2021 efter et forprojekt i 2018-2019.",
            ["2020"],
            ["2021"],
        ),
        ("Vådindeks havde opstart i 2022.", ["2022"], []),
        ("Projektet sluttede i juni 2022.", [], ["2022-06"]),
    ],
)
def test_the_period_is_read(text: str, start: list[str], end: list[str]) -> None:
    assert (values(text, FactKind.START), values(text, FactKind.END)) == (start, end)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "Jammerbugt Kommune samarbejdede med Aarhus Universitet, DigiRehab og Viborg Kommune, mens Syddjurs,"
            " Norddjurs og Hjørring Kommune var følgekommuner.",
            [
                "Aarhus Universitet", "DigiRehab", "Viborg Kommune", "Syddjurs Kommune", "Norddjurs Kommune",
                "Hjørring Kommune",
            ],
        ),
        (
            "Kommunens partnere er Copenhagen Solutions Lab og Københavns Ejendomme og Indkøb (KEID).",
            ["Copenhagen Solutions Lab", "Københavns Ejendomme og Indkøb (KEID)"],
        ),
        ("Syddjurs Kommune deltager.", ["Syddjurs Kommune"]),
        ("I piloten deltog også Favrskov Kommune og Syddjurs Kommune.", ["Favrskov Kommune", "Syddjurs Kommune"]),
        ("Projektet begyndte i 2020, og Københavns Kommune er deltager.", ["Københavns Kommune"]),
        ("Interessentkommuner er partnere i projektet.", []),
        ("Kommunen deltog også i et heldagsseminar på Båring Højskole.", []),
        ("Kommunen holdt et hackathon sammen med KOMBIT, men det ligger uden for projektet.", []),
    ],
)  # fmt: skip
def test_partners_are_named_in_full(text: str, names: list[str]) -> None:
    assert values(text, FactKind.PARTNER) == names


def test_a_supplier_is_told_apart_from_a_partner() -> None:
    text = "Vådindeks løb i 2022-2023 med Vejen Kommune som partner og Aktio som leverandør."
    assert (values(text, FactKind.PARTNER), values(text, FactKind.SUPPLIER)) == (["Vejen Kommune"], ["Aktio"])


def test_data_are_read_where_the_report_tells_what_it_uses() -> None:
    assert values("Vådindeks bygger på vejrdata og sensordata.", FactKind.DATA) == ["geo- og klimadata", "sensordata"]
    assert values("Vejret var dårligt.", FactKind.DATA) == []
    assert values("Systemet samler det billede, som ingen så.", FactKind.DATA, role=Role.DATA) == []


def test_why_it_stopped_is_kept_only_where_it_stopped() -> None:
    reason = "Vådindeks fik ikke lovhjemmel."
    assert values(reason, FactKind.REASON) == []
    assert values(f"{reason} Projektet blev stoppet i 2019.", FactKind.REASON) == ["stoppet"]


def test_an_event_is_dated_by_its_sentence() -> None:
    assert values("Kommunen bad i juni 2023 Datatilsynet om en vurdering.", FactKind.EVENT) == ["2023-06"]
    assert values("Projektperioden for Vådindeks er 2021-2023.", FactKind.EVENT) == []


def test_a_report_of_no_project_must_name_or_point_at_what_it_is_about() -> None:
    assert values("Hele vejen blev marchen stoppet af politiet, som det ser ud.", FactKind.STATUS, REPORT) == []
    case = Metadata("g", "Gladsaxe-modellen")
    assert values("Kommunen satte udviklingen af Gladsaxe-modellen på pause.", FactKind.STATUS, case) == ["på hold"]
