"""What a question asks to have compared: status, money, period, partners, news, two projects (pure).

"Hvilke projekter er i drift?", "Hvilke fik mest støtte?" and "Er Vådindeks sat i drift?" are answered by the facts of
the reports (:mod:`kb.facts`) and not by any one sentence. A question is taken only where nothing of it is left over:
the words of the comparison are taken out of it one after the other, and what remains must name projects of the base.
Every other word leaves the question to the text ("Hvilke projekter i drift bruger røntgenbilleder?"). What no such form
takes is read by a model of its wording (:mod:`kb.answer.wording`: "Har nogen droppet et projekt?").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from kb.answer.intent import names_in, wanted
from kb.answer.wording import fact_asked
from kb.core.models import Metadata, QuestionKind
from kb.facts import FactKind, Status
from kb.facts.municipalities import municipalities
from kb.facts.names import OrganisationKind
from kb.facts.subject import is_general, names_of_project
from kb.language import danish


class Topic(StrEnum):
    """What is compared."""

    STATUS = "status"
    MONEY = "money"
    PERIOD = "period"
    PARTNERS = "partners"
    NEWS = "news"
    COMMON = "common"
    DIFFERENCE = "difference"


class Order(StrEnum):
    """How a list of values is sorted or cut."""

    MOST = "most"
    LEAST = "least"
    UNDER = "under"
    OVER = "over"
    IN = "in"
    BEFORE = "before"
    AFTER = "after"
    SINCE = "since"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A question that facts answer.

    ``statuses`` are those asked for, all where none is, but for those ``unwanted``; ``kinds`` the facts that are
    compared; ``limit`` is in kroner or a year. ``sides`` are the document ids of each project that the question
    names, none where it asks of all. ``yes_no`` says that yes or no answers, or the status alone where none is asked
    for, ``why`` that reasons are asked for as well, ``only`` which kind of partners, and ``authority_type`` the
    projects' type in metadata.
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


@dataclass(frozen=True, slots=True)
class _Read:
    """A comparison, the texts that must each name projects, and how many projects each must and may name.

    ``projects_only`` says that a report of no project is none.
    """

    comparison: Comparison
    rests: tuple[str, ...] = field(default=("",))
    least: int = 0
    most: int = 1000
    projects_only: bool = True


_LIST = re.compile(r"^(?:og )?(?:hvilke[nt]?|hvor mange)\b(?: af)?")
_TYPE = re.compile(r"\b(?P<type>kommunal|regional|statslig)e?\b(?= \w*projekt| løsning)")
_PROJECTS = re.compile(r"\b(?:signatur|ai)?-?projekt(?:er|erne|et)?\b|\bløsning(?:er|erne)?\b|\binitiativ(?:er|erne)\b")
_WHY = re.compile(r"\b(?:og )?hvorfor\b")
_DENIED = re.compile(r"\b(?:hverken|ikke)\b")
# What the rest of a question may not have: it asks for more, or denies something that was not read.
_MORE = re.compile(r"\b(?:hv\w+|ikke|ingen|intet|aldrig|uden|hverken|heller|undtagen|kun|bortset)\b")

# The statuses that a value of :mod:`kb.answer.wording` stands for.
_ASKED_STATUSES: Mapping[str, frozenset[Status]] = {
    "status=drift": frozenset((Status.OPERATION,)),
    "status=vej": frozenset((Status.ON_ITS_WAY,)),
    "status=test": frozenset((Status.TEST, Status.READY_FOR_TEST)),
    "status=stoppet": frozenset((Status.STOPPED, Status.ON_HOLD)),
    "status=afsluttet": frozenset((Status.FINISHED,)),
    "status=gang": frozenset((Status.ONGOING,)),
}
_STATUSES: tuple[tuple[frozenset[Status], re.Pattern[str]], ...] = (
    (_ASKED_STATUSES["status=vej"], re.compile(r"\b(?:på vej(?: (?:i|mod|til) drift)?|ved at blive sat i drift)\b")),
    (
        _ASKED_STATUSES["status=drift"],
        re.compile(
            r"\b(?:(?:sat|kommet|gået|kom|taget) )?(?:i (?:fuld )?drift|i brug)\b|\bidriftsat\b|\bkører stadig\b"
        ),
    ),
    (
        _ASKED_STATUSES["status=test"],
        re.compile(r"\b(?:i test(?:drift)?|i pilotdrift|under afprøvning|klar til test|testes|afprøves)\b"),
    ),
    (
        _ASKED_STATUSES["status=stoppet"],
        re.compile(
            r"\b(?:stoppet|stoppede|standset|lukket(?: ned)?|opgivet|droppet|nedlagt|indstillet"
            r"|(?:sat )?(?:på pause|på hold|i bero))\b"
        ),
    ),
    (_ASKED_STATUSES["status=afsluttet"], re.compile(r"\b(?:afsluttet|færdige?)\b")),
    (_ASKED_STATUSES["status=gang"], re.compile(r"\b(?:(?<!sat )i gang(?! med)|igangværende|under udvikling)\b")),
)
# What is counted is not projects: how many of these there are no fact says.
_COUNTS_OTHERS = re.compile(r"\bhvor mange (?:kommuner|regioner|myndigheder|hospitaler|borgere|medarbejdere)\b")
_IS = re.compile(r"^(?:er|blev|kom|var)\b")
_HOW_FAR = re.compile(
    r"^(?:(?:hvad|hvordan) er (?:den nuværende )?status(?:sen)?\b(?: (?:for|på|med|i|af)\b)?"
    r"|hvor langt (?:er|var|kom|nåede)\b)(?: man\b)?"
)
_COME = re.compile(r"\b(?:nået|kommet)\b")
_HAS_BEEN = re.compile(r"\b(?:blevet|været|endnu|stadig|nu|allerede|sat|kommet|gået|eller|altså)\b")

_MUCH = re.compile(r"^(?:hvor meget|hvor stort? (?:støtte|tilskud|bevilling)|hvad)\b")
_RECEIVED = re.compile(r"\b(?:fik|får|fået|modtog|modtaget)\b")
_COST = re.compile(r"\b(?:koster?|kostede|kostet)\b|\bprisen\b")
_COSTLY = re.compile(r"\b(?:kost|pris|dyr|billig|regning|budget|udgift)\w*")
_MONEY_WORDS = re.compile(r"\b(?:støtte|tilskud|bevilling(?:er)?|penge|kr|kroner|millioner|beløb|i (?=støtte|tilskud))")
_MOST = re.compile(r"\b(?:det |de )?(?:mest|flest|størst|største|højeste)\b")
_LEAST = re.compile(r"\b(?:det |de )?(?:mindst|mindste|færrest|laveste)\b(?! \d)")
_LIMIT = re.compile(
    r"\b(?P<order>under|mindre end|højst|over|mere end|mindst) (?P<number>\d+(?:[.,]\d+)*) ?"
    r"(?P<unit>mio|millioner?|mia|t\.?kr|kroner|kr|tusinde?)\b\.?(?: kr\b\.?| kroner)?"
)
_UNITS = {
    "mio": 10**6,
    "million": 10**6,
    "millioner": 10**6,
    "mia": 10**9,
    "tkr": 1000,
    "tusind": 1000,
    "tusinde": 1000,
}

_ENDED = re.compile(r"\b(?:sluttede|slutter|afsluttet|afsluttes|færdige?)\b")
_STARTED = re.compile(r"\b(?:begyndte|startede|gik i gang)\b")
_YEAR = re.compile(r"\b(?P<order>i|efter|før|inden|siden|fra) (?P<year>(?:19|20)\d\d)\b")
_YEAR_ORDERS = {
    "i": Order.IN, "efter": Order.AFTER, "før": Order.BEFORE, "inden": Order.BEFORE,
    "siden": Order.SINCE, "fra": Order.SINCE,
}  # fmt: skip

_WHO = re.compile(
    r"^(?:hvem|hvilke[nt]? (?P<kind>kommuner?|partnere?|virksomhed(?:er)?|universitet(?:er)?|hospital(?:er)?"
    r"|organisation(?:er)?|leverandør(?:er)?|firma(?:er)?))\b"
)
_PARTNER_KINDS: tuple[tuple[OrganisationKind, re.Pattern[str]], ...] = (
    (OrganisationKind.MUNICIPALITY, re.compile(r"\bkommuner(?:ne)?\b|\bhvilken kommune\b")),
    (OrganisationKind.COMPANY, re.compile(r"\b(?:virksomhed|firma)(?:er|erne)?\b")),
    (OrganisationKind.UNIVERSITY, re.compile(r"\buniversitet(?:er|erne)?\b")),
    (OrganisationKind.HOSPITAL, re.compile(r"\b(?:hospital|sygehus)(?:er|erne)?\b")),
)
_TOOK_PART = re.compile(
    r"\b(?:deltog|deltager|deltaget|medvirke(?:de|r)|(?:var|er|har været) med (?:i|på|til)|samarbejde(?:de|r|t)"
    r"|partnere? (?:i|på|til)"
    r"|arbejde(?:de|r|t)\b.*\bsammen med|leverandør(?:en)? (?:i|på|til))\b"
)
_SUPPLIER = re.compile(r"\bleverandør")

_NEWS = re.compile(r"^(?:hvad er (?:der )?(?:nyt|sket|kommet til|det nyeste|kommet)|hvad nyt er der)\b")
_TWO: tuple[tuple[Topic, re.Pattern[str]], ...] = (
    (Topic.COMMON, re.compile(r"^hvad har (?P<first>(?:(?! og ).)+) og (?P<second>.+?) (?:til fælles|tilfælles)$")),
    (Topic.COMMON, re.compile(r"^hvad er (?:ens|fælles) (?:ved|for) (?P<first>.+?) og (?P<second>.+)$")),
    (Topic.DIFFERENCE, re.compile(r"^hvad er forskellen (?:på|mellem|imellem) (?P<first>.+?) og (?P<second>.+)$")),
    (Topic.DIFFERENCE, re.compile(r"^hvordan adskiller (?P<first>.+?) sig fra (?P<second>.+)$")),
)
_SUFFIX = re.compile(r"(?:['’]s?|-?(?:projektet|løsningen|systemet|modellen))$")
_DEFINITE = re.compile(r"(?<=\w{5})(?:en|et|erne)s?$")
SHORTEST_BEGINNING = 5


def comparison_of(question: str, known: Mapping[str, Metadata], *, by_wording: bool = True) -> Comparison | None:
    """What a question asks to have compared; None where facts do not answer it. ``known`` are metadata by document.

    Without ``by_wording`` only the forms are read in which every word is accounted for.
    """
    text = " ".join(re.sub(r"[?!]|[.,](?=\s|$)", " ", danish.normalise(question)).split())
    for read in _READERS:
        found = read(_Left(text))
        if found is not None:
            comparison = _resolved(found, known)
            break
    else:
        comparison = None
    return _by_wording(question, text, known) if comparison is None and by_wording else comparison


def _resolved(found: _Read, known: Mapping[str, Metadata]) -> Comparison | None:
    """The comparison with the projects that the rest of the question names; None where it says something else."""
    sides: list[frozenset[str]] = []
    for rest in found.rests:
        words = _telling(rest)
        if words is None:
            return None
        named = _named(words, known, projects_only=found.projects_only) if words else []
        if words and not named:
            return None
        if not found.least <= len(named) <= found.most:
            return None
        sides += named
    if len(set(sides)) < len(sides):
        return None
    return replace(found.comparison, sides=tuple(sides))


def _by_wording(question: str, text: str, known: Mapping[str, Metadata]) -> Comparison | None:
    """The comparison that a model of wordings takes a question for, of all projects or of the one that it names."""
    read = None if _COUNTS_OTHERS.search(text) else _of_values(fact_asked(question), text)
    if read is None:
        return None
    names = _names(question)
    is_yes_no = wanted(question).kind is QuestionKind.YES_NO
    if not names:  # Yes or no is said of one project, and here none is named.
        return None if is_yes_no or read.least > 0 else read.comparison
    named = _named(names, known, projects_only=read.projects_only)
    if len(named) != 1:
        return None
    return replace(read.comparison, sides=tuple(named), yes_no=is_yes_no and read.comparison.topic is Topic.STATUS)


def _of_values(values: Sequence[str], text: str) -> _Read | None:
    """What values of a fact stand for; None where the question lacks the sum or year that they need."""
    topic = values[0].partition("=")[0] if values else ""
    if topic == Topic.STATUS:
        statuses = frozenset[Status]().union(*(_ASKED_STATUSES[value] for value in values))
        return _Read(Comparison(Topic.STATUS, statuses, why=bool(_WHY.search(text))), projects_only=False)
    if topic == Topic.MONEY:
        return _money_of(values[0], text)
    if topic == Topic.PERIOD:
        return _period_of(values[0], text)
    if topic == Topic.PARTNERS:
        comparison = Comparison(Topic.PARTNERS, kinds=_partner_facts(text), only=_only(text))
        return _Read(comparison, least=1, projects_only=False)
    return None


def _money_of(value: str, text: str) -> _Read | None:
    limit = _LIMIT.search(text)
    if (value == "money=graense") != bool(limit):
        return None
    kinds = (FactKind.COST, FactKind.SUPPORT) if _COSTLY.search(text) else (FactKind.SUPPORT,)
    order, kroner = _limited(limit) if limit else (Order.LEAST if value == "money=mindst" else Order.MOST, 0)
    return _Read(Comparison(Topic.MONEY, kinds=kinds, order=order, limit=kroner))


def _limited(limit: re.Match[str]) -> tuple[Order, int]:
    """On which side of a sum in kroner is asked for."""
    order = Order.UNDER if limit["order"] in {"under", "mindre end", "højst"} else Order.OVER
    number = float(limit["number"].replace(".", "").replace(",", "."))
    return order, round(number * _UNITS.get(limit["unit"].replace(".", ""), 1))


def _period_of(value: str, text: str) -> _Read | None:
    year = _YEAR.search(text)
    # The year that a project began in is metadata, which editors confirm.
    if not year or (value == "period=start" and year["order"] == "i"):
        return None
    kind = FactKind.END if value == "period=slut" else FactKind.START
    order = _YEAR_ORDERS[year["order"]]
    return _Read(Comparison(Topic.PERIOD, kinds=(kind,), order=order, limit=int(year["year"])))


def _names(question: str) -> list[str]:
    """The words of a question that are written as names, as :func:`_telling` has them, without general ones."""
    first = question.split(maxsplit=1)[0] if question.split() else ""
    own = first if sum(letter.isupper() for letter in first) > 1 else ""
    written = " ".join(danish.normalise(name) for name in (own, *names_in(question)))
    words = (_SUFFIX.sub("", word).strip("+-,.?:") for word in _PROJECTS.sub(" ", written).split())
    return [word for word in words if word and not is_general(word)]


def _telling(rest: str) -> list[str] | None:
    """The words of a rest that may name a project; None where the rest asks for more, or has general words alone."""
    if _MORE.search(rest):
        return None
    words = [_SUFFIX.sub("", word).strip("+-") for word in _PROJECTS.sub(" ", rest).split()]
    words = [word for word in words if word and word not in danish.stop_words()]
    return words if not words or any(not is_general(word) for word in words) else None


def _named(words: Sequence[str], known: Mapping[str, Metadata], *, projects_only: bool) -> list[frozenset[str]]:
    """The documents of each project that every word names; where none is named, the reports of no project that are."""
    met = {id_: one for id_, one in known.items() if all(_is_named(word, one) for word in words)}
    projects: dict[str, set[str]] = {}
    for id_, metadata in met.items():
        if metadata.projekt:
            projects.setdefault(metadata.projekt, set()).add(id_)
    if projects or projects_only:
        return [frozenset(ids) for ids in _of_the_place(words, projects, known)]
    return [frozenset((id_,)) for id_ in met]


def _of_the_place(
    words: Sequence[str], projects: Mapping[str, set[str]], known: Mapping[str, Metadata]
) -> list[set[str]]:
    """Of the projects that a place names, those of its municipality: the university in it is another authority."""
    places = {name for word in words if (name := municipalities().get(word))}
    own = [ids for ids in projects.values() if any(known[id_].myndighed in places for id_ in ids)]
    return own or list(projects.values())


def _is_named(word: str, metadata: Metadata) -> bool:
    """Whether a project goes by a word; a general word names it only beside others, as its names have it."""
    names = names_of_project(metadata)
    if is_general(word):
        return word in danish.normalise(f"{metadata.titel} {metadata.projekt} {metadata.myndighed}").split()
    forms = {word, word.removesuffix("s"), _DEFINITE.sub("", word)}
    return any(
        name in forms or name.removesuffix("s") in forms or (len(word) >= SHORTEST_BEGINNING and name.startswith(word))
        for name in names
    )


def _two(left: _Left) -> _Read | None:
    for topic, pattern in _TWO:
        match = pattern.search(left.text)
        if match:
            return _Read(Comparison(topic), (match["first"], match["second"]), least=1, most=1)
    return None


def _news(left: _Left) -> _Read | None:
    year = _YEAR.search(left.text)
    if not year or not left.take(_NEWS):
        return None
    left.take(_YEAR)
    order = Order.AFTER if year["order"] == "efter" else Order.SINCE
    return _Read(Comparison(Topic.NEWS, kinds=(FactKind.EVENT,), order=order, limit=int(year["year"])), (left.text,))


def _partners(left: _Left) -> _Read | None:
    who = left.take(_WHO)
    if not who:
        return None
    kinds = _partner_facts(who.group() + left.text)
    part = left.take(_TOOK_PART)
    if not part:
        return None
    if part.group().startswith("arbejde"):  # what stands between the verb's two parts is still to be read
        left.text += " " + " ".join(part.group().split()[1:-2])
    comparison = Comparison(Topic.PARTNERS, kinds=kinds, only=_only(who.group()))
    return _Read(comparison, (left.text,), least=1, most=1, projects_only=False)


def _partner_facts(text: str) -> tuple[FactKind, ...]:
    """The facts of partners that a text asks for: the suppliers' alone where it names these."""
    return (FactKind.SUPPLIER,) if _SUPPLIER.search(text) else (FactKind.PARTNER, FactKind.SUPPLIER)


