"""What pages and API share of who may see a report: the groups that an editor may set, and the files not read.

Which reports are there for whoever asks is decided in :mod:`kb.retrieval.permitted_snapshot`, and nowhere here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kb.core.access import EVERYONE, group_names
from kb.core.errors import InputError
from kb.extract.metadata import ACCESS_KEY
from kb.http.job_services import sees_all
from kb.http.services import access, services, snapshot
from kb.index.store import Failure
from kb.state.restricted import RestrictedReports


def checked_groups(values: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata with groups that whoever sets them is in, so that they go on seeing the report.

    Raises :class:`InputError` for others, and where reports cannot be for groups at all.
    """
    groups = group_names(values.get(ACCESS_KEY) or ())
    if not groups:
        return dict(values)
    if not services().settings.access_groups:
        raise InputError("Rapporter kan ikke begrænses til grupper her.", advice="Slå det til: KB_ACCESS_GROUPS=true.")
    if groups != (EVERYONE,) and not access().permits(groups):
        raise InputError(
            "Du er selv ikke i nogen af grupperne og ville ikke kunne se rapporten mere.",
            advice="Skriv mindst én gruppe, du selv er i, eller bed en administrator om det.",
        )
    return {**values, ACCESS_KEY: list(groups)}


def restrict_at_once(document_id: str, values: Mapping[str, Any]) -> None:
    """Keep a report from others from now on, with all that is in its file; the run that follows takes the rest in."""
    groups = tuple(values.get(ACCESS_KEY) or ())
    if groups and groups != (EVERYONE,):
        together = snapshot().same_file(document_id)
        RestrictedReports(services().settings.state).remember({one.record.id: groups for one in together})


def failures() -> Sequence[Failure]:
    """The files that gave no document, for those who may know of every file."""
    return snapshot().failures() if sees_all() else ()
