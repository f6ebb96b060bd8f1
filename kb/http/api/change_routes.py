"""The operations of ``/api/v1`` that change something, and those only editors and admins may read.

Every change is written to the audit trail, and a change to the reports starts the job that takes it in; the answer is
202 with the job, whose address is in ``Location``.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response, current_app, g, jsonify
from werkzeug.datastructures import FileStorage

from kb.core.errors import NotFoundError
from kb.core.identity import AccessRole
from kb.http.api import request_models, response_models
from kb.http.api.operations import PREFIX, Api, holder, settings
from kb.http.api.paging import next_address, page_of
from kb.http.api.problem_details import NO_INDEX
from kb.http.gate import guard, record
from kb.index.store import StoredRecord
from kb.operations import editing
from kb.operations.jobs import Job, Jobs
from kb.retrieval.searcher import clean_question
from kb.state.feedback import FeedbackStore
from kb.state.runs import RunStore
from kb.state.upload_names import shown_name

changes = Api("aendringer")
ACCEPTED, CREATED = 202, 201
TOO_BIG = ("for-stort", "forkert-medietype")
METADATA_EXAMPLE = {"titel": "Erfaringer med ruteplanlægning", "projekt": "FleetOptimiser", "år": 2023}


def jobs() -> Jobs:
    """The application's jobs."""
    found: Jobs = current_app.extensions["kb"].jobs
    return found


def state() -> RunStore:
    """The application's runs."""
    found: RunStore = current_app.extensions["kb"].state
    return found


def _job(job: Job) -> dict[str, Any]:
    return {**job.as_dict(), "state": job.state.value, "is_over": job.is_over, "run_id": job.run_id or None}


def _accepted(values: dict[str, Any], job: Job) -> Response:
    response = jsonify({**values, "job": _job(job)})
    response.status_code = ACCEPTED
    response.headers["Location"] = f"{PREFIX}/jobs/{job.id}"
    return response


def _stored(document_id: str) -> StoredRecord:
    return holder().searcher().snapshot.record(document_id)


@changes.operation(
    "POST", "/documents", summary="Læg en rapport ind", tag="Redaktion", role=AccessRole.EDITOR, status=ACCEPTED,
    form=request_models.EditedMetadata, body_example=METADATA_EXAMPLE, response=response_models.Uploaded,
    problems=(*TOO_BIG, "ukendt-filformat"),
)  # fmt: skip
def upload(file: FileStorage, metadata: request_models.EditedMetadata) -> Response:
    """Læg en fil ind, med eller uden metadata. Hvad den er, afgøres af dens indhold; den gemmes under et navn, serveren
    giver den. Rapporten kan findes, når jobbet er færdigt."""
    path = editing.add(settings(), file, metadata.model_dump(exclude_defaults=True))
    record("rapport lagt ind", target=path, detail=shown_name(file.filename or ""))
    return _accepted({"path": path}, jobs().start(by=g.identity.name, files=[path]))


@changes.operation(
    "PUT", "/documents/{document_id}/metadata", summary="Erstat en rapports metadata", tag="Redaktion",
    role=AccessRole.EDITOR, status=ACCEPTED, body=request_models.EditedMetadata, body_example=METADATA_EXAMPLE,
    response=response_models.Changed,
    problems=("findes-ikke", *TOO_BIG, *NO_INDEX),
    example={"document_id": "aalborg-air"},
)  # fmt: skip
def replace_metadata(document_id: str, body: request_models.EditedMetadata) -> Response:
    """Metadata erstattes som helhed: det, der ikke er med, bliver tomt. `id`, `sprog` og `kilder` er uændrede."""
    stored = _stored(document_id)
    editing.replace_metadata(settings(), stored, body.model_dump())
    record("metadata ændret", target=document_id)
    return _accepted({"document_id": document_id}, jobs().start(by=g.identity.name, files=[stored.record.path]))


@changes.operation(
    "DELETE", "/documents/{document_id}", summary="Slet en rapport", tag="Redaktion", role=AccessRole.EDITOR,
    status=ACCEPTED, response=response_models.Changed,
    problems=("findes-ikke", *NO_INDEX),
    example={"document_id": "aalborg-air"},
)  # fmt: skip
def delete(document_id: str) -> Response:
    """Filen og dens metadata slettes. Rapporten er straks ude af søgning, svar og sider, og af indekset, når jobbet er
    færdigt."""
    editing.remove(settings(), _stored(document_id))
    record("rapport slettet", target=document_id)
    return _accepted({"document_id": document_id}, jobs().start(by=g.identity.name))


@changes.operation(
    "POST", "/jobs", summary="Start en indeksering", tag="Redaktion", role=AccessRole.EDITOR, status=ACCEPTED,
    query=request_models.JobQuery, response=response_models.Job, example={"full": False},
)  # fmt: skip
def start_job(query: request_models.JobQuery) -> Response:
    """Bring indekset på linje med rapporterne. Et job, der allerede venter, gør det for begge."""
    started = jobs().start(by=g.identity.name, full=query.full)
    record("indeksering sat i gang", target=started.id)
    response = jsonify(_job(started))
    response.status_code = ACCEPTED
    response.headers["Location"] = f"{PREFIX}/jobs/{started.id}"
    return response


@changes.operation(
    "POST", "/jobs/{job_id}/cancel", summary="Afbryd et job", tag="Redaktion", role=AccessRole.EDITOR, status=ACCEPTED,
    response=response_models.Job, problems=("findes-ikke",), example={"job_id": "20261123T153037044417Z"},
)  # fmt: skip
def cancel_job(job_id: str) -> dict[str, Any]:
    """Et job, der venter, er straks annulleret; et, der er i gang, standser ved sit næste skridt."""
    cancelled = jobs().cancel(job_id)
    record("job annulleret", target=job_id)
    return _job(cancelled)


