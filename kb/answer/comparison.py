"""Answers a comparison from the facts of the reports: which projects, in what order, by which sentence (pure).

A project's status is the newest that its reports date; sums that several projects share stand behind those of one.
What no report says is counted by the coverage as for any other question, and every entry is a fact with its sentence:
nothing is computed but the order, the count and the word before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kb.answer.comparison_forms import Comparison, Order, Topic
from kb.core.models import Certainty, Metadata
from kb.facts import Fact, FactKind, Status, current_status
from kb.facts.amounts import shown
from kb.facts.dates import in_words
from kb.facts.names import OrganisationKind, is_called, kind_of

# Of one project's reasons and events, so many are shown.
REASONS_SHOWN = 2
EVENTS_SHOWN = 3
NAMES_IN_LEAD = 12
# What a status rules out, for yes and no. What has ended may have been in operation, and says nothing.
_RUNNING = frozenset((Status.ONGOING, Status.READY_FOR_TEST, Status.TEST, Status.ON_ITS_WAY, Status.OPERATION))
_ENDED = frozenset((Status.STOPPED, Status.ON_HOLD, Status.NOT_IN_OPERATION))
_RULED_OUT: Mapping[Status, frozenset[Status]] = {
    Status.OPERATION: (_RUNNING | _ENDED | {Status.IDEA}) - {Status.OPERATION},
    Status.ON_ITS_WAY: _ENDED | {Status.IDEA, Status.OPERATION},
    Status.TEST: _ENDED | {Status.IDEA, Status.OPERATION, Status.ON_ITS_WAY},
    Status.STOPPED: _RUNNING | {Status.IDEA},
    Status.FINISHED: _RUNNING | {Status.IDEA},
    Status.ONGOING: _ENDED | {Status.FINISHED},
}
_FIRST = (
    Status.OPERATION, Status.ON_ITS_WAY, Status.TEST, Status.READY_FOR_TEST, Status.ONGOING, Status.IDEA,
    Status.FINISHED, Status.NOT_IN_OPERATION, Status.ON_HOLD, Status.STOPPED, Status.UNKNOWN,
)  # fmt: skip
# What is told beside the asked status, behind it.
_NEAR = {Status.OPERATION: Status.ON_ITS_WAY}
_LABELS = {
    FactKind.SUPPORT: "støtte",
    FactKind.COST: "pris",
    FactKind.SAVING: "besparelse",
    FactKind.START: "start",
    FactKind.END: "slut",
    FactKind.PARTNER: "partner",
    FactKind.SUPPLIER: "leverandør",
    FactKind.DATA: "data",
    FactKind.STATUS: "status",
    FactKind.PHASE: "fase",
}
_BESIDE = (
    FactKind.STATUS, FactKind.SUPPORT, FactKind.COST, FactKind.START, FactKind.END, FactKind.PARTNER, FactKind.SUPPLIER,
    FactKind.DATA,
)  # fmt: skip


_LISTS = (Topic.STATUS, Topic.MONEY, Topic.PERIOD)


@dataclass(frozen=True, slots=True)
class Told:
    """A fact of a document; ``of_project`` where that belongs to a project of the base."""

    document_id: str
    fact: Fact
    of_project: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A project of the answer: what its reports tell, the fact that decides first, and that in words.

    A report that belongs to no project of the base stands for itself.
    """

    told: tuple[Told, ...]
    reasons: tuple[str, ...]

    @property
    def certainty(self) -> Certainty:
        """How sure the fact that decides is."""
        return self.told[0].fact.certainty


@dataclass(frozen=True, slots=True)
class Compared:
    """The answer: a line before it, and the projects in order."""

    lead: str
    entries: tuple[Entry, ...]


def kinds_of(comparison: Comparison) -> tuple[FactKind, ...]:
    """The kinds of facts that a comparison needs."""
    if comparison.topic is Topic.STATUS:
        return (FactKind.STATUS, FactKind.REASON) if comparison.why else (FactKind.STATUS,)
    return _BESIDE if comparison.topic in (Topic.COMMON, Topic.DIFFERENCE) else comparison.kinds


def compare(
    comparison: Comparison, facts: Iterable[tuple[str, Fact]], known: Mapping[str, Metadata]
) -> Compared | None:
    """The answer to a comparison by the facts of the documents ``known``; None where they do not tell."""
    projects = _by_project(comparison, facts, known)
    if not projects:
        return None
    found = _TOPICS[comparison.topic](comparison, projects)
    if found is None or not found.entries:
        return None
    entries, lead = found.entries, found.lead
    if comparison.topic is not Topic.NEWS:
        # The question is for projects: what other reports tell of stands behind.
        entries = tuple(sorted(entries, key=lambda entry: not entry.told[0].of_project))
    if comparison.topic in _LISTS and not comparison.sides:
        lead += _silent(comparison, projects, known)
    return Compared(lead, entries)


