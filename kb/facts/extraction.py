"""Reads the facts from a document's sentences by the table of :mod:`kb.facts.patterns` (pure).

A sentence is read where it stands as the report's own statement: the collector's own reading and lists of sources are
left out, and a sentence about another project or about many gives no status, money or period of this one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import zip_longest

from kb.core.models import Certainty, Metadata, Passage, Role
from kb.core.stages import PHASE_OF_STATUS, Phase, Status
from kb.facts import patterns
from kb.facts.amounts import Amount, amounts_in
from kb.facts.dates import Dated, date_of, dates_in
from kb.facts.fact import Fact, FactKind
from kb.facts.names import names_of
from kb.facts.subject import Subject, Whose
from kb.language.sentences import Sentence, sentences_of

# How much farther a date before a status lies than one after it: "2024 og indførte den i januar 2025".
BEFORE = 20
_CERTAINTY = {Whose.NAMED: Certainty.SURE, Whose.SHARED: Certainty.UNSURE}
_STOPPED = frozenset((Status.STOPPED.value, Status.ON_HOLD.value))
_OF_PROJECT = frozenset((Whose.NAMED, Whose.POINTED_AT))


def facts_of(metadata: Metadata, passages: Iterable[Passage]) -> list[Fact]:
    """A document's facts, each once, in the order of their sentences."""
    subject = Subject.of(metadata)
    found: dict[tuple[FactKind, str, int], Fact] = {}
    for passage in passages:
        if passage.inferred:
            continue
        sentences = sentences_of(passage)
        for sentence, after in zip_longest(sentences, sentences[1:]):
            for fact in _Statement(sentence, after, subject).facts():
                found.setdefault((fact.kind, fact.value, fact.start), fact)
    stopped = {fact.value for fact in found.values() if fact.kind is FactKind.STATUS} & _STOPPED
    wanted = found.values() if stopped else (fact for fact in found.values() if fact.kind is not FactKind.REASON)
    return [replace(fact, value=min(stopped)) if fact.kind is FactKind.REASON else fact for fact in wanted]


