"""The id of each request: a proxy's own where it is well formed, else a new one; in answers, log and problems."""

from __future__ import annotations

import re
import uuid

from flask import Flask, Response, g, request

HEADER = "X-Request-Id"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")


def install(app: Flask) -> None:
    """Give every request of an application its id."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    given = request.headers.get(HEADER, "")
    g.request_id = given if _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex


def _end(response: Response) -> Response:
    response.headers[HEADER] = g.get("request_id", "")
    return response
