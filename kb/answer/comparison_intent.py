"""What a question asks to have compared: status, money, period, partners, news, two projects (pure).

"Hvilke projekter er i drift?", "Hvilke fik mest støtte?" and "Er Vådindeks sat i drift?" are answered by the facts of
the reports (:mod:`kb.facts`) and not by any one sentence. A question is taken only where nothing of it is left over:
the words of the comparison are taken out of it one after the other, and what remains must name projects of the base.
Every other word leaves the question to the text ("Hvilke projekter i drift bruger røntgenbilleder?"). What no such form
takes is read by a model of its wording (:mod:`kb.answer.wording`: "Har nogen droppet et projekt?").
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kb.answer.comparison_forms import (
    ASKED_STATUSES,
    COSTLY,
    COUNTS_OTHERS,
    LIMIT,
    MORE,
    NARROWED,
    PROJECTS,
    WHY,
    YEAR,
    YEAR_ORDERS,
    Comparison,
    Form,
    Order,
    Topic,
    limited,
    only,
    partner_facts,
    read_form,
    type_of,
)  # fmt: skip
from kb.answer.intent import names_in, wanted
from kb.answer.plain_wording import plain
from kb.answer.wording import fact_asked
from kb.core.models import Metadata, QuestionKind
from kb.facts import FactKind, Status
from kb.facts.municipalities import municipalities
from kb.facts.names import is_called
from kb.facts.subject import is_general, names_of_project
from kb.language import danish

_SUFFIX = re.compile(r"(?:['’]s?|-?(?:projektet|løsningen|systemet|modellen))$")
_WORD = re.compile(r"[\w+-]+")
_DEFINITE = re.compile(r"(?<=\w{5})(?:en|et|erne)s?$")
SHORTEST_BEGINNING = 5


def comparison_of(question: str, known: Mapping[str, Metadata], *, by_wording: bool = True) -> Comparison | None:
    """What a question asks to have compared; None where facts do not answer it. ``known`` are metadata by document.

    Without ``by_wording`` only the forms are read in which every word is accounted for.
    """
    text = plain(question)
    form = read_form(text)
    comparison = _resolved(form, known) if form else None
    return _by_wording(question, text, known) if comparison is None and by_wording else comparison


def _resolved(found: Form, known: Mapping[str, Metadata]) -> Comparison | None:
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
    partner = found.comparison.partner
    if partner and not sides and any(one.projekt and is_called(one.myndighed, partner) for one in known.values()):
        return None  # Its own projects are as much asked for, and no fact tells that they are its own.
    return replace(found.comparison, sides=tuple(sides))


def _by_wording(question: str, text: str, known: Mapping[str, Metadata]) -> Comparison | None:
    """The comparison that a model of wordings takes a question for, of all projects or of the one that it names."""
    read = None if COUNTS_OTHERS.search(text) else _of_values(fact_asked(question), text)
    if read is None:
        return None
    names = _names(question)
    is_yes_no = wanted(question).kind is QuestionKind.YES_NO
    if not names:  # Yes or no is said of one project, and here none is named.
        narrowed = is_yes_no or read.least > 0 or NARROWED.search(text)
        return None if narrowed else replace(read.comparison, authority_type=type_of(text))
    named = _named(names, known, projects_only=read.projects_only)
    if len(named) != 1:
        return None
    return replace(read.comparison, sides=tuple(named), yes_no=is_yes_no and read.comparison.topic is Topic.STATUS)


def _of_values(values: Sequence[str], text: str) -> Form | None:
    """What values of a fact stand for; None where the question lacks the sum or year that they need."""
    topic = values[0].partition("=")[0] if values else ""
    if topic == Topic.STATUS:
        statuses = frozenset[Status]().union(*(ASKED_STATUSES[value] for value in values))
        return Form(Comparison(Topic.STATUS, statuses, why=bool(WHY.search(text))), projects_only=False)
    if topic == Topic.MONEY:
        return _money_of(values[0], text)
    if topic == Topic.PERIOD:
        return _period_of(values[0], text)
    if topic == Topic.PARTNERS:
        comparison = Comparison(Topic.PARTNERS, kinds=partner_facts(text), only=only(text))
        return Form(comparison, least=1, projects_only=False)
    return None


def _money_of(value: str, text: str) -> Form | None:
    limit = LIMIT.search(text)
    if (value == "money=graense") != bool(limit) or YEAR.search(text):
        return None
    kinds = (FactKind.COST, FactKind.SUPPORT) if COSTLY.search(text) else (FactKind.SUPPORT,)
    order, kroner = limited(limit) if limit else (Order.LEAST if value == "money=mindst" else Order.MOST, 0)
    return Form(Comparison(Topic.MONEY, kinds=kinds, order=order, limit=kroner))


def _period_of(value: str, text: str) -> Form | None:
    year = YEAR.search(text)
    # The year that a project began in is metadata, which editors confirm.
    if not year or (value == "period=start" and year["order"] == "i"):
        return None
    kind = FactKind.END if value == "period=slut" else FactKind.START
    order = YEAR_ORDERS[year["order"]]
    return Form(Comparison(Topic.PERIOD, kinds=(kind,), order=order, limit=int(year["year"])))


def _names(question: str) -> list[str]:
    """The words of a question that are written as names, or are places, as :func:`_telling` has them."""
    first = question.split(maxsplit=1)[0] if question.split() else ""
    own = first if sum(letter.isupper() for letter in first) > 1 else ""
    written = " ".join(danish.normalise(name) for name in (own, *names_in(question)))
    words = (_SUFFIX.sub("", word).strip("+-,.?:") for word in PROJECTS.sub(" ", written).split())
    places = (word for word in plain(question).split() if word in municipalities())
    return [word for word in dict.fromkeys((*words, *places)) if word and not is_general(word)]


def _telling(rest: str) -> list[str] | None:
    """The words of a rest that may name a project; None where the rest asks for more, or has general words alone."""
    if MORE.search(rest):
        return None
    words = [_SUFFIX.sub("", word).strip("+-") for word in PROJECTS.sub(" ", rest).split()]
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
        return word in _WORD.findall(danish.normalise(f"{metadata.titel} {metadata.projekt} {metadata.myndighed}"))
    if municipalities().get(word) == metadata.myndighed != "":
        return True
    forms = {word, word.removesuffix("s"), _DEFINITE.sub("", word)}
    beginnings = tuple(form for form in forms if len(form) >= SHORTEST_BEGINNING)
    return any(name in forms or name.removesuffix("s") in forms or name.startswith(beginnings) for name in names)