def _only(text: str) -> OrganisationKind | None:
    """The kind of partners that a text asks for; None where it asks for all."""
    return next((kind for kind, pattern in _PARTNER_KINDS if pattern.search(text)), None)


def _money(left: _Left) -> _Read | None:
    is_list, type_ = left.take(_LIST), left.take(_TYPE)
    much = None if is_list else left.take(_MUCH)
    if not is_list and not much:
        return None
    received, cost = left.take(_RECEIVED), left.take(_COST)
    if bool(received) == bool(cost):
        return None
    limit = left.take(_LIMIT)
    least, most = left.take(_LEAST), left.take(_MOST)
    money = left.take(_MONEY_WORDS)
    while left.take(_MONEY_WORDS):
        pass
    kinds = (FactKind.COST, FactKind.SUPPORT) if cost else (FactKind.SUPPORT,)
    if is_list and not (limit or least or most):
        return None
    if much and not (cost or money):
        return None
    order, kroner = _limited(limit) if limit else (Order.LEAST if least else Order.MOST, 0)
    comparison = Comparison(
        Topic.MONEY, kinds=kinds, order=order, limit=kroner, authority_type=type_["type"] if type_ else ""
    )
    return _Read(comparison, (left.text,))


def _period(left: _Left) -> _Read | None:
    if not left.take(_LIST):
        return None
    type_, year, ended = left.take(_TYPE), left.take(_YEAR), left.take(_ENDED)
    started = None if ended else left.take(_STARTED)
    # The year that a project began in is metadata, which editors confirm.
    if not year or not (ended or (started and year["order"] != "i")):
        return None
    comparison = Comparison(
        Topic.PERIOD,
        kinds=(FactKind.END if ended else FactKind.START,),
        order=_YEAR_ORDERS[year["order"]],
        limit=int(year["year"]),
        authority_type=type_["type"] if type_ else "",
    )
    return _Read(comparison, (left.text,))


