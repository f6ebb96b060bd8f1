"""The API's description as OpenAPI 3.1, made from the operations and the models that check them, and a page of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template, request
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from kb.core.version import VERSION
from kb.http.api import problem_details
from kb.http.api.operations import PREFIX, Operation, operations
from kb.http.services import services

REFERENCE = "#/components/schemas/{model}"
# What any operation may answer with.
COMMON = ("ugyldigt-input", "ugyldig-adresse", "ukendt-vaert", "adresse-for-lang", "ugyldig-noegle", "for-mange-kald",
          "intern-fejl")  # fmt: skip
FOR_ROLES = ("adgang-kraeves", "ingen-adgang")
EXTENSION = "kb.openapi"
# What ids are made of; a dot alone would be taken for a step in the path on its way.
ID_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._-]*$"
KEY_SCHEME = "noegle"
DESCRIPTION = (
    "Erfaringer fra offentlige projekter, søgt på dansk. Hvert svar består af sætninger, der kan slås op i den "
    "rapport, de kommer fra.\n\nFelter og handlinger kan komme til inden for v1; intet fjernes eller skifter mening, "
    "uden at versionen i adressen tæller op, og den gamle version svarer da i mindst et år efter. Klienter skal tåle "
    "felter, de ikke kender."
)
blueprint = Blueprint("openapi", __name__, url_prefix=PREFIX)


@cache
def response_examples() -> Mapping[str, Any]:
    """An answer of each operation, by its name; made by ``tools/api_examples.py`` and checked by the tests."""
    file = files("kb.http.api").joinpath("api_examples.json")
    examples: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return examples


@blueprint.get("/openapi.json")
def document() -> Response:
    """The description."""
    return jsonify(_described() | {"servers": [{"url": request.script_root or "/"}]})


def _described() -> dict[str, Any]:
    """The application's description, made when first asked for: neither operations nor settings change after that."""
    held = current_app.extensions
    if EXTENSION not in held:
        held[EXTENSION] = describe(operations().values(), question_limit=services().settings.max_question_chars)
    description: dict[str, Any] = held[EXTENSION]
    return description


@blueprint.get("/dokumentation")
def page() -> str:
    """The description for people."""
    listed = list(operations().values())
    paths = _described()["paths"]
    entries = [
        {"operation": one, "described": paths[PREFIX + one.path][one.method.lower()], "example": _shown(one)}
        for one in listed
    ]
    return render_template(
        "api.html",
        entries=entries,
        prefix=request.script_root + PREFIX,
        description=DESCRIPTION.split("\n\n"),
        problems=sorted(problem_details.PROBLEMS.values(), key=lambda one: (one.status, one.code)),
    )


def _shown(operation: Operation) -> str:
    example = response_examples().get(operation.name)
    return json.dumps(example, ensure_ascii=False, indent=2) if example is not None else ""


def describe(listed: Iterable[Operation], *, question_limit: int) -> dict[str, Any]:
    """The OpenAPI 3.1 document; ``question_limit`` is how many characters a question may have."""
    listed = list(listed)
    paths: dict[str, dict[str, Any]] = {}
    for operation in listed:
        paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = _operation(operation, question_limit)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Erfaringsbasen", "version": VERSION, "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(operation.tag for operation in listed)],
        "paths": paths,
        "components": {"schemas": _schemas(listed), "securitySchemes": {KEY_SCHEME: _KEY}},
    }


def _schemas(listed: Iterable[Operation]) -> dict[str, Any]:
    answers = {one.response for one in listed}
    bodies = {model for one in listed for model in (one.body, one.form) if model}
    models: list[tuple[type[BaseModel], Any]] = [(model, "serialization") for model in answers]
    models += [(model, "validation") for model in bodies]
    models.sort(key=lambda item: item[0].__name__)
    _, schemas = models_json_schema(models, ref_template=REFERENCE)
    return {**schemas.get("$defs", {}), "Problem": _PROBLEM}


_KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "En nøgle lavet med `kb key create`. På egen maskine er serveren åben uden.",
}
_PROBLEM = {
    "type": "object",
    "description": "En fejl efter RFC 9457.",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "Fejlens faste navn; adressen på dens forklaring."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "Hvad der skete, på dansk."},
        "instance": {"type": "string"},
        "request_id": {"type": "string", "description": "Finder hændelsen i serverens log."},
        "advice": {"type": "string", "description": "Hvad man kan gøre."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("name", "code", "detail")},
            },
        },
    },
}


def _operation(operation: Operation, question_limit: int) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.description,
        "tags": [operation.tag],
        "parameters": [*_path_parameters(operation), *_query_parameters(operation, question_limit)],
        "responses": _responses(operation),
        "x-role": operation.role.value if operation.role else None,
    }
    if operation.body is not None:
        content = {"application/json": {"schema": _reference(operation.body), "example": operation.body_example}}
        described["requestBody"] = {"required": True, "content": content}
    if operation.form is not None:
        described["requestBody"] = {"required": True, "content": {"multipart/form-data": _form(operation)}}
    if operation.role:
        described["security"] = [{KEY_SCHEME: []}]
    return described


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REFERENCE.format(model=model.__name__)}


def _form(operation: Operation) -> dict[str, Any]:
    assert operation.form is not None
    return {
        "schema": {
            "type": "object",
            "required": ["file"],
            "additionalProperties": False,
            "properties": {
                "file": {"type": "string", "contentMediaType": "application/octet-stream"},
                "metadata": _reference(operation.form),
            },
        },
        "encoding": {"metadata": {"contentType": "application/json"}},
    }


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": ID_PATTERN},
            "example": operation.example[name],
        }
        for name in names
    ]


def _query_parameters(operation: Operation, question_limit: int) -> list[dict[str, Any]]:
    schema = operation.query.model_json_schema()
    shared = schema.get("$defs", {})
    parameters = []
    for name, given in schema.get("properties", {}).items():
        value = _plain(given, shared)
        if name == "q":
            value.setdefault("maxLength", question_limit)
        parameter = {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": value.pop("description", ""),
            "schema": value,
        }
        if name in operation.example:
            parameter["example"] = operation.example[name]
        parameters.append(parameter)
    return sorted(parameters, key=lambda one: not one["required"])


def _plain(schema: Any, shared: Mapping[str, Any]) -> Any:
    """A parameter's schema with references put in place; one that may be left out has no null, only absence."""
    if isinstance(schema, list):
        return [_plain(item, shared) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _plain(shared[schema["$ref"].rsplit("/", 1)[1]], shared)
    if "anyOf" in schema:
        (variant,) = [item for item in schema["anyOf"] if item != {"type": "null"}]
        rest = {key: value for key, value in schema.items() if key not in {"anyOf", "default"}}
        return _plain({**variant, **rest}, shared)
    return {key: _plain(value, shared) for key, value in schema.items() if key != "title"}


def _responses(operation: Operation) -> dict[str, Any]:
    responses: dict[str, Any] = {str(operation.status): _success(operation)}
    if operation.on_build:
        responses["304"] = {"description": "Svaret er det samme som det, klienten har (If-None-Match)."}
    by_status: dict[int, list[problem_details.Problem]] = {}
    for code in dict.fromkeys((*operation.problems, *COMMON, *(FOR_ROLES if operation.role else ()))):
        known = problem_details.PROBLEMS[code]
        by_status.setdefault(known.status, []).append(known)
    for status, listed in sorted(by_status.items()):
        examples = {
            one.code: {
                "value": {
                    "type": one.type,
                    "title": one.title,
                    "status": one.status,
                    "detail": one.text,
                    "instance": PREFIX + operation.path,
                    "request_id": "5f0c8e0d9b6a4d0f8a4e0c1d2b3a4f5e",
                }
            }
            for one in listed
        }
        responses[str(status)] = {
            "description": " / ".join(one.title for one in listed),
            "content": {
                problem_details.MEDIA_TYPE: {
                    "schema": {"$ref": REFERENCE.format(model="Problem")},
                    "examples": examples,
                }
            },
        }
    return responses


def _success(operation: Operation) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": _reference(operation.response)}
    if operation.name in response_examples():
        content["example"] = response_examples()[operation.name]
    return {"description": operation.summary, "content": {"application/json": content}}
