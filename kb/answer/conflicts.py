"""Reports that point different ways, found so cautiously that what is shown is one (pure).

*Figures.* Two sentences of different documents that say nearly the same in words and give different numbers of one
unit: "tiden er faldet med 66 procent", "tiden er faldet med 40 procent". Different projects have different figures and
do not disagree by that: the two must be of one project, or one of them of a report across projects.

*Permission.* The question asks whether something may be done or is lawful, and among the sentences that answer it one
project's says yes and another's no.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from kb.answer.intent import is_number
from kb.answer.selection import Judged
from kb.language import danish
from kb.language.vocabulary import word_form

# The share of words that two sentences must have in common, numbers left out, to be about one measure.
SAME_MEASURE = 0.7
LEAST_WORDS = 4
# Both sides must answer the question at least this well, against the best sentence.
ANSWERING_SHARE = 0.25
_SCALES = frozenset(("mio", "mio.", "million", "millioner", "mia", "milliard", "milliarder", "ca", "op"))
_UNITS = {"pct": "procent", "%": "procent", "kroner": "kr", "kr.": "kr"}

_ASKS_PERMISSION = re.compile(
    r"\b(?:må|lovlig\w*|tillad\w*|hjemmel|lovhjemmel|lovgrundlag|ret til|forbud\w*|ulovlig\w*)\b"
)
_NO = re.compile(
    r"\b(?:må ikke|kan ikke|ikke lovlig\w*|ulovlig\w*|ikke (?:\w+ ){0,2}lovhjemmel|manglede (?:\w+ ){0,3}lovgrundlag"
    r"|forbyder|forbudt|ikke klar nok|ikke på det samme grundlag)\b"
)
_YES = re.compile(
    r"\b(?:kan (?:\w+ ){0,6}(?:inden for|bruges|udvikles|deles|offentliggøres|ske)|må gerne|er lovlig\w*"
    r"|inden for reglerne|giver (?:\w+ ){0,3}adgang til|har hjemmel|i orden)\b"
)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two sentences that point different ways; ``about`` says on what, in Danish."""

    about: str
    first: Judged
    second: Judged


def conflicts(question: str, answering: Sequence[Judged]) -> list[Conflict]:
    """The conflicts among a question's answering sentences (best first), at most one of each sort."""
    if not answering:
        return []
    least = ANSWERING_SHARE * answering[0].probability
    strong = [one for one in answering if one.probability >= least and not one.candidate.sentence.passage.inferred]
    found = [next(_figures(strong), None), next(_permissions(question, strong), None)]
    return [conflict for conflict in found if conflict is not None]


def _figures(sentences: Sequence[Judged]) -> Iterator[Conflict]:
    for first, second in combinations(sentences, 2):
        one, other = first.candidate.sentence, second.candidate.sentence
        if one.passage.document_id == other.passage.document_id or not _one_subject(first, second):
            continue
        if unit := conflicting_unit(one.text, other.text):
            yield Conflict(f"Rapporterne har forskellige tal ({unit}).", first, second)


def _one_subject(first: Judged, second: Judged) -> bool:
    projects = {judged.candidate.hit.document.metadata.projekt for judged in (first, second)}
    return len(projects - {""}) <= 1


def conflicting_unit(first: str, second: str) -> str:
    """The unit in which two sentences on one measure give different numbers, or an empty text."""
    words, others = _content(first), _content(second)
    if min(len(words), len(others)) < LEAST_WORDS:
        return ""
    if len(words & others) < SAME_MEASURE * max(len(words), len(others)):
        return ""
    numbers, against = _numbers(first), _numbers(second)
    for unit in numbers.keys() & against.keys():
        if numbers[unit].isdisjoint(against[unit]):
            return unit
    return ""


def _content(text: str) -> frozenset[str]:
    """The stems of a sentence's words of substance, numbers left out."""
    forms = (word_form(token) for token in danish.tokenise(text) if token.kind is danish.Kind.WORD)
    return frozenset(danish.stem(form) for form in forms if form not in danish.stop_words())


def _numbers(text: str) -> dict[str, set[str]]:
    """A sentence's numbers by unit.

    That is the first word after a number that is no scale ("40 procent"), else the word before it ("version 16.04").
    """
    tokens = danish.tokenise(text.replace("%", " procent"))
    found: dict[str, set[str]] = {}
    for place, token in enumerate(tokens):
        if token.kind is danish.Kind.NUMBER and is_number(token):
            after = (word_form(other) for other in tokens[place + 1 : place + 4])
            before = (word_form(other) for other in tokens[max(place - 1, 0) : place])
            units = (next((word for word in words if word not in _SCALES), "") for words in (after, before))
            unit = next((word for word in units if word and word not in danish.stop_words()), "")
            if unit:
                found.setdefault(_UNITS.get(unit, unit), set()).add(word_form(token))
    return found


def _permissions(question: str, sentences: Sequence[Judged]) -> Iterator[Conflict]:
    if not _ASKS_PERMISSION.search(danish.normalise(question)):
        return
    yes = [one for one in sentences if permits(one.candidate.sentence.text) is True]
    no = [one for one in sentences if permits(one.candidate.sentence.text) is False]
    for first in yes:
        for second in no:
            if first.candidate.hit.document.id != second.candidate.hit.document.id:
                yield Conflict("Noget må man efter rapporterne, og noget må man ikke.", first, second)


def permits(text: str) -> bool | None:
    """Whether a sentence says that something may be done (True) or may not (False); None where it says neither."""
    folded = danish.normalise(text)
    if _NO.search(folded):
        return False
    return True if _YES.search(folded) else None
