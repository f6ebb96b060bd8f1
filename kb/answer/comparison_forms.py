"""The forms of questions that facts answer: each takes its words out of a question and leaves the rest (pure).

    form = read_form("hvilke fik mere end 4 mio kr")     # a comparison of money, over 4,000,000
    form.rests                                           # texts that must each name projects of the base

A form reads a question as :func:`kb.answer.plain_wording.plain` has it. What it leaves over is for
:mod:`kb.answer.comparison_intent`, which finds the projects that are named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from kb.facts import FactKind, Status
from kb.facts.names import OrganisationKind


class Topic(StrEnum):
    """What is compared."""

    STATUS = "status"
    MONEY = "money"
    PERIOD = "period"
    PARTNERS = "partners"
    PARTNER_IN = "partner in"
    NEWS = "news"
    COMMON = "common"
    DIFFERENCE = "difference"


class Order(StrEnum):
    """How a list of values is sorted or cut."""

    MOST = "most"
    LEAST = "least"
    UNDER = "under"
    OVER = "over"
    AT_MOST = "at most"
    AT_LEAST = "at least"
    IN = "in"
    BEFORE = "before"
    AFTER = "after"
    SINCE = "since"
    EXACTLY = "exactly"
    FROM_TO = "from to"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A question that facts answer.

    ``statuses`` are those asked for, all where none is, but for those ``unwanted``; ``kinds`` the facts that are
    compared; ``limit`` is in kroner or a year. ``sides`` are the document ids of each project that the question
    names, none where it asks of all. ``yes_no`` says that yes or no answers, or the status alone where none is asked
    for, ``why`` that reasons are asked for as well, ``only`` which kind of partners, ``partner`` which one, in lower
    case, and ``authority_type`` the projects' type in metadata.
    """

    topic: Topic
    statuses: frozenset[Status] = frozenset()
    unwanted: frozenset[Status] = frozenset()
    kinds: tuple[FactKind, ...] = ()
    order: Order = Order.MOST
    limit: int = 0
    sides: tuple[frozenset[str], ...] = ()
    yes_no: bool = False
    why: bool = False
    only: OrganisationKind | None = None
    partner: str = ""
    authority_type: str = ""


