"""The pages for asking and browsing: front page, answer, projects, themes, and the pages about the base itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from kb.answer import answer
from kb.answer.lessons import Stand
from kb.core.errors import QuestionError
from kb.core.fields import THEMES
from kb.core.identity import AccessRole
from kb.core.models import DocumentRecord, Passage, RefusalReason, Role
from kb.http import curation_services, lesson_services
from kb.http.gate import is_at_least
from kb.http.report_access import failures
from kb.http.services import searcher, services, snapshot, there
from kb.http.web import overview_pages, request_parameters
from kb.http.web.example_questions import examples
from kb.http.web.instead import nearby, precise_questions
from kb.http.web.presenters import answers, facets, hits, labels, lessons, quotes
from kb.http.web.presenters import projects as project_presenter
from kb.retrieval.snapshot import ProjectSummary, Snapshot

NEWEST = 5
# Passages of each project on a theme's page.
ON_THEME = 4

blueprint = Blueprint("sider", __name__)


@blueprint.get("/")
def front() -> str:
    """The front page."""
    held = snapshot()
    records = [stored.record for stored in held.records.values() if not stored.copy_of]
    newest = sorted(records, key=lambda record: (-(record.metadata.år or 0), record.metadata.titel))[:NEWEST]
    return render_template(
        "forside.html", examples=examples(searcher()), themes=_themes(held), newest=newest, byline=quotes.byline
    )


def _themes(held: Snapshot) -> list[tuple[str, str, int]]:
    counts = held.facets({})["temaer"]
    return [(theme, labels.THEME_TEXTS[theme], counts[theme]) for theme in THEMES if counts.get(theme)]


@blueprint.get("/sporg")
def ask() -> Response | BaseResponse:
    """The answer to a question: passages, filters and ways to take them along."""
    question = request_parameters.read(request.args).completed()
    if not question.question.strip():
        return redirect(url_for("sider.front"))
    size = services().settings.page_size
    held = searcher()
    try:
        result = held.search(question.question, top=size, offset=(question.page - 1) * size, filters=question.filters)
    except QuestionError as error:
        return make_response(render_template("spoergsmaal.html", asked=question, error=error), 400)
    clean = replace(question, question=result.question)
    more = (
        len(result.hits) == size
        and question.page < request_parameters.LAST_PAGE
        and result.total > question.page * size
    )
    # The answer stands on the first page of passages; the others are for reading on.
    answered = answer(held, clean.question, clean.filters) if clean.page == 1 else None
    if answered:
        lesson_services.note_answered(held, answered)
    names = titles(held.snapshot)
    reason = answered.refusal.reason if answered and answered.refusal else None
    page = render_template(
        "svar.html",
        asked=clean,
        precise=precise_questions(held, clean.question) if reason is RefusalReason.TOO_VAGUE else (),
        nearby=nearby(result.hits) if reason is RefusalReason.NOT_SAID else (),
        answer=answers.view_on(held.snapshot, answered) if answered else None,
        lessons=[lessons.view(one, held.snapshot, {}) for one in lesson_services.lessons_in(held, answered)]
        if answered
        else [],
        pictures=overview_pages.of_answer(held.snapshot, answered) if answered else None,
        pinned=[lessons.evidence_view(one, held.snapshot) for one in curation_services.pinned_in(held, clean.question)]
        if answered
        else [],
        read_as=held.analyse(clean.question).meant,
        result=result,
        hits=[hits.hit_view(hit, names) for hit in result.hits],
        facets=facets.facet_views(result.facets, clean.filters),
        active=facets.active_filters(clean.filters),
        more=more,
        first=(question.page - 1) * size + 1,
    )
    return make_response(page)


def titles(held: Snapshot) -> dict[str, str]:
    """The reports' titles by id."""
    return {id_: stored.record.metadata.titel for id_, stored in held.records.items()}


@blueprint.get("/projekter")
def projects() -> str:
    """All projects, by name, authority, status, year or number of reports."""
    order = request.args.get("orden", "")
    order = order if order in project_presenter.ORDERS else "navn"
    held = snapshot()
    lines = project_presenter.in_order(project_presenter.project_lines(held.projects(), held.records), order)
    return render_template("projekter.html", projects=lines, order=order, orders=project_presenter.ORDERS)


