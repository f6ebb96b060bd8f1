"""Take it along: the hits as CSV and Excel, the answer as Word, and a question as an Atom feed."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for
from werkzeug.exceptions import BadRequest

from kb.answer import answer
from kb.core.errors import StorageError
from kb.core.fields import columns
from kb.core.models import DocumentRecord, Hit, Metadata, SearchResult
from kb.core.slug import slug
from kb.http import lesson_services
from kb.http.audit_trail import audited
from kb.http.services import searcher, services, snapshot
from kb.http.web import request_parameters
from kb.http.web.presenters import answers, hits, labels, lessons, quotes

MOST_HITS = 100
# Characters that Word takes in a document's title.
LONGEST_PROPERTY = 255
FEED_ENTRIES = 20
# The columns with their widths in characters: the hit's number, its report's metadata, and what the passage is.
COLUMNS = {
    "nummer": 8,
    **{column.heading: column.width for column, _ in columns()},
    **{"afsnit": 36, "side": 8, "rolle": 14, "citat": 90, "passage": 28, "adresse": 50},
}
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

blueprint = Blueprint("udtraek", __name__)


def _result() -> tuple[request_parameters.Asked, SearchResult]:
    question = request_parameters.read(request.args)
    if not question.question.strip():
        raise BadRequest
    return question, searcher().search(question.question, top=MOST_HITS, filters=question.filters)


def download(content: bytes, media_type: str, name: str) -> Response:
    """A response that a browser saves under a name."""
    response = make_response(content)
    response.headers["Content-Type"] = media_type
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _rows(hits: Sequence[Hit]) -> list[tuple[str | int, ...]]:
    return [
        (
            hit.rank, *_described(hit.document.metadata), " › ".join(hit.passage.heading_path),
            quotes.pages(hit.passage.page_first, hit.passage.page_last).removeprefix("side "),
            hit.passage.role.value, hit.passage.text, hit.passage.id,
            passage_address(hit.passage.document_id, hit.passage.id),
        )
        for hit in hits
    ]  # fmt: skip


def _described(metadata: Metadata) -> Iterator[str | int]:
    """The cells of a report's metadata."""
    for _, field in columns():
        value = metadata.value(field.name)
        yield ", ".join(map(str, value)) if isinstance(value, tuple) else value or ""


def passage_address(document_id: str, passage_id: str, place: str | None = None) -> str:
    """The full address of a passage, or of the cited ``place`` in it."""
    return url_for(
        "dokumenter.document", document_id=document_id, passage=passage_id, sted=place, _anchor=passage_id,
        _external=True,
    )  # fmt: skip


@blueprint.get("/sporg.csv")
@audited("svar udtrukket")
def hits_csv() -> Response:
    """The hits as CSV that a Danish Excel opens: semicolons, and a byte order mark for the letters."""
    question, result = _result()
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerow(COLUMNS)
    writer.writerows([labels.inert(cell) for cell in row] for row in _rows(result.hits))
    return download(text.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8", _name(question, "csv"))


def _name(question: request_parameters.Asked, suffix: str) -> str:
    return f"erfaringsbasen-{slug(question.question, longest=60)}.{suffix}"


@blueprint.get("/sporg.xlsx")
@audited("svar udtrukket")
def hits_xlsx() -> Response:
    """The hits as an Excel workbook."""
    import xlsxwriter

    question, result = _result()
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(content, options) as book:
        sheet = book.add_worksheet("Passager")
        heading, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        sheet.write_row(0, 0, tuple(COLUMNS), heading)
        for number, row in enumerate(_rows(result.hits), 1):
            sheet.write_row(number, 0, row, wrapped)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(result.hits), len(COLUMNS) - 1)
        for column, width in enumerate(COLUMNS.values()):
            sheet.set_column(column, column, width)
    return download(content.getvalue(), XLSX, _name(question, "xlsx"))


@blueprint.get("/sporg.docx")
@audited("svar udtrukket")
def answer_docx() -> Response:
    """The answer with its sources as a Word document."""
    question = request_parameters.read(request.args)
    if not question.question.strip():
        raise BadRequest
    held = searcher()
    result = answer(held, question.question, question.filters)
    above = [lessons.view(one, held.snapshot, {}) for one in lesson_services.lessons_in(held, result)]
    return download(docx(answers.view_on(held.snapshot, result), above), DOCX, _name(question, "docx"))