@dataclass
class _Left:
    """What is left of a question while it is read."""

    text: str

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Take what a pattern finds out of the text."""
        match = pattern.search(self.text)
        if match:
            self.text = f"{self.text[: match.start()]} {self.text[match.end() :]}"
        return match

    def take_all(self, pattern: re.Pattern[str]) -> bool:
        """Take all that a pattern finds out of the text; whether there was any."""
        any_found = False
        while self.take(pattern):
            any_found = True
        return any_found


@dataclass(frozen=True, slots=True)
class Form:
    """A comparison, the texts that must each name projects, and how many projects each must and may name.

    ``projects_only`` says that a report of no project is none.
    """

    comparison: Comparison
    rests: tuple[str, ...] = field(default=("",))
    least: int = 0
    most: int = 1000
    projects_only: bool = True


_LIST = re.compile(r"^(?:og )?(?:hvilke[nt]?|hvor mange)\b(?: af)?")
_TYPE = re.compile(r"\b(?P<type>kommunal|regional|statslig)[et]?\b(?= \w*projekt| løsning)")
_OF_TYPE = re.compile(
    r"\b(?:(?P<kommunal>kommunal\w*|kommuneprojekt\w*|(?:en|hvilken|af) kommune\w*|kommuner(?:ne)?)"
    r"|(?P<regional>regional\w*|regionsprojekt\w*|(?:en|hvilken|af) regioner?\w*|regioner(?:ne)?)"
    r"|(?P<statslig>statslig\w*))\b"
)
PROJECTS = re.compile(r"\b(?:signatur|ai)?-?projekt(?:er|erne|et)?\b|\bløsning(?:er|erne)?\b|\binitiativ(?:er|erne)\b")
WHY = re.compile(r"\b(?:og )?hvorfor\b")
_DENIED = re.compile(r"\b(?:hverken|ikke)\b")
# What the rest of a question may not have: it asks for more, or denies something that was not read.
MORE = re.compile(r"\b(?:hv\w+|ikke|ingen|intet|aldrig|uden|hverken|heller|undtagen|kun|bortset)\b")

# The statuses that a value of :mod:`kb.answer.wording` stands for.
ASKED_STATUSES: Mapping[str, frozenset[Status]] = {
    "status=drift": frozenset((Status.OPERATION,)),
    "status=vej": frozenset((Status.ON_ITS_WAY,)),
    "status=test": frozenset((Status.TEST, Status.READY_FOR_TEST)),
    "status=stoppet": frozenset((Status.STOPPED, Status.ON_HOLD)),
    "status=afsluttet": frozenset((Status.FINISHED,)),
    "status=gang": frozenset((Status.ONGOING,)),
}
_STATUSES: tuple[tuple[frozenset[Status], re.Pattern[str]], ...] = (
    (ASKED_STATUSES["status=vej"], re.compile(r"\b(?:på vej(?: (?:i|mod|til) drift)?|ved at blive sat i drift)\b")),
    (
        ASKED_STATUSES["status=drift"],
        re.compile(
            r"\b(?:(?:sat|kommet|gået|kom|taget) )?(?:i (?:fuld )?drift|i brug)\b|\bidriftsat\b|\bkører stadig\b"
        ),
    ),
    (
        ASKED_STATUSES["status=test"],
        re.compile(r"\b(?:i test(?:drift)?|i pilotdrift|under afprøvning|klar til test|testes|afprøves)\b"),
    ),
    (
        ASKED_STATUSES["status=stoppet"],
        re.compile(
            r"\b(?:stoppet|stoppede|standset|lukket(?: ned)?|opgivet|droppet|nedlagt|indstillet"
            r"|(?:sat )?(?:på pause|på hold|i bero))\b"
        ),
    ),
    (ASKED_STATUSES["status=afsluttet"], re.compile(r"\b(?:afsluttet|færdige?)\b")),
    (ASKED_STATUSES["status=gang"], re.compile(r"\b(?:(?<!sat )i gang(?! med)|igangværende|under udvikling)\b")),
)
# What is counted is not projects: how many of these there are no fact says.
COUNTS_OTHERS = re.compile(r"\bhvor mange (?:kommuner|regioner|myndigheder|hospitaler|borgere|medarbejdere)\b")
_IS = re.compile(r"^(?:er|blev|kom|var)\b")
_HOW_FAR = re.compile(
    r"^(?:(?:hvad|hvordan) er (?:den nuværende )?status(?:sen)?\b(?: (?:for|på|med|i|af)\b)?"
    r"|hvor langt (?:er|var|kom|nåede)\b)(?: man\b)?"
)
_COME = re.compile(r"\b(?:nået|kommet)\b")
_HAS_BEEN = re.compile(r"\b(?:blevet|været|endnu|stadig|nu|allerede|sat|kommet|gået|eller|altså)\b")

_MUCH = re.compile(r"^(?:hvor meget|hvor mange (?=penge|kr|millioner)|hvor stort? (?:støtte|tilskud|bevilling)|hvad)\b")
_HAS = re.compile(r"^(?:har|kom)\b")
_RECEIVED = re.compile(r"\b(?:fik|får|fået|modtog|modtaget)\b")
_COST = re.compile(r"\b(?:koster?|kostede|kostet)\b|\bprisen\b")
COSTLY = re.compile(r"\b(?:kost|pris|dyr|billig|regning|budget|udgift)\w*")
_MONEY_WORDS = re.compile(r"\b(?:støtte|tilskud|bevilling(?:er)?|penge|kr|kroner|millioner|beløb|i (?=støtte|tilskud))")
_MOST = re.compile(r"\b(?:det |de )?(?:mest|flest|størst|største|højeste)\b")
_LEAST = re.compile(r"\b(?:det |de )?(?:mindst|mindste|færrest|laveste)\b(?! \d)")
_SUM = (
    r"(?<![\d.,])(?P<number>\d{1,12}(?:[.,]\d{1,6}){0,4}) ?"
    r"(?P<unit>mio|millioner?|mia|t\.?kr|kroner|kr|tusinde?)\b\.?(?: kr\b\.?| kroner)?"
)
LIMIT = re.compile(rf"\b(?P<order>under|(?:mindre|lavere) end|højst|over|(?:mere|højere) end|mindst) {_SUM}")
_LIMIT_ORDERS = {
    "under": Order.UNDER, "mindre end": Order.UNDER, "lavere end": Order.UNDER, "højst": Order.AT_MOST,
    "over": Order.OVER, "mere end": Order.OVER, "højere end": Order.OVER, "mindst": Order.AT_LEAST,
}  # fmt: skip
_EXACT = re.compile(rf"\b{_SUM}")
_UNITS = {
    "mio": 10**6,
    "million": 10**6,
    "millioner": 10**6,
    "mia": 10**9,
    "tkr": 1000,
    "tusind": 1000,
    "tusinde": 1000,
}

# What a question narrows the projects by, and no fact tells.
NARROWED = re.compile(
    r"\b(?:første|anden|andet|tredje|fjerde|sidste|seneste|\d\.?) (?:\w*runde|pulje|omgang|bølge|ansøgning)\w*"
    r"|\b(?:inden ?for|blandt|start(?:ede|et)? i|opstart i|egne)\b|\b\w+området\b|\bregion \w+"
    r"|\b(?:sygehus|hospital|skole|social|sundhed|klima|beskæftigelse|ældre|vand)\w*\b"
)

_ENDED = re.compile(
    r"\b(?:sluttede|slutter|afsluttet|afsluttede|afsluttes|ophørte|løb ud|(?:gjort )?færdig[et]?|i mål(?: med)?)\b"
)
_TO_COME = re.compile(r"\b(?:bliver|bør)\b")
_STOPPED = re.compile(r"\b(?:stoppede|slut|forbi|bragt til ende)\b")
_RAN_OUT = re.compile(r"^hvornår løb (?P<between>.+?) ud$")
_STARTED = re.compile(r"\b(?:begyndte|startede|startet|gik i gang|sat i gang|igangsat|påbegyndt)\b")
_WHEN = re.compile(r"^(?:hvornår|(?:i )?hvilke[nt] (?:år|måned|dato)|hvad år)(?: (?:blev|var|er))?\b")
# "Hvornår gik PLAI i gang?" has the project between the two parts of the verb.
_WENT = re.compile(
    r"^(?:hvornår|hvilket år|hvad år) (?:(?:gik|kom) (?P<between>.+?) i ?gang|tog (?P<taker>.+?) (?:hul|fat) på)\b"
    r"(?: med)?(?P<after>.*)$"
)
_START_OF = re.compile(
    r"^(?:start(?:dato(?:en)?|år(?:et)?|tidspunkt(?:et)?)|opstart)\b(?: (?:for|på|af))?|\bstart(?:dato|år)$"
)
_END_OF = re.compile(r"^slut(?:dato(?:en)?|år(?:et)?|tidspunkt(?:et)?)\b(?: (?:for|på|af))?|\bslut(?:dato|år)$")
_HOW_LONG = re.compile(
    r"^(?:(?:(?:i )?hvilken periode|fra hvornår til hvornår) (?:kørte|kører|løb|løber|foregik|dækkede|varede|var)"
    r"|hvor længe (?:varede|varer|løb|løber|kørte|kører)|hvad (?:er|var) (?:projekt)?perioden (?:for|i))\b"
    r"(?: (?:projekt)?perioden (?:for|i))?"
)
YEAR = re.compile(r"\b(?P<order>i|efter|før|inden|siden|fra) (?P<year>(?:19|20)\d\d)\b")
YEAR_ORDERS = {
    "i": Order.IN, "efter": Order.AFTER, "før": Order.BEFORE, "inden": Order.BEFORE,
    "siden": Order.SINCE, "fra": Order.SINCE,
}  # fmt: skip

_WHO = re.compile(
    r"^(?:hvem|hvilke[nt]? (?P<kind>kommuner?|partnere?|virksomhed(?:er)?|universitet(?:er)?|hospital(?:er)?"
    r"|organisation(?:er)?|leverandør(?:er)?|firma(?:er)?))\b"
)
_PARTNER_KINDS: tuple[tuple[OrganisationKind, re.Pattern[str]], ...] = (
    (OrganisationKind.MUNICIPALITY, re.compile(r"\bkommuner(?:ne)?\b|\b(?:hvilken|en) kommune\b")),
    (OrganisationKind.COMPANY, re.compile(r"\b(?:virksomhed|firma)(?:er|erne)?\b")),
    (OrganisationKind.UNIVERSITY, re.compile(r"\buniversitet(?:er|erne)?\b")),
    (OrganisationKind.HOSPITAL, re.compile(r"\b(?:hospital|sygehus)(?:er|erne)?\b")),
)
_ANY_OF_KIND = re.compile(
    r"(?:et |en |private |andre |flere )*(?:universitet|virksomhed|firma|hospital|sygehus|kommune)(?:er)?"
)
_TOOK_PART = re.compile(
    r"\b(?:deltog|deltager|deltaget|medvirke(?:de|r)|(?:var|er|har været) med (?:i|på|til)|samarbejde(?:de|r|t)"
    r"|partnere? (?:i|på|til)"
    r"|arbejde(?:de|r|t)\b.*\bsammen med|leverandør(?:en)? (?:i|på|til))\b"
)
_SUPPLIER = re.compile(r"\bleverandør")
_PARTNER = r"(?:(?:samarbejds)?partner|leverandør|deltager|med|deltaget|involveret)"
_NAME = r"(?P<name>(?!der\b|det\b)\S+(?: \S+){0,5}?)"
_WHERE = re.compile(
    rf"^(?:hvor|hvad) (?:er|var|har) (?:(?:firmaet|virksomheden|leverandøren) )?{_NAME} (?:været )?"
    rf"(?:{_PARTNER}|leveret)(?: (?:i|på|til))?$"
)
_PARTNER_IN: tuple[re.Pattern[str], ...] = (
    re.compile(rf"^(?:har|er|var|blev) {_NAME} (?:været |blevet )?{_PARTNER} (?:i|på|til|for)$"),
    re.compile(rf"^(?:deltog|deltager|medvirke(?:r|de)|indgår|indgik) {_NAME} (?:i|på)$"),
    re.compile(rf"^(?:(?:har )?samarbejde(?:r|de|t)|(?:har )?arbejde(?:r|de|t) sammen) med {_NAME}$"),
    re.compile(rf"^(?:har|havde|bruger|brugte) {_NAME} som (?:(?:samarbejds)?partner|leverandør)$"),
)
_IS_PARTNER: tuple[re.Pattern[str], ...] = (
    re.compile(rf"^(?:har|er|var|blev) {_NAME} (?:været |blevet )?{_PARTNER} (?:i|på|til|for) (?P<project>.+)$"),
    re.compile(rf"^(?:deltog|deltager|medvirke(?:r|de)|indgår|indgik) {_NAME} (?:i|på) (?P<project>.+)$"),
    re.compile(rf"^samarbejde(?:r|de) (?P<project>.+?) med {_NAME}(?: (?:om|i|på) (?P<more>.+))?$"),
    re.compile(rf"^har (?P<project>.+?) (?:samarbejdet|arbejdet sammen) med {_NAME}(?: (?:om|i|på) (?P<more>.+))?$"),
)

_NEWS = re.compile(r"^(?:hvad er (?:der )?(?:nyt|sket|kommet til|det nyeste|kommet)|hvad nyt er der)\b")
_TWO: tuple[tuple[Topic, re.Pattern[str]], ...] = (
    (Topic.COMMON, re.compile(r"^hvad har (?P<first>(?:(?! og ).)+) og (?P<second>.+?) (?:til fælles|tilfælles)$")),
    (Topic.COMMON, re.compile(r"^hvad er (?:ens|fælles) (?:ved|for) (?P<first>.+?) og (?P<second>.+)$")),
    (Topic.DIFFERENCE, re.compile(r"^hvad er forskellen (?:på|mellem|imellem) (?P<first>.+?) og (?P<second>.+)$")),
    (Topic.DIFFERENCE, re.compile(r"^hvordan adskiller (?P<first>.+?) sig fra (?P<second>.+)$")),
)


def limited(limit: re.Match[str]) -> tuple[Order, int]:
    """On which side of a sum in kroner is asked for."""
    return _LIMIT_ORDERS[limit["order"]], _kroner(limit)


def sum_asked(text: str) -> tuple[Order, int] | None:
    """The sum that a question names, 0 for any money at all; None where it names neither."""
    limit, exact = LIMIT.search(text), _EXACT.search(text)
    if limit:
        return limited(limit)
    if exact:
        return Order.EXACTLY, _kroner(exact)
    return (Order.EXACTLY, 0) if _MONEY_WORDS.search(text) else None


def _kroner(match: re.Match[str]) -> int:
    """The whole kroner of a sum that :data:`_SUM` found."""
    number = float(match["number"].replace(".", "").replace(",", "."))
    return round(number * _UNITS.get(match["unit"].replace(".", ""), 1))


def _two(left: _Left) -> Form | None:
    for topic, pattern in _TWO:
        match = pattern.search(left.text)
        if match:
            return Form(Comparison(topic), (match["first"], match["second"]), least=1, most=1)
    return None


def _news(left: _Left) -> Form | None:
    year = YEAR.search(left.text)
    if not year or not left.take(_NEWS):
        return None
    left.take(YEAR)
    order = Order.AFTER if year["order"] == "efter" else Order.SINCE
    return Form(Comparison(Topic.NEWS, kinds=(FactKind.EVENT,), order=order, limit=int(year["year"])), (left.text,))


def _partners(left: _Left) -> Form | None:
    who = left.take(_WHO)
    if not who:
        return None
    kinds = partner_facts(who.group() + left.text)
    part = left.take(_TOOK_PART)
    if not part:
        return None
    if part.group().startswith("arbejde"):  # what stands between the verb's two parts is still to be read
        left.text += " " + " ".join(part.group().split()[1:-2])
    comparison = Comparison(Topic.PARTNERS, kinds=kinds, only=only(who.group()))
    return Form(comparison, (left.text,), least=1, most=1, projects_only=False)


def _partner_in(left: _Left) -> Form | None:
    """The projects that an organisation takes part in ("Hvilke projekter har DTU været partner i?")."""
    rest = left.text
    match = _WHERE.match(rest)
    if not match and left.take(_LIST) and left.take(PROJECTS):
        rest = " ".join(left.text.split())
        match = next((found for pattern in _PARTNER_IN if (found := pattern.match(rest))), None)
    if not match or MORE.search(match["name"]):
        return None
    return Form(_of_partner(match["name"], partner_facts(rest)))


def _of_partner(name: str, kinds: tuple[FactKind, ...]) -> Comparison:
    """The comparison that asks for an organisation, or for any of its kind ("et universitet")."""
    if _ANY_OF_KIND.fullmatch(name):
        return Comparison(Topic.PARTNER_IN, kinds=kinds, only=only(name))
    return Comparison(Topic.PARTNER_IN, kinds=kinds, partner=name)


def _is_partner(left: _Left) -> Form | None:
    """Whether an organisation takes part in a project ("Er DTU partner i Vådindeks?")."""
    match = next((found for pattern in _IS_PARTNER if (found := pattern.match(left.text))), None)
    if not match or MORE.search(match["name"]):
        return None
    comparison = replace(_of_partner(match["name"], partner_facts(left.text)), yes_no=True)
    project = f"{match['project']} {match.groupdict().get('more') or ''}"
    return Form(comparison, (project,), least=1, most=1)


def money_facts(*, costly: bool) -> tuple[FactKind, ...]:
    """The facts of money that a question asks for: a price, or else the support; of what was received the support."""
    return (FactKind.COST, FactKind.SUPPORT) if costly else (FactKind.SUPPORT,)


def partner_facts(text: str) -> tuple[FactKind, ...]:
    """The facts of partners that a text asks for: the suppliers' alone where it names these."""
    return (FactKind.SUPPLIER,) if _SUPPLIER.search(text) else (FactKind.PARTNER, FactKind.SUPPLIER)


