"""What a fact is: a kind and a value, and the sentence that says it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from kb.core.models import Certainty
from kb.core.stages import Status


class FactKind(StrEnum):
    """What a fact tells of a project."""

    STATUS = "status"
    REASON = "årsag"
    SUPPORT = "støtte"
    COST = "pris"
    SAVING = "besparelse"
    START = "start"
    END = "slut"
    PARTNER = "partner"
    SUPPLIER = "leverandør"
    DATA = "data"
    PHASE = "fase"
    EVENT = "hændelse"


AMOUNTS = (FactKind.SUPPORT, FactKind.COST, FactKind.SAVING)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a report says of its project.

    ``value`` is a word of :class:`Status` (of a REASON: the status that it is the reason for) or of :class:`Phase`, an
    amount in whole kroner, a date, a name or a kind of data. ``[start, end)`` is the place of the sentence that says it
    in the document's text, in the passage ``passage_id``. Dates are ISO, of the precision that the text gives ("2023",
    "2023-05", "2023-05-25"); ``date`` is when the fact held, empty where the text does not say. ``certainty`` is SURE
    where the sentence names the project, LIKELY where it points at it ("projektet"), and UNSURE where the value is
    ``shared`` with other projects.
    """

    kind: FactKind
    value: str
    passage_id: str
    start: int
    end: int
    date: str = ""
    certainty: Certainty = Certainty.LIKELY
    shared: bool = False


def current_status(facts: Iterable[Fact]) -> Fact | None:
    """The status that holds now: the newest dated, the surest of equals, "ukendt" only where nothing else is."""
    statuses = [fact for fact in facts if fact.kind is FactKind.STATUS]
    known = [fact for fact in statuses if fact.value != Status.UNKNOWN] or statuses
    return max(known, key=lambda fact: (fact.date, fact.certainty is Certainty.SURE, fact.start), default=None)
