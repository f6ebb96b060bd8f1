"""A lesson: what an editor concluded from one or more cited passages, who stands behind it, and until when it holds.

    lesson = checked(Lesson(lesson="Begynd med hjemlen.", evidence=(Evidence.of("aalborg-air", "Tilsynet fandt ..."),)))

Its evidence is a passage by content: the words as they stood, their digest and the report they stood in, and no place
in an index, which may be made anew at any time (:mod:`kb.lessons.anchoring` finds the place again). Personal data is
masked in what an editor writes; the owner is a function's mailbox and no person's.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from kb.core.errors import InputError
from kb.core.fields import THEMES
from kb.core.privacy import mask
from kb.core.stages import Phase

LONGEST_TEXT = 2000
LONGEST_LINE = 200
LONGEST_QUOTE = 6000
MOST_EVIDENCE = 20
# Days from when a lesson is written until someone should ask whether it still holds.
REVIEW_DAYS = 365
_ADDRESS = re.compile(r"[\w.%+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_LINE_BREAKING = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")


class LessonStatus(StrEnum):
    """How far a lesson is trusted. The values are the words shown."""

    DRAFT = "kladde"
    CONFIRMED = "bekræftet"
    OUTDATED = "forældet"


class UseOutcome(StrEnum):
    """How it went where a lesson was used. The values are the words shown."""

    WORKED = "virkede"
    PARTLY = "virkede delvist"
    FAILED = "virkede ikke"
    TOO_EARLY = "for tidligt at sige"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage by content: ``quote`` is verbatim from a report, ``digest`` that of its words (:func:`digest_of`)."""

    document_id: str
    quote: str
    digest: str

    @classmethod
    def of(cls, document_id: str, quote: str) -> Evidence:
        """The evidence that these words of a report are."""
        return cls(document_id, quote, digest_of(quote))


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson: ``context``, what happened (``event``), how it was handled, and what was learnt (``lesson``).

    ``applies_to`` says where it holds, ``owner`` is a function's mailbox, ``review_by`` the date (ISO 8601) on which
    someone must ask whether it still does. ``id``, ``revision`` and the times are set by the one who stores it;
    ``revision`` counts the changes, from 1.
    """

    lesson: str
    context: str = ""
    event: str = ""
    handling: str = ""
    evidence: tuple[Evidence, ...] = ()
    phase: Phase | None = None
    themes: tuple[str, ...] = ()
    applies_to: str = ""
    owner: str = ""
    review_by: str = ""
    status: LessonStatus = LessonStatus.DRAFT
    id: str = ""
    revision: int = 0
    made: str = ""
    changed: str = ""
    confirmed: str = ""

    @property
    def is_confirmed(self) -> bool:
        """Whether someone stands behind it now."""
        return self.status is LessonStatus.CONFIRMED

    @property
    def is_published(self) -> bool:
        """Whether readers may see it, be it as one that no longer holds."""
        return self.status is not LessonStatus.DRAFT

    @property
    def text(self) -> str:
        """What it says, as one text to compare with questions by."""
        return " ".join(part for part in (self.lesson, self.event, self.handling, self.context) if part)


@dataclass(frozen=True, slots=True)
class LessonUse:
    """Someone used a lesson in a project; who it was is not kept. ``at`` is ISO 8601."""

    lesson_id: str
    project: str
    outcome: UseOutcome
    note: str = ""
    at: str = ""


def digest_of(quote: str) -> str:
    """The digest of a text's words: layout and the way letters are composed make no difference."""
    words = " ".join(unicodedata.normalize("NFC", quote).split())
    return hashlib.sha256(words.encode()).hexdigest()


def checked(lesson: Lesson) -> Lesson:
    """The lesson as it may be stored: trimmed, personal data masked; raises :class:`InputError` for what it lacks."""
    cleaned = _cleaned(lesson)
    if not cleaned.lesson:
        raise InputError("Erfaringen har ingen læring.", advice="Skriv, hvad andre skal vide eller gøre.")
    _check_lengths(cleaned)
    _check_words(cleaned)
    _check_owner(cleaned.owner)
    _check_date(cleaned.review_by)
    if cleaned.is_confirmed:
        _check_confirmable(cleaned)
    return cleaned


def is_address(text: str) -> bool:
    """Whether a text is one e-mail address."""
    return bool(_ADDRESS.fullmatch(text))


