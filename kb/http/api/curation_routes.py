"""The operations of ``/api/v1`` on what was not found, and on words and pinned passages; all changes audited."""

from __future__ import annotations

from kb.core.identity import AccessRole
from kb.http import curation_services
from kb.http.api import curation_models, request_models
from kb.http.api.operations import Api
from kb.http.api.paging import page_of
from kb.http.api.problem_details import NO_INDEX
from kb.http.audit_trail import audited, note
from kb.http.services import searcher, services

curation = Api("mangler_api")
TAG = "Redaktion"
EDITOR = AccessRole.EDITOR
TOO_BIG = ("for-stort", "forkert-medietype")
EXAMPLE = {
    "version": 0,
    "groups": [{"names": ["skraldebil", "renovationskøretøj"], "note": "Affaldsplanen 2026"}],
    "switched_off": [],
    "pins": [],
}


@curation.get(
    "/gaps", summary="List det, der ikke blev fundet", tag=TAG, role=EDITOR, on_build=False,
    query=request_models.ListQuery, response=curation_models.GapList, example={"top": 2},
)  # fmt: skip
@audited("spørgsmål udtrukket")
def list_gaps(query: request_models.ListQuery) -> curation_models.GapList:
    """Spørgsmål uden svar, eller med et, der ikke var nyttigt, samlet efter lighed; de hyppigste først."""
    page = page_of(curation_services.gap_groups(services().gaps.open()), query.top, query.offset)
    return curation_models.GapList.page(list(page.items), page.total, page.next)


@curation.operation(
    "POST", "/gaps/close", summary="Luk spørgsmål", tag=TAG, role=EDITOR, body=curation_models.ClosedGaps,
    body_example={"questions": ["Hvornår tømmes skraldet?"], "reason": "en rapport er lagt ind"},
    response=curation_models.Closed, problems=TOO_BIG,
)  # fmt: skip
@audited("spørgsmål lukket")
def close_gaps(body: curation_models.ClosedGaps) -> curation_models.Closed:
    """Tag spørgsmål af listen. Bliver et stillet igen uden svar, kommer det tilbage."""
    closed = services().gaps.close(body.questions, body.reason)
    note(detail=f"{closed} spørgsmål: {body.reason}")
    return curation_models.Closed(closed=closed)


@curation.get(
    "/words", summary="Hent husets ord og fremhævede steder", tag=TAG, role=EDITOR, on_build=False,
    response=curation_models.CurationInForce,
)  # fmt: skip
def words_in_force() -> curation_models.CurationInForce:
    """Det, der gælder nu, og hvad der sidst blev ændret."""
    return curation_models.CurationInForce.from_domain(services().curation.current())


@curation.operation(
    "PUT", "/words", summary="Erstat husets ord og fremhævede steder", tag=TAG, role=EDITOR,
    body=curation_models.WrittenCuration, body_example=EXAMPLE, response=curation_models.CurationInForce,
    problems=("findes-ikke", *TOO_BIG),
)  # fmt: skip
@audited("ord ændret")
def replace_words(body: curation_models.WrittenCuration) -> curation_models.CurationInForce:
    """Alt erstattes som helhed og gælder straks. `version` er den, der blev læst; har en anden rettet, siges det."""
    saved = services().curation.put(
        body.as_curation(curation_services.groups_of), "ændret gennem API'et", based_on=body.version
    )
    note(detail=f"version {saved.version}")
    return curation_models.CurationInForce.from_domain(saved)


@curation.operation(
    "POST", "/words/preview", summary="Se, hvad andre ord ville ændre", tag=TAG, role=EDITOR,
    body=curation_models.WrittenCuration, body_example=EXAMPLE, response=curation_models.CurationPreview,
    problems=("findes-ikke", *NO_INDEX, *TOO_BIG),
)  # fmt: skip
@audited("ord prøvet")
def preview_words(body: curation_models.WrittenCuration) -> curation_models.CurationPreview:
    """De gemte spørgsmål, der ville få andre svar. Intet ændres."""
    held = services().curation.current()
    found = curation_services.previewed(held.curation, body.as_curation(curation_services.groups_of))
    return curation_models.CurationPreview.model_validate(found)


@curation.operation(
    "POST", "/words/undo", summary="Fortryd den seneste ændring af ord", tag=TAG, role=EDITOR,
    body=curation_models.UndoQuery, body_example={"version": 1}, response=curation_models.CurationInForce,
    problems=("findes-ikke", *TOO_BIG),
)  # fmt: skip
@audited("ord fortrudt")
def undo_words(body: curation_models.UndoQuery) -> curation_models.CurationInForce:
    """Det, der gjaldt før, gælder igen, som en ny version."""
    return curation_models.CurationInForce.from_domain(services().curation.undo(based_on=body.version))


@curation.get(
    "/pins/for-answer", summary="Find de fremhævede steder, der hører til et svar", tag="Erfaringer", on_build=False,
    query=curation_models.PinnedQuery, response=curation_models.PinnedPlaces,
    problems=("ugyldigt-spoergsmaal", *NO_INDEX, "anden-model"),
    example={"q": "Hvordan håndterede projekterne GDPR?"},
)  # fmt: skip
def pins_for_answer(query: curation_models.PinnedQuery) -> curation_models.PinnedPlaces:
    """De steder, redaktionen har fremhævet ved spørgsmålet eller ved et, der ligner."""
    held = searcher()
    page = page_of(curation_services.pinned_in(held, held.analyse(query.q).text), query.top, query.offset)
    items = [curation_models.PinnedPlace.from_domain(one) for one in page.items]
    return curation_models.PinnedPlaces(items=items, total=page.total, next=page.next)