def _silent(comparison: Comparison, projects: Sequence[Sequence[Told]], known: Mapping[str, Metadata]) -> str:
    """How many projects do not say what is compared."""
    asked = {one.projekt for one in known.values() if comparison.authority_type in ("", one.type)} - {""}
    telling = [told for told in projects if told[0].of_project and any(_tells(one.fact) for one in told)]
    count = len(asked) - len(telling)
    return "" if not count else " 1 projekt siger det ikke." if count == 1 else f" {count} projekter siger det ikke."


def _tells(fact: Fact) -> bool:
    return fact.kind is not FactKind.REASON and fact.value != Status.UNKNOWN


def _by_project(
    comparison: Comparison, facts: Iterable[tuple[str, Fact]], known: Mapping[str, Metadata]
) -> list[list[Told]]:
    """The facts of each project that is asked of, a report of no project being one of its own."""
    wanted = frozenset().union(*comparison.sides) if comparison.sides else None
    found: dict[str, list[Told]] = {}
    for document_id, fact in facts:
        metadata = known.get(document_id)
        if metadata is None or (wanted is not None and document_id not in wanted):
            continue
        if comparison.authority_type and metadata.type != comparison.authority_type:
            continue
        found.setdefault(metadata.projekt or f"\0{document_id}", []).append(
            Told(document_id, fact, bool(metadata.projekt))
        )
    return list(found.values())


def status_of(told: Sequence[Told]) -> Told | None:
    """A project's status now."""
    now = current_status(one.fact for one in told)
    return next((one for one in told if one.fact is now), None)


def _status(comparison: Comparison, projects: Sequence[Sequence[Told]]) -> Compared | None:
    now = [(current, told) for told in projects if (current := status_of(told))]
    if comparison.yes_no:
        return _yes_no(comparison, now[0][0]) if now else None
    near = frozenset(_NEAR[status] for status in comparison.statuses if status in _NEAR)
    near -= comparison.statuses | comparison.unwanted
    entries, beside = [], []
    for current, told in now:
        status = Status(current.fact.value)
        if status is Status.UNKNOWN or status in comparison.unwanted:
            continue
        if not comparison.statuses or status in comparison.statuses:
            entries.append(_status_entry(comparison, current, told))
        elif status in near:
            beside.append(_status_entry(comparison, current, told))
    if not entries and not beside:
        return None
    lead = f"{_counted(entry.told[0] for entry in entries)} er {_asked(comparison)}"
    if beside:
        lead += f", og {_counted(entry.told[0] for entry in beside).lower()} er {next(iter(near)).value}"
    says = _counted(current for current, _ in now if current.fact.value != Status.UNKNOWN)
    return Compared(f"{lead}. Status fremgår for {says.lower()}.", (*_by_status(entries), *_by_status(beside)))


def _asked(comparison: Comparison) -> str:
    """The statuses that are asked for, or those that are not wanted, in words."""
    named = [status.value for status in Status if status in (comparison.statuses or comparison.unwanted)]
    if comparison.statuses:
        return _listed(named, "eller")
    return f"ikke {named[0]}" if len(named) == 1 else f"hverken {_listed(named, 'eller')}"


def _status_entry(comparison: Comparison, current: Told, told: Sequence[Told]) -> Entry:
    reasons = [one for one in told if one.fact.kind is FactKind.REASON and one.fact.start != current.fact.start]
    kept = reasons[:REASONS_SHOWN] if comparison.why else []
    return Entry((current, *kept), (_in_words(current.fact),))


def _by_status(entries: Sequence[Entry]) -> list[Entry]:
    """The nearest to operation first, of those the newest."""
    newest = sorted(entries, key=lambda entry: entry.told[0].fact.date, reverse=True)
    return sorted(newest, key=lambda entry: _FIRST.index(Status(entry.told[0].fact.value)))


