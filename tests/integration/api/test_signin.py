"""Signing in: with a real OpenID provider, with what a forger would send, with a key, and through a trusted proxy."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import subprocess
import threading
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from waitress.server import create_server

from kb import indexing
from kb.core.errors import SettingsError
from kb.core.identity import AccessRole, check_setup
from kb.core.settings import Settings
from kb.http.back_channel import EVENT
from kb.http.server import make_app
from kb.http.sign_in import safe_next
from kb.state.audit import Audit
from kb.state.keys import KeyStore
from tests.support import HashEmbedder, make_settings, write_corpus
from tests.timing import PATIENCE

ROOT = Path(__file__).parents[3]
PROVIDER = Path(__file__).with_name("oidc_provider.mjs")


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@dataclass
class World:
    """A running server, the provider it trusts, and what the provider says of people."""

    address: str
    settings: Settings
    state: Path

    def say(self, *, groups: dict[str, list[str]], fault: str = "") -> None:
        self.state.write_text(json.dumps({"groups": groups, "fault": fault}), encoding="utf-8")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A closed server with an OpenID provider."""
    if not shutil.which("node") or not (ROOT / "node_modules" / "oidc-provider").is_dir():
        pytest.skip("npm-pakken oidc-provider er ikke installeret: npm ci")
    folder = tmp_path_factory.mktemp("oidc")
    port, own = free_port(), free_port()
    address = f"http://127.0.0.1:{own}"
    settings = make_settings(
        folder,
        public_url=address,
        port=own,
        oidc_issuer=f"http://127.0.0.1:{port}",
        oidc_client_id="kb",
        oidc_client_secret="hemmelighed-kun-til-test",  # noqa: S106
        group_roles="Redaktion=editor, Drift=admin, Alle=reader",
        rate_limit=10_000,
    )
    write_corpus(settings.corpus)
    indexing.run(settings, HashEmbedder())
    made = World(address, settings, folder / "state.json")
    made.say(groups={})
    command = ["node", str(PROVIDER), str(port), "kb", f"{address}/log-ind/retur", str(made.state)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as provider:
        assert provider.stdout is not None
        assert any("klar" in line for line in provider.stdout)
        server = create_server(
            make_app(settings, HashEmbedder()), host="127.0.0.1", port=own, threads=4, asyncore_use_poll=True
        )
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        yield made
        server.close()
        thread.join(5)
        provider.terminate()


@pytest.fixture
def browser() -> Iterator[requests.Session]:
    """A browser: it keeps cookies and follows redirects."""
    with requests.Session() as held:
        yield held


def sign_in(browser: requests.Session, world: World, who: str, then: str = "/") -> requests.Response:
    """Sign in at the provider, as a person does in its forms; returns the last answer."""
    page = browser.get(f"{world.address}/log-ind/oidc", params={"next": then}, timeout=PATIENCE)
    for form in ({"prompt": "login", "login": who, "password": "x"}, {"prompt": "consent"}):
        found = re.search(r'action="([^"]+)"', page.text)
        assert found, page.text
        page = browser.post(found.group(1), data=form, timeout=PATIENCE)
    return page


def may_edit(browser: requests.Session, world: World) -> int:
    return int(browser.get(f"{world.address}/api/v1/jobs", timeout=PATIENCE).status_code)


def test_a_page_leads_to_the_sign_in_and_back_to_where_one_was_going(browser: requests.Session, world: World) -> None:
    world.say(groups={"anna": ["Redaktion", "Andet"]})
    html = {"Accept": "text/html"}
    page = browser.get(f"{world.address}/dokumenter?orden=nyeste", headers=html, timeout=PATIENCE)
    assert urlsplit(page.url).path == "/log-ind"
    assert 'href="/log-ind/oidc?next=/dokumenter?orden%3Dnyeste"' in page.text
    back = sign_in(browser, world, "anna", "/dokumenter?orden=nyeste")
    assert back.url == f"{world.address}/dokumenter?orden=nyeste"
    assert back.status_code == 200
    assert may_edit(browser, world) == 200
    (cookie,) = [one for one in browser.cookies if one.name == "kb_session"]
    assert cookie.has_nonstandard_attr("HttpOnly")
    events = [entry.event for entry in Audit(world.settings.state_dir).entries()]
    assert ("logget ind", "Navn på anna", "login") in [(event.action, event.who, event.via) for event in events]


@pytest.mark.parametrize(("groups", "status"), [(["Alle"], 403), (["Redaktion"], 200), (["Alle", "Drift"], 200)])
def test_groups_decide_the_role(browser: requests.Session, world: World, groups: list[str], status: int) -> None:
    world.say(groups={"bo": groups})
    sign_in(browser, world, "bo")
    assert may_edit(browser, world) == status


def test_who_is_in_no_group_does_not_get_in(browser: requests.Session, world: World) -> None:
    world.say(groups={})
    assert sign_in(browser, world, "gæst").status_code == 403
    assert may_edit(browser, world) == 401


def test_a_change_of_groups_holds_from_the_next_sign_in(browser: requests.Session, world: World) -> None:
    world.say(groups={"cleo": ["Redaktion"]})
    sign_in(browser, world, "cleo")
    assert may_edit(browser, world) == 200
    world.say(groups={"cleo": ["Alle"]})
    with requests.Session() as another:
        sign_in(another, world, "cleo")
        assert may_edit(another, world) == 403


@pytest.mark.parametrize("fault", ["expired", "audience", "issuer", "nonce", "unsigned", "signature"])
def test_a_token_that_does_not_hold_is_refused(browser: requests.Session, world: World, fault: str) -> None:
    world.say(groups={"dan": ["Drift"]}, fault=fault)
    answer = sign_in(browser, world, "dan")
    assert answer.status_code == 401
    assert may_edit(browser, world) == 401
    assert "Traceback" not in answer.text
    assert Audit(world.settings.state_dir).entries()[-1].event.action == "login afvist"


def test_a_sign_in_cannot_be_replayed_or_given_to_another_browser(browser: requests.Session, world: World) -> None:
    world.say(groups={"eva": ["Drift"]})
    back = sign_in(browser, world, "eva")
    returned = next(one.url for one in back.history if "/log-ind/retur" in one.url)
    with requests.Session() as another:
        assert another.get(returned, timeout=PATIENCE).status_code == 401
        assert may_edit(another, world) == 401
    assert browser.get(returned, timeout=PATIENCE).status_code == 401


def test_an_answer_nobody_asked_for_is_refused(browser: requests.Session, world: World) -> None:
    for query in ("", "?code=x&state=y", "?error=access_denied", "?state=y"):
        assert browser.get(f"{world.address}/log-ind/retur{query}", timeout=PATIENCE).status_code == 401, query


def test_a_planted_session_is_worth_nothing(browser: requests.Session, world: World) -> None:
    world.say(groups={"finn": ["Drift"]})
    browser.cookies.set("kb_session", "plantet", domain="127.0.0.1")
    assert may_edit(browser, world) == 401
    sign_in(browser, world, "finn")
    tokens = [one.value for one in browser.cookies if one.name == "kb_session"]
    assert "plantet" not in tokens
    with requests.Session() as attacker:
        attacker.cookies.set("kb_session", "plantet", domain="127.0.0.1")
        assert may_edit(attacker, world) == 401


def test_signing_out_ends_the_session_everywhere(browser: requests.Session, world: World) -> None:
    world.say(groups={"gry": ["Drift"]})
    sign_in(browser, world, "gry")
    stolen = {one.name: one.value or "" for one in browser.cookies if one.name == "kb_session"}
    foreign = browser.post(f"{world.address}/log-ud", headers={"Origin": "https://ond.example"}, timeout=PATIENCE)
    assert foreign.status_code == 403
    assert may_edit(browser, world) == 200
    out = browser.post(
        f"{world.address}/log-ud", headers={"Origin": world.address}, timeout=PATIENCE, allow_redirects=False
    )
    assert "/session/end?" in out.headers["Location"]
    assert parse_qs(urlsplit(out.headers["Location"]).query)["post_logout_redirect_uri"] == [f"{world.address}/"]
    assert may_edit(browser, world) == 401
    assert requests.get(f"{world.address}/api/v1/jobs", cookies=stolen, timeout=PATIENCE).status_code == 401


def test_signing_out_at_the_provider_ends_that_session_here(browser: requests.Session, world: World) -> None:
    world.say(groups={"ida": ["Redaktion"]})
    sign_in(browser, world, "ida")
    with requests.Session() as elsewhere:
        sign_in(elsewhere, world, "ida")
        page = browser.get(f"{world.settings.oidc_issuer}/session/end", timeout=PATIENCE)
        secret = re.search(r'name="xsrf" value="([^"]+)"', page.text)
        assert secret, page.text
        form = {"xsrf": secret[1], "logout": "yes"}
        browser.post(f"{world.settings.oidc_issuer}/session/end/confirm", data=form, timeout=PATIENCE)
        assert may_edit(browser, world) == 401
        assert may_edit(elsewhere, world) == 200
    event = Audit(world.settings.state_dir).entries()[-1].event
    assert (event.action, event.target) == ("logget ud af udbyderen", "Navn på ida")


def test_a_logout_that_is_not_the_providers_ends_nothing(browser: requests.Session, world: World) -> None:
    world.say(groups={"jo": ["Redaktion"]})
    sign_in(browser, world, "jo")
    claims = {"iss": world.settings.oidc_issuer, "aud": "kb", "sub": "jo", "iat": int(time.time()), "jti": "1"}
    claims |= {"events": {EVENT: {}}}
    forged = jwt.encode({"alg": "RS256", "kid": "tests"}, claims, RSAKey.generate_key())
    for token in (forged, "", "a.b.c"):
        answer = requests.post(f"{world.address}/log-ud/udbyder", data={"logout_token": token}, timeout=PATIENCE)
        assert answer.status_code == 400
    assert may_edit(browser, world) == 200
    statuses = {
        requests.post(f"{world.address}/log-ud/udbyder", data={"logout_token": "x"}, timeout=PATIENCE).status_code
        for _ in range(world.settings.rate_limit_failures)
    }
    assert statuses == {400, 429}


def test_what_a_browser_sends_along_needs_the_word_of_the_browser(browser: requests.Session, world: World) -> None:
    world.say(groups={"hans": ["Drift"]})
    sign_in(browser, world, "hans")
    address = f"{world.address}/api/v1/jobs"
    assert browser.post(address, timeout=PATIENCE).status_code == 403
    assert browser.post(address, headers={"Sec-Fetch-Site": "cross-site"}, timeout=PATIENCE).status_code == 403
    assert browser.post(address, headers={"Sec-Fetch-Site": "same-origin"}, timeout=PATIENCE).status_code == 202


@pytest.mark.parametrize(
    "wanted",
    [
        "https://ond.example",
        "//ond.example",
        "/\\ond.example",
        "\\\\ond.example",
        "javascript:alert(1)",
        "",
        "sti",
        "/a\r\nX: 1",
        "/\t/ond.example",
    ],
)
def test_no_redirect_leads_elsewhere(wanted: str) -> None:
    assert safe_next(wanted) == "/"


def test_own_paths_are_gone_on_to() -> None:
    assert safe_next("/sporg?q=hvad+nu&temaer=jura") == "/sporg?q=hvad+nu&temaer=jura"


@pytest.fixture
def keyed(tmp_path: Path) -> tuple[FlaskClient, KeyStore, str]:
    """A closed server with keys alone."""
    settings = make_settings(tmp_path, access="closed", rate_limit_failures=3)
    keys = KeyStore(settings.state_dir)
    _key, secret = keys.create("Anna", AccessRole.EDITOR)
    return make_app(settings, HashEmbedder()).test_client(), keys, secret


SAME = {"Sec-Fetch-Site": "same-origin"}


def test_a_person_signs_in_with_a_key_until_it_is_revoked(keyed: tuple[FlaskClient, KeyStore, str]) -> None:
    client, keys, secret = keyed
    form = {"noegle": secret, "next": "//ond.example"}
    signed = client.post("/log-ind", data=form, headers=SAME)
    assert (signed.status_code, signed.headers["Location"]) == (303, "/")
    assert client.get("/api/v1/jobs").status_code == 200
    keys.revoke("Anna")
    assert client.get("/api/v1/jobs").status_code == 401


def test_wrong_keys_in_the_form_are_counted_too(keyed: tuple[FlaskClient, KeyStore, str]) -> None:
    client, _keys, secret = keyed
    statuses = [client.post("/log-ind", data={"noegle": f"kb_{n}"}, headers=SAME).status_code for n in range(4)]
    assert statuses == [401, 401, 401, 429]
    assert client.post("/log-ind", data={"noegle": secret}, headers=SAME).status_code == 429


def test_a_foreign_page_cannot_sign_anyone_in(keyed: tuple[FlaskClient, KeyStore, str]) -> None:
    client, _keys, secret = keyed
    foreign = client.post("/log-ind", data={"noegle": secret}, headers={"Origin": "https://ond.example"})
    assert foreign.status_code == 403


@pytest.fixture
def proxied(tmp_path: Path) -> FlaskClient:
    """A server behind a proxy that signs people on."""
    settings = make_settings(
        tmp_path,
        trusted_proxies="10.0.0.1",
        user_header="X-Remote-User",
        groups_header="X-Remote-Groups",
        group_roles="Redaktion=editor",
        signed_in_role="reader",
    )
    return make_app(settings, HashEmbedder()).test_client()


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("10.0.0.1", {"X-Remote-User": "anna", "X-Remote-Groups": "Andet; Redaktion"}, 200),
        ("10.0.0.1", {"X-Remote-User": "anna", "X-Remote-Groups": "Andet"}, 403),
        ("10.0.0.1", {"X-Remote-User": "anna"}, 403),
        ("10.0.0.1", {}, 401),
        ("10.0.0.2", {"X-Remote-User": "anna", "X-Remote-Groups": "Redaktion"}, 401),
        ("127.0.0.1", {"X-Remote-User": "anna", "X-Remote-Groups": "Redaktion"}, 401),
    ],
)
def test_only_the_trusted_proxy_signs_people_on(
    proxied: FlaskClient, peer: str, headers: dict[str, str], status: int
) -> None:
    response = proxied.get("/api/v1/jobs", headers=headers, environ_base={"REMOTE_ADDR": peer})
    assert response.status_code == status


