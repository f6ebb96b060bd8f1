"""Pages of a list, the address of the next one, and the choice of fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from flask import request
from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from kb.http.api.request_models import InvalidRequest

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class PageOf(Generic[Item]):
    """Some of a list's ``total`` items, and the address of the next page, None on the last."""

    items: tuple[Item, ...]
    total: int
    next: str | None


def page_of(items: Sequence[Item], top: int, offset: int) -> PageOf[Item]:
    """The page of a list that begins after ``offset`` items."""
    following = next_address(top, offset) if offset + top < len(items) else None
    return PageOf(tuple(items[offset : offset + top]), len(items), following)


def next_address(top: int, offset: int) -> str:
    """The address of the page after this one, with everything else that was asked."""
    given = [(name, value) for name, values in request.args.lists() if name != "offset" for value in values]
    return f"{request.script_root}{request.path}?{urlencode([*given, ('offset', offset + top)])}"


def chosen_fields(given: str | None, model: type[BaseModel]) -> tuple[str, ...]:
    """The field names in ``given``; raises :class:`InvalidRequest` for one that ``model`` does not have."""
    names = tuple(dict.fromkeys(given.split(","))) if given is not None else ()
    for name in names:
        if name not in model.model_fields:
            kind = PydanticCustomError("ukendt-felt", "no such field: {name}", {"name": name})
            details = InitErrorDetails(type=kind, loc=("fields",), input=given)
            raise InvalidRequest(ValidationError.from_exception_data(model.__name__, [details]))
    return names
