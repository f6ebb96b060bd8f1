"""What the API takes, as pydantic models; the OpenAPI description is made from the same ones.

An unknown parameter is an error, since a misspelled filter must not pass for a set one, and so is a parameter given
twice where one value is meant. Numbers and truth values are taken in one spelling only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Self, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model
from pydantic_core import InitErrorDetails, PydanticCustomError
from werkzeug.datastructures import MultiDict

from kb.core.errors import QuestionError
from kb.core.fields import (
    DOCUMENT_FILTERS,
    EDITABLE,
    FILTERS,
    FIRST_YEAR,
    LAST_YEAR,
    LONGEST_VALUE,
    ROLE,
    FieldKind,
    MetadataField,
)
from kb.core.models import Role
from kb.http.api import response_models

MAX_TOP = 100
# Each page costs the search as many candidates as stand before it.
MAX_SEARCH_OFFSET = 1000
MAX_OFFSET = 1_000_000
MAX_VALUES = 50
MAX_FIELDS = 40
# As kb.retrieval.searcher.clean_question demands: text, and at least one letter or digit in it.
_TEXT = r"[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]"
# Spelled out, since a JSON schema's idea of a letter differs from one program to the next.
_LETTER = "[0-9A-Za-zÀ-ÖØ-öø-ÿ]"
QUESTION_PATTERN = f"^{_TEXT}*{_LETTER}{_TEXT}*$"


def _whole_number(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise PydanticCustomError("int_parsing", "not a whole number")
    return value


def _asks(question: str) -> str:
    if not re.search(_LETTER, question):
        raise QuestionError("Spørgsmålet er tomt.", advice="Skriv, hvad du vil vide, fx: Hvordan håndterede de GDPR?")
    return question


def _integer(value: object) -> object:
    """JSON has one kind of number: 2008.0 is as whole as 2008."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _truth(value: object) -> object:
    if isinstance(value, str):
        if value not in {"true", "false"}:
            raise PydanticCustomError("bool_parsing", "not true or false")
        return value == "true"
    return value


# Outermost, for pydantic describes only the limits that stand before it.
WHOLE = BeforeValidator(_whole_number)
Truth = Annotated[bool, BeforeValidator(_truth)]
Value = Annotated[str, Field(min_length=1, max_length=LONGEST_VALUE)]
Year = Annotated[str, Field(pattern=r"^[0-9]{4}$")]
Years = Annotated[str, Field(pattern=r"^[0-9]{4}(-[0-9]{4})?$")]
Question = Annotated[
    str,
    AfterValidator(_asks),
    Field(
        description="Spørgsmålet på dansk. CPR-numre i det bliver skjult, før der søges.",
        json_schema_extra={"minLength": 1, "pattern": QUESTION_PATTERN},
    ),
]
Top = Annotated[int, Field(ge=1, le=MAX_TOP, description="Antal pr. side."), WHOLE]
Offset = Annotated[int, Field(ge=0, le=MAX_OFFSET, description="Antal, der springes over."), WHOLE]


def fields_of(model: type[BaseModel]) -> Any:
    """A parameter that chooses fields of a model; :func:`kb.http.api.paging.chosen_fields` says which one is wrong."""
    name = f"({'|'.join(model.model_fields)})"
    return Field(
        max_length=1000,
        json_schema_extra={"pattern": f"^{name}(,{name})*$"},
        description="Navnene på de felter, hver post skal have, adskilt af komma; ellers alle.",
    )


class InvalidRequest(Exception):
    """What was sent is not as its model says; ``errors`` are pydantic's.

    A result that is not as its model says raises pydantic's own ValidationError: that is the server's fault.
    """

    def __init__(self, error: ValidationError) -> None:
        super().__init__(str(error))
        self.errors = error.errors()


