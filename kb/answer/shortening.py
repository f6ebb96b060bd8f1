"""How sentences are shown: shortened where they are long, with what they point back at where they do (pure)."""

from __future__ import annotations

import re

from kb.language import danish
from kb.language.sentences import Sentence, without_mark

# Openings that point back at what was said before: "Derfor ...", "Samtidig ...", "Det kræver ...".
_REFERS = re.compile(
    r"(?:(?:dette|disse|denne|hun|han|derfor|derved|dermed|derudover|herefter|herved|samtidig|desuden|dog|også|men|og"
    r"|begge|resten|omvendt|ligeledes|endelig|deres|dens|dets|samme|heraf|hvilket|tilsammen|ingen af dem)\b"
    r"|(?:til gengæld|på den måde|af dem|det samme|ud over det)\b"
    r"|(?:(?:den|det) \w+|begge|flere|ingen|mange|nogle|en|et|resten|to|tre|fire) af (?:dem|disse)\b"
    r"|(?:det|den|de)(?: \w+)?? (?:er|var|har|havde|kan|kunne|skal|skulle|vil|ville|må|måtte|blev|bliver|fik|får|gav"
    r"|gik|går|kom|tog|gjorde|gjaldt|viste|krævede|fremgår|sagde|lå|stod|betød|førte|brugte|faldt|skete"
    r"|[a-zæøå]{2,}(?:ede|er))\b)",
    re.IGNORECASE,
)
# "Det er sagsbehandleren, der ..." and "Det var svært at ..." say themselves what "det" is.
_OPENS = re.compile(
    r"det (?:er|var|bliver|blev|kan være|kan|skal|har været|viste sig|lykkedes)\b.*\b(?:at|der|som|om)\b", re.IGNORECASE
)
# "Rapporten viser eksempler på, hvordan projekterne håndterede ..." announces what stands elsewhere.
_ANNOUNCES = re.compile(
    r"\b(?:viser|giver|rummer|indeholder|samler) eksempler på\b|\b(?:beskriver|gennemgår|fortæller|viser),? hvordan\b",
    re.IGNORECASE,
)
_ENDED = re.compile(r"[.!?:][)\"'\u201d\u201c\u00bb\u2019]*\s*$")


def shorten(text: str, limit: int) -> str:
    """A text of at most about ``limit`` characters, cut at the last comma or space before it, with " …" at the cut."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    place = max(head.rfind(", "), head.rfind("; "))
    place = place if place > limit // 2 else head.rfind(" ")
    return head[: place if place > 0 else limit].rstrip(" ,;") + " …"


def refers_back(text: str) -> bool:
    """Whether a sentence opens by pointing at what stands before it."""
    return _REFERS.match(text) is not None and _OPENS.match(text) is None


def announces(text: str) -> bool:
    """Whether a sentence says what is told somewhere, and does not tell it."""
    return _ANNOUNCES.search(text) is not None


def with_antecedent(sentence: Sentence) -> Sentence:
    """The sentence, and where it opens by pointing back, together with the one before it in the same paragraph."""
    if not refers_back(sentence.text):
        return sentence
    text, place = sentence.passage.text, sentence.start - sentence.passage.start
    before = [span for span in danish.sentences(text) if span[1] <= place]
    if not before:
        return sentence
    start, _ = without_mark(text, *before[-1])
    said = text[start:place]
    if "\n\n" in said or not _ENDED.search(said):
        return sentence
    return Sentence(sentence.passage, sentence.passage.start + start, sentence.end)


def with_list(sentence: Sentence, limit: int) -> Sentence:
    """A lead-in ("Årsagerne er flere:") together with what it leads in; any other sentence as it is.

    That is as many of a list's items as make up ``limit`` characters, or the one sentence of a quotation; the first
    whatever its length.
    """
    if not sentence.text.endswith(":"):
        return sentence
    text, offset = sentence.passage.text, sentence.passage.start
    whole = sentence
    for span in danish.sentences(text):
        if offset + span[0] < sentence.end:
            continue
        begin, end = without_mark(text, *span)
        longer = Sentence(sentence.passage, sentence.start, offset + end)
        is_item, is_first = bool(text[span[0] : begin].strip()), whole is sentence
        if not is_first and (not is_item or len(longer.text) > limit):
            break
        whole = longer
        if not is_item:
            break
    return whole


def in_full(sentence: Sentence, limit: int) -> Sentence:
    """A sentence with what it leads in and with what it points back at, unless the latter makes it too long."""
    whole = with_list(with_antecedent(sentence), limit)
    return whole if len(whole.text) <= limit else with_list(sentence, limit)
