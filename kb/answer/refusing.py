"""The refusal: one honest sentence on why there is no answer.

A word of substance that no report has, not even in another form or spelling, means that the base has nothing on the
subject when it is most of the question, and that the asked-for thing is missing when the rest is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kb.answer.evidence import Gathered
from kb.answer.judging import Judged
from kb.models import Refusal, RefusalReason

# The subject is in the base when some passage meets this share of the question, by rarity.
SUBJECT_KNOWN = 0.34


def refuse(
    gathered: Gathered, judged: Sequence[Judged], nearest: tuple[int, ...], filters: Mapping[str, Sequence[str]]
) -> Refusal:
    """The refusal of a question; ``nearest`` are the citations of what comes nearest."""
    texts = [one.evidence.terms for one in judged]
    missing = tuple(form for form, word in gathered.words.words.items() if not word.met(*texts))
    if filters:
        reason, message = RefusalReason.NOTHING_UNDER_FILTER, _under_filter(filters)
    elif max((one.evidence.words_in_passage for one in judged), default=0.0) >= SUBJECT_KNOWN:
        reason = RefusalReason.NOT_SAID
        message = "Rapporterne handler om emnet, men siger ikke det, der spørges om."
    else:
        reason, message = RefusalReason.NO_SUBJECT, "Der står intet om emnet i rapporterne."
    return Refusal(reason, message, nearest, missing)


def _under_filter(filters: Mapping[str, Sequence[str]]) -> str:
    chosen = ", ".join(f"{name}: {' eller '.join(values)}" for name, values in filters.items())
    return f"Ingen af rapporterne under filteret ({chosen}) svarer på spørgsmålet."