def _yes_no(comparison: Comparison, current: Told) -> Compared | None:
    status = Status(current.fact.value)
    ruled_out = frozenset().union(*(_RULED_OUT.get(asked, frozenset()) for asked in comparison.statuses))
    word = "Ja" if status in comparison.statuses else "Nej" if status in ruled_out else ""
    told = _in_words(current.fact)
    if not word and status is Status.UNKNOWN:
        told = "status er ukendt"
    elif not word and comparison.statuses:
        told = f"det siger rapporten ikke; {told}"
    lead = f"{word} – {told}." if word else _sentence(told)
    return Compared(lead, (Entry((current,), (_in_words(current.fact),)),))


def _money(comparison: Comparison, projects: Sequence[Sequence[Told]]) -> Compared | None:
    if comparison.yes_no:
        return _money_yes_no(comparison, projects[0])
    sums = [one for told in projects if (one := _largest(told, comparison.kinds))]
    within = [one for one in sums if _is_within(comparison, one.fact)]
    descending = comparison.order in (Order.MOST, Order.OVER, Order.AT_LEAST)
    within.sort(key=lambda one: (one.fact.shared, -_kroner(one) if descending else _kroner(one)))
    entries = tuple(Entry((one,), (_in_words(one.fact),)) for one in within)
    return Compared(_money_lead(comparison, sums, within), entries) if entries else None


def _money_yes_no(comparison: Comparison, told: Sequence[Told]) -> Compared | None:
    """Whether a project's sum is the one asked for; what it shares with others says neither yes nor no."""
    largest = _largest(told, comparison.kinds)
    if largest is None:
        return None
    own = [one for one in told if one.fact.kind is comparison.kinds[0] and not one.fact.shared]
    met = next((one for one in (largest, *own) if one in own and _is_met(comparison, one.fact)), None)
    decides = met or largest
    says = _in_words(decides.fact)
    if own:
        lead = _sentence(f"{'Ja' if met else 'Nej'} – {says}")
    elif largest.fact.kind is not comparison.kinds[0]:
        lead = _price_missing(says)
    else:
        lead = _sentence(f"Det siger rapporten ikke; {says}")
    return Compared(lead, (Entry((decides,), (says,)),))


def _is_met(comparison: Comparison, fact: Fact) -> bool:
    """Whether a sum is what yes would say; one that is shown alike is the same."""
    if comparison.order is Order.EXACTLY and comparison.limit:
        return shown(int(fact.value)) == shown(comparison.limit)
    return _is_within(comparison, fact)


def _price_missing(says: str) -> str:
    """The line where a price is asked for and the support is what is told."""
    return _sentence(f"Prisen står der ikke; {says}")


def _money_lead(comparison: Comparison, sums: Sequence[Told], within: Sequence[Told]) -> str:
    priced = [one for one in sums if one.fact.kind is FactKind.COST]
    is_other = FactKind.COST in comparison.kinds and len(priced) < len(sums)  # support was found instead of a price
    if len(comparison.sides) == 1:
        says = _in_words(within[0].fact)
        return _price_missing(says) if is_other else _sentence(says)
    says = f"{_counted(sums)} nævner et beløb"
    if is_other:
        says = f"{_counted(priced)} nævner en pris, {_counted(one for one in sums if one not in priced)} kun støtten"
    if comparison.limit:
        return f"{_counted(within)} fik {_LIMITS[comparison.order]} {shown(comparison.limit)} {says}."
    end = "største" if comparison.order is Order.MOST else "mindste"
    return f"{says}, det {end} for et enkelt projekt først."


_LIMITS = {Order.UNDER: "under", Order.AT_MOST: "højst", Order.OVER: "over", Order.AT_LEAST: "mindst"}


def _is_sure(told: Told) -> bool:
    return told.fact.certainty is Certainty.SURE


def _kroner(told: Told) -> int:
    return int(told.fact.value)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def _largest(told: Sequence[Told], kinds: Sequence[FactKind]) -> Told | None:
    """A project's sum: of the first kind that it has, one of its own before one that is shared, the largest."""
    for kind in kinds:
        sums = [one for one in told if one.fact.kind is kind]
        if sums:
            return max(sums, key=lambda one: (not one.fact.shared, _kroner(one), _is_sure(one), one.fact.start))
    return None


def _is_within(comparison: Comparison, fact: Fact) -> bool:
    if not comparison.limit:
        return True
    if fact.shared:  # what is this project's part of it is not told
        return False
    kroner = int(fact.value)
    return {
        Order.UNDER: kroner < comparison.limit,
        Order.AT_MOST: kroner <= comparison.limit,
        Order.OVER: kroner > comparison.limit,
        Order.AT_LEAST: kroner >= comparison.limit,
    }[comparison.order]


