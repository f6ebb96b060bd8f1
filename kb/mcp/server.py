"""The tools of the MCP server: search, answer, project start and report, each with sources and links.

    make_server(Upstream("http://127.0.0.1:8000", key=key)).run("stdio")

It holds no index and no model: every call is one of the API's, with the caller's own key, so that the gate, roles, rate
limits, audit trail and what a reader may see are the API's and nobody else's. Over HTTP the key is the one the request
came with (:mod:`kb.mcp.over_http`); over standard input and output it is the one the server was started with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

import requests
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

from kb.client import ApiError, Client
from kb.core.version import VERSION
from kb.http.api import lesson_responses, response_models
from kb.http.api.request_models import DocumentFilters
from kb.http.api.response_models import document_path, passage_path

INSTRUCTIONS = (
    "Erfaringsbasen rummer rapporter om erfaringer fra danske offentlige projekter. Brug answer til et spørgsmål og "
    "search til at finde steder; brug project_start, når nogen vil begynde et projekt og har en plan. Gengiv kun det, "
    "der står i svaret, og sæt kildens link ved hver oplysning. Er answered falsk, så sig, at Erfaringsbasen ikke "
    "svarer på det; find ikke selv på et svar."
)
# Characters of a report that are given at a time; an assistant can hold no more of it.
LONGEST_TEXT = 20_000
BEARER = "bearer "

Question = Annotated[str, Field(description="Spørgsmålet på dansk, som man ville stille det.", min_length=1)]
Limits = Annotated[DocumentFilters, Field(description="Kun rapporter, der har en af værdierne i hvert felt.")]
NO_LIMITS = DocumentFilters()


class Source(BaseModel):
    """A place in a report, word for word, with the link that opens it there."""

    number: int
    project: str
    title: str
    heading: str
    page: int | None
    quote: str
    link: str
    passage_id: str
    document_id: str


class FoundPassages(BaseModel):
    """The passages that answer a question best."""

    question: str
    total: int
    passages: list[Source]
    link: str


class CitedSentence(BaseModel):
    """A sentence of a report with the numbers of its sources."""

    text: str
    sources: list[int]


class ProjectFindings(BaseModel):
    """What one project says."""

    project: str
    findings: list[CitedSentence]


class ConfirmedLesson(BaseModel):
    """What editors concluded and stand behind, with the words of the reports it rests on."""

    lesson: str
    owner: str
    confirmed: str
    applies_to: str
    evidence: list[str]
    link: str


class CitedAnswer(BaseModel):
    """The short answer and each project's findings; or, where ``answered`` is false, why there is no answer.

    ``lessons`` are those that editors stand behind; they come before the sentences of the reports.
    """

    question: str
    answered: bool
    message: str
    certainty: str
    coverage: str
    lead: str
    lessons: list[ConfirmedLesson]
    sentences: list[CitedSentence]
    projects: list[ProjectFindings]
    sources: list[Source]
    link: str


class LikeProject(BaseModel):
    """A project that is like the plan: why, how it went, and whom to ask, which is never a person."""

    project: str
    why: list[CitedSentence]
    outcome: str
    outcome_told: CitedSentence | None
    ask: str


class MetByProject(BaseModel):
    """That a project met a challenge, how it handled it and what it learnt."""

    project: str
    challenge: CitedSentence
    handling: CitedSentence | None
    lesson: CitedSentence | None


class MetChallenge(BaseModel):
    """A kind of challenge, whether the plan mentions it, the question it raises, and the projects that met it."""

    challenge: str
    phase: str
    mentioned_in_plan: bool
    question: str
    met: list[MetByProject]


class Reusable(BaseModel):
    """What a report names as ready to be used again."""

    project: str
    told: CitedSentence
    links: list[str]


class CheckedPlan(BaseModel):
    """What the reports have to tell a plan; nothing but ``nearest`` where no project is like it."""

    notices: list[str]
    similar: list[LikeProject]
    nearest: list[str]
    lessons: list[ConfirmedLesson]
    challenges: list[MetChallenge]
    stopped: list[ProjectFindings]
    reusable: list[Reusable]
    sources: list[Source]
    link: str


class Report(BaseModel):
    """A report with some of its text; ``next_offset`` is where the rest begins, null at the end."""

    document_id: str
    title: str
    project: str
    authority: str
    year: int | None
    link: str
    text: str
    next_offset: int | None


@dataclass(frozen=True, slots=True)
class Upstream:
    """The server that is asked: its address, the key to ask with, and the address that links begin with."""

    address: str
    key: str = ""
    links: str = ""

    def link(self, path: str) -> str:
        """The address of a page as users open it."""
        return (self.links or self.address).rstrip("/") + path

    @contextmanager
    def asked(self, context: Context) -> Iterator[Client]:
        """A client with the caller's key; what the API refuses is told to the assistant in its own words."""
        key, forwarded = self.key, ""
        request = context.request_context.request
        if request is not None:
            given = request.headers.get("authorization", "")
            key = given[len(BEARER) :].strip() if given.lower().startswith(BEARER) else ""
            forwarded = forwarded_for(request.headers.get("x-forwarded-for", ""), request.client)
        try:
            with Client(self.address, key=key, forwarded_for=forwarded) as client:
                yield client
        except ApiError as error:
            raise ToolError(f"{error} {error.advice}".strip()) from error
        except requests.RequestException as error:
            raise ToolError(f"Erfaringsbasen kan ikke nås på {self.address}. Start den med: kb serve") from error


