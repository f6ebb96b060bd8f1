"""Questions that ask to have projects compared, and those near to them that do not."""

from __future__ import annotations

import pytest

from kb.answer.comparison_forms import Comparison, Order, Topic
from kb.answer.comparison_intent import comparison_of
from kb.core.models import Metadata
from kb.facts import FactKind, Status

KNOWN = {
    one.id: one
    for one in (
        Metadata("aalborg-air", "AIR i Aalborg Kommune", "AIR – målrettede tilbud", "Aalborg Kommune", "kommunal"),
        Metadata("vaad", "Vådindeks – varsling", "Vådindeks – varsling", "Jammerbugt Kommune", "kommunal"),
        Metadata(
            "norddjurs-mailsortering", "Fordeling af mails", "Fordeling af mails", "Norddjurs Kommune", "kommunal"
        ),
        Metadata("smartmail", "Smartmail", "Smartmail – skalering", "Norddjurs Kommune", "kommunal"),
        Metadata("aktindsigt", "AI Aktindsigt", "AI Aktindsigt", "Sønderborg Kommune", "kommunal"),
        Metadata("koege", "Tidlig opsporing", "Tidlig opsporing med AI", "Køge Kommune", "kommunal"),
        Metadata("tarm", "AI ved tarmkræft i Køge", myndighed="Sjællands Universitetshospital, Køge"),
        Metadata("odense", "Indsatser", "Indsatser", "Odense Kommune", "kommunal"),
        Metadata("ouh", "Prostata", "Prostata", "Region Syddanmark (Odense Universitetshospital)", "regional"),
        Metadata("asta", "Udtalelse om Asta", myndighed="Datatilsynet"),
        Metadata("mdr", "MDR og CE-mærkning", myndighed="Danske Regioner"),
        Metadata("landkort", "Kommunernes AI-landkort", myndighed="KL"),
    )
}

_PARTNERS = (FactKind.PARTNER, FactKind.SUPPLIER)


def read(question: str) -> Comparison | None:
    return comparison_of(question, KNOWN)


def sides(question: str) -> list[set[str]]:
    found = read(question)
    return [set(side) for side in found.sides] if found else []


@pytest.mark.parametrize(
    ("question", "statuses", "unwanted"),
    [
        ("Hvilke projekter er kommet i drift?", {Status.OPERATION}, set()),
        ("Hvilke er i drift?", {Status.OPERATION}, set()),
        ("Hvor mange af projekterne er afsluttet?", {Status.FINISHED}, set()),
        ("Hvilke projekter blev stoppet?", {Status.STOPPED, Status.ON_HOLD}, set()),
        ("Hvilke er i drift eller på vej i drift?", {Status.OPERATION, Status.ON_ITS_WAY}, set()),
        ("Hvilke er hverken i test eller på vej?", set(), {Status.TEST, Status.READY_FOR_TEST, Status.ON_ITS_WAY}),
        ("Hvilke projekter er ikke kommet i drift?", set(), {Status.OPERATION}),
        ("Hvilke var i fuld drift, altså ikke på vej?", {Status.OPERATION}, {Status.ON_ITS_WAY}),
    ],
)
def test_a_question_for_statuses(question: str, statuses: set[Status], unwanted: set[Status]) -> None:
    found = read(question)
    assert found
    assert (found.topic, set(found.statuses), set(found.unwanted)) == (Topic.STATUS, statuses, unwanted)


def test_reasons_are_asked_for_as_well() -> None:
    found = read("Hvilke projekter blev stoppet, og hvorfor?")
    assert found
    assert found.why


@pytest.mark.parametrize(
    ("question", "kinds", "order", "limit"),
    [
        ("Hvad kostede projekterne?", (FactKind.COST, FactKind.SUPPORT), Order.MOST, 0),
        ("Hvilke projekter fik mest støtte?", (FactKind.SUPPORT,), Order.MOST, 0),
        ("Hvilke fik mindst?", (FactKind.SUPPORT,), Order.LEAST, 0),
        ("Hvilke fik under 3 mio.?", (FactKind.SUPPORT,), Order.UNDER, 3_000_000),
        ("Hvilke projekter fik over 4,5 mio. kr. i støtte?", (FactKind.SUPPORT,), Order.OVER, 4_500_000),
    ],
)
def test_a_question_for_money(question: str, kinds: tuple[FactKind, ...], order: Order, limit: int) -> None:
    found = read(question)
    assert found
    assert (found.topic, found.kinds, found.order, found.limit) == (Topic.MONEY, kinds, order, limit)


