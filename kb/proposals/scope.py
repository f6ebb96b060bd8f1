"""Whether a report is about many projects, and by what that is known (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from kb.core.models import Metadata
from kb.proposals.proposal import Proposal

MANY_PROJECTS = "flere projekter"
_CROSS_CUTTING_TYPE = "tværgående"


def crosses(metadata: Metadata, proposals: Sequence[Proposal]) -> str:
    """Why a report is of no project but about many, as a Danish sentence; empty for one that is of one.

    What an editor wrote decides; else what the report says of itself.
    """
    if metadata.projekt and "projekt" not in metadata.inferred:
        return ""
    if metadata.omfang:
        return "Redaktionen har angivet det." if metadata.omfang == MANY_PROJECTS else ""
    if metadata.type == _CROSS_CUTTING_TYPE:
        return "Redaktionen har angivet rapporten som tværgående."
    found = next((one for one in proposals if one.field == "omfang" and one.value == MANY_PROJECTS), None)
    return f"{found.why} »{found.quote}«" if found else ""