@pytest.mark.parametrize(("encoding", "form"), [("utf-8", "NFC"), ("utf-8", "NFD"), ("latin-1", "NFC")])
def test_danish_names_and_groups_are_taken_from_the_proxy(
    tmp_path: Path, encoding: str, form: Literal["NFC", "NFD"]
) -> None:
    settings = make_settings(
        tmp_path,
        trusted_proxies="10.0.0.1",
        user_header="X-User",
        groups_header="X-Groups",
        group_roles="Læsere=reader, Ålborg Øst=admin",
    )
    client = make_app(settings, HashEmbedder()).test_client()

    def sent(text: str) -> str:
        """As a server hands on the bytes of a header."""
        return unicodedata.normalize(form, text).encode(encoding).decode("latin-1")

    headers = {"X-User": sent("Søren Ærø"), "X-Groups": sent("Andet; Ålborg Øst"), "Sec-Fetch-Site": "same-origin"}
    peer = {"REMOTE_ADDR": "10.0.0.1"}
    assert client.post("/api/v1/jobs", headers=headers, environ_base=peer).status_code == 202
    who = Audit(settings.state_dir).entries()[-1].event.who
    assert unicodedata.normalize("NFC", who) == "Søren Ærø"
    headers["X-Groups"] = sent("Læsere")
    assert client.post("/api/v1/jobs", headers=headers, environ_base=peer).status_code == 403


