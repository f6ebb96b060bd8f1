"""What the API tells of lessons, by themselves and beside an answer or a checked plan, as pydantic models.

They need nothing of the package but names and words, as :mod:`kb.client` comes without the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field

from kb.core import models
from kb.core.stages import Phase
from kb.http.api.response_models import Answer, Body, Date, ProjectStart
from kb.lessons.lesson import LessonStatus

if TYPE_CHECKING:
    from kb.answer.lessons import Stand
    from kb.project_start import Check


class LessonEvidence(Body):
    """A piece of evidence, and what became of it in the index in use."""

    document_id: str
    quote: Annotated[str, Field(description="Ordret; tom for læsere, når ordene ikke længere står i nogen rapport.")]
    state: Annotated[str, Field(description="uændret, flyttet til en anden rapport, ændret i rapporten eller væk.")]
    found_in: Annotated[str, Field(description="Rapporten, ordene står i nu.")]
    passage_id: str


class Lesson(Body):
    """A lesson as it stands."""

    id: str
    revision: int
    status: LessonStatus
    lesson: str
    context: str
    event: str
    handling: str
    evidence: list[LessonEvidence]
    phase: Phase | None
    themes: list[str]
    applies_to: str
    owner: str
    made: Date
    changed: Date
    confirmed: Annotated[str, Field(description="Hvornår nogen sidst stod inde for den; tom, hvis ingen har.")]
    review_by: str
    used: Annotated[int, Field(description="Gange, nogen har sagt, at de brugte den.")]

    @classmethod
    def from_domain(cls, stand: Stand, used: int, *, for_editors: bool) -> Self:
        """A lesson with where its evidence stands; words that are in no report any more are for editors alone."""
        evidence = [
            LessonEvidence(
                document_id=one.evidence.document_id,
                quote="" if one.state.is_lost and not for_editors else one.evidence.quote,
                state=one.state.value,
                found_in=one.document_id if one.state.stands else "",
                passage_id=one.passage_id,
            )
            for one in stand.anchors
        ]
        names = [name for name in cls.model_fields if name not in {"evidence", "used"}]
        values = {name: getattr(stand.lesson, name) for name in names}
        return cls.model_validate({**values, "themes": list(stand.lesson.themes), "evidence": evidence, "used": used})


def lessons_given(stands: Iterable[Stand], counts: Mapping[str, int], *, for_editors: bool = False) -> list[Lesson]:
    """Lessons as they are given; ``counts`` says how often each was used."""
    return [Lesson.from_domain(one, counts.get(one.lesson.id, 0), for_editors=for_editors) for one in stands]


class AnswerWithLessons(Answer):
    """The answer to a question, and the confirmed lessons that stand above it, nearest first."""

    lessons: list[Lesson]

    @classmethod
    def of(cls, answer: models.Answer, lessons: list[Lesson]) -> Self:
        """An answer and its lessons."""
        return cls.model_validate({**dict(Answer.from_domain(answer)), "lessons": lessons})


class ProjectStartWithLessons(ProjectStart):
    """What the base has to tell a plan, and the confirmed lessons that rest on reports of the similar projects."""

    lessons: list[Lesson]

    @classmethod
    def of(cls, check: Check, lessons: list[Lesson]) -> Self:
        """A check and its lessons."""
        return cls.model_validate({**dict(ProjectStart.model_validate(check)), "lessons": lessons})
