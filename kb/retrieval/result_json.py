"""Results as JSON-ready values, one form for the command line and the API (pure)."""

from __future__ import annotations

from typing import Any

from kb.core.models import DocumentRecord, Hit, Metadata, Passage, SearchResult


def hit_dict(hit: Hit, *, explain: bool = False) -> dict[str, Any]:
    """A hit; with ``explain`` each engine's rank and score and the words that matched."""
    passage = hit.passage
    metadata = hit.document.metadata
    values: dict[str, Any] = {
        "rank": hit.rank,
        "score": round(hit.scores.fused, 4),
        "passage_id": passage.id,
        "document_id": passage.document_id,
        "project": metadata.projekt,
        "authority": metadata.myndighed,
        "title": metadata.titel,
        "year": metadata.år,
        **_place(passage),
        "quote": passage.text,
        "duplicates": list(hit.duplicates),
    }
    if explain:
        scores = hit.scores
        values["explanation"] = {
            "dense": {"score": _rounded(scores.dense), "rank": scores.dense_rank},
            "lexical": {"score": _rounded(scores.lexical), "rank": scores.lexical_rank},
            "matches": [
                {"start": m.start, "end": m.end, "word": passage.text[m.start : m.end], "kind": m.kind, "term": m.term}
                for m in hit.matches
            ],
        }
    return values


def passage_dict(passage: Passage, metadata: Metadata) -> dict[str, Any]:
    """A passage by itself, with its report's title and project."""
    return {
        "id": passage.id,
        "document_id": passage.document_id,
        "ordinal": passage.ordinal,
        "text": passage.text,
        "title": metadata.titel,
        "project": metadata.projekt,
        **_place(passage),
    }


def _place(passage: Passage) -> dict[str, Any]:
    """Where a passage stands, and what it is."""
    return {
        "role": passage.role.value,
        "inferred": passage.inferred,
        "ocr": passage.ocr,
        "heading_path": list(passage.heading_path),
        "page": passage.page_first,
        "page_last": passage.page_last,
        "start": passage.start,
        "end": passage.end,
        "url": passage_url(passage),
    }


def result_dict(result: SearchResult, *, explain: bool = False) -> dict[str, Any]:
    """A whole search result."""
    return {
        "question": result.question,
        "build_id": result.build_id,
        "total": result.total,
        "filters": {name: list(values) for name, values in result.filters.items()},
        "corrections": {word: list(near) for word, near in result.corrections.items()},
        "facets": {name: dict(counts) for name, counts in result.facets.items()},
        "hits": [hit_dict(hit, explain=explain) for hit in result.hits],
    }


def document_dict(record: DocumentRecord) -> dict[str, Any]:
    """A document without its text."""
    return {
        "id": record.id,
        "path": record.path,
        "sha256": record.sha256,
        "media_type": record.media_type,
        "reader": record.reader,
        "pages": record.pages,
        "passages": record.passages,
        "characters": record.characters,
        "warnings": [{"code": w.code, "message": w.message} for w in record.warnings],
        "masked": dict(record.masked),
        "metadata": record.metadata.as_dict(),
    }


def passage_url(passage: Passage) -> str:
    """Where the document opens at the passage, relative to the server."""
    return f"/dokumenter/{passage.document_id}?passage={passage.id}#{passage.id}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
