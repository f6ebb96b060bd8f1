"""The operations of the API: one decorator that makes the route, checks what comes in and remembers the description.

    @api.get("/search", summary="...", query=SearchQuery, response=SearchResult, example={"q": "..."})
    def search(searcher: Searcher, query: SearchQuery) -> SearchResult: ...

An operation ``on_build`` depends on the request, the build and what its ``besides`` gives alone. It gets the searcher,
and its ETag is made of them before any work is done, so that a question asked again is answered with 304 for nothing.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Blueprint, Flask, Response, current_app, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest, RequestURITooLarge, UnsupportedMediaType

from kb.core.errors import InputError
from kb.core.identity import AccessRole
from kb.core.version import VERSION
from kb.http import gate
from kb.http.api.request_models import AnswerQuery, InvalidRequest, NoQuery, Query
from kb.http.api.response_models import Body
from kb.http.services import searcher, services
from kb.retrieval.searcher import Searcher, clean_question

PREFIX = "/api/v1"
MAX_QUERY = 8192
EXTENSION = "kb.operations"

View = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. ``example`` gives a value for each parameter; ``problems`` are codes it may answer with.

    ``path`` is written as OpenAPI does; ``role`` is what one must at least be, None for anyone at all. ``body`` is the
    model of a JSON body, ``form`` that of the metadata sent with a file. ``besides`` gives, JSON-ready, what an
    operation ``on_build`` depends on besides request and build.
    """

    name: str
    method: str
    path: str
    summary: str
    description: str
    tag: str
    role: AccessRole | None
    query: type[Query]
    response: type[BaseModel]
    on_build: bool
    status: int = 200
    body: type[BaseModel] | None = None
    body_example: Mapping[str, Any] = field(default_factory=dict)
    form: type[BaseModel] | None = None
    problems: tuple[str, ...] = ()
    example: Mapping[str, Any] = field(default_factory=dict)
    besides: Callable[[], Any] | None = None


class Api:
    """A blueprint and the operations on it."""

    def __init__(self, name: str) -> None:
        self.blueprint = Blueprint(name, __name__, url_prefix=PREFIX)
        self.operations: list[Operation] = []

    def operation(  # noqa: PLR0913 - the parts of a description
        self,
        method: str,
        path: str,
        *,
        summary: str,
        tag: str,
        response: type[BaseModel],
        query: type[Query] = NoQuery,
        role: AccessRole | None = AccessRole.READER,
        on_build: bool = False,
        status: int = 200,
        body: type[BaseModel] | None = None,
        body_example: Mapping[str, Any] | None = None,
        form: type[BaseModel] | None = None,
        problems: tuple[str, ...] = (),
        example: Mapping[str, Any] | None = None,
        besides: Callable[[], Any] | None = None,
    ) -> Callable[[View], View]:
        """Make ``view`` an operation; its docstring is the description."""

        def register(view: View) -> View:
            operation = Operation(
                view.__name__, method, path, summary, " ".join((view.__doc__ or "").split()), tag, role, query,
                response, on_build, status, body, body_example or {}, form, problems, example or {}, besides,
            )  # fmt: skip
            self.operations.append(operation)
            rule = path.replace("{", "<").replace("}", ">")
            self.blueprint.add_url_rule(rule, view.__name__, _handler(operation, view), methods=[method])
            return view

        return register

    def get(self, path: str, **description: Any) -> Callable[[View], View]:
        """An operation that reads, by default from a build."""
        return self.operation("GET", path, **{"on_build": True, **description})

    def install(self, app: Flask) -> None:
        """Put the operations on an application, which remembers them by endpoint."""
        app.register_blueprint(self.blueprint)
        known: dict[str, Operation] = app.extensions.setdefault(EXTENSION, {})
        known.update({f"{self.blueprint.name}.{operation.name}": operation for operation in self.operations})


def operations() -> dict[str, Operation]:
    """The application's operations by endpoint."""
    registered: dict[str, Operation] = current_app.extensions[EXTENSION]
    return registered


def _handler(operation: Operation, view: View) -> View:
    @gate.needs(operation.role)
    @functools.wraps(view)
    def handle(**parts: str) -> Response:
        try:
            query, arguments = _sent(operation, parts)
        except ValidationError as error:
            raise InvalidRequest(error) from error
        if not operation.on_build:
            return _answered(operation, view(**arguments))
        held = searcher()
        tag = _tag(operation, held, query, parts)
        if request.if_none_match.contains_weak(tag):
            response = Response(status=304)
        else:
            response = _answered(operation, view(held, **arguments))
        response.set_etag(tag, weak=True)
        response.headers["Cache-Control"] = "private, no-cache"
        return response

    return handle


def _sent(operation: Operation, parts: Mapping[str, str]) -> tuple[Query, dict[str, Any]]:
    """What was asked, and the view's arguments."""
    query = _query(operation)
    arguments: dict[str, Any] = dict(parts)
    if operation.query is not NoQuery:
        arguments["query"] = query
    if operation.body is not None:
        arguments["body"] = operation.body.model_validate(_json())
    if operation.form is not None:
        arguments |= _form(operation.form)
    return query, arguments


def _query(operation: Operation) -> Query:
    if len(request.query_string) > MAX_QUERY:
        raise RequestURITooLarge
    try:
        unquote_to_bytes(request.query_string).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest from error
    return operation.query.of(request.args)


def _json() -> Any:
    """The body as JSON; an error of its form reads as one of its contents."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        return json.loads(request.get_data().decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError("Indholdet er ikke gyldig JSON i UTF-8.") from error


def _form(metadata: type[BaseModel]) -> dict[str, Any]:
    """The one file of a form and the metadata sent with it."""
    request.max_content_length = services().settings.max_upload_mb * 1024 * 1024
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType
    files = request.files.getlist("file")
    others = {*request.files, *request.form} - {"file", "metadata"}
    if others or len(files) != 1 or not files[0].filename or len(request.form.getlist("metadata")) > 1:
        raise InputError(
            "Formularen skal have præcis én fil under navnet file og højst ét felt mere, metadata.",
            advice='curl -F file=@rapport.pdf -F \'metadata={"titel": "Rapport"}\' …',
        )
    try:
        given = json.loads(request.form.get("metadata", "{}"))
    except (ValueError, RecursionError) as error:
        raise InputError("Feltet metadata er ikke gyldig JSON.") from error
    return {"file": files[0], "metadata": metadata.model_validate(given)}


def _answered(operation: Operation, result: Body | Response) -> Response:
    if isinstance(result, Response):
        return result
    return Response(result.to_json(root=request.script_root) + "\n", operation.status, mimetype="application/json")


def _tag(operation: Operation, searcher: Searcher, query: Query, parts: Mapping[str, str]) -> str:
    """Names all that the answer is made of: program, build, the reports that can be seen, the house's words, operation,
    what was asked (normalised), and the rest.
    """
    asked = query.model_dump(mode="json")
    if isinstance(query, AnswerQuery):
        asked["q"] = clean_question(query.q, searcher.settings.max_question_chars)
    made_of: list[Any] = [VERSION, searcher.snapshot.build_id, operation.name, asked, dict(parts)]
    made_of += [sorted(searcher.snapshot.hidden), searcher.snapshot.analyser.synonyms.digest]
    made_of.append(searcher.snapshot.documents_digest)
    made_of.append(operation.besides() if operation.besides else None)
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:32]