def forwarded_for(given: str, peer: tuple[str, int] | None) -> str:
    """The addresses the request came through, so that the API counts wrong keys by who sent them and not by us."""
    return ", ".join(part for part in (given, peer[0] if peer else "") if part)


def make_server(upstream: Upstream) -> MCPServer:
    """The server with its tools."""
    server: MCPServer = MCPServer(
        "erfaringsbasen", title="Erfaringsbasen", instructions=INSTRUCTIONS, version=VERSION, log_level="WARNING"
    )
    for tool in (_search(upstream), _answer(upstream), _project_start(upstream), _report(upstream)):
        server.add_tool(tool, structured_output=True)
    return server


def _search(upstream: Upstream) -> Callable[..., FoundPassages]:
    def search(
        context: Context,
        question: Question,
        top: Annotated[int, Field(ge=1, le=20, description="Antal passager.")] = 5,
        filters: Limits = NO_LIMITS,
    ) -> FoundPassages:
        """Find de steder i rapporterne, der bedst svarer på et spørgsmål, ordret og med link."""
        with upstream.asked(context) as client:
            found = client.search(question, top=top, offset=0, **filters.filters)
        passages = [
            _source(upstream, number, hit, hit.quote, hit.passage_id) for number, hit in enumerate(found.hits, 1)
        ]
        return FoundPassages(question=question, total=found.total, passages=passages, link=_page(upstream, question))

    return search


def _answer(upstream: Upstream) -> Callable[..., CitedAnswer]:
    def answer(context: Context, question: Question, filters: Limits = NO_LIMITS) -> CitedAnswer:
        """Få et kort svar, hvor hver sætning står ordret i en rapport; eller grunden til, at der ikke er noget svar."""
        with upstream.asked(context) as client:
            return cited(upstream, client.answer(question, **filters.filters))

    return answer


def cited(upstream: Upstream, found: lesson_responses.AnswerWithLessons) -> CitedAnswer:
    """An answer of the API as the assistant gets it (pure)."""
    told = found.answer
    projects = [
        ProjectFindings(
            project=project.project,
            findings=[CitedSentence(text=one.text, sources=[one.citation]) for one in project.findings],
        )
        for project in told.projects
    ]
    return CitedAnswer(
        question=found.question,
        answered=not told.refused,
        message=told.message,
        certainty=str(told.certainty),
        coverage=told.coverage.sentence,
        lead=told.lead,
        lessons=_lessons(upstream, found.lessons),
        sentences=[CitedSentence(text=one.text, sources=one.citations) for one in told.sentences],
        projects=projects,
        sources=[_source(upstream, one.number, one, one.quote, one.passage_id) for one in found.citations],
        link=_page(upstream, found.question),
    )


def _lessons(upstream: Upstream, lessons: Sequence[lesson_responses.Lesson]) -> list[ConfirmedLesson]:
    return [
        ConfirmedLesson(
            lesson=one.lesson,
            owner=one.owner,
            confirmed=one.confirmed,
            applies_to=one.applies_to,
            evidence=[evidence.quote for evidence in one.evidence if evidence.found_in],
            link=upstream.link(f"/erfaringer/{one.id}"),
        )
        for one in lessons
    ]


