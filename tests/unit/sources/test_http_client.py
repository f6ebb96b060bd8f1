"""HTTP to the hosts of a source: to no other, within limits, with patience, and no address told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from kb.core.errors import SourceError, SourceFileError
from kb.sources.http_client import LONGEST_WAIT, Ask, HttpClient
from tests.serving import serving


def made() -> Flask:
    app = Flask("kilde")
    app.config["asked"] = []

    @app.before_request
    def note() -> None:
        app.config["asked"].append((request.path, request.headers.get("Authorization", "")))

    @app.get("/her")
    def here() -> str:
        return "her"

    @app.get("/stor")
    def large() -> bytes:
        return b"x" * 5000

    @app.get("/travl")
    def busy() -> Response:
        first = [path for path, _ in app.config["asked"]].count("/travl") < 3
        return Response("", 429, {"Retry-After": "9999"}) if first else Response("nu")

    @app.get("/rundt")
    def round_and_round() -> BaseResponse:
        return redirect("/rundt")

    @app.get("/videre")
    def on() -> BaseResponse:
        return redirect(request.args["til"])

    return app


@pytest.fixture(scope="module")
def app() -> Flask:
    return made()


@pytest.fixture(scope="module")
def address(app: Flask) -> Iterator[str]:
    with serving(app, closing=0.1) as url:
        yield url


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[tuple[str, Flask]]:
    other = made()
    with serving(other, closing=0.1) as url:
        yield url, other


def test_no_address_leads_to_a_host_that_was_not_named(address: str, elsewhere: tuple[str, Flask]) -> None:
    other, served = elsewhere
    client = HttpClient(address)
    for url in (
        f"{other}/her",
        f"{address}/videre?til={other}/her",
        "file:///etc/passwd",
        "http://[",
        "ftp://127.0.0.1/",
    ):
        with pytest.raises(SourceFileError, match="følges ikke"):
            client.ask(Ask(url))
    assert served.config["asked"] == []


def test_a_named_host_is_led_to_without_what_was_meant_for_the_first(
    address: str, elsewhere: tuple[str, Flask]
) -> None:
    other, served = elsewhere
    ask = Ask(f"{address}/videre?til={other}/her", headers={"Authorization": "Bearer hemmelig"})
    assert HttpClient(address, other).ask(ask).body == b"her"
    assert served.config["asked"].pop() == ("/her", "")


def test_redirects_end(address: str) -> None:
    with pytest.raises(SourceError, match="igen og igen"):
        HttpClient(address).ask(Ask(f"{address}/rundt"))


def test_a_server_that_asks_for_patience_gets_it_within_reason(address: str) -> None:
    waited: list[float] = []
    assert HttpClient(address, wait=waited.append).ask(Ask(f"{address}/travl")).body == b"nu"
    assert waited == [LONGEST_WAIT, LONGEST_WAIT]


def test_too_large_an_answer_is_not_taken(address: str, tmp_path: Path) -> None:
    for target in (None, tmp_path / "fil"):
        with pytest.raises(SourceFileError, match="større"):
            HttpClient(address).ask(Ask(f"{address}/stor", most_bytes=1000, target=target))
    assert HttpClient(address).ask(Ask(f"{address}/stor", most_bytes=5000, target=tmp_path / "fil")).body == b""
    assert (tmp_path / "fil").stat().st_size == 5000


def test_a_failure_tells_the_host_and_not_the_address() -> None:
    with pytest.raises(SourceError) as caught:
        HttpClient("http://127.0.0.1:9").ask(Ask("http://127.0.0.1:9/x?token=hemmelig"))
    assert str(caught.value) == "127.0.0.1:9 kan ikke nås."
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
