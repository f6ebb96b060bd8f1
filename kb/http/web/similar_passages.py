"""Passages that say much the same elsewhere, by the vectors the index already holds."""

from __future__ import annotations

from kb.core.models import Passage
from kb.retrieval.snapshot import Snapshot

# How many of the nearest passages are looked through for some from other projects.
NEIGHBOURS = 60


def similar(snapshot: Snapshot, passage: Passage, top: int) -> list[Passage]:
    """The nearest passages of other projects, one a report, nearest first."""
    own = snapshot.records[passage.document_id].record.metadata.projekt
    seen = {passage.document_id}
    nearest: list[Passage] = []
    for candidate in snapshot.neighbours(passage.id, NEIGHBOURS):
        other = snapshot.records[candidate.document_id]
        same_project = own and other.record.metadata.projekt == own
        if candidate.document_id in seen or same_project:
            continue
        seen.add(candidate.document_id)
        nearest.append(candidate)
    return nearest[:top]