def _period(comparison: Comparison, projects: Sequence[Sequence[Told]]) -> Compared | None:
    if not comparison.limit:
        return _when(comparison, projects[0])
    dates = [one for told in projects for one in told[:1]]
    entries = [Entry((one,), (_in_words(one.fact),)) for one in dates if _is_in(comparison, one.fact.value)]
    what = "sluttede" if comparison.kinds == (FactKind.END,) else "begyndte"
    order = {Order.IN: "i", Order.AFTER: "efter", Order.BEFORE: "før", Order.SINCE: "siden"}[comparison.order]
    count = _counted(entry.told[0] for entry in entries)
    lead = f"{count} {what} {order} {comparison.limit}. {_counted(dates)} nævner tidspunktet."
    return Compared(lead, tuple(_by_value(entries)))


def _when(comparison: Comparison, told: Sequence[Told]) -> Compared | None:
    """When a project began, ended or both; the other of the two where that alone is told, and said to be."""
    asked, other = (_surest([one for one in told if one.fact.kind is kind]) for kind in comparison.kinds)
    if asked:
        found = [asked, other] if other and comparison.order is Order.FROM_TO else [asked]
        dates = tuple(_in_words(one.fact) for one in found)
        return Compared(_sentence("; ".join(dates)), (Entry(tuple(found), dates),))
    if not other:
        return None
    unsure = replace(other, fact=replace(other.fact, certainty=Certainty.UNSURE))
    says = _in_words(unsure.fact)
    verb = "sluttede" if comparison.kinds[0] is FactKind.END else "begyndte"
    return Compared(_sentence(f"Hvornår det {verb}, er ikke fundet; {says}"), (Entry((unsure,), (says,)),))


def _surest(told: Sequence[Told]) -> Told | None:
    """The surest of one kind of date, the most exact of equals."""
    return max(told, key=lambda one: (_is_sure(one), len(one.fact.value)), default=None)


