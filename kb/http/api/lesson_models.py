"""What the API gives and takes of lessons, as pydantic models beside those of :mod:`kb.http.api.response_models`."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StrictInt

from kb.core.stages import Phase
from kb.http.api.lesson_responses import Lesson
from kb.http.api.request_models import LINE_PATTERN, ListQuery, Truth
from kb.http.api.response_models import Body, Listed
from kb.lessons import reviewing
from kb.lessons.exchange import WrittenLesson
from kb.lessons.lesson import LONGEST_LINE, LONGEST_TEXT, LessonStatus, UseOutcome
from kb.lessons.proposing import LessonProposal

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


class LessonList(Listed):
    """A page of the lessons."""

    items: list[Lesson]


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