@blueprint.get("/projekter/<slug>")
def project(slug: str) -> str:
    """One project: its reports, and what they tell by role."""
    held = snapshot()
    summary = there(next((one for one in held.projects() if one.slug == slug), None))
    records = [held.records[id_].record for id_ in summary.document_ids]
    findings = [
        (labels.ROLE_LABELS[role], role.value, views)
        for role in labels.STORY
        if (views := _findings(held, records, role))
    ]
    learnt = [one for one in lesson_services.published_stands() if set(one.document_ids) & set(summary.document_ids)]
    return render_template(
        "projekt.html", project=summary, records=records, findings=findings, file_format=labels.file_format,
        lessons=_lesson_views(held, learnt),
    )  # fmt: skip


def _lesson_views(held: Snapshot, stands: Sequence[Stand]) -> list[lessons.LessonView]:
    """The lessons of a page, those that no longer hold the last."""
    return sorted((lessons.view(one, held, {}) for one in stands), key=lambda view: view.outdated)


def _findings(held: Snapshot, records: Sequence[DocumentRecord], role: Role) -> list[hits.HitView]:
    return [
        hits.passage_view(passage, record)
        for record in records
        for passage in held.passages_of(record.id)
        if passage.role is role
    ]


@blueprint.get("/temaer")
def themes() -> str:
    """All themes."""
    return render_template("temaer.html", themes=_themes(snapshot()))


@blueprint.get("/temaer/<theme>")
def theme(theme: str) -> str:
    """One theme: how each project met it."""
    if theme not in THEMES:
        raise NotFound
    held = snapshot()
    groups = [
        (project, passages)
        for project in held.projects()
        if theme in project.themes and (passages := _on_theme(held, project, theme))
    ]
    others = [
        stored.record
        for stored in held.records.values()
        if theme in stored.record.metadata.temaer and not stored.record.metadata.projekt and not stored.copy_of
    ]
    return render_template(
        "tema.html", theme=theme, text=labels.THEME_TEXTS[theme], groups=groups, others=others,
        question=labels.THEME_QUESTIONS[theme], byline=quotes.byline,
        lessons=_lesson_views(
            held,
            [one for one in lesson_services.published_stands() if theme in one.lesson.themes and one.is_supported],
        ),
    )  # fmt: skip


def _on_theme(held: Snapshot, project: ProjectSummary, theme: str) -> list[hits.HitView]:
    """The project's passages under a heading that names the theme; else its challenges, handling and lessons."""
    records = [held.records[id_].record for id_ in project.document_ids]
    passages = [(passage, record) for record in records for passage in held.passages_of(record.id)]
    chosen = [(p, r) for p, r in passages if _names_theme(p, theme)]
    if not chosen:
        telling = {Role.CHALLENGE, Role.HANDLING, Role.LESSON}
        chosen = [(p, r) for p, r in passages if p.role in telling and theme in r.metadata.temaer]
    return [hits.passage_view(passage, record) for passage, record in chosen[:ON_THEME]]


def _names_theme(passage: Passage, theme: str) -> bool:
    stem = theme.rstrip("e")
    return any(heading.casefold().startswith(stem) for heading in passage.heading_path[1:])


@blueprint.get("/om")
def about() -> str:
    """How answers are made, and what they are not."""
    return render_template("om.html", failures=failures())


@blueprint.get("/hjaelp")
def help_page() -> str:
    """How to ask, filter and cite."""
    limit = services().settings.max_question_chars
    restricts = services().settings.access_groups
    is_admin = is_at_least(AccessRole.ADMIN)
    return render_template("hjaelp.html", limit=limit, is_admin=is_admin, restricts=restricts)


@blueprint.get("/tilgaengelighed")
def accessibility() -> str:
    """The accessibility statement, in the name of the authority that runs the base."""
    settings = services().settings
    return render_template(
        "tilgaengelighed.html", authority=settings.authority, contact=_contact(settings.accessibility_contact)
    )


def _contact(written: str) -> tuple[str, str]:
    """The contact as the address of a link, empty when it is none, and as text."""
    if written.startswith(("https://", "http://")):
        return written, written.partition("://")[2].rstrip("/")
    return (f"mailto:{written}" if "@" in written and " " not in written else ""), written


@blueprint.get("/opensearch.xml")
def opensearch() -> Response:
    """The description by which a browser can add the search."""
    response = make_response(render_template("opensearch.xml"))
    response.headers["Content-Type"] = "application/opensearchdescription+xml; charset=utf-8"
    return response
