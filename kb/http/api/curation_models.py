"""What the API gives and takes of gaps, words and pinned passages, beside :mod:`kb.http.api.response_models`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Self

from pydantic import Field, StrictInt

from kb.curation.gaps import Closing, GapGroup
from kb.curation.words import LONGEST_NAME, LONGEST_NOTE, MOST_GROUPS, MOST_NAMES, MOST_PINS, Curation, checked_pin
from kb.http.api.request_models import LINE_PATTERN, ListQuery, Question
from kb.http.api.response_models import Body, Date, Listed
from kb.lessons.anchoring import Anchor
from kb.lessons.lesson import LONGEST_LINE, LONGEST_QUOTE
from kb.operations import curating
from kb.state.curation import CurationVersion

MOST_CLOSED = 1000
_Asked = Annotated[str, Field(min_length=1, max_length=100_000)]


class Gap(Body):
    """One wording of what was not answered."""

    question: str
    refused: Annotated[int, Field(description="Gange uden svar.")]
    not_useful: Annotated[int, Field(description="Gange, en læser har sagt, at svaret ikke var nyttigt.")]
    first: Date
    last: Date
    reason: Annotated[str, Field(description="Hvorfor der sidst intet svar var; tom, hvis der var et.")]


class Gaps(Body):
    """Wordings of one errand, the one asked most first."""

    question: str
    times: int
    first: Date
    last: Date
    gaps: list[Gap]


class GapList(Listed):
    """A page of the open gaps, those asked most first."""

    items: list[Gaps]

    @classmethod
    def page(cls, items: list[GapGroup], total: int, following: str | None) -> Self:
        """The page as it is told."""
        return cls(items=[Gaps.model_validate(one) for one in items], total=total, next=following)


class ClosedGaps(Body):
    """The wordings to close, and why."""

    questions: Annotated[list[_Asked], Field(min_length=1, max_length=MOST_CLOSED)]
    reason: Annotated[Closing, Field(description="Hvorfor de lukkes.")]


class Closed(Body):
    """How many were open."""

    closed: int


class Words(Body):
    """Names for the same."""

    names: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=LINE_PATTERN)]],
        Field(min_length=2, max_length=MOST_NAMES),
    ]
    note: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""


class PinnedPassage(Body):
    """A passage, by content, that stands above the answer to a question."""

    question: Annotated[str, Field(min_length=1, max_length=100_000)]
    document_id: Annotated[str, Field(min_length=1, max_length=LONGEST_LINE)]
    quote: Annotated[str, Field(min_length=1, max_length=LONGEST_QUOTE, description="Ordret fra rapporten.")]


class WrittenCuration(Body):
    """The whole of a house's words and pinned passages, in the place of the version that was read."""

    version: Annotated[StrictInt, Field(ge=0, le=1_000_000_000, description="Som den, der blev læst.")]
    groups: Annotated[list[Words], Field(max_length=MOST_GROUPS)]
    switched_off: Annotated[
        list[Annotated[str, Field(max_length=LONGEST_NAME)]],
        Field(max_length=MOST_GROUPS, description="De medfølgende grupper, der er slået fra, ved første navn."),
    ]
    pins: Annotated[list[PinnedPassage], Field(max_length=MOST_PINS)]

    def as_curation(self, groups_of: Callable[[str], tuple[str, ...]]) -> Curation:
        """The whole, checked, its pins for those who may see their reports; raises :class:`InputError`."""
        made = Curation()
        for group in self.groups:
            made = curating.with_new_words(made, group.names, group.note)
        for key in self.switched_off:
            made = curating.switched(made, key, on=False)
        for pin in self.pins:
            made = made.with_pin(checked_pin(pin.question, pin.document_id, pin.quote, groups_of(pin.document_id)))
        return made


class CurationInForce(Body):
    """What a house decided of words and pinned passages, and what was done last."""

    version: int
    at: Annotated[str, Field(description="Hvornår, i UTC; tom, når intet er ændret endnu.")]
    what: str
    groups: list[Words]
    switched_off: list[str]
    pins: list[PinnedPassage]

    @classmethod
    def from_domain(cls, held: CurationVersion) -> Self:
        """A version as it is told."""
        return cls(
            version=held.version,
            at=held.at,
            what=held.what,
            groups=[Words.model_construct(names=list(one.names), note=one.note) for one in held.curation.groups],
            switched_off=list(held.curation.switched_off),
            pins=[
                PinnedPassage(question=one.question, document_id=one.evidence.document_id, quote=one.evidence.quote)
                for one in held.curation.pins
            ],
        )


class ChangedAnswer(Body):
    """A stored question and what becomes of its answer."""

    question: str
    difference: curating.Difference


class CurationPreview(Body):
    """What a change does to the stored questions."""

    asked: Annotated[int, Field(description="Gemte spørgsmål.")]
    changed: Annotated[int, Field(description="Spørgsmål, der får andre svar.")]
    untried: Annotated[int, Field(description="Spørgsmål, der søges på en anden måde, og som ikke er prøvet.")]
    changes: list[ChangedAnswer]


class UndoQuery(Body):
    """The version in force, which is undone."""

    version: Annotated[StrictInt, Field(ge=1, le=1_000_000_000)]


class PinnedQuery(ListQuery):
    """The question whose pinned passages are asked for."""

    q: Question


class PinnedPlace(Body):
    """A pinned passage where it stands in the build in use."""

    document_id: str
    passage_id: str
    quote: str

    @classmethod
    def from_domain(cls, anchor: Anchor) -> Self:
        """A passage as it is told."""
        return cls(document_id=anchor.document_id, passage_id=anchor.passage_id, quote=anchor.evidence.quote)


class PinnedPlaces(Listed):
    """The passages that editors pinned to a question or to its like."""

    items: list[PinnedPlace]
