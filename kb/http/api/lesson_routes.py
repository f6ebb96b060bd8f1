"""The operations of ``/api/v1`` on lessons: readers get the published ones, editors write them, all changes audited."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from flask import Response

from kb.answer.lessons import Stand
from kb.core.identity import AccessRole
from kb.http import lesson_services
from kb.http.api import lesson_models, lesson_responses, request_models, response_models
from kb.http.api.operations import PREFIX, Api
from kb.http.api.paging import page_of
from kb.http.api.problem_details import NO_INDEX
from kb.http.audit_trail import audited, note
from kb.http.gate import is_at_least
from kb.http.services import services
from kb.lessons import exchange, reviewing
from kb.lessons.lesson import Lesson, LessonUse, checked_use

lessons = Api("erfaringer_api")
CREATED = 201
TAG = "Erfaringer"
EDITOR = AccessRole.EDITOR
TOO_BIG = ("for-stort", "forkert-medietype")
EXAMPLE_ID = "4f1c2a9b7d3e"
EXAMPLE = {
    "lesson": "Afklar hjemlen til drift, før udviklingen begynder.",
    "event": "Driften manglede et klart lovgrundlag.",
    "evidence": [{"document_id": "aalborg-air", "quote": "Tilsynet fandt, at driften manglede et klart lovgrundlag."}],
    "phase": "jura og data",
    "themes": ["jura"],
    "owner": "digital@kommune.dk",
    "review_by": "2027-11-01",
    "status": "bekræftet",
}


def _told(found: Lesson) -> lesson_responses.Lesson:
    return _page([lesson_services.stand_of(found)])[0]


def _page(stands: Iterable[Stand]) -> list[lesson_responses.Lesson]:
    """Lessons as they are given to the one who asks."""
    return lesson_responses.lessons_given(stands, lesson_services.use_counts(), for_editors=is_at_least(EDITOR))


@lessons.get(
    "/lessons", summary="List erfaringerne", tag=TAG, on_build=False, query=lesson_models.LessonsQuery,
    response=lesson_models.LessonList, example={"status": "bekræftet", "tema": "jura", "top": 2},
)  # fmt: skip
def list_lessons(query: lesson_models.LessonsQuery) -> lesson_models.LessonList:
    """De bekræftede og de forældede, senest ændrede først; en redaktør får også kladderne."""
    today = date.today()
    wanted = [
        one
        for one in lesson_services.visible_lessons()
        if query.status in {"", one.status.value}
        and query.tema in {"", *one.themes}
        and query.fase in {"", one.phase.value if one.phase else ""}
        and (not query.due or reviewing.is_due(one, today))
    ]
    page = page_of(wanted, query.top, query.offset)
    items = _page(lesson_services.stand_of(one) for one in page.items)
    return lesson_models.LessonList(items=items, total=page.total, next=page.next)


@lessons.get(
    "/lessons/figures", summary="Få tallene for erfaringerne", tag=TAG, on_build=False,
    response=lesson_models.LessonFigures,
)  # fmt: skip
def lesson_figures() -> lesson_models.LessonFigures:
    """Erfaringer efter status, brugte og dem, der skal ses efter; spørgsmål stillet og uden svar."""
    return lesson_models.LessonFigures.from_domain(lesson_services.current_figures())


@lessons.get(
    "/lessons/proposals", summary="List forslagene til erfaringer", tag=TAG, role=EDITOR, on_build=False,
    query=request_models.ListQuery, response=lesson_models.ProposedLessons, problems=NO_INDEX, example={"top": 1},
)  # fmt: skip
def lesson_proposals(query: request_models.ListQuery) -> lesson_models.ProposedLessons:
    """Udfordring og håndtering i samme projekt, citeret, som ingen har taget stilling til."""
    page = page_of(lesson_services.open_proposals(), query.top, query.offset)
    items = [lesson_models.ProposedLesson.from_domain(one) for one in page.items]
    return lesson_models.ProposedLessons(items=items, total=page.total, next=page.next)


@lessons.operation(
    "POST", "/lessons/proposals/{proposal_id}/turn-down", summary="Afvis et forslag", tag=TAG, role=EDITOR,
    response=lesson_models.DecidedProposal, problems=("findes-ikke", *NO_INDEX),
    example={"proposal_id": "0f3c7a51b2d94e68"},
)  # fmt: skip
@audited("forslag til erfaring afvist")
def turn_down_proposal(proposal_id: str) -> lesson_models.DecidedProposal:
    """Tag et forslag af listen; det kommer ikke igen, heller ikke når der indekseres på ny."""
    services().lessons.turn_down(lesson_services.open_proposal(proposal_id).id)
    note(target=proposal_id)
    return lesson_models.DecidedProposal(proposal_id=proposal_id)


@lessons.get(
    "/lessons/{lesson_id}", summary="Hent en erfaring", tag=TAG, on_build=False, response=lesson_responses.Lesson,
    problems=("findes-ikke",), example={"lesson_id": EXAMPLE_ID},
)  # fmt: skip
def lesson(lesson_id: str) -> lesson_responses.Lesson:
    """Erfaringen, og hvad der er blevet af det, den bygger på."""
    return _told(lesson_services.visible_lesson(lesson_id))


@lessons.operation(
    "POST", "/lessons", summary="Opret en erfaring", tag=TAG, role=EDITOR, status=CREATED,
    body=exchange.WrittenLesson, body_example=EXAMPLE, response=lesson_responses.Lesson, problems=TOO_BIG,
)  # fmt: skip
@audited("erfaring oprettet")
def add_lesson(body: exchange.WrittenLesson) -> Response:
    """En bekræftet erfaring skal have mindst ét citat, en ejer og en dato for gennemsyn. Personoplysninger skjules."""
    added = services().lessons.add(body.as_lesson())
    note(target=added.id, detail=added.status.value)
    response = Response(_told(added).to_json() + "\n", CREATED, mimetype="application/json")
    response.headers["Location"] = f"{PREFIX}/lessons/{added.id}"
    return response


@lessons.operation(
    "PUT", "/lessons/{lesson_id}", summary="Ret en erfaring", tag=TAG, role=EDITOR, body=lesson_models.ReplacedLesson,
    body_example={**EXAMPLE, "revision": 1}, response=lesson_responses.Lesson, problems=("findes-ikke", *TOO_BIG),
    example={"lesson_id": EXAMPLE_ID},
)  # fmt: skip
@audited("erfaring ændret")
def replace_lesson(lesson_id: str, body: lesson_models.ReplacedLesson) -> lesson_responses.Lesson:
    """Erfaringen erstattes som helhed. `revision` er den, der blev læst; har en anden rettet imens, siges det."""
    given = exchange.WrittenLesson.model_validate(body.model_dump(exclude={"revision"}))
    saved = services().lessons.replace(lesson_id, given.as_lesson(), revision=body.revision)
    note(detail=saved.status.value)
    return _told(saved)


@lessons.operation(
    "DELETE", "/lessons/{lesson_id}", summary="Slet en erfaring", tag=TAG, role=EDITOR,
    response=lesson_models.DeletedLesson, problems=("findes-ikke",), example={"lesson_id": EXAMPLE_ID},
)  # fmt: skip
@audited("erfaring slettet")
def delete_lesson(lesson_id: str) -> lesson_models.DeletedLesson:
    """Erfaringen slettes med det, der er sagt om, hvor den blev brugt."""
    services().lessons.delete(lesson_id)
    return lesson_models.DeletedLesson(lesson_id=lesson_id)


@lessons.operation(
    "POST", "/lessons/{lesson_id}/uses", summary="Sig, at en erfaring blev brugt", tag=TAG, status=CREATED,
    body=lesson_models.NewLessonUse, body_example={"project": "Ruteplanlægning", "outcome": "virkede"},
    response=response_models.Received, problems=("findes-ikke", *TOO_BIG), example={"lesson_id": EXAMPLE_ID},
)  # fmt: skip
@audited("erfaring brugt")
def note_lesson_use(lesson_id: str, body: lesson_models.NewLessonUse) -> response_models.Received:
    """Hvem der siger det, står i hændelsesloggen og ikke ved erfaringen."""
    lesson_services.need_name()
    lesson_services.visible_lesson(lesson_id)
    use = LessonUse(lesson_id, body.project, body.outcome, body.note)
    services().lessons.note_use(checked_use(use))
    return response_models.Received(status="modtaget")


@lessons.operation(
    "POST", "/lessons/import", summary="Indlæs erfaringer", tag=TAG, role=EDITOR, body=exchange.LessonFile,
    body_example={"lessons": [EXAMPLE]}, response=lesson_models.ImportedLessons, problems=TOO_BIG,
)  # fmt: skip
@audited("erfaringer indlæst")
def import_lessons(body: exchange.LessonFile) -> lesson_models.ImportedLessons:
    """Alle eller ingen. En erfaring med et kendt id erstatter den, der har det."""
    counts = services().lessons.take_in(body.as_lessons())
    note(detail=f"{counts.added} nye, {counts.changed} ændrede, {counts.unchanged} uændrede")
    return lesson_models.ImportedLessons.model_validate(counts)
