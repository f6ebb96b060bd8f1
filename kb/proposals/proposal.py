"""A proposal: a value for a metadata field, with the words of the report that say so and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kb.core.models import Certainty


@dataclass(frozen=True, slots=True)
class Proposal:
    """A value for a field, unconfirmed until an editor writes it.

    ``quote`` is exactly ``document.text[start:end]``, on ``page`` (None without pages); of a value that the file's name
    tells it is that name, and ``start`` is None. ``why`` says in Danish what makes the words tell.
    """

    field: str
    value: str | int
    certainty: Certainty
    why: str
    quote: str
    start: int | None = None
    end: int | None = None
    page: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            "field": self.field,
            "value": self.value,
            "certainty": self.certainty.value,
            "why": self.why,
            "quote": self.quote,
            "start": self.start,
            "end": self.end,
            "page": self.page,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Proposal:
        """The inverse of :meth:`as_dict`."""
        return cls(**{**values, "certainty": Certainty(values["certainty"])})
