"""The operations of ``/api/v1`` that change something, and those only editors and admins may read.

Every change is audited (:mod:`kb.http.audit_trail`), and a change to the reports starts the job that takes it in; the
answer is 202 with the job, whose address is in ``Location``.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, request
from werkzeug.datastructures import FileStorage

from kb.core.identity import AccessRole
from kb.http import job_services, lesson_services
from kb.http.api import lesson_responses, request_models, response_models
from kb.http.api.operations import PREFIX, Api
from kb.http.api.paging import next_address, page_of
from kb.http.api.problem_details import NO_INDEX
from kb.http.api.response_models import Body
from kb.http.audit_trail import audited, note
from kb.http.curation_services import take_feedback
from kb.http.gate import guard, tells_of_all
from kb.http.report_access import checked_groups, restrict_at_once
from kb.http.services import searcher, services
from kb.index.store import StoredRecord
from kb.operations import editing
from kb.project_start import Plan, check
from kb.retrieval.searcher import clean_question

changes = Api("aendringer")
ACCEPTED, CREATED = 202, 201
TOO_BIG = ("for-stort", "forkert-medietype")
METADATA_EXAMPLE = {"titel": "Erfaringer med ruteplanlægning", "projekt": "FleetOptimiser", "år": 2023}


def _accepted(body: Body, job: response_models.Job) -> Response:
    response = Response(body.to_json(root=request.script_root) + "\n", ACCEPTED, mimetype="application/json")
    response.headers["Location"] = f"{request.script_root}{PREFIX}/jobs/{job.id}"
    return response


def _started(*, files: Sequence[str] = (), full: bool = False) -> response_models.Job:
    """The job that takes a change in."""
    return response_models.Job.model_validate(job_services.start(files=files, full=full))


def _stored(document_id: str) -> StoredRecord:
    return searcher().snapshot.record(document_id)


@changes.operation(
    "POST", "/documents", summary="Læg en rapport ind", tag="Redaktion", role=AccessRole.EDITOR, status=ACCEPTED,
    form=request_models.EditedMetadata, body_example=METADATA_EXAMPLE, response=response_models.Uploaded,
    problems=(*TOO_BIG, "ukendt-filformat"),
)  # fmt: skip
@audited("rapport lagt ind")
def upload(file: FileStorage, metadata: request_models.EditedMetadata) -> Response:
    """Læg en fil ind, med eller uden metadata. Hvad den er, afgøres af dens indhold; den gemmes under et navn, serveren
    giver den. Rapporten kan findes, når jobbet er færdigt."""
    path = editing.add(services().settings, file, checked_groups(metadata.model_dump(exclude_defaults=True)))
    note(target=path)
    job = _started(files=[path])
    return _accepted(response_models.Uploaded(path=path, job=job), job)


@changes.operation(
    "PUT", "/documents/{document_id}/metadata", summary="Erstat en rapports metadata", tag="Redaktion",
    role=AccessRole.EDITOR, status=ACCEPTED, body=request_models.EditedMetadata, body_example=METADATA_EXAMPLE,
    response=response_models.Changed,
    problems=("findes-ikke", *TOO_BIG, *NO_INDEX),
    example={"document_id": "aalborg-air"},
)  # fmt: skip
@audited("metadata ændret")
def replace_metadata(document_id: str, body: request_models.EditedMetadata) -> Response:
    """Metadata erstattes som helhed: det, der ikke er med, bliver tomt. `id`, `sprog` og `kilder` er uændrede, og
    `adgang` er det, når den ikke er med."""
    stored = _stored(document_id)
    kept = {"adgang"} - body.model_fields_set
    values = checked_groups(body.model_dump(exclude=kept))
    editing.replace_metadata(services().settings, stored, values)
    restrict_at_once(document_id, values)
    job = _started(files=[stored.record.path])
    return _accepted(response_models.Changed(document_id=document_id, job=job), job)


@changes.operation(
    "DELETE", "/documents/{document_id}", summary="Slet en rapport", tag="Redaktion", role=AccessRole.EDITOR,
    status=ACCEPTED, response=response_models.Changed,
    problems=("findes-ikke", *NO_INDEX),
    example={"document_id": "aalborg-air"},
)  # fmt: skip
@audited("rapport slettet")
def delete(document_id: str) -> Response:
    """Filen og dens metadata slettes. Rapporten er straks ude af søgning, svar og sider, og af indekset, når jobbet er
    færdigt."""
    editing.remove(services().settings, _stored(document_id))
    job = _started()
    return _accepted(response_models.Changed(document_id=document_id, job=job), job)


@changes.operation(
    "POST", "/jobs", summary="Start en indeksering", tag="Redaktion", role=AccessRole.EDITOR, status=ACCEPTED,
    query=request_models.JobQuery, response=response_models.Job, example={"full": False},
)  # fmt: skip
@audited("indeksering sat i gang")
def start_job(query: request_models.JobQuery) -> Response:
    """Bring indekset på linje med rapporterne. Et job, der allerede venter, gør det for begge."""
    job = _started(full=query.full)
    note(target=job.id)
    return _accepted(job, job)


@changes.operation(
    "POST", "/jobs/{job_id}/cancel", summary="Afbryd et job", tag="Redaktion", role=AccessRole.EDITOR, status=ACCEPTED,
    response=response_models.Job, problems=("findes-ikke",), example={"job_id": "20261123T153037044417Z"},
)  # fmt: skip
@audited("job annulleret")
def cancel_job(job_id: str) -> response_models.Job:
    """Et job, der venter, er straks annulleret; et, der er i gang, standser ved sit næste skridt."""
    return response_models.Job.model_validate(job_services.cancel(job_id))


@changes.get(
    "/jobs",
    summary="List jobbene",
    tag="Redaktion",
    role=AccessRole.EDITOR,
    on_build=False,
    response=response_models.Jobs,
)
def list_jobs() -> response_models.Jobs:
    """De seneste indekseringer, nyeste først."""
    return response_models.Jobs.model_validate({"items": job_services.newest()})


@changes.get(
    "/jobs/{job_id}", summary="Følg et job", tag="Redaktion", role=AccessRole.EDITOR, on_build=False,
    response=response_models.Job, problems=("findes-ikke",), example={"job_id": "20261123T153037044417Z"},
)  # fmt: skip
def job(job_id: str) -> response_models.Job:
    """Hvor langt jobbet er, og når det er færdigt, hvad der blev af hver fil."""
    return response_models.Job.model_validate(job_services.get(job_id))


@changes.operation(
    "POST", "/builds/{build_id}/use", summary="Tag et indeks i brug", tag="Drift", role=AccessRole.ADMIN,
    response=response_models.Used,
    problems=("findes-ikke", "indeksering-i-gang", *NO_INDEX),
    example={"build_id": "20261123T153037044417Z"},
)  # fmt: skip
@audited("indeks taget i brug")
def use_build(build_id: str) -> response_models.Used:
    """Gå tilbage til et ældre indeks, hvis det er helt. Det, der er slettet siden, er med, til der indekseres igen."""
    chosen = editing.use_build(services().settings, build_id)
    return response_models.Used(build_id=chosen)


@changes.operation(
    "POST", "/feedback", summary="Giv en tilbagemelding", tag="Spørg", status=CREATED, body=request_models.NewFeedback,
    body_example={"question": "Hvordan håndterede projekterne GDPR?", "useful": True, "comment": "Præcis nok."},
    response=response_models.Received, problems=("ugyldigt-spoergsmaal", *TOO_BIG),
)  # fmt: skip
def give_feedback(body: request_models.NewFeedback) -> response_models.Received:
    """Sig, om et svar var nyttigt. Hvem der siger det, gemmes ikke; personoplysninger i teksten skjules."""
    question = clean_question(body.question, services().settings.max_question_chars)
    take_feedback(question, body.build_id, useful=body.useful, comment=body.comment, citations=body.citations)
    return response_models.Received(status="modtaget")


@changes.operation(
    "POST", "/project-start", summary="Tjek en projektplan", tag="Spørg", body=request_models.NewPlan,
    body_example={"plan": "Vi vil fordele kommunens indgående mails automatisk med en algoritme."},
    response=lesson_responses.ProjectStartWithLessons, problems=(*NO_INDEX, *TOO_BIG),
)  # fmt: skip
@audited("plan sammenlignet")
def project_start(body: request_models.NewPlan) -> lesson_responses.ProjectStartWithLessons:
    """De projekter, der ligner planen, hvad de løb ind i, hvad planen ikke nævner, og hvad der er klar til at bruge
    igen. Hver sætning kan slås op. Planen bliver læst, men ikke gemt."""
    held = searcher()
    found = check(held, Plan.of(body.plan))
    lessons = lesson_responses.lessons_given(lesson_services.lessons_for(held, found), lesson_services.use_counts())
    return lesson_responses.ProjectStartWithLessons.of(found, lessons)


@changes.get(
    "/feedback", summary="List tilbagemeldingerne", tag="Redaktion", role=AccessRole.EDITOR, on_build=False,
    query=request_models.ListQuery, response=response_models.FeedbackList, example={"top": 2},
)  # fmt: skip
@audited("tilbagemeldinger udtrukket")
def list_feedback(query: request_models.ListQuery) -> response_models.FeedbackList:
    """Det, læserne har sagt om svarene, nyeste først."""
    return response_models.FeedbackList.model_validate(page_of(services().feedback.all(), query.top, query.offset))


@changes.get(
    "/audit", summary="Læs hændelsesloggen", tag="Drift", role=AccessRole.ADMIN, on_build=False,
    query=request_models.SinceQuery, response=response_models.AuditTrail, example={"since": "2026-11-01", "top": 2},
)  # fmt: skip
@audited("hændelseslog udtrukket")
def audit_trail(query: request_models.SinceQuery) -> response_models.AuditTrail:
    """Hvem der ændrede, lagde ind, slettede, udtrak eller loggede ind, hvornår og hvorfra; ældste først."""
    page = page_of(guard().audit.entries(since=query.since), query.top, query.offset)
    note(detail=f"{len(page.items)} hændelser")
    events = [response_models.AuditEvent.from_domain(entry) for entry in page.items]
    return response_models.AuditTrail(items=events, total=page.total, next=page.next)


@changes.get(
    "/runs", summary="List kørslerne", tag="Redaktion", role=AccessRole.EDITOR, on_build=False,
    query=request_models.ListQuery, response=response_models.Runs, example={"top": 2},
)  # fmt: skip
@tells_of_all
def runs(query: request_models.ListQuery) -> response_models.Runs:
    """Alle indekseringer, også dem fra kommandolinjen, nyeste først."""
    # One more than asked for tells whether there is a next page.
    newest = services().state.runs(query.top + 1, query.offset)
    following = next_address(query.top, query.offset) if len(newest) > query.top else None
    items = [response_models.Run.from_domain(run) for run in newest[: query.top]]
    return response_models.Runs(items=items, next=following)


@changes.get(
    "/runs/{run_id}", summary="Følg en kørsel", tag="Redaktion", role=AccessRole.EDITOR, on_build=False,
    response=response_models.Run, problems=("findes-ikke",),
    example={"run_id": "20261123T153037044417Z"},
)  # fmt: skip
@tells_of_all
def run(run_id: str) -> response_models.Run:
    """Hvor langt kørslen er, og når den er færdig, hvad den gjorde ved hver fil."""
    return response_models.Run.from_domain(services().state.run(run_id))


@changes.operation(
    "POST", "/runs/{run_id}/cancel", summary="Stands en kørsel", tag="Redaktion", role=AccessRole.EDITOR,
    status=ACCEPTED, response=response_models.Run, problems=("findes-ikke",),
    example={"run_id": "20261123T153037044417Z"},
)  # fmt: skip
@audited("kørsel standset")
@tells_of_all
def cancel_run(run_id: str) -> response_models.Run:
    """Bed en kørsel om at standse ved sit næste skridt. Indekset i brug er uændret."""
    services().state.cancel_run(run_id)
    return response_models.Run.from_domain(services().state.run(run_id))
