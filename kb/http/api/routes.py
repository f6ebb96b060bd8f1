"""The operations of ``/api/v1`` that read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kb.answer import answer as make_answer
from kb.core.errors import NotFoundError
from kb.core.fields import THEMES
from kb.core.identity import AccessRole
from kb.core.version import VERSION
from kb.http import lesson_services
from kb.http.api import lesson_responses, request_models, response_models
from kb.http.api.operations import Api
from kb.http.api.paging import chosen_fields, next_address, page_of
from kb.http.api.problem_details import NO_INDEX
from kb.http.api.suggestions import suggest
from kb.http.gate import tells_of_all
from kb.http.services import searcher, services
from kb.index.places import place_of
from kb.operations.finished_builds import finished_builds
from kb.retrieval.filters import Filters
from kb.retrieval.searcher import Searcher
from kb.retrieval.snapshot import ProjectSummary

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
def search(searcher: Searcher, query: request_models.SearchQuery) -> response_models.SearchResult:
    """De passager, der bedst svarer på et spørgsmål, bedste først."""
    names = chosen_fields(query.fields, response_models.Hit)
    result = searcher.search(query.q, top=query.top, offset=query.offset, filters=query.filters, marked=query.explain)
    following = query.offset + query.top
    more = len(result.hits) == query.top and following <= request_models.MAX_SEARCH_OFFSET
    return response_models.SearchResult.page(
        response_models.FoundPassages.from_domain(result, explain=query.explain),
        names,
        next_address(query.top, query.offset) if more else None,
    )


@api.get(
    "/answer", summary="Få et svar med kilder", tag="Spørg", query=request_models.AnswerQuery,
    response=lesson_responses.AnswerWithLessons,
    problems=QUESTION_PROBLEMS, example={"q": EXAMPLE_QUESTION}, besides=lesson_services.lessons_in_use,
)  # fmt: skip
def answer(searcher: Searcher, query: request_models.AnswerQuery) -> lesson_responses.AnswerWithLessons:
    """Et kort svar, hvor hver sætning kan slås op i en rapport, ordnet efter projekt; eller grunden til, at
    Erfaringsbasen ikke kan svare. De bekræftede erfaringer, der hører til svaret, står ved siden af."""
    result = make_answer(searcher, query.q, query.filters)
    lesson_services.note_answered(searcher, result)
    stands = lesson_services.lessons_in(searcher, result)
    lessons = lesson_responses.lessons_given(stands, lesson_services.use_counts())
    return lesson_responses.AnswerWithLessons.of(result, lessons)


@api.get(
    "/suggestions", summary="Få forslag til søgefeltet", tag="Spørg", query=request_models.SuggestionsQuery,
    response=response_models.Suggestions, problems=NOT_ANSWERING, example={"q": "Odense"},
)  # fmt: skip
def suggestions(searcher: Searcher, query: request_models.SuggestionsQuery) -> response_models.Suggestions:
    """Projekter, myndigheder, rapporter, temaer og afsnit, der begynder som det skrevne."""
    entries = suggest(searcher.snapshot, query.q, query.top)
    items = [response_models.Suggestion.model_validate(one) for one in entries]
    return response_models.Suggestions(items=items, build_id=searcher.snapshot.build_id)


@api.get(
    "/documents", summary="List rapporterne", tag="Rapporter", query=request_models.DocumentsQuery,
    response=response_models.Documents, problems=NOT_ANSWERING,
    example={"temaer": ["jura"], "top": 2, "order": "nyeste"},
)  # fmt: skip
def documents(searcher: Searcher, query: request_models.DocumentsQuery) -> response_models.Documents:
    """Rapporterne uden deres tekst, filtreret og sorteret."""
    names = chosen_fields(query.fields, response_models.Document)
    wanted = Filters.of(query.filters)
    passing = [stored for stored in searcher.snapshot.records.values() if wanted.passes(stored)]
    page = page_of(sorted(passing, key=_ORDERS[query.order]), query.top, query.offset)
    return response_models.Documents(
        items=[response_models.Document.from_domain(stored).only(names) for stored in page.items],
        total=page.total,
        next=page.next,
        build_id=searcher.snapshot.build_id,
    )


_ORDERS: dict[str, Any] = {
    "id": lambda stored: stored.record.id,
    "titel": lambda stored: (stored.record.metadata.titel.casefold(), stored.record.id),
    "nyeste": lambda stored: (-(stored.record.metadata.år or 0), stored.record.metadata.titel.casefold()),
}


@api.get(
    "/documents/{document_id}", summary="Hent en rapport", tag="Rapporter", query=request_models.DocumentQuery,
    response=response_models.WholeDocument, problems=("findes-ikke", *NOT_ANSWERING),
    example={"document_id": "aalborg-air", "text": False},
)  # fmt: skip
def document(
    searcher: Searcher, document_id: str, query: request_models.DocumentQuery
) -> response_models.WholeDocument:
    """Rapporten med metadata, overskrifter, sider og tekst."""
    snapshot = searcher.snapshot
    whole = snapshot.document(document_id).document
    return response_models.WholeDocument.from_domain(snapshot.records[document_id], whole, with_text=query.text)


@api.get(
    "/documents/{document_id}/passages", summary="Hent en rapports passager", tag="Rapporter",
    query=request_models.ListQuery, response=response_models.Passages, problems=("findes-ikke", *NOT_ANSWERING),
    example={"document_id": "aalborg-air", "top": 2},
)  # fmt: skip
def document_passages(
    searcher: Searcher, document_id: str, query: request_models.ListQuery
) -> response_models.Passages:
    """Rapportens passager i rækkefølge."""
    snapshot = searcher.snapshot
    snapshot.record(document_id)
    page = page_of(snapshot.passages_of(document_id), query.top, query.offset)
    metadata = snapshot.records[document_id].record.metadata
    return response_models.Passages(
        items=[response_models.Passage.from_domain(passage, metadata) for passage in page.items],
        total=page.total,
        next=page.next,
        build_id=snapshot.build_id,
    )


@api.get(
    "/passages/{passage_id}", summary="Hent en passage", tag="Rapporter", response=response_models.Passage,
    problems=("findes-ikke", *NOT_ANSWERING), example={"passage_id": "aalborg-air.1"},
)  # fmt: skip
def passage(searcher: Searcher, passage_id: str) -> response_models.Passage:
    """Den passage, et svar henviser til, med dens sted i rapporten."""
    stored = searcher.snapshot.passage(passage_id)
    metadata = searcher.snapshot.records[stored.document_id].record.metadata
    return response_models.Passage.from_domain(stored, metadata)


@api.get(
    "/projects", summary="List projekterne", tag="Projekter og temaer", query=request_models.ProjectsQuery,
    response=response_models.Projects, problems=NOT_ANSWERING, example={"top": 2, "fields": "slug,name"},
)  # fmt: skip
def projects(searcher: Searcher, query: request_models.ProjectsQuery) -> response_models.Projects:
    """Projekterne efter navn."""
    names = chosen_fields(query.fields, response_models.Project)
    page = page_of(searcher.snapshot.projects(), query.top, query.offset)
    return response_models.Projects(
        items=[response_models.Project.from_domain(one).only(names) for one in page.items],
        total=page.total,
        next=page.next,
        build_id=searcher.snapshot.build_id,
    )


@api.get(
    "/projects/{slug}", summary="Hent et projekt", tag="Projekter og temaer", response=response_models.Project,
    problems=("findes-ikke", *NOT_ANSWERING), example={"slug": "ai-aktindsigt"},
)  # fmt: skip
def project(searcher: Searcher, slug: str) -> response_models.Project:
    """Projektet med dets rapporter, nyeste først."""
    summary = next((one for one in searcher.snapshot.projects() if one.slug == slug), None)
    if summary is None:
        raise NotFoundError(f"Der er intet projekt med adressen {slug}.")
    return response_models.Project.from_domain(summary)


@api.get(
    "/themes",
    summary="List temaerne",
    tag="Projekter og temaer",
    response=response_models.Themes,
    problems=NOT_ANSWERING,
)
def themes(searcher: Searcher) -> response_models.Themes:
    """Temaerne med antallet af rapporter og projekter."""
    snapshot = searcher.snapshot
    counts = snapshot.facets({})["temaer"]
    summaries = snapshot.projects()
    items = [
        response_models.Theme(
            name=name, documents=counts.get(name, 0), projects=_with(summaries, name), url=f"/temaer/{name}"
        )
        for name in THEMES
    ]
    return response_models.Themes(items=items, build_id=snapshot.build_id)


def _with(summaries: Sequence[ProjectSummary], theme: str) -> int:
    return sum(theme in one.themes for one in summaries)


@api.get(
    "/builds", summary="List indekserne", tag="Drift", response=response_models.Builds, on_build=False, role=EDITOR
)
@tells_of_all
def list_builds() -> response_models.Builds:
    """De færdige indekser, nyeste først, og hvilket der er i brug."""
    finished = finished_builds(place_of(services().settings))
    return response_models.Builds(items=[response_models.Build.from_domain(one) for one in finished])


@api.get(
    "/health/live", summary="Svarer serveren?", tag="Drift", response=response_models.Live, role=None, on_build=False
)
def live() -> response_models.Live:
    """Serveren kører. Den kan dog mangle et indeks; se `/health/ready`."""
    return response_models.Live(status="levende", version=VERSION)


def _health() -> response_models.Health:
    holder = services().holder
    return response_models.Health.from_domain(searcher().snapshot.manifest, holder.problem)


@api.get(
    "/health/ready", summary="Kan der spørges?", tag="Drift", response=response_models.Health, role=None,
    on_build=False,
    problems=NOT_ANSWERING,
)  # fmt: skip
def ready() -> response_models.Health:
    """Serveren kan svare på spørgsmål, og på hvilket indeks."""
    return _health()


@api.get(
    "/health", summary="Kan der spørges? (kort adresse)", tag="Drift", response=response_models.Health, role=None,
    on_build=False, problems=NOT_ANSWERING,
)  # fmt: skip
def health() -> response_models.Health:
    """Det samme som `/health/ready`."""
    return _health()
