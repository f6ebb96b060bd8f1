"""The MCP server asked by the SDK's own client, over HTTP and over standard input and output, before a real server."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
import uvicorn
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from waitress.server import create_server

from kb import indexing
from kb.core.fields import DOCUMENT_FILTERS
from kb.core.identity import AccessRole
from kb.http.api import lesson_responses
from kb.http.api.openapi import response_examples
from kb.http.server import make_app
from kb.mcp import over_http
from kb.mcp.server import Upstream, checked, cited, forwarded_for, make_server
from kb.state.audit import Audit
from kb.state.keys import KeyStore
from tests.support import HashEmbedder, make_settings, report_text, write_corpus

pytestmark = pytest.mark.slow
QUESTION = "Hvad er erfaringen med vand?"
PLAN = "Vi vil undersøge vand i Vandværket og måle trykket på vand i tre kommuner."
LINKS = "https://intranet.vandby.dk/erfaringer"
Ask = Callable[[Client], Awaitable[Any]]


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@dataclass(frozen=True)
class Base:
    """A closed server, the MCP server before it, and a reader's key in a file."""

    address: str
    mcp: str
    key: str
    key_file: Path
    state: Path

    def over_http(self, ask: Ask, key: str | None = None) -> Any:
        async def run() -> Any:
            headers = {"Authorization": f"Bearer {self.key if key is None else key}"}
            async with (
                httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http,
                Client(streamable_http_client(self.mcp, http_client=http)) as client,
            ):
                return await ask(client)

        return anyio.run(run)

    def over_stdio(self, ask: Ask) -> Any:
        async def run() -> Any:
            arguments = ["-c", "from kb.cli import main; main()", "mcp", "--server", self.address]
            arguments += ["--key-file", str(self.key_file)]
            async with Client(stdio_client(StdioServerParameters(command=sys.executable, args=arguments))) as client:
                return await ask(client)

        return anyio.run(run)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    folder = tmp_path_factory.mktemp("mcp")
    settings = make_settings(folder, access="closed", reading=False, trusted_proxies="127.0.0.1")
    write_corpus(settings.corpus, {"vand.md": report_text("vand", project="Vandværket")})
    indexing.run(settings, HashEmbedder())
    _, key = KeyStore(settings.state_dir).create("assistent", AccessRole.READER)
    (folder / "noegle").write_text(key + "\n", encoding="utf-8")
    own, port = free_port(), free_port()
    behind = create_server(
        make_app(settings, HashEmbedder()), host="127.0.0.1", port=own, threads=4, asyncore_use_poll=True
    )
    threading.Thread(target=behind.run, daemon=True).start()
    address = f"http://127.0.0.1:{own}"
    app = over_http.make_app(make_server(Upstream(address, links=LINKS)), "127.0.0.1", port)
    before = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=before.run, daemon=True)
    thread.start()
    while not before.started:
        time.sleep(0.02)
    yield Base(address, f"http://127.0.0.1:{port}/mcp", key, folder / "noegle", settings.state_dir)
    before.should_exit = True
    thread.join(10)
    behind.close()


async def everything(client: Client) -> dict[str, Any]:
    tools = await client.list_tools()
    found = await client.call_tool("search", {"question": QUESTION, "top": 2})
    answered = await client.call_tool("answer", {"question": QUESTION})
    document_id = found.structured_content["passages"][0]["document_id"]
    limited = await client.call_tool("search", {"question": QUESTION, "filters": {"status": ["stoppet"]}})
    misspelt = await client.call_tool("answer", {"question": QUESTION, "filters": {"status": ["stopet"]}})
    report = await client.call_tool("report", {"document_id": document_id})
    missing = await client.call_tool("report", {"document_id": "findes-ikke"})
    checked = await client.call_tool("project_start", {"plan": PLAN})
    told = {"tools": tools, "search": found, "answer": answered, "report": report, "missing": missing}
    return told | {"limited": limited, "misspelt": misspelt, "project_start": checked}


@pytest.fixture(scope="module", params=["http", "stdio"])
def told(request: pytest.FixtureRequest, base: Base) -> dict[str, Any]:
    """What every tool answers, over one transport."""
    found: dict[str, Any] = base.over_http(everything) if request.param == "http" else base.over_stdio(everything)
    return found | {"links": LINKS if request.param == "http" else base.address}


def test_the_tools_say_in_danish_what_they_are_for(told: dict[str, Any]) -> None:
    tools = {tool.name: tool for tool in told["tools"].tools}
    assert set(tools) == {"search", "answer", "project_start", "report"}
    assert all("rapport" in (tool.description or "") for tool in tools.values())
    assert "context" not in tools["search"].input_schema["properties"]


def test_search_gives_passages_word_for_word_with_links(told: dict[str, Any]) -> None:
    passages = told["search"].structured_content["passages"]
    assert len(passages) == 2
    first = passages[0]
    assert "vand" in first["quote"]
    assert first["project"] == "Vandværket"
    place = f"passage={first['passage_id']}#{first['passage_id']}"
    assert first["link"] == f"{told['links']}/dokumenter/{first['document_id']}?{place}"


