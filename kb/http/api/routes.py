"""The operations of ``/api/v1`` that read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import g

from kb import __version__
from kb.answer import answer as make_answer
from kb.core.errors import IndexUnusableError, NotFoundError
from kb.core.fields import THEMES
from kb.core.identity import AccessRole
from kb.core.models import Passage
from kb.http.api import request_models, response_models
from kb.http.api.operations import Api, holder, settings
from kb.http.api.paging import choose, chosen_fields, next_address, page_of
from kb.http.api.problem_details import NO_INDEX
from kb.http.api.suggestions import suggest
from kb.index import builds
from kb.index.store import StoredRecord
from kb.retrieval.filters import Filters
from kb.retrieval.result_json import document_dict, passage_dict, result_dict
from kb.retrieval.searcher import Searcher
from kb.retrieval.snapshot import ProjectSummary, Snapshot

api = Api("api")
NOT_ANSWERING = (*NO_INDEX, "anden-model")
QUESTION_PROBLEMS = ("ugyldigt-spoergsmaal", *NOT_ANSWERING)
EDITOR = AccessRole.EDITOR
EXAMPLE_QUESTION = "Hvordan håndterede projekterne GDPR?"


@api.get(
    "/search", summary="Find passager", tag="Spørg", query=request_models.SearchQuery,
    response=response_models.SearchResult,
    problems=QUESTION_PROBLEMS, example={"q": EXAMPLE_QUESTION, "temaer": ["jura"], "top": 2},
)  # fmt: skip
def search(searcher: Searcher, query: request_models.SearchQuery) -> dict[str, Any]:
    """De passager, der bedst svarer på et spørgsmål, bedste først."""
    names = chosen_fields(query.fields, response_models.Hit)
    result = searcher.search(query.q, top=query.top, offset=query.offset, filters=query.filters)
    values = result_dict(result, explain=query.explain)
    values["hits"] = [choose(hit, names) for hit in values["hits"]]
    following = query.offset + query.top
    more = len(result.hits) == query.top and following <= request_models.MAX_SEARCH_OFFSET
    return {**values, "next": next_address(query.top, query.offset) if more else None}


@api.get(
    "/answer", summary="Få et svar med kilder", tag="Spørg", query=request_models.AnswerQuery,
    response=response_models.Answer,
    problems=QUESTION_PROBLEMS, example={"q": EXAMPLE_QUESTION},
)  # fmt: skip
def answer(searcher: Searcher, query: request_models.AnswerQuery) -> dict[str, Any]:
    """Et kort svar, hvor hver sætning kan slås op i en rapport, ordnet efter projekt; eller grunden til, at
    Erfaringsbasen ikke kan svare."""
    found = make_answer(searcher, query.q, query.filters)
    g.refused = found.refused  # for the measurements
    return found.as_dict()


@api.get(
    "/suggestions", summary="Få forslag til søgefeltet", tag="Spørg", query=request_models.SuggestionsQuery,
    response=response_models.Suggestions, problems=NOT_ANSWERING, example={"q": "Odense"},
)  # fmt: skip
def suggestions(searcher: Searcher, query: request_models.SuggestionsQuery) -> dict[str, Any]:
    """Projekter, myndigheder, rapporter, temaer og afsnit, der begynder som det skrevne."""
    return {"items": suggest(searcher.snapshot, query.q, query.top), "build_id": searcher.snapshot.build_id}


@api.get(
    "/documents", summary="List rapporterne", tag="Rapporter", query=request_models.DocumentsQuery,
    response=response_models.Documents, problems=NOT_ANSWERING,
    example={"temaer": ["jura"], "top": 2, "order": "nyeste"},
)  # fmt: skip
def documents(searcher: Searcher, query: request_models.DocumentsQuery) -> dict[str, Any]:
    """Rapporterne uden deres tekst, filtreret og sorteret."""
    names = chosen_fields(query.fields, response_models.Document)
    wanted = Filters.of(query.filters)
    passing = [stored for stored in searcher.snapshot.records.values() if wanted.passes(stored)]
    page = page_of(sorted(passing, key=_ORDERS[query.order]), query.top, query.offset)
    page["items"] = [choose(_document(stored), names) for stored in page["items"]]
    return {**page, "build_id": searcher.snapshot.build_id}


_ORDERS: dict[str, Any] = {
    "id": lambda stored: stored.record.id,
    "titel": lambda stored: (stored.record.metadata.titel.casefold(), stored.record.id),
    "nyeste": lambda stored: (-(stored.record.metadata.år or 0), stored.record.metadata.titel.casefold()),
}


def _document(stored: StoredRecord) -> dict[str, Any]:
    values = document_dict(stored.record)
    return {
        **values, "partial": stored.partial, "copy_of": stored.copy_of, "url": f"/dokumenter/{stored.record.id}"
    }  # fmt: skip


@api.get(
    "/documents/{document_id}", summary="Hent en rapport", tag="Rapporter", query=request_models.DocumentQuery,
    response=response_models.WholeDocument, problems=("findes-ikke", *NOT_ANSWERING),
    example={"document_id": "aalborg-air", "text": False},
)  # fmt: skip
def document(searcher: Searcher, document_id: str, query: request_models.DocumentQuery) -> dict[str, Any]:
    """Rapporten med metadata, overskrifter, sider og tekst."""
    snapshot = searcher.snapshot
    whole = snapshot.document(document_id).document
    headings = [{"level": h.level, "text": h.text, "start": h.start, "end": h.end} for h in whole.headings]
    pages = [{"number": p.number, "start": p.start, "end": p.end, "label": p.label, "ocr": p.ocr} for p in whole.pages]
    text = whole.text if query.text else None
    return {**_document(snapshot.records[document_id]), "headings": headings, "page_ranges": pages, "text": text}


@api.get(
    "/documents/{document_id}/passages", summary="Hent en rapports passager", tag="Rapporter",
    query=request_models.ListQuery, response=response_models.Passages, problems=("findes-ikke", *NOT_ANSWERING),
    example={"document_id": "aalborg-air", "top": 2},
)  # fmt: skip
def document_passages(searcher: Searcher, document_id: str, query: request_models.ListQuery) -> dict[str, Any]:
    """Rapportens passager i rækkefølge."""
    snapshot = searcher.snapshot
    snapshot.record(document_id)
    page = page_of(snapshot.passages_of(document_id), query.top, query.offset)
    page["items"] = [_passage(snapshot, passage) for passage in page["items"]]
    return {**page, "build_id": snapshot.build_id}


@api.get(
    "/passages/{passage_id}", summary="Hent en passage", tag="Rapporter", response=response_models.Passage,
    problems=("findes-ikke", *NOT_ANSWERING), example={"passage_id": "aalborg-air.1"},
)  # fmt: skip
def passage(searcher: Searcher, passage_id: str) -> dict[str, Any]:
    """Den passage, et svar henviser til, med dens sted i rapporten."""
    found = searcher.snapshot.passage(passage_id)
    return _passage(searcher.snapshot, found)


def _passage(snapshot: Snapshot, found: Passage) -> dict[str, Any]:
    return passage_dict(found, snapshot.records[found.document_id].record.metadata)


@api.get(
    "/projects", summary="List projekterne", tag="Projekter og temaer", query=request_models.ProjectsQuery,
    response=response_models.Projects, problems=NOT_ANSWERING, example={"top": 2, "fields": "slug,name"},
)  # fmt: skip
def projects(searcher: Searcher, query: request_models.ProjectsQuery) -> dict[str, Any]:
    """Projekterne efter navn."""
    names = chosen_fields(query.fields, response_models.Project)
    page = page_of(searcher.snapshot.projects(), query.top, query.offset)
    page["items"] = [choose(_project(found), names) for found in page["items"]]
    return {**page, "build_id": searcher.snapshot.build_id}


@api.get(
    "/projects/{slug}", summary="Hent et projekt", tag="Projekter og temaer", response=response_models.Project,
    problems=("findes-ikke", *NOT_ANSWERING), example={"slug": "ai-aktindsigt"},
)  # fmt: skip
def project(searcher: Searcher, slug: str) -> dict[str, Any]:
    """Projektet med dets rapporter, nyeste først."""
    found = next((one for one in searcher.snapshot.projects() if one.slug == slug), None)
    if found is None:
        raise NotFoundError(f"Der er intet projekt med adressen {slug}.")
    return _project(found)


def _project(found: ProjectSummary) -> dict[str, Any]:
    return {
        "slug": found.slug,
        "name": found.name,
        "authorities": list(found.authorities),
        "themes": list(found.themes),
        "document_ids": list(found.document_ids),
        "url": f"/projekter/{found.slug}",
    }


@api.get(
    "/themes",
    summary="List temaerne",
    tag="Projekter og temaer",
    response=response_models.Themes,
    problems=NOT_ANSWERING,
)
def themes(searcher: Searcher) -> dict[str, Any]:
    """Temaerne med antallet af rapporter og projekter."""
    snapshot = searcher.snapshot
    counts = snapshot.facets({})["temaer"]
    summaries = snapshot.projects()
    items = [
        {"name": name, "documents": counts.get(name, 0), "projects": _with(summaries, name), "url": f"/temaer/{name}"}
        for name in THEMES
    ]
    return {"items": items, "build_id": snapshot.build_id}


def _with(summaries: Sequence[ProjectSummary], theme: str) -> int:
    return sum(theme in one.themes for one in summaries)


@api.get(
    "/builds", summary="List indekserne", tag="Drift", response=response_models.Builds, on_build=False, role=EDITOR
)
def list_builds() -> dict[str, Any]:
    """De færdige indekser, nyeste først, og hvilket der er i brug."""
    folder = settings().index_dir
    try:
        in_use = builds.current_id(folder)
    except IndexUnusableError:
        in_use = ""
    return {"items": [_build(id_, in_use) for id_ in builds.build_ids(folder)]}


def _build(build_id: str, in_use: str) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(response_models.Build.model_fields)
    values |= {"id": build_id, "in_use": build_id == in_use}
    try:
        manifest = builds.read_manifest(builds.builds_dir(settings().index_dir) / build_id)
    except IndexUnusableError as error:
        return {**values, "problem": str(error)}
    return values | {
        "created": manifest.created,
        "documents": manifest.documents,
        "passages": manifest.passages,
        "projects": manifest.projects,
        "failures": manifest.failures,
        "model": manifest.model_name,
    }


@api.get(
    "/health/live", summary="Svarer serveren?", tag="Drift", response=response_models.Live, role=None, on_build=False
)
def live() -> dict[str, Any]:
    """Serveren kører. Den kan dog mangle et indeks; se `/health/ready`."""
    return {"status": "levende", "version": __version__}


def _health() -> dict[str, Any]:
    manifest = holder().searcher().snapshot.manifest
    problem = holder().problem
    return {
        "status": "klar" if problem is None else "klar på et ældre indeks",
        "build_id": manifest.id,
        "created": manifest.created,
        "documents": manifest.documents,
        "passages": manifest.passages,
        "problem": None if problem is None else str(problem),
    }


@api.get(
    "/health/ready", summary="Kan der spørges?", tag="Drift", response=response_models.Health, role=None,
    on_build=False,
    problems=NOT_ANSWERING,
)  # fmt: skip
def ready() -> dict[str, Any]:
    """Serveren kan svare på spørgsmål, og på hvilket indeks."""
    return _health()


@api.get(
    "/health", summary="Kan der spørges? (kort adresse)", tag="Drift", response=response_models.Health, role=None,
    on_build=False, problems=NOT_ANSWERING,
)  # fmt: skip
def health() -> dict[str, Any]:
    """Det samme som `/health/ready`."""
    return _health()
