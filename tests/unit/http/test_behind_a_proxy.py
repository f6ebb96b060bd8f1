"""What a proxy says of who asks comes through the server's own HTTP layer to the gate, which judges whom to believe."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from waitress.server import BaseWSGIServer

from kb.core.identity import AccessRole
from kb.http import server
from kb.http.request_log import JsonLines
from kb.state.keys import KeyStore
from tests.support import HashEmbedder, make_settings

PATIENCE = 20
USER = "198.51.100.7"


@pytest.fixture(params=["127.0.0.1", ""], ids=["trusted", "unknown"])
def proxies(request: pytest.FixtureRequest) -> str:
    """The proxies that are believed."""
    told: str = request.param
    return told


@pytest.fixture
def address(tmp_path: Path, proxies: str) -> Iterator[str]:
    """A closed server, running, asked from its own machine as a proxy asks it."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        settings = make_settings(tmp_path, port=port, access="closed", trusted_proxies=proxies, threads=2)
        KeyStore(settings.state_dir).create("vej-ind", AccessRole.READER)
        running = server.make_server(server.make_app(settings, HashEmbedder()), settings, sockets=[listening])
        assert isinstance(running, BaseWSGIServer)
        thread = threading.Thread(target=running.run, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{port}"
        running.task_dispatcher.shutdown()
        running.trigger.pull_trigger(running.close)  # type: ignore[attr-defined]  # its types call it a number
        thread.join(PATIENCE)


def test_measurements_are_not_for_those_beyond_the_proxy(address: str) -> None:
    asked = requests.get(f"{address}/metrics", headers={"X-Forwarded-For": USER}, timeout=PATIENCE)
    assert asked.status_code == 404
    assert requests.get(f"{address}/metrics", timeout=PATIENCE).status_code == 200


def test_each_user_beyond_the_proxy_is_known_by_their_own_address(
    address: str, proxies: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "kb.requests"):
        requests.get(f"{address}/api/v1/health/live", headers={"X-Forwarded-For": USER}, timeout=PATIENCE)
    (line,) = [json.loads(JsonLines().format(one)) for one in caplog.records if one.name == "kb.requests"]
    assert line["address"] == (USER if proxies else "127.0.0.1")
