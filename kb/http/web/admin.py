"""Redaktionen: upload, metadata, replace, remove, reindex, runs and builds.

The gate lets in editors alone (:mod:`kb.http.gate`), and admins alone to put another build in use.
"""

from __future__ import annotations

import csv
import io

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from kb.core.errors import IndexUnusableError, InputError, UnreadableUploadError
from kb.core.fields import BY_NAME
from kb.core.identity import AccessRole
from kb.http import job_services
from kb.http.audit_trail import audited, note
from kb.http.gate import is_at_least, needs, tells_of_all
from kb.http.report_access import checked_groups, failures, restrict_at_once
from kb.http.services import services, snapshot, there
from kb.http.web import metadata_form
from kb.http.web.presenters import labels, runs
from kb.index.places import place_of
from kb.index.store import StoredRecord
from kb.operations import editing
from kb.operations.finished_builds import finished_builds
from kb.operations.jobs import Job
from kb.retrieval.snapshot import Snapshot
from kb.state.runs import KEPT_RUNS
from kb.state.upload_names import shown_name

MOST_FILES = 200
RUNS_SHOWN = 20
FILES_SHOWN = 200

blueprint = Blueprint("redaktion", __name__, url_prefix="/admin")


@blueprint.before_request
def _take_large_files() -> None:
    request.max_content_length = services().settings.max_upload_mb * 1024 * 1024


@blueprint.after_request
def _never_kept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def _snapshot() -> Snapshot | None:
    try:
        return snapshot()
    except IndexUnusableError:
        return None


@blueprint.get("")
def overview() -> str:
    """The start: upload, the latest runs, and what needs attention."""
    held = _snapshot()
    return render_template(
        "admin/oversigt.html",
        jobs=job_services.newest()[:5],
        failures=failures() if held else [],
        names=services().upload_names.all(),
        unanswered=services().gaps.open()[:5],
        problem=services().holder.problem,
        limit=services().settings.max_upload_mb,
        unfinished=not (services().settings.authority and services().settings.accessibility_contact),
    )


@blueprint.post("/filer")
@audited("rapport lagt ind")
def upload() -> BaseResponse:
    """Take files in and start a run; one that cannot be read is told of beside the others."""
    files = [file for file in request.files.getlist("filer") if file.filename]
    if not files:
        raise InputError("Der var ingen filer i formularen.", advice="Vælg en eller flere filer, og prøv igen.")
    if len(files) > MOST_FILES:
        raise InputError(f"Der må højst sendes {MOST_FILES} filer ad gangen.", advice="Send dem i flere omgange.")
    taken, refused = [], {}
    for file in files:
        try:
            taken.append(editing.add(services().settings, file))
        except UnreadableUploadError as error:
            refused[shown_name(file.filename or "")] = str(error)
    if not taken:
        raise InputError(
            " ".join(f"»{name}« er ikke lagt ind: {reason}" for name, reason in refused.items()),
            advice="Gem indholdet som fx PDF, Word eller tekst, og prøv igen.",
        )
    return _started(job_services.start(files=taken, refused=refused))


def _started(job: Job) -> BaseResponse:
    return redirect(url_for("redaktion.job", job_id=job.id), 303)


@blueprint.post("/filer/slet")
@tells_of_all
@audited("fil slettet")
def delete_unread() -> BaseResponse:
    """Remove a file that could not be read."""
    wanted = request.form.get("sti", "")
    failure = next((one for one in failures() if one.path == wanted), None)
    editing.remove_unread(services().settings, there(failure))
    return _started(job_services.start())


@blueprint.post("/indeksering")
@audited("indeksering sat i gang")
def reindex() -> BaseResponse:
    """Bring the index in line with the corpus."""
    return _started(job_services.start())


@blueprint.get("/job/<job_id>")
def job(job_id: str) -> str:
    """One run, its progress and its files."""
    return render_template(
        "admin/job.html",
        job=job_services.get(job_id),
        documents=_documents_by_path(),
        names=services().upload_names.all(),
    )


def _documents_by_path() -> dict[str, str]:
    held = _snapshot()
    return {stored.record.path: id_ for id_, stored in held.records.items()} if held else {}


@blueprint.get("/job/<job_id>.json")
def job_state(job_id: str) -> Response:
    """The same for the script that keeps the page fresh."""
    job_ = job_services.get(job_id)
    return jsonify(
        state=job_.state, over=job_.is_over, stage=job_.stage, done=job_.done, total=job_.total, files=job_.files
    )


@blueprint.post("/job/<job_id>/afbryd")
@audited("job annulleret")
def cancel_job(job_id: str) -> BaseResponse:
    """Cancel a run that waits, and ask one at work to stop."""
    return _started(job_services.cancel(job_id))