def checked_use(use: LessonUse) -> LessonUse:
    """The use as it may be stored: one line of project, personal data masked; raises :class:`InputError`."""
    project, note = _line(use.project), _text(use.note)
    if not project:
        raise InputError("Projektet mangler.", advice="Skriv, hvilket projekt erfaringen blev brugt i.")
    if len(project) > LONGEST_LINE or len(note) > LONGEST_TEXT:
        raise InputError("Teksten er for lang.", advice=f"Skriv højst {LONGEST_LINE} og {LONGEST_TEXT} tegn.")
    return replace(use, project=project, note=note)


def _cleaned(lesson: Lesson) -> Lesson:
    # A quote is already masked as its report was; what a person's address is there depends on the settings then.
    evidence = tuple(
        Evidence.of(_bare_line(one.document_id), mask(one.quote.strip(), contacts=False).text)
        for one in lesson.evidence
    )
    return replace(
        lesson,
        lesson=_text(lesson.lesson),
        context=_text(lesson.context),
        event=_text(lesson.event),
        handling=_text(lesson.handling),
        evidence=tuple(dict.fromkeys(evidence)),
        themes=tuple(dict.fromkeys(lesson.themes)),
        applies_to=_line(lesson.applies_to),
        owner=lesson.owner.strip().lower(),
        review_by=lesson.review_by.strip(),
    )


def _text(given: str) -> str:
    if _NOT_TEXT.search(given):
        raise InputError("Der er tegn, der ikke er tekst.", advice="Skriv med almindelige tegn.")
    return mask(given.replace("\r\n", "\n").strip()).text


def _line(given: str) -> str:
    return mask(_bare_line(given)).text


def _bare_line(given: str) -> str:
    return " ".join(_LINE_BREAKING.sub(" ", given).split())


def _check_lengths(lesson: Lesson) -> None:
    texts = (lesson.lesson, lesson.context, lesson.event, lesson.handling)
    lines = (lesson.applies_to, lesson.owner, *(one.document_id for one in lesson.evidence))
    too_long = any(len(text) > LONGEST_TEXT for text in texts) or any(len(line) > LONGEST_LINE for line in lines)
    if too_long:
        raise InputError(
            "Teksten er for lang.",
            advice=f"Skriv højst {LONGEST_TEXT} tegn i hvert tekstfelt og {LONGEST_LINE} på hver linje.",
        )
    if len(lesson.evidence) > MOST_EVIDENCE or any(len(one.quote) > LONGEST_QUOTE for one in lesson.evidence):
        raise InputError(
            "Der er for mange eller for lange citater.",
            advice=f"Vælg højst {MOST_EVIDENCE} steder på hver højst {LONGEST_QUOTE} tegn.",
        )


def _check_words(lesson: Lesson) -> None:
    if unknown := [theme for theme in lesson.themes if theme not in THEMES]:
        raise InputError(f"Ukendt tema: {', '.join(unknown)}.", advice=f"Vælg blandt {', '.join(THEMES)}.")
    if any(not one.document_id or not one.quote for one in lesson.evidence):
        raise InputError("Et citat mangler sin tekst eller sin rapport.", advice="Vælg stedet i rapporten igen.")


def _check_owner(owner: str) -> None:
    if not owner:
        return
    if not is_address(owner):
        raise InputError("Ejeren er ikke en e-mailadresse.", advice="Skriv en funktionspostkasse: digital@kommune.dk")
    name = owner.partition("@")[0]
    if ("." in name or "_" in name) and mask(owner).counts:
        raise InputError(
            "Ejeren ligner en persons adresse.", advice="Skriv en funktionspostkasse, som andre også kan åbne."
        )


def _check_date(given: str) -> None:
    try:
        wrong = bool(given) and date.fromisoformat(given).isoformat() != given
    except ValueError:
        wrong = True
    if wrong:
        raise InputError("Datoen for gennemsyn er ikke en dato.", advice="Skriv den som 2027-01-31.")


def _check_confirmable(lesson: Lesson) -> None:
    lacking = [
        word
        for word, value in (
            ("mindst ét citat", lesson.evidence),
            ("en ejer", lesson.owner),
            ("en dato for gennemsyn", lesson.review_by),
        )
        if not value
    ]
    if lacking:
        raise InputError(
            f"En bekræftet erfaring skal have {', '.join(lacking)}.", advice="Udfyld det, eller gem den som kladde."
        )
