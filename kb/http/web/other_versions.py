"""The other versions of a report, named by their format and file: "Word (plan v0.4.docx)"."""

from __future__ import annotations

from dataclasses import dataclass

from kb.core.paths import own_name
from kb.http.services import services, snapshot
from kb.http.web.presenters import labels


@dataclass(frozen=True, slots=True)
class OtherVersion:
    """A version that another stands for, or the one that stands for it."""

    id: str
    label: str


def other_versions(document_id: str) -> list[OtherVersion]:
    """The documents that are another version of this one, or that it is a version of; none of an unknown one."""
    found = snapshot().versions_of(document_id)
    names = services().upload_names.all() if found else {}
    return [
        OtherVersion(
            record.id, f"{labels.file_format(record.media_type)} ({names.get(record.path, own_name(record.path))})"
        )
        for record in found
    ]
