"""Each request's id and its line in the log.

The id is a proxy's own where it is well formed, else a new one; it stands in the answer, the log and every problem. The
log is one JSON object a line. A question is in it only where the settings say so, with personal data masked; keys,
cookies and addresses' other parameters never are.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from flask import Response, g, request

from kb.core.privacy import mask
from kb.http.layers import Layer
from kb.http.services import services

HEADER = "X-Request-Id"
LONGEST_QUESTION = 1000
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")
log = logging.getLogger("kb.requests")


class JsonLines(logging.Formatter):
    """One JSON object a record; ``extra={"fields": {...}}`` adds to it."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        values: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "logger": record.name}
        values["message"] = record.getMessage()
        values |= getattr(record, "fields", {})
        if record.exc_info:
            values["trace"] = self.formatException(record.exc_info)
        return json.dumps(values, ensure_ascii=False, default=str)


def log_as_json() -> None:
    """Send what the program logs to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def _begin() -> None:
    g.begun = time.perf_counter()
    given = request.headers.get(HEADER, "")
    g.request_id = given if _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex


def _end(response: Response) -> Response:
    response.headers[HEADER] = g.request_id
    who = g.get("identity")
    fields: dict[str, Any] = {
        "request_id": g.request_id,
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else "",
        "status": response.status_code,
        "ms": round((time.perf_counter() - g.begun) * 1000, 1),
        "address": g.get("address", ""),
        "who": who.name if who else "",
    }
    if services().settings.log_questions and (question := request.args.get("q")):
        fields["question"] = mask(question[:LONGEST_QUESTION]).text
    log.info("%s %s %s", request.method, fields["route"], response.status_code, extra={"fields": fields})
    return response


LAYER = Layer(_begin, _end)