ANSWERS = {
    "nothing listens": None,
    "it is down": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "it is another program": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhallo",
    "its document lacks the addresses": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_a_provider_that_does_not_answer_is_not_laid_on_the_person(tmp_path: Path, answer: bytes | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        if answer is None:
            listening.close()
        else:
            threading.Thread(target=_answer_all, args=(listening, answer), daemon=True).start()
        settings = make_settings(
            tmp_path,
            public_url="http://127.0.0.1:1",
            oidc_issuer=f"http://127.0.0.1:{port}",
            oidc_client_id="kb",
            oidc_client_secret="hemmelighed-kun-til-test",  # noqa: S106
        )
        page = make_app(settings, HashEmbedder()).test_client().get("/log-ind/oidc")
    assert page.status_code == 502
    assert "Fejlen er ikke hos dig" in page.text
    assert Audit(settings.state_dir).entries()[-1].event.action == "login mislykkedes"


def _answer_all(listening: socket.socket, answer: bytes) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)


@pytest.mark.parametrize(
    ("said", "status"), [("server_error", 502), ("temporarily_unavailable", 502), ("access_denied", 401)]
)
def test_what_the_provider_says_of_itself_is_not_laid_on_the_person(tmp_path: Path, said: str, status: int) -> None:
    settings = make_settings(
        tmp_path, public_url="http://127.0.0.1:1", oidc_issuer="http://127.0.0.1:1", oidc_client_id="kb"
    )
    client = make_app(settings, HashEmbedder()).test_client()
    assert client.get(f"/log-ind/retur?error={said}&state=x").status_code == status


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        ({"user_header": "X-Remote-User"}, "KB_TRUSTED_PROXIES"),
        ({"oidc_issuer": "https://login.kommune.dk"}, "KB_PUBLIC_URL"),
        ({"group_roles": "Redaktion=chef"}, "editor"),
    ],
)
def test_half_a_setup_is_refused(tmp_path: Path, overrides: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_setup(make_settings(tmp_path, **overrides), keys=1)
    assert named in caught.value.advice
