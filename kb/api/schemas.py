"""What the API takes, as pydantic models; an unknown parameter is an error, since a misspelled filter must not pass."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from kb.search import FILTER_FIELDS

MAX_TOP = 100
MAX_OFFSET = 1000


class SearchQuery(BaseModel):
    """``/api/v1/search?q=...``; every filter field may be repeated."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    q: Annotated[str, Field(description="Spørgsmålet på dansk.")]
    top: Annotated[int, Field(ge=1, le=MAX_TOP, description="Antal passager.")] = 20
    offset: Annotated[int, Field(ge=0, le=MAX_OFFSET, description="Passager, der springes over.")] = 0
    explain: Annotated[bool, Field(description="Vis, hvorfor hver passage blev fundet.")] = False
    filters: Annotated[dict[str, list[str]], Field(default_factory=dict)]

    @classmethod
    def of(cls, arguments: dict[str, list[str]]) -> SearchQuery:
        """From a query string's names and values; raises pydantic's ValidationError."""
        chosen = {name: values for name, values in arguments.items() if name in FILTER_FIELDS}
        plain = {name: values[-1] for name, values in arguments.items() if name not in FILTER_FIELDS}
        return cls.model_validate({"filters": chosen, **plain})
