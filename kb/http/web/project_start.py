"""Projektstart-tjek: the form, what the base has to tell a plan, the same as Word, and a link to share it by.

A plan goes along in the forms of the page it was compared on; it is stored where someone asks for a link and nowhere
else. What is noted in the audit trail is that a plan was compared, never its file's name.
"""

from __future__ import annotations

from dataclasses import fields

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as BaseResponse

from kb.core.errors import PlanError, UnreadableUploadError
from kb.http import lesson_services
from kb.http.audit_trail import audited, note
from kb.http.services import searcher, services, there
from kb.http.web.exports import DOCX, download
from kb.http.web.presenters import project_start as presenter
from kb.http.web.project_start_word import check_docx, checklist_docx
from kb.project_start import Plan, PlanFields, check
from kb.project_start.plan import FIELD_LABELS, LONGEST
from kb.project_start.reading import read_plan
from kb.state.shared_plans import DAYS

# A plan of the longest length in UTF-8, and what else a form holds.
LONGEST_FORM = 2 * LONGEST + 10_000
HINTS = {
    "hvad": "Fx: fordele kommunens post automatisk",
    "hvem": "Fx: medarbejderne i borgerservice",
    "data": "Fx: indgående mails fra de sidste to år",
    "teknik": "Fx: en sprogmodel, der læser mails",
    "fase": "Fx: idé, udvikling, afprøvning eller drift",
}

blueprint = Blueprint("projektstart", __name__, url_prefix="/projektstart")


@blueprint.before_request
def _take_plans() -> None:
    request.max_content_length = services().settings.max_upload_mb * 1024 * 1024
    request.max_form_memory_size = LONGEST_FORM


@blueprint.after_request
def _never_kept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("")
def form() -> str:
    """The form."""
    return _form()


@blueprint.post("")
@audited("plan sammenlignet")
def compare() -> Response:
    """Compare a plan that is written, filled in or sent as a file."""
    note(detail="")
    try:
        plan = Plan.of(_written())
    except (PlanError, UnreadableUploadError) as error:
        return make_response(_form(str(error), error.advice), 400)
    return make_response(_page(plan))


@blueprint.post("/word")
@audited("plan udtrukket")
def word() -> Response:
    """The check as Word."""
    return download(check_docx(_view(_carried())), DOCX, "projektstart-tjek.docx")


@blueprint.post("/tjekliste")
@audited("plan udtrukket")
def checklist() -> Response:
    """The empty checklist as Word."""
    return download(checklist_docx(_view(_carried())), DOCX, "projektstart-tjekliste.docx")


@blueprint.post("/del")
@audited("plan delt")
def share() -> BaseResponse:
    """Keep a plan for some days, and lead to its link."""
    days = request.form.get("dage", "")
    if days not in {str(number) for number in DAYS}:
        raise BadRequest
    token = services().shared_plans.add(_carried().text, days=int(days))
    return redirect(url_for("projektstart.shared", token=token), 303)


@blueprint.get("/delt/<token>")
def shared(token: str) -> str:
    """A plan that was shared, compared with the base as it is now."""
    kept = there(services().shared_plans.find(token))
    return _page(Plan.of(kept.plan), token=token, expires=kept.expires)


@blueprint.post("/delt/<token>/slet")
@audited("delt plan slettet")
def unshare(token: str) -> BaseResponse:
    """Delete a shared plan before its time."""
    there(services().shared_plans.find(token))
    services().shared_plans.remove(token)
    return redirect(url_for("projektstart.form"), 303)


def _written() -> str | PlanFields:
    """What was sent: a file before a text, a text before the fields."""
    file = request.files.get("fil")
    if file and file.filename:
        return read_plan(file.read(), file.filename, services().settings)
    if request.form.get("plan", "").strip():
        return request.form["plan"]
    return PlanFields(**{field.name: request.form.get(field.name, "") for field in fields(PlanFields)})


def _carried() -> Plan:
    """The plan that a page's form carries; raises :class:`PlanError` where it carries none."""
    return Plan.of(request.form.get("plan", ""))


def _view(plan: Plan) -> presenter.CheckView:
    held = searcher()
    found = check(held, plan)
    return presenter.view_on(held.snapshot, plan.text, found, lesson_services.lessons_for(held, found))


def _page(plan: Plan, *, token: str = "", expires: str = "") -> str:
    return render_template(
        "projektstart-svar.html",
        view=_view(plan),
        token=token,
        expires=expires,
        days=DAYS,
        outcome_text=presenter.outcome_text,
        met_by=presenter.met_by,
        gap_text=presenter.gap_text,
    )


def _form(error: str = "", advice: str = "") -> str:
    return render_template(
        "projektstart.html",
        fields=[(name, label, HINTS[name], request.form.get(name, "")) for name, label in FIELD_LABELS.items()],
        plan=request.form.get("plan", ""),
        error=error,
        advice=advice,
        limit=services().settings.max_upload_mb,
    )
