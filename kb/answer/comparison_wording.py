"""What a question asks to have compared by its wording, where no form takes every word of it (pure).

    by_wording("Har nogen droppet et projekt?", known)   # a comparison of statuses: stopped
    by_wording("smartmail startår?", known)              # when the one project that is named began

A model of wordings (:mod:`kb.answer.wording`) says which fact is asked for; the sum, the year and the names are read
from the question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kb.answer.comparison_forms import (
    ASKED_STATUSES,
    COSTLY,
    COUNTS_OTHERS,
    LIMIT,
    NARROWED,
    WHY,
    YEAR,
    YEAR_ORDERS,
    Comparison,
    Form,
    Order,
    Topic,
    limited,
    money_facts,
    only,
    partner_facts,
    sum_asked,
    type_of,
)
from kb.answer.comparison_names import has_projects, named, written_names
from kb.answer.intent import names_in, wanted
from kb.answer.plain_wording import plain
from kb.answer.wording import fact_asked
from kb.core.models import Metadata, QuestionKind
from kb.facts import FactKind, Status

# The values of :mod:`kb.answer.wording` that ask of one project, or for those of an organisation.
_PARTNER_IN = "partners=i"
_ONE_PERIOD: Mapping[str, Form] = {
    f"period={value}": Form(Comparison(Topic.PERIOD, kinds=kinds, order=order), least=1)
    for value, kinds, order in (
        ("begyndte", (FactKind.START, FactKind.END), Order.EXACTLY),
        ("sluttede", (FactKind.END, FactKind.START), Order.EXACTLY),
        ("hele", (FactKind.START, FactKind.END), Order.FROM_TO),
    )
}


def by_wording(question: str, known: Mapping[str, Metadata]) -> Comparison | None:
    """The comparison that a question is taken for, of all projects or of the one that it names; None of any other."""
    text = plain(question)
    values = () if COUNTS_OTHERS.search(text) else fact_asked(question)
    if values == (_PARTNER_IN,):
        return _partner_in(question, text, known)
    read = _of_values(values, text)
    if read is None:
        return None
    names = written_names(question, known)
    is_yes_no = wanted(question).kind is QuestionKind.YES_NO
    if not names:  # Yes or no is said of one project, and here none is named.
        narrowed = is_yes_no or read.least > 0 or NARROWED.search(text)
        return None if narrowed else replace(read.comparison, authority_type=type_of(text))
    found = named(names, known, projects_only=read.projects_only)
    if len(found) != 1:
        return None
    yes_no = read.comparison.yes_no or (is_yes_no and read.comparison.topic is Topic.STATUS)
    return replace(read.comparison, sides=tuple(found), yes_no=yes_no)


def _partner_in(question: str, text: str, known: Mapping[str, Metadata]) -> Comparison | None:
    """The projects of the organisation that a question names; None where it has projects of its own."""
    partner = " ".join(names_in(f"- {question}"))
    if not partner or has_projects(partner, known):
        return None
    return Comparison(Topic.PARTNER_IN, kinds=partner_facts(text), partner=partner)


def _of_values(values: Sequence[str], text: str) -> Form | None:
    """What values of a fact stand for; None where the question lacks the sum or year that they need."""
    topic = values[0].partition("=")[0] if values else ""
    if topic == Topic.STATUS:
        statuses = frozenset[Status]().union(*(ASKED_STATUSES[value] for value in values))
        return Form(Comparison(Topic.STATUS, statuses, why=bool(WHY.search(text))), projects_only=False)
    if topic == Topic.MONEY:
        return _sum_of(text) if values[0] == "money=sum" else _money_of(values[0], text)
    if topic == Topic.PERIOD:
        return _ONE_PERIOD.get(values[0]) or _period_of(values[0], text)
    if topic == Topic.PARTNERS:
        comparison = Comparison(Topic.PARTNERS, kinds=partner_facts(text), only=only(text))
        return Form(comparison, least=1, projects_only=False)
    return None


def _money_of(value: str, text: str) -> Form | None:
    limit = LIMIT.search(text)
    if (value == "money=graense") != bool(limit) or YEAR.search(text):
        return None
    kinds = money_facts(costly=bool(COSTLY.search(text)))
    order, kroner = limited(limit) if limit else (Order.LEAST if value == "money=mindst" else Order.MOST, 0)
    return Form(Comparison(Topic.MONEY, kinds=kinds, order=order, limit=kroner))


def _sum_of(text: str) -> Form | None:
    """Whether one project got or cost a sum, or any at all.

    A sum without a known word for over or under is told and not said yes or no to: "oversteg", "næsten" and the like
    are beyond the model.
    """
    asked = sum_asked(text)
    if asked is None:
        return None
    order, kroner = asked
    kinds = money_facts(costly=bool(COSTLY.search(text)))
    if order is Order.EXACTLY and kroner:
        return Form(Comparison(Topic.MONEY, kinds=kinds), least=1)
    return Form(Comparison(Topic.MONEY, kinds=kinds, order=order, limit=kroner, yes_no=True), least=1)


def _period_of(value: str, text: str) -> Form | None:
    year = YEAR.search(text)
    # The year that a project began in is metadata, which editors confirm.
    if not year or (value == "period=start" and year["order"] == "i"):
        return None
    kind = FactKind.END if value == "period=slut" else FactKind.START
    order = YEAR_ORDERS[year["order"]]
    return Form(Comparison(Topic.PERIOD, kinds=(kind,), order=order, limit=int(year["year"])))
