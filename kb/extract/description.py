"""What the reader made of one file, as plain values for ``kb extract`` and its ``--json``."""

from __future__ import annotations

from typing import Any

from kb.core.models import Document, page_at

_FIRST_LINES = 12
_LINE = 160


def describe(document: Document) -> dict[str, Any]:
    """Structure, pages, reader, warnings and masked items; texts are cut, never the counts."""
    return {
        "path": document.path,
        "media_type": document.media_type,
        "reader": document.reader,
        "sha256": document.sha256,
        "metadata": document.metadata.as_dict(),
        "characters": len(document.text),
        "words": len(document.text.split()),
        "headings": [{"level": h.level, "text": h.text, "page": _page(document, h.start)} for h in document.headings],
        "pages": [
            {"number": p.number, "label": p.label, "characters": p.end - p.start, "ocr": p.ocr} for p in document.pages
        ],
        "warnings": [{"code": w.code, "message": w.message} for w in document.warnings],
        "masked": dict(document.masked),
        "first_lines": [line[:_LINE] for line in document.text.split("\n") if line][:_FIRST_LINES],
    }


def _page(document: Document, offset: int) -> int | None:
    page = page_at(document.pages, offset)
    return page.number if page else None