@pytest.mark.parametrize(
    ("question", "topic", "named"),
    [
        ("Hvor meget støtte fik Aalborg til AIR?", Topic.MONEY, [{"aalborg-air"}]),
        ("Hvor mange penge fik Sønderborg til AI Aktindsigt?", Topic.MONEY, [{"aktindsigt"}]),
        ("Fik AIR 4,1 mio. kr.?", Topic.MONEY, [{"aalborg-air"}]),
        ("Har Vådindeks fået støtte?", Topic.MONEY, [{"vaad"}]),
        ("Hvornår sluttede Vådindeks?", Topic.PERIOD, [{"vaad"}]),
        ("Hvornår blev AIR sat i gang?", Topic.PERIOD, [{"aalborg-air"}]),
        ("Hvornår gik Smartmail i gang?", Topic.PERIOD, [{"smartmail"}]),
        ("Hvornår gik Norddjurs i gang med projektet om mails?", Topic.PERIOD, [{"norddjurs-mailsortering"}]),
        ("Hvornår stoppede Smartmail?", Topic.PERIOD, [{"smartmail"}]),
        ("Hvilket år begyndte AIR?", Topic.PERIOD, [{"aalborg-air"}]),
        ("Køge-projektet, hvornår blev det afsluttet? Kan ikke finde det", Topic.PERIOD, [{"koege"}]),
        ("har norddjurs fået 3 mio til det med mailsorteringen?", Topic.MONEY, [{"norddjurs-mailsortering"}]),
        ("Slutdato for AI Aktindsigt?", Topic.PERIOD, [{"aktindsigt"}]),
        ("I hvilken periode kørte Vådindeks i Jammerbugt?", Topic.PERIOD, [{"vaad"}]),
        (
            "Er det korrekt, at prostataprojektet på Odense Universitetshospital har modtaget 5 mio. kr.?",
            Topic.MONEY,
            [{"ouh"}],
        ),
        ("Til et notat: Er det rigtigt, at AIR er sat i drift?", Topic.STATUS, [{"aalborg-air"}]),
        ("AIR Aalborg over 5 mio kr?", Topic.MONEY, [{"aalborg-air"}]),
        ("Vådindeks i Jammerbugt – 5 mio. kr., passer det?", Topic.MONEY, [{"vaad"}]),
        ("slutdato AIR aalborg signaturprojekt", Topic.PERIOD, [{"aalborg-air"}]),
        ("Hvornår løb Smartmail ud?", Topic.PERIOD, [{"smartmail"}]),
        ("Samarbejdede Aalborg med Viborg Kommune om AIR?", Topic.PARTNER_IN, [{"aalborg-air"}]),
        ("Er DTU partner i Vådindeks?", Topic.PARTNER_IN, [{"vaad"}]),
        ("Har Aalborg samarbejdet med DigiRehab?", Topic.PARTNER_IN, [{"aalborg-air"}]),
        ("Er Vådindeks sat i drift?", Topic.STATUS, [{"vaad"}]),
        ("Er mailsorteringen i Norddjurs stadig i drift?", Topic.STATUS, [{"norddjurs-mailsortering"}]),
        ("Er Asta stoppet?", Topic.STATUS, [{"asta"}]),
        ("Hvem samarbejdede Køge med?", Topic.PARTNERS, [{"koege"}]),
        ("Hvem arbejdede Jammerbugt sammen med?", Topic.PARTNERS, [{"vaad"}]),
        ("Hvilke kommuner deltog i AIR?", Topic.PARTNERS, [{"aalborg-air"}]),
        ("Hvem var leverandør til AI Aktindsigt?", Topic.PARTNERS, [{"aktindsigt"}]),
        (
            "Hvad er forskellen på Norddjurs' mailsortering og Smartmail?",
            Topic.DIFFERENCE,
            [{"norddjurs-mailsortering"}, {"smartmail"}],
        ),
        ("Hvad har AIR og Smartmail til fælles?", Topic.COMMON, [{"aalborg-air"}, {"smartmail"}]),
    ],
)
def test_projects_are_named_by_their_names(question: str, topic: Topic, named: list[set[str]]) -> None:
    found = read(question)
    assert found
    assert (found.topic, sides(question)) == (topic, named)


@pytest.mark.parametrize(
    ("question", "order", "limit"),
    [
        ("Fik AIR 4,1 mio. kr.?", Order.EXACTLY, 4_100_000),
        ("Fik AIR mere end 4 mio. kr.?", Order.OVER, 4_000_000),
        ("Kostede AIR under 500.000 kr.?", Order.UNDER, 500_000),
        ("Ved I, om AIR fik mere end fem millioner kroner?", Order.OVER, 5_000_000),
    ],
)
def test_yes_or_no_is_asked_of_a_sum(question: str, order: Order, limit: int) -> None:
    found = read(question)
    assert found
    assert (found.yes_no, found.order, found.limit) == (True, order, limit)