@changes.get(
    "/jobs",
    summary="List jobbene",
    tag="Redaktion",
    role=AccessRole.EDITOR,
    on_build=False,
    response=response_models.Jobs,
)
def list_jobs() -> dict[str, Any]:
    """De seneste indekseringer, nyeste først."""
    return {"items": [_job(job) for job in jobs().newest()]}


@changes.get(
    "/jobs/{job_id}", summary="Følg et job", tag="Redaktion", role=AccessRole.EDITOR, on_build=False,
    response=response_models.Job, problems=("findes-ikke",), example={"job_id": "20261123T153037044417Z"},
)  # fmt: skip
def job(job_id: str) -> dict[str, Any]:
    """Hvor langt jobbet er, og når det er færdigt, hvad der blev af hver fil."""
    found = jobs().get(job_id)
    if found is None:
        raise NotFoundError(f"Der er intet job med id {job_id}.")
    return _job(found)


@changes.operation(
    "POST", "/builds/{build_id}/use", summary="Tag et indeks i brug", tag="Drift", role=AccessRole.ADMIN,
    response=response_models.Used,
    problems=("findes-ikke", "indeksering-i-gang", *NO_INDEX),
    example={"build_id": "20261123T153037044417Z"},
)  # fmt: skip
def use_build(build_id: str) -> dict[str, Any]:
    """Gå tilbage til et ældre indeks, hvis det er helt. Det, der er slettet siden, er med, til der indekseres igen."""
    chosen = editing.use_build(settings(), build_id)
    record("indeks taget i brug", target=chosen)
    return {"build_id": chosen}


def feedback_store() -> FeedbackStore:
    """The application's feedback."""
    found: FeedbackStore = current_app.extensions["kb"].feedback
    return found


@changes.operation(
    "POST", "/feedback", summary="Giv en tilbagemelding", tag="Spørg", status=CREATED, body=request_models.NewFeedback,
    body_example={"question": "Hvordan håndterede projekterne GDPR?", "useful": True, "comment": "Præcis nok."},
    response=response_models.Received, problems=("ugyldigt-spoergsmaal", *TOO_BIG),
)  # fmt: skip
def give_feedback(body: request_models.NewFeedback) -> dict[str, Any]:
    """Sig, om et svar var nyttigt. Hvem der siger det, gemmes ikke; personoplysninger i teksten skjules."""
    question = clean_question(body.question, settings().max_question_chars)
    feedback_store().add(question, body.build_id, useful=body.useful, comment=body.comment, citations=body.citations)
    return {"status": "modtaget"}


@changes.get(
    "/feedback", summary="List tilbagemeldingerne", tag="Redaktion", role=AccessRole.EDITOR, on_build=False,
    query=request_models.ListQuery, response=response_models.FeedbackList, example={"top": 2},
)  # fmt: skip
def list_feedback(query: request_models.ListQuery) -> dict[str, Any]:
    """Det, læserne har sagt om svarene, nyeste først."""
    record("tilbagemeldinger udtrukket")
    page = page_of(feedback_store().all(), query.top, query.offset)
    page["items"] = [{**asdict(one), "citations": list(one.citations)} for one in page["items"]]
    return page


@changes.get(
    "/audit", summary="Læs hændelsesloggen", tag="Drift", role=AccessRole.ADMIN, on_build=False,
    query=request_models.SinceQuery, response=response_models.AuditTrail, example={"since": "2026-11-01", "top": 2},
)  # fmt: skip
def audit_trail(query: request_models.SinceQuery) -> dict[str, Any]:
    """Hvem der ændrede, lagde ind, slettede, udtrak eller loggede ind, hvornår og hvorfra; ældste først."""
    page = page_of(guard().audit.entries(since=query.since), query.top, query.offset)
    page["items"] = [entry.as_dict() for entry in page["items"]]
    record("hændelseslog udtrukket", detail=f"{len(page['items'])} hændelser")
    return page


@changes.get(
    "/runs", summary="List kørslerne", tag="Redaktion", role=AccessRole.EDITOR, on_build=False,
    query=request_models.ListQuery, response=response_models.Runs, example={"top": 2},
)  # fmt: skip
def runs(query: request_models.ListQuery) -> dict[str, Any]:
    """Alle indekseringer, også dem fra kommandolinjen, nyeste først."""
    # One more than asked for tells whether there is a next page.
    found = state().runs(query.top + 1, query.offset)
    following = next_address(query.top, query.offset) if len(found) > query.top else None
    return {"items": [run.as_dict() for run in found[: query.top]], "next": following}


@changes.get(
    "/runs/{run_id}", summary="Følg en kørsel", tag="Redaktion", role=AccessRole.EDITOR, on_build=False,
    response=response_models.Run, problems=("findes-ikke",),
    example={"run_id": "20261123T153037044417Z"},
)  # fmt: skip
def run(run_id: str) -> dict[str, Any]:
    """Hvor langt kørslen er, og når den er færdig, hvad den gjorde ved hver fil."""
    return state().run(run_id).as_dict()


@changes.operation(
    "POST", "/runs/{run_id}/cancel", summary="Stands en kørsel", tag="Redaktion", role=AccessRole.EDITOR,
    status=ACCEPTED, response=response_models.Run, problems=("findes-ikke",),
    example={"run_id": "20261123T153037044417Z"},
)  # fmt: skip
def cancel_run(run_id: str) -> dict[str, Any]:
    """Bed en kørsel om at standse ved sit næste skridt. Indekset i brug er uændret."""
    state().cancel_run(run_id)
    record("kørsel standset", target=run_id)
    return state().run(run_id).as_dict()
