"""Proposes whom to ask about a report: a department or another unit, never a person (pure).

A unit is told by its name's form ("Team Data", "Klimaafdelingen", "Sekretariatet for Velfærd"), where the report says
whom to turn to, on its cover, or where it speaks as that unit. Names of people do not have these forms and are never
read; what stands beside the unit is not quoted either. What an editor wrote is shown where it names no person.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.core.models import Certainty, Document, page_at
from kb.core.privacy import mask, names_person
from kb.proposals.authorities import mentions
from kb.proposals.opening import Line
from kb.proposals.proposal import Proposal

LOOKED_AT = 60_000
_CAPITAL = r"[A-ZÆØÅ][\wæøå&-]{1,40}"
_LIST = rf"{_CAPITAL}(?:(?:,\s|\sog\s|\s&\s){_CAPITAL}){{0,3}}"
UNIT = re.compile(
    rf"(?:Team\s{_CAPITAL}(?:\s[–-]\s{_LIST})?"
    r"|(?:Afdeling(?:en)?|Kontor(?:et)?|Sekretariat(?:et)?|Cente?r(?:et)?|Forvaltning(?:en)?|Enhed(?:en)?|Stab(?:en)?)"
    rf"\sfor\s{_LIST}"
    r"|[A-ZÆØÅ][a-zæøå-]{2,40}(?:afdeling(?:en)?|forvaltning(?:en)?|sekretariat(?:et)?|kontor(?:et)?|enhed(?:en)?"
    r"|stab(?:en)?)(?!\w))"
)
# A named unit after "Ansvarlig enhed ... er", to the end of its line: it says itself that it is one.
_RESPONSIBLE = re.compile(
    r"\bansvarlig (?:enhed|afdeling|forvaltning)(?:\s(?:hos|i|ved)\s\w{2,40})?(?:\ser|:)\s"
    rf"(?P<unit>{_CAPITAL}[^\n.,;:]{{2,80}}(?:(?<=\sog)\s{{1,3}}{_CAPITAL})?)",
    re.IGNORECASE,
)
_ASK = re.compile(
    r"\b(?:kontakt\w{0,12}|henvendelser?|spørgsmål|yderligere oplysninger|læs mere hos)\b[^\n.]{0,80}$", re.IGNORECASE
)
_SPEAKS = re.compile(r"\b(?:vi (?:er )?i|hos os i|i) $", re.IGNORECASE)
_WE = re.compile(r"\b(?:vi|vores|os)\b", re.IGNORECASE)


def unit_written(contact: str) -> str:
    """What an editor wrote as the contact, to be shown to others; nothing where it may be a person's."""
    return "" if mask(contact).counts or names_person(UNIT.sub("", contact)) else contact


def proposed_contact(document: Document, front: Sequence[Line]) -> Proposal | None:
    """The unit to ask: the one the report refers to, the one on its cover, or the one it speaks as."""
    text = document.text[:LOOKED_AT]
    told = _responsible(document, text) or _referred_to(document, text)
    return told or _on_cover(document, front) or _we(document, text)


def _responsible(document: Document, text: str) -> Proposal | None:
    match = _RESPONSIBLE.search(text)
    if match is None or _is_sentence(match["unit"]):
        return None
    return _said(document, match.span("unit"), Certainty.LIKELY, "Rapporten siger, at enheden er ansvarlig.")


def _is_sentence(name: str) -> bool:
    return bool(re.search(r"\s(?:er|har|skal|kan|vil|som|der|at)\s", name))


def _referred_to(document: Document, text: str) -> Proposal | None:
    for match in UNIT.finditer(text):
        if _ASK.search(text[max(0, match.start() - 120) : match.start()]):
            return _said(document, match.span(), Certainty.LIKELY, "Rapporten henviser til enheden.")
    return None


def _on_cover(document: Document, front: Sequence[Line]) -> Proposal | None:
    """The unit of a cover's line; a letter's first lines are whom it is to."""
    for line in front:
        match = UNIT.search(line.text)
        if match and not line.is_running and not line.level:
            place = (line.start + match.start(), line.start + _with_authority(line.text, match.end()))
            return _said(document, place, Certainty.UNSURE, "Enheden står på forsiden.")
    return None


def _with_authority(line: str, end: int) -> int:
    """Where a unit's name ends with the authority that stands right behind it."""
    behind = next((mention for mention in mentions(line) if mention.start - 2 <= end <= mention.end), None)
    return behind.end if behind else end


def _we(document: Document, text: str) -> Proposal | None:
    for match in UNIT.finditer(text):
        near = text[max(0, match.start() - 14) : match.start()]
        if _SPEAKS.search(near) and _WE.search(text[max(0, match.start() - 14) : match.end() + 20]):
            return _said(document, match.span(), Certainty.UNSURE, "Rapporten taler på enhedens vegne.")
    return None


def _said(document: Document, place: tuple[int, int], certainty: Certainty, why: str) -> Proposal:
    start, end = place
    quote = document.text[start:end].rstrip()
    page = page_at(document.pages, start)
    return Proposal(
        "kontakt", " ".join(quote.split()), certainty, why, quote, start, start + len(quote),
        page.number if page else None,
    )  # fmt: skip