def test_a_search_is_limited_by_the_fields_of_the_one_table(told: dict[str, Any]) -> None:
    tools = {tool.name: tool for tool in told["tools"].tools}
    for name in ("search", "answer"):
        offered = str(tools[name].input_schema)
        assert all(f"'{field.name}'" in offered for field in DOCUMENT_FILTERS)
    assert told["limited"].structured_content["passages"] == []
    assert told["misspelt"].is_error


def test_an_answer_has_a_source_for_every_sentence_or_says_why_there_is_none(told: dict[str, Any]) -> None:
    answer = told["answer"].structured_content
    assert answer["link"].startswith(f"{told['links']}/sporg?q=Hvad+er")
    numbers = {source["number"] for source in answer["sources"]}
    assert answer["answered"] or answer["message"]
    for sentence in answer["sentences"] + [one for project in answer["projects"] for one in project["findings"]]:
        assert sentence["sources"]
        assert set(sentence["sources"]) <= numbers


def test_a_plan_is_told_what_is_like_it_or_what_comes_nearest(told: dict[str, Any]) -> None:
    found = told["project_start"].structured_content
    assert found["similar"] or found["nearest"]
    assert found["link"] == f"{told['links']}/projektstart"


def test_a_report_is_given_with_its_text(told: dict[str, Any]) -> None:
    report = told["report"].structured_content
    assert report["title"] == "Rapport om vand"
    assert "Projektet undersøgte vand" in report["text"]
    assert report["next_offset"] is None
    assert told["missing"].is_error
    assert "findes-ikke" in told["missing"].content[0].text


def test_a_key_that_is_none_is_refused_in_the_apis_words(base: Base) -> None:
    refused = base.over_http(lambda client: client.call_tool("search", {"question": QUESTION}), key="kb_forkert")
    assert refused.is_error
    assert "nøgle" in refused.content[0].text.lower()
    assert Audit(base.state).broken() == []


def test_without_a_key_nothing_is_told_not_even_the_tools(base: Base) -> None:
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    with httpx2.Client(trust_env=False) as client:
        answer = client.post(base.mcp, json=asked, headers={"Accept": "application/json, text/event-stream"})
        assert (answer.status_code, "Bearer" in answer.headers["WWW-Authenticate"]) == (401, True)
        headers = {"Host": "ond.example", "Authorization": f"Bearer {base.key}"}
        assert client.post(base.mcp, json=asked, headers=headers).status_code in {403, 421}


def test_an_answer_keeps_every_sentence_and_every_source_of_the_apis() -> None:
    given = lesson_responses.AnswerWithLessons.model_validate(response_examples()["answer"])
    answer = cited(Upstream("http://127.0.0.1:8000", links=LINKS), given)
    assert answer.answered
    assert [one.text for one in answer.sentences] == [one.text for one in given.answer.sentences]
    assert [one.project for one in answer.projects] == [one.project for one in given.answer.projects]
    assert sum(len(one.findings) for one in answer.projects) > 0
    assert [one.quote for one in answer.sources] == [one.quote for one in given.citations]
    assert all(one.link.startswith(f"{LINKS}/dokumenter/{one.document_id}?passage=") for one in answer.sources)


def test_the_api_is_told_whom_it_is_asked_for() -> None:
    assert forwarded_for("", ("10.0.0.7", 4711)) == "10.0.0.7"
    assert forwarded_for("203.0.113.5", ("127.0.0.1", 4711)) == "203.0.113.5, 127.0.0.1"
    assert forwarded_for("", None) == ""


def test_lessons_come_with_who_stands_behind_them_and_only_words_that_still_stand() -> None:
    given = lesson_responses.AnswerWithLessons.model_validate(response_examples()["answer"])
    lesson = lesson_responses.Lesson.model_validate(response_examples()["lesson"])
    lost = lesson.evidence[0].model_copy(update={"found_in": "", "quote": ""})
    shaken = lesson.model_copy(update={"evidence": [*lesson.evidence, lost]})
    [told] = cited(Upstream("http://x", links=LINKS), given.model_copy(update={"lessons": [shaken]})).lessons
    assert (told.lesson, told.owner) == (lesson.lesson, lesson.owner)
    assert told.evidence == [lesson.evidence[0].quote]
    assert told.link == f"{LINKS}/erfaringer/{lesson.id}"


def test_a_checked_plan_keeps_every_challenge_source_and_whom_to_ask() -> None:
    given = lesson_responses.ProjectStartWithLessons.model_validate(response_examples()["project_start"])
    told = checked(Upstream("http://x", links=LINKS), given)
    assert [one.project for one in told.similar] == [one.project.name for one in given.similar]
    assert told.similar[0].ask == given.similar[0].ask.authority
    assert all(one.why for one in told.similar)
    assert [one.mentioned_in_plan for one in told.challenges] == [one.mentioned for one in given.challenges]
    assert {one.number for one in told.sources} == {one.number for one in given.citations}