def docx(view: answers.AnswerView, above: Sequence[lessons.LessonView]) -> bytes:
    """An answer as the bytes of a Word document: question, the lessons above, answer, coverage, projects, sources."""
    document = new_document(view.answer.question)
    add_lessons(document, above)
    if above:
        document.add_heading("Svaret", 1)
    if view.answer.lead:
        document.add_paragraph(view.answer.lead)
    for sentence in view.answer.sentences:
        document.add_paragraph(f"{sentence.text} {answers.references(sentence.citations)}")
    if view.answer.refusal:
        document.add_paragraph(view.answer.refusal.message)
    coverage = f"{view.answer.coverage.sentence}. " if view.answer.coverage.of else ""
    document.add_paragraph(f"{coverage}Svarets sikkerhed: {view.certainty.lower()}.")
    for heading, projects in (("Projekterne", view.projects), ("På tværs af projekter", view.cross_cutting)):
        if projects:
            document.add_heading(heading, 1)
        for project in projects:
            _add_project(document, project)
    return finished(document, view.citations, view.answer.created, view.answer.build_id)


def new_document(title: str) -> Any:
    """A Word document that begins with its title."""
    from docx import Document

    document = Document()
    document.core_properties.title = shortened(title, LONGEST_PROPERTY)
    document.core_properties.author = "Erfaringsbasen"
    document.core_properties.language = "da-DK"
    document.add_heading(title, 0)
    return document


def finished(document: Any, citations: Sequence[answers.CitationView], created: str, build_id: str) -> bytes:
    """The bytes of a document that ends with its sources and the build it is from."""
    document.add_heading("Kilder", 1)
    for source in citations:
        paragraph = document.add_paragraph(f"[{source.number}] {source.citation} ")
        _add_link(paragraph, "Vis stedet", passage_address(source.document_id, source.passage_id, source.place))
    document.add_paragraph(f"Fra Erfaringsbasen, som den var {labels.danish_timestamp(created)} ({build_id}).")
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def add_lessons(document: Any, above: Sequence[lessons.LessonView]) -> None:
    """The confirmed lessons: what was learnt, who stands behind it, and the words it rests on with their place."""
    if above:
        document.add_heading(lessons.heading(len(above)), 1)
    for view in above:
        document.add_heading(view.lesson.lesson, 2)
        document.add_paragraph(lessons.byline(view))
        for one in view.evidence:
            words = f"»{one.quote}« " if one.stands else ""
            paragraph = document.add_paragraph(f"{words}{one.title}. {one.warning}".strip(), style="List Bullet")
            if one.passage_id and one.stands:
                paragraph.add_run(" ")
                _add_link(paragraph, "Vis stedet", passage_address(one.document_id, one.passage_id, one.place))


def _add_link(paragraph: Any, text: str, address: str) -> None:
    """Put a link at the end of a paragraph, which python-docx has no method for."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), paragraph.part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    run = paragraph.add_run(text)
    run.font.underline = True
    link.append(run._r)
    paragraph._p.append(link)


def shortened(text: str, longest: int) -> str:
    """A text of at most so many characters, marked where it is cut."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _add_project(document: Any, project: answers.ProjectView) -> None:
    document.add_heading(project.name, 2)
    if project.authority:
        document.add_paragraph(project.authority)
    if project.said:
        document.add_paragraph(f"I svaret: {answers.references(project.said)}")
    for group in project.groups:
        for finding in group.findings:
            paragraph = document.add_paragraph(style="List Bullet")
            paragraph.add_run(f"{group.label or 'Andet'}: ").bold = True
            own = " (indsamlerens læsning)" if finding.inferred else ""
            paragraph.add_run(f"{finding.text}{own} {answers.references([finding.citation])}")


def _came_in(record: DocumentRecord, built: str) -> str:
    """When a report came in as it is; when no run tells, the time ``made`` of the build."""
    try:
        return services().state.arrival(record.path) or built
    except StorageError:
        return built  # reading goes on where nothing can be written


@dataclass(frozen=True, slots=True)
class Entry:
    """A passage in a feed. ``id`` is made of place and text: a feed reader takes a changed passage for a new one.

    ``updated`` is when its report came in as it is (ISO 8601).
    """

    id: str
    address: str
    updated: str
    hit: hits.HitView


@blueprint.get("/sporg.atom")
def feed() -> Response:
    """The passages that answer a question as a feed: a reader's program shows those it has not seen before."""
    question, result = _result()
    built = snapshot().manifest.created
    entries = [
        Entry(
            _urn(hit.passage.id, hit.passage.text),
            passage_address(hit.passage.document_id, hit.passage.id),
            _came_in(hit.document, built),
            hits.passage_view(hit.passage, hit.document),
        )
        for hit in result.hits[:FEED_ENTRIES]
    ]
    updated = max((entry.updated for entry in entries), default=built)
    feed_id = _urn(question.url("udtraek.feed"))
    page = render_template("sporg.atom.xml", asked=question, updated=updated, entries=entries, feed_id=feed_id)
    response = make_response(page)
    response.headers["Content-Type"] = "application/atom+xml; charset=utf-8"
    return response


def _urn(*parts: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, "\n".join(parts)).urn
