"""Lessons as files: JSON as the API has it, and rows for a spreadsheet with one line for each piece of evidence (pure).

    from_json(to_json(lessons)) == lessons
    from_rows([COLUMNS, *rows(lessons)]) == lessons

Rows that have the same id are one lesson, which the first of them describes; a row without an id is a lesson of its
own. Raises :class:`InputError`, which names the lesson or the row that is wrong; nothing is taken in by halves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kb.core.errors import InputError
from kb.core.stages import Phase
from kb.lessons.lesson import (
    LONGEST_LINE,
    LONGEST_QUOTE,
    LONGEST_TEXT,
    MOST_EVIDENCE,
    Evidence,
    Lesson,
    LessonStatus,
    checked,
)

MOST_LESSONS = 5000
# The columns of a spreadsheet by the lesson's attribute.
COLUMNS: Mapping[str, str] = {
    "id": "id", "status": "status", "lesson": "læring", "context": "sammenhæng", "event": "hændelse",
    "handling": "håndtering", "phase": "fase", "themes": "temaer", "applies_to": "gælder for", "owner": "ejer",
    "made": "oprettet", "review_by": "gennemsyn", "document_id": "rapport", "quote": "citat",
}  # fmt: skip
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Line = Annotated[str, Field(max_length=LONGEST_LINE)]


class WrittenEvidence(BaseModel):
    """The words of a report that a lesson rests on."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    document_id: Annotated[str, Field(min_length=1, max_length=LONGEST_LINE, description="Rapportens id.")]
    quote: Annotated[str, Field(min_length=1, max_length=LONGEST_QUOTE, description="Ordret, som det står der.")]


class WrittenLesson(BaseModel):
    """A lesson as an editor writes it."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    lesson: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, description="Hvad andre skal vide eller gøre.")]
    context: Annotated[Text, Field(description="Sammenhængen.")] = ""
    event: Annotated[Text, Field(description="Hvad der skete.")] = ""
    handling: Annotated[Text, Field(description="Hvordan det blev håndteret.")] = ""
    evidence: Annotated[list[WrittenEvidence], Field(max_length=MOST_EVIDENCE)] = []
    phase: Annotated[Phase | None, Field(description="Den del af et projekt, den handler om.")] = None
    themes: Annotated[list[Line], Field(max_length=20, description="Temaerne, fx jura.")] = []
    applies_to: Annotated[Line, Field(description="Hvor den gælder.")] = ""
    owner: Annotated[Line, Field(description="En funktionspostkasse, der står bag.")] = ""
    review_by: Annotated[str, Field(max_length=10, description="Datoen, den skal ses efter, som 2027-01-31.")] = ""
    status: Annotated[LessonStatus, Field(description="kladde, bekræftet eller forældet.")] = LessonStatus.DRAFT

    def as_lesson(self) -> Lesson:
        """The lesson as it may be stored; raises :class:`InputError`."""
        values = self.model_dump(exclude={"evidence", "themes"})
        evidence = tuple(Evidence.of(one.document_id, one.quote) for one in self.evidence)
        return checked(Lesson(**values, evidence=evidence, themes=tuple(self.themes)))


class FiledLesson(WrittenLesson):
    """A lesson in a file: a known id replaces the lesson that has it."""

    id: Annotated[str, Field(max_length=60, pattern=r"^[A-Za-z0-9._-]*$")] = ""
    made: Annotated[str, Field(max_length=40)] = ""


class LessonFile(BaseModel):
    """A file of lessons."""

    model_config = ConfigDict(extra="forbid")

    lessons: Annotated[list[FiledLesson], Field(max_length=MOST_LESSONS)]

    def as_lessons(self) -> list[Lesson]:
        """The lessons as they may be stored; raises :class:`InputError` naming the first that is wrong."""
        return list(_numbered(self.lessons, "Erfaring"))


def to_json(lessons: Iterable[Lesson]) -> str:
    """Lessons as a file that :func:`from_json` reads."""
    file = LessonFile(lessons=[FiledLesson.model_validate(one) for one in lessons])
    return file.model_dump_json(indent=2) + "\n"


def from_json(text: str) -> list[Lesson]:
    """The lessons of a file."""
    try:
        file = LessonFile.model_validate_json(text)
    except ValidationError as error:
        raise _told(error, "Filen") from error
    return file.as_lessons()


def rows(lessons: Iterable[Lesson]) -> Iterator[tuple[str, ...]]:
    """A row for each piece of evidence, and one for a lesson that has none."""
    for lesson in lessons:
        for one in lesson.evidence or (Evidence("", "", ""),):
            values = {
                **{name: str(getattr(lesson, name)) for name in COLUMNS if hasattr(lesson, name)},
                "status": lesson.status.value,
                "phase": lesson.phase.value if lesson.phase else "",
                "themes": ", ".join(lesson.themes),
                "document_id": one.document_id,
                "quote": one.quote,
            }
            yield tuple(values[name] for name in COLUMNS)


def from_rows(table: Sequence[Sequence[str]]) -> list[Lesson]:
    """The lessons of a spreadsheet's rows, the first of which has the columns' headings in any order."""
    if not table:
        raise InputError("Filen er tom.", advice="Hent en fil fra listen over erfaringer, og begynd med den.")
    names = {heading: name for name, heading in COLUMNS.items()}
    headings = [heading.strip().lower() for heading in table[0]]
    if unknown := [heading for heading in headings if heading not in names]:
        raise InputError(f"Ukendt kolonne: {unknown[0]}.", advice=f"Kolonnerne hedder {', '.join(COLUMNS.values())}.")
    grouped: dict[str, list[Mapping[str, str]]] = {}
    for number, cells in enumerate(table[1:], 2):
        row = {names[heading]: cell for heading, cell in zip(headings, cells, strict=False)}
        if any(cell.strip() for cell in cells):
            grouped.setdefault(row.get("id", "").strip() or f"\0{number}", []).append(row)
    if len(grouped) > MOST_LESSONS:
        raise InputError(f"Filen har over {MOST_LESSONS} erfaringer.", advice="Del den i flere.")
    return list(_numbered([_of_rows(group) for group in grouped.values()], "Erfaring"))


def _of_rows(group: Sequence[Mapping[str, str]]) -> FiledLesson:
    first = group[0]
    evidence = [
        {"document_id": row.get("document_id", "").strip(), "quote": row["quote"]} for row in group if row.get("quote")
    ]
    values = {name: first.get(name, "").strip() for name in COLUMNS if name not in {"document_id", "quote"}}
    themes = [theme.strip() for theme in values["themes"].split(",") if theme.strip()]
    given = {**values, "phase": values["phase"] or None, "themes": themes, "evidence": evidence}
    given["status"] = values["status"] or LessonStatus.DRAFT
    try:
        return FiledLesson.model_validate(given)
    except ValidationError as error:
        raise _told(error, f"Erfaringen »{values['lesson'][:60]}«") from error


def _numbered(filed: Iterable[FiledLesson], word: str) -> Iterator[Lesson]:
    for number, one in enumerate(filed, 1):
        try:
            yield one.as_lesson()
        except InputError as error:
            raise InputError(f"{word} {number}: {error}", advice=error.advice) from error


def _told(error: ValidationError, what: str) -> InputError:
    problem = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"])
    named = COLUMNS.get(place, place) or "indholdet"
    return InputError(
        f"{what} kan ikke læses: {named} er ikke, som det skal være.",
        advice=f"Status er {', '.join(LessonStatus)}; faser er {', '.join(Phase)}; kolonnerne og felterne hedder, som "
        "de gør i en fil, der er hentet herfra.",
    )
