"""Passages that say much the same elsewhere, by the vectors the index already holds."""

from __future__ import annotations

import numpy as np

from kb.core.models import Passage
from kb.retrieval.searcher import Snapshot

# How many of the nearest passages are looked through for some from other projects.
NEIGHBOURS = 60


def similar(snapshot: Snapshot, passage: Passage, top: int) -> list[Passage]:
    """The nearest passages of other projects, one a report, nearest first."""
    row = snapshot.store.passage(passage.id).row
    vector = snapshot.vectors.vectors(np.array([row], dtype=np.int64))[0]
    ranked = [row for row, _ in snapshot.vectors.search(vector, NEIGHBOURS, snapshot.allowed_rows({}))]
    stored = snapshot.store.passages(ranked)
    own = snapshot.records[passage.document_id].record.metadata.projekt
    seen = {passage.document_id}
    found: list[Passage] = []
    for candidate in (stored[row].passage for row in ranked):
        other = snapshot.records[candidate.document_id]
        same_project = own and other.record.metadata.projekt == own
        if candidate.document_id in seen or same_project:
            continue
        seen.add(candidate.document_id)
        found.append(candidate)
    return found[:top]
