"""Erfaringer: the pages of lessons. Readers see the published ones and say where they used them; editors write them.

A form that cannot be saved comes back as it was sent, with what is wrong.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as BaseResponse

from kb.core.errors import IndexUnusableError, InputError, NotFoundError
from kb.core.fields import THEMES
from kb.core.identity import AccessRole
from kb.core.stages import Phase
from kb.http import lesson_services
from kb.http.audit_trail import audited, note
from kb.http.gate import is_at_least, needs
from kb.http.services import services, snapshot
from kb.http.web.presenters import lessons as presented
from kb.lessons import exchange, reviewing
from kb.lessons.lesson import (
    LONGEST_LINE,
    LONGEST_TEXT,
    REVIEW_DAYS,
    Evidence,
    Lesson,
    LessonStatus,
    LessonUse,
    UseOutcome,
    checked,
    checked_use,
)

MOST_PROPOSALS = 100

blueprint = Blueprint("erfaringer", __name__, url_prefix="/erfaringer")
FormView = Callable[..., BaseResponse]


@blueprint.after_request
def _never_kept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("")
def lesson_list() -> str:
    """The lessons by status, theme, phase and whether they are due; drafts are shown to editors."""
    every = lesson_services.visible_lessons()
    chosen = {name: request.args.get(name, "") for name in ("status", "tema", "fase", "eftersyn")}
    shown = [one for one in every if _is_chosen(one, chosen)]
    counts = reviewing.use_counts(services().lessons.uses())
    return render_template(
        "erfaringer/liste.html",
        views=[presented.view(lesson_services.stand_of(one), snapshot_or_none(), counts) for one in shown],
        total=len(every),
        chosen=chosen,
        statuses=[status for status in LessonStatus if is_editor() or status is not LessonStatus.DRAFT],
        phases=list(Phase),
        editor=is_editor(),
    )


def _is_chosen(lesson: Lesson, chosen: dict[str, str]) -> bool:
    return (
        chosen["status"] in {"", lesson.status.value}
        and chosen["tema"] in {"", *lesson.themes}
        and chosen["fase"] in {"", lesson.phase.value if lesson.phase else ""}
        and (not chosen["eftersyn"] or reviewing.is_due(lesson, date.today()))
    )


def is_editor() -> bool:
    """Whether the one who asks may change lessons."""
    return is_at_least(AccessRole.EDITOR)


def snapshot_or_none() -> Any:
    """The build in use; None where there is none, for lessons can be read without."""
    try:
        return snapshot()
    except IndexUnusableError:
        return None


@blueprint.get("/tal")
def lesson_figures() -> str:
    """The figures: lessons by status, used and due; questions asked and refused."""
    titles = {one.id: one.lesson for one in lesson_services.visible_lessons()}
    return render_template("erfaringer/tal.html", figures=lesson_services.current_figures(), titles=titles)


@blueprint.get("/<lesson_id>")
def lesson(lesson_id: str) -> str:
    """One lesson: what it says, what it rests on, and where it was used."""
    found = lesson_services.visible_lesson(lesson_id)
    uses = [use for use in services().lessons.uses() if use.lesson_id == lesson_id]
    view = presented.view(lesson_services.stand_of(found), snapshot_or_none(), reviewing.use_counts(uses))
    return render_template(
        "erfaringer/erfaring.html", view=view, uses=uses, outcomes=list(UseOutcome), editor=is_editor(),
        longest=LONGEST_LINE, longest_note=LONGEST_TEXT,
    )  # fmt: skip


@blueprint.post("/<lesson_id>/brugt")
@audited("erfaring brugt")
def note_use(lesson_id: str) -> BaseResponse:
    """Keep that a lesson was used in a project; who says so is in the audit trail alone."""
    lesson_services.need_name()
    lesson_services.visible_lesson(lesson_id)
    outcome = request.form.get("hvordan", "")
    if outcome not in set(UseOutcome):
        raise InputError("Det mangler, hvordan det gik.", advice="Vælg et af svarene.")
    use = LessonUse(lesson_id, request.form.get("projekt", ""), UseOutcome(outcome), request.form.get("note", ""))
    services().lessons.note_use(checked_use(use))
    return redirect(url_for("erfaringer.lesson", lesson_id=lesson_id, _anchor="brugt"), 303)


# --- Writing ---


def _comes_back(view: FormView) -> FormView:
    """Show a form that cannot be saved as it was sent, with what is wrong; what the view raises is not audited."""

    @functools.wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> BaseResponse:
        try:
            return view(*args, **kwargs)
        except NotFoundError:
            raise  # there is no lesson to show the form of
        except InputError as error:
            page = _form(_sent(request.form, lenient=True), error=error)
            return make_response(page, 400)

    return wrapped


@blueprint.get("/ny")
@needs(AccessRole.EDITOR)
def new_lesson() -> str:
    """An empty form, or one that begins with passages or with a proposal."""
    proposal_id = request.args.get("forslag", "")
    if proposal_id:
        begun = lesson_services.open_proposal(proposal_id).as_lesson()
    else:
        begun = Lesson(lesson="", evidence=lesson_services.evidence_of(request.args.getlist("passage")))
    return _form(replace(begun, review_by=(date.today() + timedelta(days=REVIEW_DAYS)).isoformat()))


def _form(given: Lesson, *, error: InputError | None = None) -> str:
    return render_template(
        "erfaringer/form.html",
        view=presented.view(lesson_services.stand_of(given), snapshot_or_none(), {}),
        error=error,
        lesson_id=(request.view_args or {}).get("lesson_id", ""),
        revision=request.form.get("revision", str(given.revision)),
        proposal_id=request.values.get("forslag", ""),
        more=request.form.get("passage", ""),
        statuses=list(LessonStatus),
        phases=list(Phase),
        longest=LONGEST_TEXT,
        longest_line=LONGEST_LINE,
    )


@blueprint.post("/ny")
@needs(AccessRole.EDITOR)
@_comes_back
@audited("erfaring oprettet")
def add_lesson() -> BaseResponse:
    """Store a new lesson; a proposal that it was made of is off the list then."""
    added = services().lessons.add(checked(_sent(request.form)), proposal_id=request.form.get("forslag", ""))
    note(target=added.id, detail=added.status.value)
    return redirect(url_for("erfaringer.lesson", lesson_id=added.id), 303)


@blueprint.get("/<lesson_id>/ret")
@needs(AccessRole.EDITOR)
def edit_lesson(lesson_id: str) -> str:
    """A lesson in its form."""
    return _form(services().lessons.get(lesson_id))


@blueprint.post("/<lesson_id>/ret")
@needs(AccessRole.EDITOR)
@_comes_back
@audited("erfaring ændret")
def save_lesson(lesson_id: str) -> BaseResponse:
    """Put what was sent in a lesson's place."""
    revision = request.form.get("revision", "")
    if not (revision.isascii() and revision.isdigit() and len(revision) < 10):
        raise BadRequest
    saved = services().lessons.replace(lesson_id, checked(_sent(request.form)), revision=int(revision))
    note(detail=saved.status.value)
    return redirect(url_for("erfaringer.lesson", lesson_id=lesson_id), 303)


