"""A server of two workers answers as one process does, is one to whoever asks, and survives the death of a part."""

from __future__ import annotations

import os
import re
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb import indexing
from kb.core.settings import Settings
from kb.http.server import make_app
from kb.index import builds
from tests.support import HashEmbedder, make_settings, report_text, take_readings, write_corpus
from tests.timing import until
from tests.workers import Server, asking, kill, workers

pytestmark = pytest.mark.slow

QUESTIONS = ("Hvad lærte de om faldrisiko?", "journalnotater", "Hvad blev målt i vandløbet?", "mailfordeling og tid")
PATHS = ("/api/v1/search", "/api/v1/answer")


@pytest.fixture(scope="module")
def settings(read_once: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = make_settings(tmp_path_factory.mktemp("processer"), rate_limit_failures=5)
    write_corpus(made.corpus)
    take_readings(read_once, made)
    indexing.run(made, HashEmbedder())
    return made


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[Server]:
    with workers(settings, settings.state_dir.parent / "server.log") as started:
        yield started


def test_workers_answer_as_one_process_does(server: Server, settings: Settings) -> None:
    alone = make_app(settings, HashEmbedder()).test_client()
    for path in PATHS:
        for question in QUESTIONS:
            one = alone.get(path, query_string={"q": question}, base_url="http://127.0.0.1").json
            assert server.get(path, question) == one


def test_no_worker_has_the_model_in_memory(server: Server) -> None:
    def libraries(pid: int) -> str:
        return Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")

    server.get("/api/v1/answer", QUESTIONS[0])
    assert "onnxruntime" in libraries(server.model())
    assert not any("onnxruntime" in libraries(pid) for pid in (server.master, *server.workers()))


def test_wrong_keys_are_counted_whichever_worker_saw_them(server: Server) -> None:
    """More than twice as many as one may send: were they counted by worker, more than those would be looked at."""
    statuses = [server.ask("/api/v1/search", "x", key="kb_forkert")[0] for _ in range(12)]
    assert statuses == [401] * 5 + [429] * 7


def test_measurements_are_the_sums_of_all_workers(server: Server) -> None:
    def counted() -> float:
        with urllib.request.urlopen(f"{server.address}/metrics") as response:  # noqa: S310
            told = response.read().decode()
        return float(
            re.findall(r'kb_requests_total\{method="GET",route="/api/v1/search",status="200"\} (\S+)', told)[0]
        )

    server.get("/api/v1/search", QUESTIONS[0])
    before = counted()
    os.kill(server.a_worker(), signal.SIGKILL)
    for _ in range(8):
        server.get("/api/v1/search", QUESTIONS[0])
    assert counted() == before + 8


def test_a_new_build_is_what_every_worker_answers_from(server: Server, settings: Settings) -> None:
    (settings.corpus / "ny.md").write_text(report_text("sneplove"), encoding="utf-8")
    indexing.run(settings, HashEmbedder())
    newest = builds.current_id(settings.index_dir)
    found = [server.get("/api/v1/search", "sneplove") for _ in range(20)]
    assert {one["build_id"] for one in found} == {newest}
    assert all("sneplove" in one["hits"][0]["quote"] for one in found)


def test_killed_workers_and_models_cost_no_answer_and_no_job(server: Server, settings: Settings) -> None:
    jobs = []
    with asking(server, [(path, one) for path in PATHS for one in QUESTIONS], clients=4) as seen:
        for victim in (server.model, server.a_worker, server.a_worker, server.model):
            status, job = server.ask("/api/v1/jobs", post=True)
            assert status == 202
            jobs.append(job["id"])
            kill(server, victim(), seen)
    assert seen.wrong == []
    assert seen.broken <= 2 * 4  # each worker held a connection of each client at most
    until(lambda: {server.get(f"/api/v1/jobs/{job}")["state"] for job in jobs} == {"færdig"})