@blueprint.get("/koersler")
@tells_of_all
def run_list() -> str:
    """All runs, also those from the command line, newest first."""
    page = min(max(1, request.args.get("side", 1, int)), KEPT_RUNS // RUNS_SHOWN)
    # One more than shown tells whether there is a next page.
    newest = services().state.runs(RUNS_SHOWN + 1, (page - 1) * RUNS_SHOWN)
    views = [runs.run_view(run) for run in newest[:RUNS_SHOWN]]
    return render_template("admin/koersler.html", runs=views, page=page, more=len(newest) > RUNS_SHOWN)


@blueprint.get("/koersler/<run_id>")
@tells_of_all
def run(run_id: str) -> str:
    """One run: who started it, what it did to each file, and how long each stage took."""
    return render_template(
        "admin/koersel.html",
        view=runs.run_view(services().state.run(run_id)),
        most=FILES_SHOWN,
        documents=_documents_by_path(),
        names=services().upload_names.all(),
    )


@blueprint.post("/koersler/<run_id>/afbryd")
@tells_of_all
@audited("kørsel standset")
def cancel_run(run_id: str) -> BaseResponse:
    """Ask a run to stop at its next step."""
    services().state.cancel_run(run_id)
    return redirect(url_for("redaktion.run", run_id=run_id), 303)


@blueprint.get("/rapporter")
def reports() -> str:
    """All reports with their state, and the files that could not be read."""
    held = snapshot()
    stored = sorted(held.records.values(), key=lambda one: one.record.metadata.titel.casefold())
    return render_template(
        "admin/rapporter.html",
        reports=stored,
        failures=failures(),
        names=services().upload_names.all(),
        file_format=labels.file_format,
        unconfirmed=metadata_form.unconfirmed,
        field_labels={name: field.label for name, field in BY_NAME.items()},
    )


def _stored(document_id: str) -> StoredRecord:
    return there(snapshot().records.get(document_id))


@blueprint.get("/rapporter/<document_id>")
def report(document_id: str) -> str:
    """One report's metadata as a form, with what was inferred filled in."""
    stored = _stored(document_id)
    held = [one.record.metadata for one in snapshot().records.values()]
    return render_template(
        "admin/rapport.html",
        stored=stored,
        entries=metadata_form.entries(
            stored.record.metadata,
            stored.proposals,
            metadata_form.known_values(held),
            with_groups=services().settings.access_groups,
        ),
        names=services().upload_names.all(),
        lies_in=editing.lies_in(stored),
    )


@blueprint.post("/rapporter/<document_id>")
@audited("metadata ændret")
def save_report(document_id: str) -> BaseResponse:
    """Replace the metadata, an emptied value by an empty one, and start a run."""
    stored = _stored(document_id)
    values = checked_groups(metadata_form.read(request.form))
    editing.replace_metadata(services().settings, stored, values)
    restrict_at_once(document_id, values)
    return _started(job_services.start(files=[stored.record.path]))


@blueprint.post("/rapporter/<document_id>/erstat")
@audited("rapport erstattet")
def replace_report(document_id: str) -> BaseResponse:
    """Put a new file in the old one's place."""
    file = request.files.get("fil")
    if file is None or not file.filename:
        raise InputError("Der var ingen fil i formularen.", advice="Vælg en fil, og prøv igen.")
    path = editing.replace(services().settings, _stored(document_id), file)
    return _started(job_services.start(files=[path]))


@blueprint.post("/rapporter/<document_id>/slet")
@audited("rapport slettet")
def delete_report(document_id: str) -> BaseResponse:
    """Remove a report; it goes out of the answers with the run that follows."""
    if request.form.get("bekraeft") != "ja":
        raise InputError("Sletningen blev ikke bekræftet.", advice="Sæt kryds ved, at rapporten skal slettes.")
    editing.remove(services().settings, _stored(document_id))
    return _started(job_services.start())


@blueprint.get("/indekser")
@tells_of_all
def index_list() -> str:
    """The finished builds and the one in use."""
    finished = finished_builds(place_of(services().settings))
    manifests = [one.manifest for one in finished if one.manifest is not None]
    held = _snapshot()
    in_use = held.build_id if held else ""
    may_use = is_at_least(AccessRole.ADMIN)
    return render_template("admin/indekser.html", manifests=manifests, in_use=in_use, may_use=may_use)


@blueprint.post("/indekser")
@needs(AccessRole.ADMIN)
@audited("indeks taget i brug")
def use_index() -> BaseResponse:
    """Put an older build in use."""
    note(target=editing.use_build(services().settings, request.form.get("indeks") or None))
    return redirect(url_for("redaktion.index_list"), 303)


@blueprint.get("/tilbagemeldinger.csv")
@audited("tilbagemeldinger udtrukket")
def feedback_csv() -> Response:
    """Everything readers said."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerow(("tidspunkt", "spørgsmål", "indeks", "nyttigt", "hvorfor", "citater"))
    for one in services().feedback.all():
        useful = "ja" if one.useful else "nej"
        row = (one.created, one.question, one.build_id, useful, one.comment, " ".join(one.citations))
        writer.writerow([labels.inert(cell) for cell in row])
    response = make_response(text.getvalue().encode("utf-8-sig"))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers.set("Content-Disposition", "attachment", filename="tilbagemeldinger.csv")
    return response