@dataclass(frozen=True)
class _Statement:
    """A sentence with the one after it in its passage, read for facts."""

    sentence: Sentence
    after: Sentence | None
    subject: Subject

    @cached_property
    def text(self) -> str:
        return self.sentence.text

    @cached_property
    def folded(self) -> str:
        return self.text.lower()

    @cached_property
    def whose(self) -> Whose:
        return self.subject.whose(self.folded)

    @cached_property
    def dates(self) -> Sequence[Dated]:
        return list(dates_in(self.folded))

    @cached_property
    def period(self) -> re.Match[str] | None:
        return patterns.FROM_TO.search(self.folded)

    def facts(self) -> Iterator[Fact]:
        yield from self._statuses()
        yield from self._reasons()
        yield from self._money()
        yield from self._periods()
        yield from self._participants()
        yield from self._data()
        yield from self._spread()
        yield from self._events()

    def _fact(self, kind: FactKind, value: str, date: str = "") -> Fact:
        certainty = _CERTAINTY.get(self.whose, Certainty.LIKELY)
        sentence = self.sentence
        return Fact(kind, value, sentence.passage.id, sentence.start, sentence.end, date, certainty)

    def _statuses(self) -> Iterator[Fact]:
        if self.whose not in _OF_PROJECT and not (self.whose is Whose.NOBODY and self.subject.is_project):
            return
        for status, pattern in patterns.STATUS:
            for match in pattern.finditer(self.folded):
                told = self._as_told(status, match)
                if told is None or (self.whose is Whose.NOBODY and told is not Status.UNKNOWN):
                    continue
                date = self._date_at(match.start(), match.end())
                if told is Status.FINISHED and not date and self.period:
                    date = date_of(self.period, "_to")
                yield self._fact(FactKind.STATUS, told.value, date)
                if told in PHASE_OF_STATUS:
                    yield self._fact(FactKind.PHASE, PHASE_OF_STATUS[told].value, date)

    def _as_told(self, status: Status, match: re.Match[str]) -> Status | None:
        """The status that a match tells after what stands before it in its clause; None for a mere plan."""
        if status not in patterns.MAY_BE_PLANNED:
            return status
        begin = max((end.end() for end in patterns.CLAUSE_ENDS.finditer(self.folded, 0, match.start())), default=0)
        before = self.folded[begin : match.start()]
        if patterns.PLAN.search(before) or patterns.SUBORDINATE.search(self.folded[:begin]):
            return None
        if patterns.DENIED.search(self.folded[begin : match.end()]):
            return Status.NOT_IN_OPERATION if status is Status.OPERATION else None
        if status is Status.OPERATION and patterns.EXPECTED.search(before):
            return Status.ON_ITS_WAY
        return status

    def _date_at(self, start: int, end: int) -> str:
        """When what stands at a place held: the source's date, the nearest in the sentence, or the next one's."""
        if source := patterns.SOURCE_DATE.search(self.folded):
            return max(date.date for date in self.dates if date.start >= source.start())
        dates = [date for date in self.dates if not self._is_of_period(date)]
        if dates:
            return min(
                dates, key=lambda date: date.start - end if date.start >= end else start - date.end + BEFORE
            ).date
        if self.after and patterns.DATES_THE_ONE_BEFORE.match(self.after.text.lower()):
            return max((date.date for date in dates_in(self.after.text.lower())), default="")
        return ""

    def _is_of_period(self, date: Dated) -> bool:
        spans = [match.span() for match in (self.period, *self._points()) if match]
        return any(start <= date.start and date.end <= end for start, end in spans)

    def _points(self) -> Iterator[re.Match[str] | None]:
        yield patterns.STARTED.search(self.folded)
        yield patterns.ENDED.search(self.folded)

    def _reasons(self) -> Iterator[Fact]:
        """What may be why the project stopped; kept only where some sentence says that it did."""
        if self.whose in _OF_PROJECT and patterns.HINDERED.search(self.folded):
            yield self._fact(FactKind.REASON, "")

    def _money(self) -> Iterator[Fact]:
        if self.whose in (Whose.OTHERS, Whose.NOBODY) or patterns.OTHER_MONEY.search(self.folded):
            return
        for amount in amounts_in(self.folded):
            kind = self._kind_of(amount)
            if kind and not self._is_of_all(amount):
                fact = self._fact(kind, str(amount.kroner), self._date_at(amount.start, amount.end))
                yield replace(fact, shared=self.whose is Whose.SHARED)

    def _is_of_all(self, amount: Amount) -> bool:
        """Whether an amount is what many have together, told in a clause of its own that does not name the project."""
        ends = (end.end() for end in patterns.AMOUNT_CLAUSES.finditer(self.folded, 0, amount.start))
        begin = max(ends, default=0)
        return begin > 0 and bool(patterns.IN_ALL.search(self.folded[begin:]))

    def _kind_of(self, amount: Amount) -> FactKind | None:
        """What an amount is, by the nearest cue."""
        near = [
            (max(match.start() - amount.end, amount.start - match.end()), kind)
            for kind, pattern in patterns.MONEY
            for match in pattern.finditer(self.folded)
        ]
        if near:
            return min(near, key=lambda one: one[0])[1]
        return FactKind.SUPPORT if patterns.WEAK_SUPPORT.search(self.folded) else None

    def _periods(self) -> Iterator[Fact]:
        if self.whose not in _OF_PROJECT:
            return
        if self.period:
            yield self._fact(FactKind.START, date_of(self.period, "_from"))
            yield self._fact(FactKind.END, date_of(self.period, "_to"))
            return
        for kind, match in zip((FactKind.START, FactKind.END), self._points(), strict=True):
            if match:
                yield self._fact(kind, date_of(match))

    def _participants(self) -> Iterator[Fact]:
        if patterns.ANOTHER.search(self.folded) or not (self.subject.is_project or self.whose in _OF_PROJECT):
            return
        for kind, pattern in patterns.PARTICIPANTS:
            for match in pattern.finditer(self.text):
                yield from self._named(kind, names_of(match["names"]))
        joint = patterns.JOINT.match(self.text)
        names = names_of(joint["names"]) if joint else ()
        if len(names) > 1 and any(self.subject.is_own(name) for name in names):
            yield from self._named(FactKind.PARTNER, names)

    def _named(self, kind: FactKind, names: Iterable[str]) -> Iterator[Fact]:
        for name in names:
            if not self.subject.is_own(name):
                yield self._fact(kind, name)

    def _data(self) -> Iterator[Fact]:
        told = self.sentence.passage.role in (Role.DATA, Role.METHOD) or patterns.USES_DATA.search(self.folded)
        if not told or self.whose is Whose.OTHERS or self.sentence.passage.role is Role.RESULT:
            return
        for kind, pattern in patterns.DATA:
            if pattern.search(self.folded):
                yield self._fact(FactKind.DATA, kind)

    def _spread(self) -> Iterator[Fact]:
        if (
            self.whose in _OF_PROJECT
            and patterns.SPREAD.search(self.folded)
            and not patterns.ADVISES.search(self.folded)
        ):
            yield self._fact(FactKind.PHASE, Phase.SPREAD.value)

    def _events(self) -> Iterator[Fact]:
        dates = [date for date in self.dates if self._is_event(date)]
        if not dates and self.after and patterns.DATES_THE_ONE_BEFORE.match(self.after.text.lower()):
            dates = [date for date in dates_in(self.after.text.lower()) if "-" in date.date]
        if dates and not patterns.DATES_THE_ONE_BEFORE.match(self.folded):
            newest = max(date.date for date in dates)
            yield self._fact(FactKind.EVENT, newest, newest)

    def _is_event(self, date: Dated) -> bool:
        if self._is_of_period(date):
            return False
        if patterns.SPAN_GOES_ON.match(self.folded, date.end):
            return False
        if "-" in date.date:
            return True
        in_year = patterns.HAPPENED_IN_YEAR.search(self.folded[: date.start]) or not date.is_bare
        return bool(in_year and patterns.EVENT_TENSE.search(self.folded))
