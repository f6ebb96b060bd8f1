"""What someone who means harm would send, by page and by API; each with what must not come of it.

Tried elsewhere: guessing keys, foreign origins and hosts (test_access), names that are paths and swelling containers
(test_writing), open redirects, planted sessions and forged sign-ins (test_signin).
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from flask.testing import FlaskClient
from waitress.adjustments import Adjustments
from waitress.server import BaseWSGIServer

from kb import indexing
from kb.core.identity import AccessRole
from kb.core.settings import Settings
from kb.http import server, slow_senders
from kb.http.api.operations import PREFIX
from kb.http.server import make_app
from kb.state.keys import KeyStore
from tests.support import HashEmbedder, make_settings, write_corpus
from tests.timing import PATIENCE

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"
HOSTILE = f"""---
titel: 'Ond {MARKUP}'
projekt: 'Projekt {MARKUP}'
myndighed: 'Kommune {MARKUP}'
emne: 'javascript:alert(1)'
år: 2024
temaer: [data]
kilder:
  - url: javascript:alert(3)
    titel: '{MARKUP}'
---
# Trykmåleren

## Læring

Trykmåleren sagde {{{{7*7}}}} og ${{7*7}} og &lt;script&gt;alert(4)&lt;/script&gt; hele natten i januar.
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A client on the machine of a server whose corpus holds a hostile report."""
    settings = make_settings(tmp_path_factory.mktemp("attacks"))
    write_corpus(settings.corpus)
    (settings.corpus / "ond.md").write_text(HOSTILE, encoding="utf-8")
    indexing.run(settings, HashEmbedder())
    return make_app(settings, HashEmbedder()).test_client()


PAGES = (
    "/", "/sporg?q=trykmåleren", "/dokumenter", "/dokumenter/ond", "/projekter", "/temaer/data", "/admin",
    "/admin/rapporter", "/admin/rapporter/ond", "/sporg.atom?q=trykmåleren", f"{PREFIX}/dokumentation",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_markup_in_a_report_stays_text(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    text = response.get_data(as_text=True)
    assert response.status_code == 200
    assert "<img src=x" not in text
    assert "<script>alert" not in text
    assert 'href="javascript:' not in text
    assert ">49<" not in text.replace(" ", "")
    assert "'unsafe-" not in response.headers["Content-Security-Policy"]
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "payload", [MARKUP, '"><script>alert(1)</script>', "{{config}}", "'-alert(1)-'", "</title><script>"]
)
@pytest.mark.parametrize(
    "path",
    ["/sporg?q={}", "/sporg?q=data&temaer={}", "/dokumenter?orden={}", "/dokumenter?myndighed={}", "/log-ind?next=/{}",
     "/dokumenter/ond?passage={}", "/tilbagemelding/tak?q={}", "/sporg.atom?q={}", "/{}"],
)  # fmt: skip
def test_markup_in_an_address_stays_text(client: FlaskClient, path: str, payload: str) -> None:
    response = client.get(path.replace("{}", quote(payload, safe="")))
    text = response.get_data(as_text=True)
    assert response.status_code < 500
    for raw in ("<img src=x", "<script>", "SECRET_KEY"):
        assert raw not in text


@pytest.mark.parametrize("payload", [MARKUP, "</script>"])
def test_the_api_gives_markup_only_as_json(client: FlaskClient, payload: str) -> None:
    for path in (f"{PREFIX}/search", f"{PREFIX}/answer", f"{PREFIX}/suggestions", f"{PREFIX}/documents/{payload}"):
        response = client.get(path, query_string={"q": payload} if "documents" not in path else {})
        assert response.mimetype in {"application/json", "application/problem+json"}
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    ["/static/../settings.py", "/static/%2e%2e/app.py", "/static/..%2f..%2fsettings.py", "/static//etc/passwd",
     "/static/....//app.py", "/dokumenter/..%2f..%2fkb.toml", "/dokumenter/ond/side/..%2f1.png",
     "/dokumenter/%2e%2e/original", f"{PREFIX}/documents/..%2f..%2fstate.sqlite", f"{PREFIX}/builds/..%2f..%2fx/use",
     "/static/app.css%00.js", "/../../etc/passwd", "//ond.example/%2f.."],
)  # fmt: skip
def test_no_path_leads_out(client: FlaskClient, path: str) -> None:
    response = client.get(path, follow_redirects=True)
    assert response.status_code in {400, 404, 405}
    assert "root:" not in response.get_data(as_text=True)


@pytest.mark.parametrize(
    "payload", ["a\r\nSet-Cookie: x=1", "a%0d%0aSet-Cookie:%20x=1", "a\nLocation: https://ond.example"]
)
def test_no_header_is_injected(client: FlaskClient, payload: str) -> None:
    for path in ("/sporg.csv?q=data", "/log-ind?next=/", f"{PREFIX}/search?q="):
        headers = client.get(path + quote(payload)).headers
        assert headers.get("Set-Cookie") is None
        assert "ond.example" not in headers.get("Location", "")
        assert all("\r" not in value and "\n" not in value for value in headers.values())


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix"])
def test_no_header_makes_one_request_another(client: FlaskClient, header: str) -> None:
    client.get(f"{PREFIX}/documents/asta", headers={header: "DELETE"})
    client.post(f"{PREFIX}/documents/asta?_method=DELETE", headers={header: f"{PREFIX}/audit"})
    assert client.get(f"{PREFIX}/documents/asta").status_code == 200


@pytest.mark.parametrize(
    "question",
    ["' OR 1=1 --", '"; DROP TABLE documents; --', "title:* OR *:*", "a" * 1000, '"' * 999 + "a", "(" * 900 + "a"],
)
def test_a_question_is_never_a_query(client: FlaskClient, question: str) -> None:
    response = client.get(f"{PREFIX}/search", query_string={"q": question})
    assert response.status_code == 200, response.get_data(as_text=True)
    assert client.get(f"{PREFIX}/documents").get_json()["total"] == 5


def test_a_key_revoked_in_another_process_is_refused_by_every_thread(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, access="closed", rate_limit=100_000, rate_limit_failures=1000)
    keys = KeyStore(settings.state_dir)
    _key, secret = keys.create("intranet", AccessRole.READER)
    app = make_app(settings, HashEmbedder())
    statuses: list[int] = []

    def ask() -> None:
        held = app.test_client()
        statuses.extend(
            held.get(f"{PREFIX}/audit", headers={"Authorization": f"Bearer {secret}"}).status_code for _ in range(20)
        )

    keys.revoke("intranet")
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [401] * 80


def test_secrets_are_in_no_description_of_the_settings(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, oidc_client_secret="meget-hemmelig")  # noqa: S106
    assert "meget-hemmelig" not in repr(settings)
    assert "meget-hemmelig" not in str(settings.model_dump())


HEAD = f"POST {PREFIX}/documents HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"


@contextmanager
def serving(settings: Settings) -> Iterator[int]:
    """The server as it is set up, on a free port; gives the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = settings.model_copy(update={"port": port, "threads": 2})
    running = server.make_server(make_app(own, HashEmbedder()), own)
    assert isinstance(running, BaseWSGIServer)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    yield port
    running.task_dispatcher.shutdown()
    running.trigger.pull_trigger(running.close)  # type: ignore[attr-defined]  # its types call it a number
    thread.join(PATIENCE)


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def sender(port: int) -> socket.socket:
    """A connection on which a large upload has begun."""
    opened = connected(port)
    opened.sendall((HEAD + "Content-Length: 1000000\r\n\r\n--x\r\n").encode())
    return opened


