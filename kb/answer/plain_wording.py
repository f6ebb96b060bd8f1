"""Brings a question as it is typed into the order and words that forms of questions have (pure).

    plain("Køge-projektet, hvornår sluttede det? Kan ikke finde det")  # "hvornår sluttede køge-projektet"
    plain("Er det rigtigt, at AIR fik fem millioner?")                 # "fik air 5 millioner"

What frames a question, words that say nothing and a remark behind it are left out; what it is about is put where
the pronoun stands for it; numbers before millions are figures.
"""

from __future__ import annotations

import re

from kb.language import danish

_OPENINGS = (
    r"(?:(?:fra )?hvornår|(?:i )?hvilke[nt]?|hvad|hvem|hvor(?! der)|fik|har|havde|er|var|blev|kostede|modtog|begyndte"
    r"|startede|sluttede|kom)\b"
)
# "Køge-projektet, hvornår blev det afsluttet?": the subject stands first, and a pronoun for it.
_SUBJECT_FIRST = re.compile(
    rf"^(?!{_OPENINGS})(?P<subject>[^,?!;:]{{2,60}}?)\s*(?:[,:;.]| [-–]|\.\.+)\s+(?P<asked>{_OPENINGS}.+)$"
)
_PRONOUN = re.compile(r"\b(?:det|de|den)\b(?! (?:mest|flest|største|mindste|højeste))")
_LEAD = re.compile(r"^[^:]*: (?=\S+ \S+ )")
# A remark behind the question mark; what opens a further question stays.
_REMARK = re.compile(r"(?<=\?)\s+(?!og\b|hv|er\b|har\b|fik\b|eller\b)[^?]*$")
_FRAME = re.compile(
    r"^(?:(?:er|passer|kan) det (?:(?:korrekt|rigtigt|sandt|passe) )?at|ved (?:i|man|du) om"
    r"|kan (?:i|man|du) (?:\w+ ){1,3}om) (?P<subject>.+?)"
    r" (?P<verb>har|fik|modtog|kostede|er|var|blev|deltog|samarbejdede) (?P<rest>.+)$"
)
_WHEN_LAST = re.compile(r"^(?P<rest>.+)(?<! og) hvornår$")
_FILLER = re.compile(
    r"\b(?:egentlig|overhovedet|ifølge rapport(?:en|erne)|eller hvad|ja/nej|ja nej|tak|det der med|det med|sådan noget"
    r"|mon|lige nu|henne)(?!\S)|\b(?:(?:passer|er|var) det(?: rigtigt| ikke)?|rigtigt)$"
)
_MARKS = re.compile(r"[?!]|[.,;](?=\s|$)|(?<=\s)[-–](?=\s)")
_NUMBERS = ("en", "to", "tre", "fire", "fem", "seks", "syv", "otte", "ni", "ti", "elleve", "tolv")
_NUMBER = re.compile(rf"\b(?P<word>{'|'.join(_NUMBERS)}) (?=mio|million|mia)")


def plain(question: str) -> str:
    """A question in lower case without its marks, its subject where forms of questions have it."""
    text = _LEAD.sub("", _REMARK.sub("", danish.normalise(question)))
    text = _without_marks(_subject_in_place(text))
    text = _FRAME.sub(r"\g<verb> \g<subject> \g<rest>", text)
    text = _WHEN_LAST.sub(r"hvornår \g<rest>", text)
    text = _NUMBER.sub(lambda match: f"{_NUMBERS.index(match['word']) + 1} ", text)
    return _without_marks(_FILLER.sub(" ", text))


def _subject_in_place(text: str) -> str:
    match = _SUBJECT_FIRST.match(text)
    if not match:
        return text
    subject, asked = match["subject"], match["asked"]
    if _PRONOUN.search(asked):
        return _PRONOUN.sub(lambda _: subject, asked, count=1)
    return f"{asked} {subject}"


def _without_marks(text: str) -> str:
    return " ".join(_MARKS.sub(" ", text).split())