@pytest.mark.parametrize(
    ("question", "partner", "kinds"),
    [
        ("Hvilke projekter har Aarhus Universitet været partner i?", "aarhus universitet", _PARTNERS),
        ("Hvilke projekter deltog DTU i?", "dtu", _PARTNERS),
        ("firmaet 2021.AI, hvor har de været med", "2021.ai", _PARTNERS),
        ("Hvilke projekter samarbejdede med Enversion A/S?", "enversion a/s", _PARTNERS),
        ("Hvilke projekter er Netcompany leverandør til?", "netcompany", (FactKind.SUPPLIER,)),
        ("Hvor mange projekter har Kommunernes Landsforening som partner?", "kommunernes landsforening", _PARTNERS),
    ],
)
def test_an_organisation_is_asked_for_its_projects(question: str, partner: str, kinds: tuple[FactKind, ...]) -> None:
    found = read(question)
    assert found
    assert (found.topic, found.partner, found.kinds) == (Topic.PARTNER_IN, partner, kinds)


def test_an_authority_that_only_publishes_is_asked_for_its_projects_as_any_partner() -> None:
    found = read("Hvilket projekt har Sjællands Universitetshospital som partner?")
    assert found
    assert found.partner == "sjællands universitetshospital"


def test_what_an_authority_with_projects_of_its_own_takes_part_in_is_left_to_the_text() -> None:
    assert read("Hvilke projekter deltog Norddjurs Kommune i?") is None


def test_a_place_names_the_municipality_before_the_hospital_in_it() -> None:
    assert sides("Er Odense-projektet i drift?") == [{"odense"}]


def test_a_question_for_the_news_and_for_an_end() -> None:
    news, ended = read("Hvad er nyt siden 2023?"), read("Hvilke sluttede i 2022?")
    assert news
    assert ended
    assert (news.topic, news.order, news.limit) == (Topic.NEWS, Order.SINCE, 2023)
    assert (ended.topic, ended.order, ended.limit) == (Topic.PERIOD, Order.IN, 2022)


def test_the_kind_of_authority_narrows() -> None:
    for question in (
        "Hvilke kommunale projekter er i drift?",
        "Hvilket kommunalt projekt fik flest penge?",
        "Hvilken kommune fik flest penge?",
    ):
        found = read(question)
        assert found
        assert found.authority_type == "kommunal"


@pytest.mark.parametrize(
    "question",
    [
        "Hvad er forskellen på udvikling og drift juridisk?",
        "Hvad er forskellen på MDR og GDPR?",
        "Hvordan håndterede projekterne GDPR?",
        "Hvad koster det at stoppe et projekt?",
        "Hvad kostede en komplikation?",
        "Hvad kræver det at komme i drift?",
        "Hvilke projekter i drift bruger røntgenbilleder?",
        "Hvilke projekter har problemer med at komme i drift?",
        "Hvilke projekter er i drift, og hvordan kom de i drift?",
        "Hvilke projekter fik ingen støtte?",
        "Hvilke projekter begyndte i 2021?",
        "Hvilke data er i drift?",
        "Hvilke regler er på vej?",
        "Hvilke patienter fik mest gavn?",
        "Hvem fik mest gavn af træningen?",
        "Hvem skal jeg kontakte om AIR?",
        "Hvem samarbejder kommunerne med om GDPR?",
        "Hvor mange signaturprojekter var der?",
        "Hvor mange signaturprojekter er der i alt sat i gang?",
        "Hvor mange kommuner er i gang?",
        "Hvor mange medarbejdere blev fyret?",
        "Hvorfor blev Asta stoppet?",
        "Hvornår blev mailsorteringen sat i drift?",
        "Er data i AIR afsluttet?",
        "Er det lovligt at profilere ledige?",
        "Er AI sat i drift?",
        "Er Aabenraas projekt i drift?",
        "Sparede Norddjurs penge?",
        "Hvad fik projekterne ud af det?",
        "Hvad er nyt i lovforslaget?",
        "Må en løsning sættes i drift uden hjemmel?",
        "Hvilken kommune fik mindst én time?",
        "Hvilket projekt fik flest penge i første runde?",
        "Hvem fik flest penge i 2022?",
        "Hvilket af sygehusprojekterne fik mest?",
        "Hvem fik flest penge på sundhedsområdet?",
        "norddjurs kommune projekt mest støtte",
        "Hvornår begyndte visitatorerne i Aalborg at bruge AIR?",
        "Fik AIR ros?",
        "Hvornår bliver et AI-projekt sat i gang i Aalborg Kommune?",
        "Hvad var der galt med de gamle programmer, som man delte breve ud med?",
        "Har AIR fået mange brugere?",
        "Deltog borgerne i AIR uden samtykke?",
        "Hvilke projekter har data som partner ikke måtte få?",
        "Virker det?",
        "Og hvad med Aarhus?",
    ],
)
def test_what_facts_do_not_answer_is_left_to_the_text(question: str) -> None:
    assert read(question) is None
