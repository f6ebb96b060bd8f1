"""Documents that were deleted and still stand in the build in use: gone from the lists at once, not with the build."""

from __future__ import annotations

from flask import current_app

from kb.search import Snapshot

EXTENSION = "kb.removed"


def _all() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = current_app.extensions.setdefault(EXTENSION, set())
    return found


def mark(snapshot: Snapshot, document_id: str) -> None:
    """Hide a document of a build; marks of other builds are forgotten."""
    held = _all()
    held.difference_update({mark for mark in held if mark[0] != snapshot.build_id})
    held.add((snapshot.build_id, document_id))


def clear() -> None:
    """Hide nothing any more: what comes in may be what was taken out, and then no new build will be made."""
    _all().clear()


def of(snapshot: Snapshot) -> frozenset[str]:
    """The ids that are hidden in a build."""
    return frozenset(id_ for build_id, id_ in tuple(_all()) if build_id == snapshot.build_id)
