"""The audit trail of the server: a view that changes or takes out something says so above itself.

    @changes.operation("DELETE", "/documents/{document_id}", ...)
    @audited("rapport slettet")
    def delete(document_id: str) -> Response: ...

What is done is written when the view has done it, and a change that was refused or failed when it has been answered. A
test finds a view that changes something and is not audited.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from flask import Response, current_app, g, request

from kb.core.errors import StorageError
from kb.core.identity import Identity
from kb.http.gate import SAFE_METHODS, guard
from kb.http.layers import Layer
from kb.state.audit import FAILED, REFUSED, Event
from kb.state.upload_names import shown_name

# The attribute of an audited view that holds what it is called in the trail.
ACTION = "audited_action"
LONGEST = 300
# The parts of an address that say what is done something to.
TARGETS = ("document_id", "job_id", "run_id", "build_id", "lesson_id", "question_id", "source_name", "session_id")
P = ParamSpec("P")
Answer = TypeVar("Answer")


def audited(action: str) -> Callable[[Callable[P, Answer]], Callable[P, Answer]]:
    """Write ``action`` into the trail when the view has answered; what it raises is not done and not written.

    The target is the one its address names and the detail the names of the files sent, unless the view says otherwise
    by :func:`note`.
    """

    def decorate(view: Callable[P, Answer]) -> Callable[P, Answer]:
        @functools.wraps(view)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> Answer:
            answer = view(*args, **kwargs)
            _write_down(action, kwargs)
            return answer

        setattr(wrapped, ACTION, action)
        return wrapped

    return decorate


def note(**said: str) -> None:
    """Say of the audited view at work what its ``target`` or ``detail`` is."""
    g.setdefault("audit_note", {}).update(said)


def record(action: str, *, target: str = "", detail: str = "") -> None:
    """Write an event of the request into the trail; for what no view as a whole does, such as a refused sign-in."""
    who: Identity | None = g.get("identity")
    guard().audit.write(
        Event(
            action=action,
            who=who.name if who else "ukendt",
            via=who.via.value if who else "",
            address=g.address,
            target=target[:LONGEST],
            request_id=g.get("request_id", ""),
            detail=detail[:LONGEST],
        )
    )


def _unsuccessful(response: Response) -> Response:
    """Write down the change that someone known was not allowed to make, or that failed."""
    view = current_app.view_functions.get(request.endpoint or "")
    action = getattr(view, ACTION, "")
    status = response.status_code
    if not action or request.method in SAFE_METHODS or status < 400 or g.get("identity") is None:
        return response
    target = next((value for name, value in (request.view_args or {}).items() if name in TARGETS), "")
    try:
        record(f"{action} {REFUSED if status < 500 else FAILED}", target=str(target), detail=f"HTTP {status}")
    except (StorageError, sqlite3.Error) as error:
        current_app.logger.error("Hændelsen kunne ikke skrives: %s", error)
    return response


LAYER = Layer(after=_unsuccessful)


def _write_down(action: str, parts: dict[str, Any]) -> None:
    named = {"target": next((str(parts[name]) for name in TARGETS if name in parts), ""), "detail": _names_of_files()}
    try:
        record(action, **{**named, **g.get("audit_note", {})})
    except (StorageError, sqlite3.Error) as error:
        # Reading goes on where nothing can be written; a change does not.
        if request.method not in SAFE_METHODS:
            raise
        current_app.logger.error("Hændelsen kunne ikke skrives: %s", error)


def _names_of_files() -> str:
    if request.method in SAFE_METHODS:
        return ""
    return ", ".join(shown_name(file.filename or "") for files in request.files.listvalues() for file in files)