def is_let_go(trickling: socket.socket) -> bool:
    """Send one byte more, and see whether the connection has been closed."""
    try:
        trickling.send(b"x")
        return trickling.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def is_alive(port: int) -> bool:
    return bool(requests.get(f"http://127.0.0.1:{port}{PREFIX}/health/live", timeout=PATIENCE).ok)


def test_silent_senders_hold_nobody_up_and_are_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As the server sets it up, only sooner: a sender who falls silent for a second is let go.
    monkeypatch.setattr(server, "CHANNEL_TIMEOUT", 1)
    monkeypatch.setattr(Adjustments, "cleanup_interval", 1)
    settings = make_settings(tmp_path)
    with serving(settings) as port:
        silent = [sender(port) for _ in range(10)]
        assert is_alive(port)
        assert [one.recv(1) for one in silent] == [b""] * len(silent)
        for one in silent:
            one.close()
    assert not (settings.corpus / "indlagt").exists()


def test_a_sender_of_one_byte_at_a_time_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_senders, "GRACE_SECONDS", 0.5)
    with serving(make_settings(tmp_path)) as port, sender(port) as trickling:
        trickling.settimeout(0.1)
        assert any(is_let_go(trickling) for _ in range(600))
        assert is_alive(port)


def test_a_sender_at_an_ordinary_pace_is_not_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_senders, "GRACE_SECONDS", 0.1)
    body = b"--x\r\n" + b"a" * 100_000
    with (
        serving(make_settings(tmp_path)) as port,
        connected(port) as steady,
    ):
        steady.sendall((HEAD + f"Content-Length: {len(body)}\r\n\r\n").encode())
        for start in range(0, len(body), 10_000):
            steady.sendall(body[start : start + 10_000])
            time.sleep(0.05)
        assert steady.recv(65536).startswith(b"HTTP/1.1 4")