def _project_start(upstream: Upstream) -> Callable[..., CheckedPlan]:
    def project_start(
        context: Context,
        plan: Annotated[str, Field(description="Planens tekst: hvad, for hvem, hvilke data og teknik.", min_length=1)],
    ) -> CheckedPlan:
        """Tjek en projektplan mod rapporterne: projekter, der ligner, hvordan det gik dem, hvad de løb ind i, og hvad
        planen ikke nævner. Planen bliver læst, men ikke gemt."""
        with upstream.asked(context) as client:
            return checked(upstream, client.project_start(plan))

    return project_start


def checked(upstream: Upstream, found: lesson_responses.ProjectStartWithLessons) -> CheckedPlan:
    """A check of the API as the assistant gets it (pure)."""
    return CheckedPlan(
        notices=found.notices,
        similar=[_like(one) for one in found.similar],
        nearest=[project.name for project in found.nearest],
        lessons=_lessons(upstream, found.lessons),
        challenges=[_challenge(one) for one in found.challenges],
        stopped=[
            ProjectFindings(
                project=one.project.name, findings=[_sentence(one.outcome.told), *map(_sentence, one.reasons)]
            )
            for one in found.stopped
        ],
        reusable=[
            Reusable(project=one.project.name, told=_sentence(one.told), links=[link.url for link in one.links])
            for one in found.reusable
        ],
        sources=[_source(upstream, one.number, one, one.quote, one.passage_id) for one in found.citations],
        link=upstream.link("/projektstart"),
    )


def _like(similar: response_models.SimilarProject) -> LikeProject:
    outcome = similar.outcome
    return LikeProject(
        project=similar.project.name,
        why=[
            CitedSentence(text=f"{one.trait}: {one.value or one.told.text}", sources=[one.told.citation])
            for one in similar.reasons
        ],
        outcome=" ".join(part for part in (outcome.status, outcome.date) if part) if outcome else "",
        outcome_told=_sentence(outcome.told) if outcome else None,
        ask=", ".join(part for part in (similar.ask.authority, similar.ask.unit) if part),
    )


def _challenge(challenge: response_models.ProjectChallenge) -> MetChallenge:
    return MetChallenge(
        challenge=challenge.label,
        phase=challenge.phase,
        mentioned_in_plan=challenge.mentioned,
        question=challenge.question,
        met=[
            MetByProject(
                project=one.project.name,
                challenge=_sentence(one.challenge),
                handling=_sentence(one.handling) if one.handling else None,
                lesson=_sentence(one.lesson) if one.lesson else None,
            )
            for one in challenge.met
        ],
    )


def _sentence(told: response_models.Told) -> CitedSentence:
    return CitedSentence(text=told.text, sources=[told.citation])


def _report(upstream: Upstream) -> Callable[..., Report]:
    def report(
        context: Context,
        document_id: Annotated[str, Field(description="Rapportens id, som det står ved en kilde.", min_length=1)],
        offset: Annotated[int, Field(ge=0, description="Hvor i teksten der begyndes.")] = 0,
    ) -> Report:
        """Hent en rapports metadata og tekst, højst 20.000 tegn ad gangen."""
        with upstream.asked(context) as client:
            found = client.document(document_id)
        text = found.text or ""
        end = offset + LONGEST_TEXT
        return Report(
            document_id=found.id,
            title=found.metadata.titel,
            project=found.metadata.projekt or "",
            authority=found.metadata.myndighed or "",
            year=found.metadata.år,
            link=upstream.link(document_path(found.id)),
            text=text[offset:end],
            next_offset=end if end < len(text) else None,
        )

    return report


def _source(
    upstream: Upstream,
    number: int,
    place: response_models.Hit | response_models.Citation,
    quote: str,
    passage_id: str,
) -> Source:
    return Source(
        number=number,
        project=place.project,
        title=place.title,
        heading=" › ".join(place.heading_path),
        page=place.page,
        quote=quote,
        link=upstream.link(passage_path(place.document_id, passage_id)),
        passage_id=passage_id,
        document_id=place.document_id,
    )


def _page(upstream: Upstream, question: str) -> str:
    """The page that answers the question in full."""
    return upstream.link("/sporg?" + urlencode({"q": question}))