def only(text: str) -> OrganisationKind | None:
    """The kind of partners that a text asks for; None where it asks for all."""
    return next((kind for kind, pattern in _PARTNER_KINDS if pattern.search(text)), None)


def _money(left: _Left) -> Form | None:
    much = left.take(_MUCH)
    is_list, type_ = None if much else left.take(_LIST), left.take(_TYPE)
    if not is_list and not much:
        return None
    received, cost = left.take(_RECEIVED), left.take(_COST)
    if bool(received) == bool(cost):
        return None
    limit = left.take(LIMIT)
    least, most = left.take(_LEAST), left.take(_MOST)
    money = left.take_all(_MONEY_WORDS)
    kinds = money_facts(costly=bool(cost))
    if is_list and not (limit or least or most):
        return None
    if much and not (cost or money):
        return None
    order, kroner = limited(limit) if limit else (Order.LEAST if least else Order.MOST, 0)
    comparison = Comparison(
        Topic.MONEY, kinds=kinds, order=order, limit=kroner, authority_type=type_["type"] if type_ else ""
    )
    return Form(comparison, (left.text,))


def _money_yes_no(left: _Left) -> Form | None:
    """Whether a project got or cost a sum ("Fik AIR mere end 4 mio. kr.?"), or got any ("Fik AIR støtte?")."""
    left.take(_HAS)
    received, cost = left.take(_RECEIVED), left.take(_COST)
    limit = left.take(LIMIT)
    exact = None if limit else left.take(_EXACT)
    money = left.take_all(_MONEY_WORDS)
    if (received and cost) or not (limit or exact or (received and money)):
        return None
    order, kroner = limited(limit) if limit else (Order.EXACTLY, _kroner(exact) if exact else 0)
    kinds = money_facts(costly=bool(cost))
    comparison = Comparison(Topic.MONEY, kinds=kinds, order=order, limit=kroner, yes_no=True)
    return Form(comparison, (left.text,), least=1, most=1)