def _sent(form: MultiDict[str, str], *, lenient: bool = False) -> Lesson:
    """The lesson that a form holds; raises :class:`InputError` for a passage that is not there, unless lenient."""
    kept = tuple(
        Evidence.of(form.get(f"rapport-{number}", ""), form.get(f"citat-{number}", "").replace("\r\n", "\n"))
        for number in form.getlist("behold")
    )
    added = () if lenient else lesson_services.evidence_of(_passage_ids(form.getlist("passage")))
    phase, status = form.get("phase", ""), form.get("status", "")
    return Lesson(
        lesson=form.get("lesson", ""),
        context=form.get("context", ""),
        event=form.get("event", ""),
        handling=form.get("handling", ""),
        applies_to=form.get("applies_to", ""),
        owner=form.get("owner", ""),
        review_by=form.get("review_by", ""),
        evidence=(*kept, *added),
        phase=Phase(phase) if phase in set(Phase) else None,
        themes=tuple(theme for theme in THEMES if theme in form.getlist("themes")),
        status=LessonStatus(status) if status in set(LessonStatus) else LessonStatus.DRAFT,
    )


def _passage_ids(given: Sequence[str]) -> list[str]:
    """Passage ids, be they written one beside the other or as addresses of passages."""
    return [word.rpartition("#")[2] for text in given for word in text.split()]


@blueprint.post("/<lesson_id>/slet")
@needs(AccessRole.EDITOR)
@audited("erfaring slettet")
def delete_lesson(lesson_id: str) -> BaseResponse:
    """Remove a lesson with its uses."""
    if request.form.get("bekraeft") != "ja":
        raise InputError("Sletningen blev ikke bekræftet.", advice="Sæt kryds ved, at erfaringen skal slettes.")
    services().lessons.delete(lesson_id)
    return redirect(url_for("erfaringer.lesson_list"), 303)


# --- Proposals ---


@blueprint.get("/forslag")
@needs(AccessRole.EDITOR)
def proposal_list() -> str:
    """What the reports propose: a challenge with its handling, cited."""
    held = snapshot()
    found = lesson_services.open_proposals()
    views = [presented.proposal_view(one, held) for one in found[:MOST_PROPOSALS]]
    return render_template("erfaringer/forslag.html", views=views, total=len(found))


@blueprint.post("/forslag/<proposal_id>/afvis")
@needs(AccessRole.EDITOR)
@audited("forslag til erfaring afvist")
def turn_down(proposal_id: str) -> BaseResponse:
    """Take a proposal off the list."""
    services().lessons.turn_down(lesson_services.open_proposal(proposal_id).id)
    note(target=proposal_id)
    return redirect(url_for("erfaringer.proposal_list"), 303)


# --- Files ---


@blueprint.get("/alle.csv")
@needs(AccessRole.EDITOR)
@audited("erfaringer udtrukket")
def lessons_csv() -> Response:
    """All lessons as CSV."""
    text = presented.csv_text(services().lessons.all())
    return _download(text.encode("utf-8-sig"), "text/csv; charset=utf-8", "erfaringer.csv")


@blueprint.get("/alle.json")
@needs(AccessRole.EDITOR)
@audited("erfaringer udtrukket")
def lessons_json() -> Response:
    """All lessons as JSON."""
    text = exchange.to_json(services().lessons.all())
    return _download(text.encode(), "application/json", "erfaringer.json")


def _download(content: bytes, media_type: str, name: str) -> Response:
    response = make_response(content)
    response.headers["Content-Type"] = media_type
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


@blueprint.before_request
def _take_large_files() -> None:
    if request.endpoint == "erfaringer.take_in":
        request.max_content_length = services().settings.max_upload_mb * 1024 * 1024


@blueprint.post("/indlaes")
@needs(AccessRole.EDITOR)
@audited("erfaringer indlæst")
def take_in() -> BaseResponse:
    """Take a file of lessons in, all of them or none."""
    file = request.files.get("fil")
    if file is None or not file.filename:
        raise InputError("Der var ingen fil i formularen.", advice="Vælg en fil, og prøv igen.")
    counts = services().lessons.take_in(presented.lessons_of_file(file.read()))
    note(detail=f"{counts.added} nye, {counts.changed} ændrede, {counts.unchanged} uændrede")
    return redirect(url_for("erfaringer.lesson_list"), 303)
