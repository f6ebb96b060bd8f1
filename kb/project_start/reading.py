"""Reads a plan from a file in a process of its own, as reports are read, and leaves nothing of it behind."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from kb.core.errors import UnreadableUploadError
from kb.core.settings import Settings
from kb.extract import ReadOptions, read_files

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")


def read_plan(content: bytes, name: str, settings: Settings) -> str:
    """The text of a plan in the bytes of a file; the name is only what its suffix is taken from.

    The file lies in a folder of its own while it is read, and is deleted when it has been. Raises
    :class:`UnreadableUploadError` with the reader's reason.
    """
    suffix = Path(name).suffix
    with tempfile.TemporaryDirectory(prefix="kb-plan-") as folder:
        path = Path(folder) / f"plan{suffix if _SUFFIX.fullmatch(suffix) else ''}"
        path.write_bytes(content)
        outcome = next(iter(read_files([path], path.parent, ReadOptions.from_settings(settings))))
    if outcome.document is None:
        raise UnreadableUploadError(
            f"Planen kan ikke læses: {outcome.reason}",
            advice="Gem den som PDF, Word eller tekst, eller indsæt teksten.",
        )
    return outcome.document.text
