"""The routes of ``/api/v1``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, request

from kb.api.schemas import SearchQuery
from kb.errors import KbError
from kb.presentation import document_dict, result_dict
from kb.search import SnapshotHolder

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


def holder() -> SnapshotHolder:
    """The application's snapshot holder."""
    found: SnapshotHolder = current_app.extensions["kb"].holder
    return found


@blueprint.get("/search")
def search() -> dict[str, Any]:
    """The best passages for a question."""
    query = SearchQuery.of(request.args.to_dict(flat=False))
    result = holder().searcher().search(query.q, top=query.top, offset=query.offset, filters=query.filters)
    return result_dict(result, explain=query.explain)


@blueprint.get("/documents/<document_id>")
def document(document_id: str) -> dict[str, Any]:
    """One document with its text."""
    snapshot = holder().searcher().snapshot
    stored = snapshot.document(document_id)
    return {**document_dict(snapshot.records[document_id].record), "text": stored.document.text}


@blueprint.get("/health")
def health() -> tuple[dict[str, Any], int]:
    """Whether the server can answer questions, and on which build."""
    try:
        manifest = holder().searcher().snapshot.manifest
    except KbError as error:
        return {"status": "utilgængelig", "code": error.code, "detail": str(error), "advice": error.advice}, 503
    problem = holder().problem
    return {
        "status": "klar" if problem is None else "klar på et ældre indeks",
        "build": manifest.id,
        "created": manifest.created,
        "documents": manifest.documents,
        "passages": manifest.passages,
        "problem": None if problem is None else str(problem),
    }, 200
