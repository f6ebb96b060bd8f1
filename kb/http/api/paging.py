"""Pages of a list, the address of the next one, and the choice of fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import request
from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError


def page_of(items: Sequence[Any], top: int, offset: int) -> dict[str, Any]:
    """``items`` and ``next`` of a list's page; to be joined with ``total`` and ``build``."""
    return {
        "items": list(items[offset : offset + top]),
        "total": len(items),
        "next": next_address(top, offset) if offset + top < len(items) else None,
    }


def next_address(top: int, offset: int) -> str:
    """The address of the page after this one, with everything else that was asked."""
    given = [(name, value) for name, values in request.args.lists() if name != "offset" for value in values]
    return f"{request.path}?{urlencode([*given, ('offset', offset + top)])}"


def choose(item: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The named fields of an item, all of them where none is named."""
    return {name: item[name] for name in names if name in item} if names else dict(item)


def chosen_fields(given: str | None, model: type[BaseModel]) -> tuple[str, ...]:
    """The field names in ``given``; raises pydantic's ValidationError for one that ``model`` does not have."""
    names = tuple(dict.fromkeys(given.split(","))) if given is not None else ()
    for name in names:
        if name not in model.model_fields:
            kind = PydanticCustomError("ukendt-felt", "no such field: {name}", {"name": name})
            details = InitErrorDetails(type=kind, loc=("fields",), input=given)
            raise ValidationError.from_exception_data(model.__name__, [details])
    return names
