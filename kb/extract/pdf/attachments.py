"""The files that a PDF carries: attachments, and the documents of a portfolio, whose own page is only a cover."""

from __future__ import annotations

import io
from pathlib import PurePosixPath, PureWindowsPath

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from kb.extract.part import Part

# Invoices and the like carry their figures for programs beside the page for people.
_FOR_PROGRAMS = frozenset({".xml", ".xsd", ".json", ".joboptions"})


def pdf_parts(data: bytes) -> tuple[Part, ...]:
    """The files a PDF carries; none of one that is damaged or locked, whose own reading says so."""
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            return ()
        files = list(reader.attachment_list)
        return tuple(
            Part(name, lambda file=file: bytes(file.content))  # type: ignore[misc]
            for file in files
            for name in [PurePosixPath(PureWindowsPath(file.alternative_name or file.name).name).name]
            if PurePosixPath(name).suffix.lower() not in _FOR_PROGRAMS
        )
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError):
        return ()
