"""The one maker of error bodies: ``application/problem+json`` after RFC 9457, with a stable ``type`` for each error."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, current_app, json, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from kb.errors import ConfigurationError, IndexUnusableError, InputError, KbError, LockedError, NotFoundError

MEDIA_TYPE = "application/problem+json"
# A reference of our own: it need not resolve, only stay the same.
TYPE_PREFIX = "urn:erfaringsbasen:fejl:"
RETRY_AFTER_SECONDS = 30


def problem(error: Exception) -> Response:
    """The problem response for any error; one nobody foresaw is logged and told without its inside."""
    status, code, detail, advice = _describe(error)
    body: dict[str, object] = {
        "type": TYPE_PREFIX + code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.path,
    }
    if advice:
        body["advice"] = advice
    response = Response(json.dumps(body, ensure_ascii=False), status, mimetype=MEDIA_TYPE)
    if isinstance(error, HTTPException):
        for name, value in error.get_headers():
            if name in {"Allow", "Retry-After"}:
                response.headers[name] = value
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    return response


def _describe(error: Exception) -> tuple[int, str, str, str]:
    """Status, code, Danish detail and advice of an error."""
    if isinstance(error, KbError):
        if not isinstance(error, InputError):
            current_app.logger.error("%s: %s", error.code, error)
        return _status_of(error), error.code, str(error), error.advice
    if isinstance(error, ValidationError):
        return HTTPStatus.BAD_REQUEST, InputError.code, _in_danish(error), ""
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.code or 500)
        return status, status.phrase.lower().replace(" ", "-"), error.description or status.description, ""
    current_app.logger.error("Uventet fejl på %s", request.path, exc_info=error)
    return HTTPStatus.INTERNAL_SERVER_ERROR, "intern-fejl", "Der skete en uventet fejl. Den er skrevet i loggen.", ""


def _status_of(error: KbError) -> int:
    if isinstance(error, NotFoundError):
        return HTTPStatus.NOT_FOUND
    if isinstance(error, InputError):
        return HTTPStatus.BAD_REQUEST
    if isinstance(error, IndexUnusableError | ConfigurationError | LockedError):
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.INTERNAL_SERVER_ERROR


def _in_danish(error: ValidationError) -> str:
    """Which parameters are wrong, and how."""
    parts = []
    for item in error.errors():
        name = ".".join(str(part) for part in item["loc"]) or "forespørgslen"
        if item["type"] == "extra_forbidden":
            parts.append(f"Parameteren {name} findes ikke.")
        elif item["type"] == "missing":
            parts.append(f"Parameteren {name} mangler.")
        else:
            parts.append(f"Parameteren {name} har en ugyldig værdi.")
    return " ".join(parts)
