"""The pages of reports: the list, one report with a cited place marked, its page images and its original file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flask import Blueprint, Response, render_template, request
from werkzeug.exceptions import NotFound

from kb.core.errors import NotFoundError
from kb.core.fields import LIST_FACETS
from kb.core.models import Document, DocumentRecord, Page, Passage, page_at
from kb.core.paths import holders, own_name
from kb.core.privacy import CPR
from kb.core.slug import slug
from kb.http.audit_trail import audited
from kb.http.services import services, snapshot
from kb.http.web import conditional, page_images
from kb.http.web.other_versions import other_versions
from kb.http.web.presenters import facets, hits, labels, quotes, report_text
from kb.http.web.similar_passages import similar
from kb.operations import editing
from kb.operations.inside_files import unpacked_file
from kb.proposals.scope import crosses
from kb.retrieval.filters import Filters
from kb.retrieval.snapshot import DOCUMENT_FIELDS, Snapshot

DAY_SECONDS = 86_400
SIMILAR = 3
_PLACE = re.compile(r"(\d{1,9})-(\d{1,9})", re.ASCII)

blueprint = Blueprint("dokumenter", __name__)


@blueprint.get("/dokumenter")
def documents() -> str:
    """All reports, filtered and sorted."""
    held = snapshot()
    filters = {name: tuple(values) for name in DOCUMENT_FIELDS if (values := request.args.getlist(name))}
    order = request.args.get("orden", "titel")
    return render_template(
        "dokumenter.html",
        records=_sorted([stored.record for stored in held.passing(Filters.of(filters))], order),
        order=order,
        facets=facets.facet_views(held.facets(filters), filters, LIST_FACETS),
        active=facets.active_filters(filters),
        filters=filters,
        byline=quotes.byline,
        file_format=labels.file_format,
    )


def _sorted(records: list[DocumentRecord], order: str) -> list[DocumentRecord]:
    if order == "nyeste":
        return sorted(records, key=lambda record: (-(record.metadata.år or 0), record.metadata.titel.casefold()))
    return sorted(records, key=lambda record: record.metadata.titel.casefold())


@blueprint.get("/dokumenter/<document_id>")
def document(document_id: str) -> str:
    """One report; ``?passage=`` marks the cited place."""
    held = snapshot()
    stored = held.document(document_id)
    stored_record = held.records[document_id]
    record = stored_record.record
    passage = _cited(held, document_id)
    return render_template(
        "dokument.html",
        document=stored.document,
        stored=stored,
        record=record,
        facts=report_text.facts(record),
        told=report_text.told_status(stored_record.standing),
        crossing=crosses(record.metadata, stored_record.proposals),
        project_slug=slug(record.metadata.projekt) if record.metadata.projekt else "",
        contents=report_text.contents(stored.document),
        pages=report_text.document_pages(stored.document, passage),
        cited=hits.passage_view(passage, record) if passage else None,
        image=_shown_page(held, stored.document, passage),
        place=request.args.get("sted", ""),
        similar=_similar(held, passage),
        is_pdf=record.media_type == page_images.PDF,
        original=_has_original(held, document_id),
        versions=other_versions(document_id),
        holder=_holder(held, document_id),
        attached=_attached(held, document_id),
        file_format=labels.file_format(record.media_type),
    )


def _similar(held: Snapshot, passage: Passage | None) -> list[hits.HitView]:
    nearest = similar(held, passage, SIMILAR) if passage else []
    return [hits.passage_view(other, held.records[other.document_id].record) for other in nearest]


def _cited(held: Snapshot, document_id: str) -> Passage | None:
    wanted = request.args.get("passage", "")
    if not wanted:
        return None
    passage = held.passage(wanted)
    if passage.document_id != document_id:
        raise NotFoundError("Passagen hører ikke til denne rapport.")
    return _narrowed(passage, request.args.get("sted", ""), held.pages_of(document_id))


def _narrowed(passage: Passage, place: str, pages: Sequence[Page]) -> Passage:
    """The passage cut down to the range an answer cites ("120-245"), with the pages that this range is on.

    It is left whole when the range is not inside it.
    """
    match = _PLACE.fullmatch(place)
    if match is None:
        return passage
    start, end = int(match[1]), int(match[2])
    if not passage.start <= start < end <= passage.end:
        return passage
    text = passage.text[start - passage.start : end - passage.start]
    first, last = page_at(pages, start), page_at(pages, end - 1)
    return replace(
        passage,
        start=start,
        end=end,
        text=text,
        page_first=first.number if first else None,
        page_last=last.number if last else None,
    )


@dataclass(frozen=True, slots=True)
class ShownPage:
    """The image of a page; ``size`` is its width and height in pixels, so that nothing moves when it arrives."""

    number: int
    size: tuple[int, int]


def _shown_page(held: Snapshot, document: Document, passage: Passage | None) -> ShownPage | None:
    """The page to show as an image beside the text: the cited one, if it can be shown."""
    if passage is None or passage.page_first is None or document.media_type != page_images.PDF:
        return None
    try:
        return _drawn(held, document, passage.page_first, passage)
    except NotFoundError:
        return None


def _drawn(held: Snapshot, document: Document, number: int, passage: Passage | None) -> ShownPage:
    return ShownPage(number, png_size(_image(held, document, number, passage)))


def png_size(png: bytes) -> tuple[int, int]:
    """Width and height, which stand at fixed places of a PNG."""
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def _image(held: Snapshot, document: Document, number: int, passage: Passage | None) -> bytes:
    page = document.pages[number - 1]
    start, end = (max(page.start, passage.start), min(page.end, passage.end)) if passage else (0, 0)
    place = page_images.Place(document.text[page.start : page.end], document.text[start : max(start, end)])
    settings = services().settings
    folder = settings.index_dir / "cache" / "pages"
    file = unpacked_file(settings, held.file_of(document.id), held.records[document.id])
    return page_images.cached(folder, file, document.sha256, number, place, contacts=settings.mask_contacts)


def _has_original(held: Snapshot, document_id: str) -> bool:
    try:
        _original_file(held, document_id)
    except NotFoundError:
        return False
    return True


def _original_file(held: Snapshot, document_id: str) -> Path:
    """The file a report was read from, or is inside; not where CPR numbers were found in it or what is inside it."""
    path = held.file_of(document_id)
    own = held.records[document_id]
    inside_it = [one for one in held.same_file(document_id) if own.record.path in holders(one.record.path)]
    if any(one.record.masked.get(CPR) for one in (own, *inside_it)):
        raise NotFoundError("Originalen kan ikke hentes, fordi der er fundet CPR-numre i den.")
    return path


@dataclass(frozen=True, slots=True)
class Holder:
    """What a report is inside: its name, and its report where it has one."""

    name: str
    record: DocumentRecord | None


def _holder(held: Snapshot, document_id: str) -> Holder | None:
    path = next(holders(held.records[document_id].record.path), "")
    if not path or not editing.lies_in(held.records[document_id]):
        return None
    found = next((one.record for one in held.same_file(document_id) if one.record.path == path), None)
    return Holder(services().upload_names.all().get(path, own_name(path)), found)


def _attached(held: Snapshot, document_id: str) -> list[DocumentRecord]:
    """The reports that are inside this one, as what is attached to a mail is."""
    path = held.records[document_id].record.path
    return [one.record for one in held.same_file(document_id) if next(holders(one.record.path), "") == path]


@blueprint.get("/dokumenter/<document_id>/original")
@audited("original hentet")
def original(document_id: str) -> Response:
    """The file as it was added."""
    held = snapshot()
    stored = held.record(document_id)
    record = stored.record
    path = unpacked_file(services().settings, _original_file(held, document_id), stored)
    name = services().upload_names.all().get(record.path, own_name(record.path))
    # As a download and never shown: a web page among the reports must not run as one of ours.
    return conditional.sent(path, media_type=record.media_type, etag=record.sha256, download_name=name)


@blueprint.get("/dokumenter/<document_id>/side/<int:number>")
def page(document_id: str, number: int) -> str:
    """A PDF page as an image with its text beside it; the passage that ``?passage=`` names is marked in both."""
    held = snapshot()
    document = _with_page(held, document_id, number)
    passage = _cited(held, document_id)
    image, problem = None, ""
    try:
        image = _drawn(held, document, number, passage)
    except NotFoundError as error:
        problem = str(error)
    return render_template(
        "side.html",
        document=document,
        page=report_text.document_pages(document, passage)[number - 1],
        total=len(document.pages),
        image=image,
        problem=problem,
        passage_id=passage.id if passage else None,
        place=request.args.get("sted") if passage else None,
    )


def _with_page(held: Snapshot, document_id: str, number: int) -> Document:
    """A PDF that has a page of this number; raises :class:`werkzeug.exceptions.NotFound` for any other document."""
    document = held.document(document_id).document
    if document.media_type != page_images.PDF or not 1 <= number <= len(document.pages):
        raise NotFound
    return document


@blueprint.get("/dokumenter/<document_id>/side/<int:number>.png")
def page_image(document_id: str, number: int) -> Response:
    """A PDF page as an image, with the passage outlined that ``?passage=`` names."""
    held = snapshot()
    document = _with_page(held, document_id, number)
    image = _image(held, document, number, _cited(held, document_id))
    response = conditional.sent(image, media_type="image/png", etag=hashlib.sha256(image).hexdigest())
    response.cache_control.private = True
    response.cache_control.max_age = DAY_SECONDS
    return response