def _by_value(entries: Sequence[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: entry.told[0].fact.value)


def _is_in(comparison: Comparison, date: str) -> bool:
    year = int(date[:4])
    return {
        Order.IN: year == comparison.limit,
        Order.AFTER: year > comparison.limit,
        Order.BEFORE: year < comparison.limit,
        Order.SINCE: year >= comparison.limit,
    }[comparison.order]


def _partners(comparison: Comparison, projects: Sequence[Sequence[Told]]) -> Compared | None:
    told = [one for one in projects[0] if comparison.only in (None, kind_of(one.fact.value))]
    if not told:
        return None
    names = list(dict.fromkeys(one.fact.value for one in told))
    return Compared(f"{_listed(names[:NAMES_IN_LEAD])}.", (Entry(tuple(told), tuple(names)),))


def _partner_in(comparison: Comparison, projects: Sequence[Sequence[Told]]) -> Compared | None:
    """The projects that name an organisation as partner or supplier; no where none does is left to the text."""
    named = [[one for one in told if _is_asked(comparison, one.fact.value)] for told in projects]
    entries = tuple(Entry((told[0],), (_in_words(told[0].fact),)) for told in named if told)
    if not entries:
        return None
    if comparison.yes_no:
        return Compared(_sentence(f"Ja – {_in_words(entries[0].told[0].fact)}"), entries)
    kind = _ANY.get(comparison.only) if comparison.only else None
    name = kind or min((told[0].fact.value for told in named if told), key=len)
    count = _counted(entry.told[0] for entry in entries)
    says = "leverandør" if comparison.kinds == (FactKind.SUPPLIER,) else "partner eller leverandør"
    return Compared(f"{count} nævner {name} som {says}.", entries)


_ANY = {
    OrganisationKind.MUNICIPALITY: "en kommune", OrganisationKind.UNIVERSITY: "et universitet",
    OrganisationKind.HOSPITAL: "et hospital", OrganisationKind.COMPANY: "en virksomhed",
}  # fmt: skip


def _is_asked(comparison: Comparison, name: str) -> bool:
    return kind_of(name) is comparison.only if comparison.only else is_called(name, comparison.partner)


def _news(comparison: Comparison, projects: Sequence[Sequence[Told]]) -> Compared | None:
    entries = []
    for told in projects:
        events = [one for one in told if _is_in(comparison, one.fact.value)]
        events.sort(key=lambda one: one.fact.value, reverse=True)
        if events:
            entries.append(Entry(tuple(events[:EVENTS_SHOWN]), (in_words(events[0].fact.value),)))
    count = len(entries)
    told_by = "1 rapport" if count == 1 else f"{count} rapporter"
    lead = f"{told_by} fortæller om noget, der er sket {_SINCE[comparison.order]} {comparison.limit}; det nyeste først."
    return Compared(lead, tuple(sorted(entries, key=lambda entry: entry.told[0].fact.value, reverse=True)))


_SINCE = {Order.SINCE: "siden", Order.AFTER: "efter"}


def _two(comparison: Comparison, projects: Sequence[Sequence[Told]]) -> Compared | None:
    """What two projects have in common, or what they differ in: by kind, the values of each."""
    sides = [[one for told in projects for one in told if one.document_id in side] for side in comparison.sides]
    if not all(sides):
        return None
    values = [_values(side) for side in sides]
    kinds = [kind for kind in _BESIDE if all(kind in value for value in values)]
    if comparison.topic is Topic.COMMON:
        shared = {kind: values[0][kind].keys() & values[1][kind].keys() for kind in kinds}
        wanted = {kind: frozenset(found) for kind, found in shared.items() if found}
    else:
        differing = [kind for kind in kinds if values[0][kind].keys() != values[1][kind].keys()]
        wanted = {kind: frozenset(values[0][kind]) | frozenset(values[1][kind]) for kind in differing}
    if not wanted:
        return None
    entries = tuple(_side(value, wanted) for value in values)
    if comparison.topic is Topic.COMMON:
        told = [f"{_LABELS[kind]}: {_listed(sorted(found))}" for kind, found in wanted.items()]
        return Compared(f"Fælles er {'; '.join(told)}.", entries)
    told = [f"{_LABELS[kind]}: {_valued(values[0][kind])} over for {_valued(values[1][kind])}" for kind in wanted]
    return Compared(_sentence("; ".join(told)), entries)


def _valued(told: Mapping[str, Told]) -> str:
    """The values of a kind as they are told, without its label."""
    return _listed([_in_words(one.fact).partition(": ")[2] for one in told.values()])


def _values(told: Sequence[Told]) -> dict[FactKind, dict[str, Told]]:
    """The facts of a project by kind and value, each by its first sentence; of its statuses only the one now."""
    now = status_of(told)
    found: dict[FactKind, dict[str, Told]] = {}
    for one in told:
        if one.fact.kind is not FactKind.STATUS or one == now:
            found.setdefault(one.fact.kind, {}).setdefault(one.fact.value, one)
    return found


def _side(values: Mapping[FactKind, Mapping[str, Told]], wanted: Mapping[FactKind, frozenset[str]]) -> Entry:
    told = [one for kind, allowed in wanted.items() for value, one in values[kind].items() if value in allowed]
    return Entry(tuple(told), tuple(dict.fromkeys(_in_words(one.fact) for one in told)))


def _in_words(fact: Fact) -> str:
    """A fact as it is told beside a project: "støtte: 4,1 mio. kr."."""
    value = fact.value
    if fact.kind in (FactKind.SUPPORT, FactKind.COST, FactKind.SAVING):
        value = shown(int(value)) + (" for flere projekter tilsammen" if fact.shared else "")
    elif fact.kind in (FactKind.START, FactKind.END):
        value = in_words(value)
    dated = f" ({in_words(fact.date)})" if fact.date and fact.kind is FactKind.STATUS else ""
    return f"{_LABELS[fact.kind]}: {value}{dated}"


def _counted(told: Iterable[Told]) -> str:
    """How many projects, and how many reports of none, some facts decide for: "3 projekter og 1 anden sag"."""
    of_project = [one.of_project for one in told]
    projects, others = sum(of_project), len(of_project) - sum(of_project)
    beside = "" if not others else "1 anden sag" if others == 1 else f"{others} andre sager"
    if not projects:
        return f"Ingen projekter, men {beside}" if beside else "Ingen projekter"
    return ("1 projekt" if projects == 1 else f"{projects} projekter") + (f" og {beside}" if beside else "")


def _listed(names: Sequence[str], last: str = "og") -> str:
    return f"{', '.join(names[:-1])} {last} {names[-1]}" if len(names) > 1 else names[0]


_TOPICS: Mapping[Topic, Callable[[Comparison, Sequence[Sequence[Told]]], Compared | None]] = {
    Topic.STATUS: _status,
    Topic.MONEY: _money,
    Topic.PERIOD: _period,
    Topic.PARTNERS: _partners,
    Topic.PARTNER_IN: _partner_in,
    Topic.NEWS: _news,
    Topic.COMMON: _two,
    Topic.DIFFERENCE: _two,
}