def _when(left: _Left) -> Form | None:
    """When one project began or ended, or from when to when it ran."""
    order, kind = Order.EXACTLY, FactKind.START
    went = _WENT.match(left.text)
    if went:
        left.text = f"{went['between'] or went['taker']} {went['after']}"
    elif ran_out := _RAN_OUT.match(left.text):
        left.text, kind = ran_out["between"], FactKind.END
    elif left.take(_HOW_LONG):
        order = Order.FROM_TO
    elif not _TO_COME.search(left.text) and left.take(_WHEN):
        if left.take(_ENDED) or left.take(_STOPPED):
            kind = FactKind.END
        elif not left.take(_STARTED):
            return None
    elif left.take(_END_OF):
        kind = FactKind.END
    elif not left.take(_START_OF):
        return None
    kinds = (FactKind.END, FactKind.START) if kind is FactKind.END else (FactKind.START, FactKind.END)
    return Form(Comparison(Topic.PERIOD, kinds=kinds, order=order), (left.text,), least=1, most=1)


def type_of(text: str) -> str:
    """The projects' type in metadata that a question names ("Hvilken kommune fik mest?"); empty where it names none."""
    match = _OF_TYPE.search(text)
    return match.lastgroup or "" if match else ""


def _period(left: _Left) -> Form | None:
    if not left.take(_LIST):
        return None
    type_, year, ended = left.take(_TYPE), left.take(YEAR), left.take(_ENDED)
    started = None if ended else left.take(_STARTED)
    # The year that a project began in is metadata, which editors confirm.
    if not year or not (ended or (started and year["order"] != "i")):
        return None
    comparison = Comparison(
        Topic.PERIOD,
        kinds=(FactKind.END if ended else FactKind.START,),
        order=YEAR_ORDERS[year["order"]],
        limit=int(year["year"]),
        authority_type=type_["type"] if type_ else "",
    )
    return Form(comparison, (left.text,))