class Query(BaseModel):
    """A query string."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def of(cls, arguments: MultiDict[str, str]) -> Self:
        """From a query string's names and values; raises pydantic's ValidationError."""
        values: dict[str, Any] = {}
        for name, given in arguments.lists():
            field = cls.model_fields.get(name)
            if field is not None and get_origin(field.annotation) is list:
                values[name] = given
            elif len(given) > 1:
                raise _repeated(cls.__name__, name, given)
            else:
                values[name] = given[0]
        return cls.model_validate(values)


def _repeated(title: str, name: str, given: list[str]) -> ValidationError:
    problem = PydanticCustomError("repeated", "given more than once")
    return ValidationError.from_exception_data(title, [InitErrorDetails(type=problem, loc=(name,), input=given)])


class NoQuery(Query):
    """For operations without parameters."""


class FilterQuery(Query):
    """A query string with filters."""

    @property
    def filters(self) -> dict[str, list[str]]:
        """The filters that are set, by field."""
        values = {field.name: getattr(self, field.name, []) for field in FILTERS}
        return {name: [str(value) for value in chosen] for name, chosen in values.items() if chosen}


def _filter(field: MetadataField) -> Any:
    description = field.rule.description if field.rule else field.description
    return Annotated[list[_value(field)], Field(max_length=MAX_VALUES, description=description)], []  # type: ignore[misc]


def _value(field: MetadataField) -> Any:
    if field.rule is None:
        return Year if field.kind is FieldKind.YEAR else Value
    return Annotated[str, Field(pattern=f"^({'|'.join(field.rule.words)})$")] if field.rule.words else Years


if TYPE_CHECKING:
    DocumentFilters = FilterQuery
else:
    DocumentFilters = create_model(
        "DocumentFilters",
        __base__=FilterQuery,
        __doc__="The filters on documents; each may be repeated, and then any of its values will do.",
        **{field.name: _filter(field) for field in DOCUMENT_FILTERS},
    )


class AnswerQuery(DocumentFilters):
    """A question under filters."""

    q: Question
    rolle: Annotated[list[Role], Field(max_length=MAX_VALUES, description=ROLE.description)] = Field(default=[])


class SearchQuery(AnswerQuery):
    """A question, and which of its hits."""

    top: Top = 20
    offset: Annotated[int, Field(ge=0, le=MAX_SEARCH_OFFSET, description="Passager, der springes over."), WHOLE] = 0
    explain: Annotated[Truth, Field(description="Vis, hvorfor hver passage blev fundet.")] = False
    fields: Annotated[str | None, fields_of(response_models.Hit)] = None


class ListQuery(Query):
    """A page of a list."""

    top: Top = 20
    offset: Offset = 0


class DocumentsQuery(DocumentFilters, ListQuery):
    """A page of the documents."""

    order: Annotated[str, Field(pattern=r"^(titel|nyeste|id)$", description="titel, nyeste (først) eller id.")] = (
        "titel"
    )
    fields: Annotated[str | None, fields_of(response_models.Document)] = None


class ProjectsQuery(ListQuery):
    """A page of the projects."""

    fields: Annotated[str | None, fields_of(response_models.Project)] = None


class DocumentQuery(Query):
    """One document, with or without its text."""

    text: Annotated[Truth, Field(description="Om rapportens tekst skal med.")] = True


class SuggestionsQuery(Query):
    """The beginning of what someone writes in the search field."""

    q: Annotated[str, Field(min_length=1, max_length=100, description="Det, der er skrevet indtil nu.")]
    top: Annotated[int, Field(ge=1, le=20, description="Antal forslag."), WHOLE] = 8


LINE_PATTERN = r"^[^\u0000-\u001f\u007f-\u009f\ufffe\uffff]*$"


def _edited(field: MetadataField) -> Any:
    """How an editor may set a field: its type and its default."""
    if field.kind is FieldKind.YEAR:
        return Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR), BeforeValidator(_integer)] | None, None
    if field.kind is FieldKind.WORDS:
        word = Annotated[str, Field(pattern=f"^({'|'.join(field.words)})$")]
        return Annotated[list[word], Field(max_length=len(field.words))], []
    if field.kind is FieldKind.GROUPS:
        group = Annotated[str, Field(min_length=1, max_length=field.longest, pattern=LINE_PATTERN)]
        return Annotated[list[group], Field(max_length=MAX_VALUES)], []
    if field.kind is FieldKind.CHOICE:
        return Annotated[str, Field(pattern=f"^(|{'|'.join(field.words)})$")], ""
    return Annotated[str, Field(max_length=field.longest, pattern=LINE_PATTERN)], ""


class StrictBody(BaseModel):
    """A body without other members than those named, and without conversion of their types."""

    model_config = ConfigDict(extra="forbid", strict=True)


if TYPE_CHECKING:
    EditedMetadata = StrictBody
else:
    EditedMetadata = create_model(
        "EditedMetadata",
        __base__=StrictBody,
        __doc__="The metadata an editor sets; what is left out or empty is taken from the file where it tells.",
        **{field.name: _edited(field) for field in EDITABLE},
    )


class JobQuery(Query):
    """What a job is to do."""

    full: Annotated[Truth, Field(description="Læs alle filer igen, også de uændrede.")] = False


class NewFeedback(BaseModel):
    """A reader's word on an answer; ``citations`` are the ids of the passages it was about."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: Question
    build_id: Annotated[str, Field(max_length=100, pattern=LINE_PATTERN, description="Indekset, der svarede.")] = ""
    useful: Annotated[bool, Field(description="Om svaret var nyttigt.")]
    comment: Annotated[str, Field(max_length=2000)] = ""
    citations: Annotated[
        list[Annotated[str, Field(max_length=200, pattern=LINE_PATTERN)]], Field(max_length=MAX_VALUES)
    ] = []


# Four words beside each other are enough of a plan; fewer may be.
_FOUR_WORDS = "[A-Za-zæøåÆØÅ]{2,40}( [A-Za-zæøåÆØÅ]{2,40}){3}"
LONGEST_PLAN = 60_000


class NewPlan(BaseModel):
    """A plan for a project, as text."""

    model_config = ConfigDict(extra="forbid", strict=True)

    plan: Annotated[
        str,
        Field(
            max_length=LONGEST_PLAN,
            description="Planens tekst. Personoplysninger bliver skjult, og den bliver ikke gemt.",
            json_schema_extra={"pattern": _FOUR_WORDS},
        ),
    ]


class SinceQuery(ListQuery):
    """A page of events, from a time on."""

    since: Annotated[
        str, Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.+Z-]{1,30})?)?$", description="Fra dette tidspunkt.")
    ] = ""
