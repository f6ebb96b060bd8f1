"""What the API gives and takes of lessons, as pydantic models beside those of :mod:`kb.http.api.response_models`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Self

from pydantic import Field, StrictInt

from kb.answer.lessons import Stand
from kb.core import models
from kb.core.stages import Phase
from kb.http.api.request_models import LINE_PATTERN, ListQuery, Truth
from kb.http.api.response_models import Answer, Body, Date, Listed, ProjectStart
from kb.lessons import reviewing
from kb.lessons.exchange import WrittenLesson
from kb.lessons.lesson import LONGEST_LINE, LONGEST_TEXT, LessonStatus, UseOutcome
from kb.lessons.proposing import LessonProposal
from kb.project_start import Check

_STATUSES, _PHASES, _OUTCOMES = ("|".join(words) for words in (LessonStatus, Phase, UseOutcome))


class LessonsQuery(ListQuery):
    """Which of the lessons."""

    status: Annotated[str, Field(pattern=f"^({_STATUSES})?$", description="kladde, bekræftet eller forældet.")] = ""
    tema: Annotated[str, Field(max_length=40, description="Temaet, fx jura.")] = ""
    fase: Annotated[str, Field(pattern=f"^({_PHASES})?$", description="Den del af et projekt, de handler om.")] = ""
    due: Annotated[Truth, Field(description="Kun dem, der skal ses efter nu.")] = False


class ReplacedLesson(WrittenLesson):
    """A lesson in the place of the revision that was read."""

    revision: Annotated[StrictInt, Field(ge=1, le=1_000_000_000, description="Som i den erfaring, der rettes.")]


class NewLessonUse(Body):
    """Where a lesson was used, and how it went."""

    project: Annotated[str, Field(min_length=1, max_length=LONGEST_LINE, pattern=LINE_PATTERN)]
    outcome: Annotated[UseOutcome, Field(description="Hvordan det gik.")]
    note: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""


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


class LessonList(Listed):
    """A page of the lessons."""

    items: list[Lesson]


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


class DeletedLesson(Body):
    """The lesson that was deleted."""

    lesson_id: str


class LessonFigures(Body):
    """What the lessons amount to, and how many questions were asked."""

    by_status: dict[str, int]
    due: int
    uses: int
    reused: Annotated[int, Field(description="Erfaringer, der er brugt mindst én gang.")]
    by_outcome: dict[str, int]
    asked: int
    refused: int

    @classmethod
    def from_domain(cls, found: reviewing.Figures) -> Self:
        """The figures under the words that are shown."""
        return cls(
            by_status={status.value: count for status, count in found.by_status.items()},
            due=found.due,
            uses=found.uses,
            reused=found.reused,
            by_outcome={outcome.value: count for outcome, count in found.by_outcome.items()},
            asked=found.asked,
            refused=found.refused,
        )


class ProposedLesson(Body):
    """A challenge and its handling in one project, cited, which an editor may make a lesson of."""

    id: str
    likeness: Annotated[float, Field(description="Hvor nær udfordring og håndtering er hinanden, højst 1.")]
    draft: WrittenLesson

    @classmethod
    def from_domain(cls, proposal: LessonProposal) -> Self:
        """A proposal with the draft it begins as."""
        draft = proposal.as_lesson()
        values = {name: getattr(draft, name) for name in WrittenLesson.model_fields}
        evidence = [{"document_id": one.document_id, "quote": one.quote} for one in draft.evidence]
        # A draft has no lesson where the report draws none; an editor must.
        written = WrittenLesson.model_construct(**{**values, "evidence": evidence, "themes": list(draft.themes)})
        return cls.model_construct(id=proposal.id, likeness=round(min(1.0, proposal.likeness), 4), draft=written)


class ProposedLessons(Listed):
    """A page of the proposals, surest first."""

    items: list[ProposedLesson]


class DecidedProposal(Body):
    """The proposal that is off the list."""

    proposal_id: str


class ImportedLessons(Body):
    """What a file of lessons did."""

    added: int
    changed: int
    unchanged: int