def _status(left: _Left) -> _Read | None:
    if not left.take(_LIST):
        return None
    type_, why = left.take(_TYPE), left.take(_WHY)
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
    return _Read(comparison, (left.text,))


def _denial(text: str) -> str:
    """The word that denies what comes after it; the end of the text where there is none."""
    match = _DENIED.search(text)
    return match.group() if match else "\0"


def _yes_no(left: _Left) -> _Read | None:
    if not left.take(_IS):
        return None
    statuses = _taken(left)
    if not statuses:
        return None
    comparison = Comparison(Topic.STATUS, statuses, yes_no=True)
    return _Read(comparison, (left.text,), least=1, most=1, projects_only=False)


def _status_of_one(left: _Left) -> _Read | None:
    if not left.take(_HOW_FAR):
        return None
    left.take(_COME)
    return _Read(Comparison(Topic.STATUS, yes_no=True), (left.text,), least=1, most=1, projects_only=False)


def _taken(left: _Left) -> frozenset[Status]:
    """The statuses that a question names, taken out of it."""
    found: frozenset[Status] = frozenset()
    for statuses, pattern in _STATUSES:
        if left.take(pattern):
            found |= statuses
    if found:
        while left.take(_HAS_BEEN):
            pass
    return found


# In order: the first that reads a question decides.
_READERS: tuple[Callable[[_Left], _Read | None], ...] = (
    _two,
    _news,
    _partners,
    _period,
    _money,
    _status,
    _yes_no,
    _status_of_one,
)
