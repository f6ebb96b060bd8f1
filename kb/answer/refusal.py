"""The refusal: one honest sentence on why there is no answer.

Where the reader model says that a window answers, but of
another project or place than the one named, that is told. Where the question names a project of the base, or some
sentence is near to it, the subject is there and the asked-for thing is missing; where even the nearest sentence means
something else, the base has nothing on the subject. The words that no report has are told as well. A question for whom
to contact is told who stands behind.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from kb.answer.features import Gathered
from kb.answer.selection import Judged
from kb.core.models import Metadata, Refusal, RefusalReason
from kb.language import danish

# The subject is in the base when some sentence is nearer to the question than this, in standard deviations above the
# cosine of any two sentences of the base: it tells 50 of dev's 54 unanswerable questions right (25 of 26 on no subject
# of the base, 25 of 28 on one); the share of words that are met tells 46.
SUBJECT_CLOSENESS = 0.3
# Only below this is it said for certain. Of 109 development questions on no subject of the base .93 lie below 0.3 and
# .71 below this; of 728 near ones that name no project, to which "intet om emnet" is untrue, .18 and .08.
NO_SUBJECT_CLOSENESS = -0.2
# More projects than this are not named in a refusal, only counted.
NAMED_SHOWN = 2
# A word with a capital inside a question; what names a kind of authority names no place.
_NAME = re.compile(r"(?<=\s)[A-ZÆØÅ][a-zæøåé]+(?:-[A-ZÆØÅ][a-zæøåé]+)?\b")
_NO_NAME = re.compile(r"(?:Kommunes?|Region(?:en)?s?|Styrelsens?|Sygehus\w*|Hospital\w*|Danmarks?|Danske?)\Z")


def refuse(
    gathered: Gathered,
    judged: Sequence[Judged],
    nearest: tuple[int, ...],
    filters: Mapping[str, Sequence[str]],
    projects: Sequence[str] = (),
    other: Judged | None = None,
) -> Refusal:
    """The refusal of a question; ``nearest`` are the citations of what comes nearest, ``projects`` the names of the
    projects that the question names, ``other`` the sentence that answers for another (:func:`of_another`).
    """
    met = gathered.words.met(*(one.candidate.terms for one in judged))
    missing = tuple(form for form in gathered.words.words if not met[form])
    if filters:
        reason, message = RefusalReason.NOTHING_UNDER_FILTER, _under_filter(filters)
    elif other:
        reason, message = RefusalReason.ELSEWHERE, _elsewhere(gathered.question, other, projects)
    elif projects:
        reason, message = RefusalReason.NOT_SAID, _of_projects(projects)
    else:
        reason, message = _of_subject(max((one.candidate.closeness for one in judged), default=-math.inf))
    return Refusal(reason, message, nearest, missing)


def _of_subject(closeness: float) -> tuple[RefusalReason, str]:
    """Whether the base has the subject at all, by how near the nearest sentence is to the question."""
    if closeness >= SUBJECT_CLOSENESS:
        return RefusalReason.NOT_SAID, "Rapporterne handler om emnet, men siger ikke det, der spørges om."
    how_much = "intet" if closeness < NO_SUBJECT_CLOSENESS else "næppe noget"
    return RefusalReason.NO_SUBJECT, f"Der står {how_much} om emnet i rapporterne."


def too_vague() -> Refusal:
    """The refusal of a question that does not say what it is about: it asks back."""
    message = "Spørgsmålet siger ikke, hvad det gælder. Nævn et projekt, en myndighed eller et emne."
    return Refusal(RefusalReason.TOO_VAGUE, message, (), ())


def own_case() -> Refusal:
    """The refusal of a question about the asker's own case, or for an opinion: reports tell of projects."""
    message = "Rapporterne fortæller om projekter. De kan ikke svare for en enkelt sag eller sige, hvad nogen mener."
    return Refusal(RefusalReason.OWN_CASE, message, (), ())


def whom_to_ask(projects: Iterable[Metadata]) -> Refusal:
    """The refusal of a question for whom to contact: reports' text has no persons, their metadata may name a unit."""
    told = tuple(dict.fromkeys(filter(None, map(_contact_of, projects))))[:NAMED_SHOWN]
    message = "Rapporterne nævner ingen, man kan kontakte, for personers navne og numre er skjult."
    return Refusal(RefusalReason.NOT_SAID, " ".join((message, *told)), (), ())


def _contact_of(metadata: Metadata) -> str:
    about = f"Om «{metadata.projekt or metadata.titel}» kan du spørge"
    unit = metadata.value("kontakt")
    if unit:
        return f"{about} {unit}{f', {metadata.myndighed}' if metadata.myndighed else ''}."
    return f"{about} {metadata.myndighed}, som står bag." if metadata.myndighed else ""


def search_only() -> Refusal:
    """The refusal of every question where the reader is switched off: nothing that was not read is an answer."""
    return Refusal(RefusalReason.SEARCH_ONLY, "Her svares der ikke på spørgsmål; der søges kun i rapporterne.", (), ())


def of_another(question: str, judged: Sequence[Judged], projects: Collection[str]) -> Judged | None:
    """The sentence whose window the reader says answers, where that tells of another project or place than the one
    named; ``projects`` are the names of the base's projects that the question names.
    """
    best = max(judged, key=lambda one: one.window, default=None)
    if best is None or best.window <= 0:
        return None
    if projects:
        project = best.candidate.hit.document.metadata.projekt
        return best if project and project not in projects else None
    return best if _lacking(question, best) else None


def _lacking(question: str, judged: Judged) -> list[str]:
    """The names of a question that neither a sentence's passage nor its document's title, project or authority has."""
    metadata, passage = judged.candidate.hit.document.metadata, judged.candidate.sentence.passage
    told = f"{passage.text} {' '.join(passage.heading_path)} {metadata.titel} {metadata.projekt} {metadata.myndighed}"
    known = danish.normalise(told)
    names = (name for name in _NAME.findall(question) if not _NO_NAME.match(name))
    return [name for name in names if danish.normalise(name).removesuffix("s") not in known]


def _elsewhere(question: str, other: Judged, projects: Sequence[str]) -> str:
    metadata = other.candidate.hit.document.metadata
    asked = [f"«{name}»" for name in projects[:NAMED_SHOWN]] or [
        name.removesuffix("s") for name in _lacking(question, other)[:NAMED_SHOWN]
    ]
    told = metadata.projekt or metadata.titel
    return f"Rapporterne fortæller om det i «{told}», men siger det ikke om {' eller '.join(asked)}."


def _of_projects(names: Sequence[str]) -> str:
    several = f"{len(names)} projekter, som spørgsmålet kan gælde"
    told = several if len(names) > NAMED_SHOWN else " og ".join(f"«{name}»" for name in names)
    return f"Rapporterne fortæller om {told}, men siger ikke det, der spørges om."


def _under_filter(filters: Mapping[str, Sequence[str]]) -> str:
    chosen = ", ".join(f"{name}: {' eller '.join(values)}" for name, values in filters.items())
    return f"Ingen af rapporterne under filteret ({chosen}) svarer på spørgsmålet."