def _status(left: _Left) -> Form | None:
    if not left.take(_LIST):
        return None
    type_, why = left.take(_TYPE), left.take(WHY)
    before, _, after = left.text.partition(_denial(left.text))
    asked, denied = _Left(before), _Left(after)
    statuses, unwanted = _taken(asked), _taken(denied)
    if not (statuses or unwanted):
        return None
    left.text = f"{asked.text} {denied.text}"
    comparison = Comparison(
        Topic.STATUS,
        statuses=statuses,
        unwanted=unwanted,
        why=bool(why),
        authority_type=type_["type"] if type_ else "",
    )
    return Form(comparison, (left.text,))


def _denial(text: str) -> str:
    """The word that denies what comes after it; the end of the text where there is none."""
    match = _DENIED.search(text)
    return match.group() if match else "\0"


def _yes_no(left: _Left) -> Form | None:
    if not left.take(_IS):
        return None
    statuses = _taken(left)
    if not statuses:
        return None
    comparison = Comparison(Topic.STATUS, statuses, yes_no=True)
    return Form(comparison, (left.text,), least=1, most=1, projects_only=False)


def _status_of_one(left: _Left) -> Form | None:
    if not left.take(_HOW_FAR):
        return None
    left.take(_COME)
    return Form(Comparison(Topic.STATUS, yes_no=True), (left.text,), least=1, most=1, projects_only=False)


def _taken(left: _Left) -> frozenset[Status]:
    """The statuses that a question names, taken out of it."""
    found: frozenset[Status] = frozenset()
    for statuses, pattern in _STATUSES:
        if left.take(pattern):
            found |= statuses
    if found:
        left.take_all(_HAS_BEEN)
    return found


# In order: the first that reads a question decides.
_READERS: tuple[Callable[[_Left], Form | None], ...] = (
    _two,
    _news,
    _partners,
    _partner_in,
    _when,
    _period,
    _money,
    _status,
    _yes_no,
    _money_yes_no,
    _is_partner,
    _status_of_one,
)


def read_form(text: str) -> Form | None:
    """The first form that takes a question; None where none does."""
    return next((form for read in _READERS if (form := read(_Left(text)))), None)
