"""Tells which parts of a question for several things an answer leaves open: "hvornår og hvorfor" (pure).

Only what a sentence shows by its form is looked for: a date, a duration, a reason, a number, a price, a name. What else
"hvad" and "hvordan" ask for has no form, and counts as told. It is said of the answer and not of the reports, which may
tell it in a sentence that is not shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from kb.answer.intent import has_name, has_number, holds_amount, tells_when
from kb.language import danish

_REASON = re.compile(
    r"\b(?:fordi|skyldes|skyldtes|på grund af|årsag\w*|begrund\w*|derfor|eftersom|grunden|for at"
    r"|da (?:der|de|den|det))\b"
)
_DURATION = re.compile(r"\b(?:sekund\w*|minut\w*|timer?|dage?|uger?|måned\w*|år|halvår\w*|kvartal\w*)\b")
_PRICE = re.compile(r"\b(?:gratis|betal\w+)\b")
# A question word at the beginning, and one after "og" or "samt".
_PARTS = re.compile(
    r"(?:^|\b(?:og|samt) )(hvad (?:(?:har|kan|vil|det|den|de|projektet|løsningen) ){0,2}kost\w+"
    r"|hvor lang tid|hvor længe|hvornår|hvorfor|hvor mange|hvor meget|hvem|hvad|hvordan|hvilke[nt]?|hvor)\b"
)


def _tells_why(text: str) -> bool:
    return _REASON.search(danish.normalise(text)) is not None


def _tells_how_long(text: str) -> bool:
    return tells_when(text) or _DURATION.search(danish.normalise(text)) is not None


def _tells_price(text: str) -> bool:
    return holds_amount(text) or _PRICE.search(danish.normalise(text)) is not None


_TOLD: dict[str, Callable[[str], bool]] = {
    "hvornår": tells_when,
    "hvorfor": _tells_why,
    "hvor mange": has_number,
    "hvor meget": has_number,
    "hvem": has_name,
    "hvor længe": _tells_how_long,
    "hvad det koster": _tells_price,
}


def left_open(question: str, sentences: Sequence[str]) -> str:
    """What the answering sentences do not tell ("Svaret siger hvornår, men ikke hvorfor."); empty when nothing
    is missing, when the question is for one thing, or when nothing of it is told.
    """
    parts = tuple(dict.fromkeys(map(_asked, _PARTS.findall(danish.normalise(question)))))
    missing = [part for part in parts if part in _TOLD and not any(map(_TOLD[part], sentences))]
    told = [part for part in parts if part not in missing]
    if not missing or not told:
        return ""
    return f"Svaret siger {' og '.join(told)}, men ikke {' og '.join(missing)}."


def _asked(words: str) -> str:
    """What the words of a question ask for, as it is said of an answer that leaves it open."""
    if words == "hvor lang tid":
        return "hvor længe"
    return "hvad det koster" if words.startswith("hvad ") else words
