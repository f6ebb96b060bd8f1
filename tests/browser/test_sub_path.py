"""Below a path of another server (``KB_PUBLIC_URL=https://…/erfaringer``), behind a real nginx with TLS.

nginx runs with the shipped ``deploy/nginx/below-a-path.conf``. Everything else on the host answers 418, so that an
address that forgot the path is told from one that leads to nothing.
"""

from __future__ import annotations

import io
import re
import shutil
import socket
import subprocess
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
import requests
from playwright.sync_api import Browser, expect
from selectolax.lexbor import LexborHTMLParser
from waitress.server import create_server

from kb import indexing
from kb.client import Client
from kb.core.identity import AccessRole
from kb.http.server import make_app
from kb.state.keys import KeyStore
from tests.browser.conftest import OWN_REPORT
from tests.support import HashEmbedder, make_settings, write_corpus

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
PATH = "/erfaringer"
QUESTION = "Hvad skete der med trykmåleren i Vandby i januar?"
# Pages of one view that are looked at.
OF_A_VIEW = 2
# A busy machine's browser takes its time with the first page over TLS.
WAIT_MS = 120_000
CONF = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    {location}
    location / {{ return 418; }}
  }}
}}
"""


@dataclass(frozen=True)
class Site:
    """The address below the path, the certificate to trust, an admin's key, and the server behind nginx."""

    address: str
    certificate: str
    key: str
    behind: str

    def session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # no other bundle of certificates than this site's
        session.verify = self.certificate
        session.headers["Origin"] = self.address.removesuffix(f"{PATH}/")
        return session

    def get(self, address: str, **options: Any) -> requests.Response:
        return self.session().get(urljoin(self.address, address), timeout=20, **options)

    def signed_in(self) -> requests.Session:
        session = self.session()
        session.post(f"{self.address}log-ind", data={"noegle": self.key}, timeout=20).raise_for_status()
        return session


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server behind nginx, which anyone may read and an admin signs in to by a key."""
    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if nginx is None:
        pytest.skip("nginx mangler (make test installerer den)")
    folder = tmp_path_factory.mktemp("sti")
    port, own = free_port(), free_port()
    address = f"https://localhost:{port}{PATH}/"
    settings = make_settings(
        folder, public_url=address, trusted_proxies="127.0.0.1", anonymous_reading=True, rate_limit=100_000, port=own
    )
    write_corpus(settings.corpus)
    write_corpus(settings.corpus, {"vand.md": OWN_REPORT})
    indexing.run(settings, HashEmbedder())
    _, key = KeyStore(settings.state_dir).create("drift", AccessRole.ADMIN)
    server = create_server(
        make_app(settings, HashEmbedder()), host="127.0.0.1", port=own, threads=4, asyncore_use_poll=True
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    _certificate(folder)
    (folder / "nginx.conf").write_text(CONF.format(folder=folder, port=port, location=_shipped(own)), encoding="utf-8")
    with subprocess.Popen([nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")]) as proxy:
        _wait_for(port)
        yield Site(address, str(folder / "cert.pem"), key, f"http://127.0.0.1:{own}")
        proxy.terminate()
    server.close()
    thread.join(5)


def _shipped(port: int) -> str:
    """The shipped configuration with the port of this server."""
    snippet = (ROOT / "deploy" / "nginx" / "headers.conf").read_text(encoding="utf-8")
    location = (ROOT / "deploy" / "nginx" / "below-a-path.conf").read_text(encoding="utf-8")
    location = location.replace("include /etc/nginx/snippets/erfaringsbasen.conf;", snippet)
    assert "127.0.0.1:8000;" in location
    return location.replace("127.0.0.1:8000;", f"127.0.0.1:{port};")


def _certificate(folder: Path) -> None:
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*command.split(), *names], cwd=folder, check=True, capture_output=True)


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nginx is not answering")


def addresses(site: Site, page: str, text: str) -> Iterator[str]:
    """Every address of our own host that a page names."""
    tree = LexborHTMLParser(text)
    for attribute in ("href", "src", "action", "data-job"):
        for node in tree.css(f"[{attribute}]"):
            found = urldefrag(urljoin(page, node.attributes[attribute] or "")).url
            if urlsplit(found).netloc == urlsplit(site.address).netloc:
                yield found


def view(page: str) -> str:
    """The address without what names one of many: its query and the last part of a longer path."""
    parts = urlsplit(page).path.removeprefix(PATH).split("/")
    return "/".join(parts[:2]) + ("/*" * (len(parts) - 2) if parts[1] not in {"admin", "static"} else "/".join(parts))


def test_every_address_on_every_page_lies_below_the_path_and_answers(site: Site) -> None:
    session = site.signed_in()
    waiting = [site.address, urljoin(site.address, "sporg?q=trykmåleren"), urljoin(site.address, "admin")]
    waiting.append(urljoin(site.address, "api/v1/dokumentation"))
    seen, kinds, views = set[str](), set[str](), Counter[str]()
    while waiting:
        page = waiting.pop()
        if page in seen or page.endswith("/log-ud") or views[view(page)] >= OF_A_VIEW:
            continue
        seen.add(page)
        views[view(page)] += 1
        answer = session.get(page, timeout=20)
        # What is only posted to says so; it is there.
        assert answer.status_code in {200, 405}, f"{page}: {answer.status_code}"
        kinds.add(answer.headers["Content-Type"].partition(";")[0])
        if answer.headers["Content-Type"].startswith("text/html"):
            found = [one for one in addresses(site, page, answer.text) if len(urlsplit(one).query) < 120]
            assert [one for one in found if not urlsplit(one).path.startswith(f"{PATH}/")] == [], page
            waiting += found
    assert {"text/html", "text/css", "application/atom+xml", "text/csv"} <= kinds
    assert {urlsplit(one).path.removeprefix(PATH).split("/")[1] for one in seen} >= {
        "", "sporg", "dokumenter", "projekter", "temaer", "admin", "static", "api", "opensearch.xml", "hjaelp"
    }  # fmt: skip


def test_a_cookie_is_sent_to_nobody_else_on_the_host(site: Site) -> None:
    session = site.signed_in()
    cookie = next(iter(session.cookies))
    assert (cookie.name, cookie.path, cookie.secure) == ("__Secure-kb", PATH, True)
    assert session.get(f"{site.address}admin", timeout=20).url == f"{site.address}admin"
    out = session.post(f"{site.address}log-ud", timeout=20, allow_redirects=False)
    assert out.headers["Location"] == f"{PATH}/"
    assert not session.cookies


def test_a_page_that_needs_a_sign_in_is_come_back_to(site: Site) -> None:
    asked = site.get("admin/spoergsmaal", headers={"Accept": "text/html"}, allow_redirects=False)
    assert asked.headers["Location"] == f"{PATH}/log-ind?next={PATH}/admin/spoergsmaal"
    form = {"noegle": site.key, "next": f"{PATH}/admin/spoergsmaal"}
    back = site.session().post(f"{site.address}log-ind", data=form, timeout=20)
    assert back.url == f"{site.address}admin/spoergsmaal"


def test_exports_and_feed_name_full_addresses_below_the_path(site: Site) -> None:
    below = re.compile(rf"https?://localhost[^\s\"'<;]*{re.escape(urlsplit(site.address).path)}dokumenter/")
    for kind in ("csv", "atom"):
        text = site.get(f"sporg.{kind}", params={"q": QUESTION}).text
        assert below.search(text), kind
        assert re.findall(r"https://localhost:\d+/(?!erfaringer)", text) == []
    book = zipfile.ZipFile(io.BytesIO(site.get("sporg.xlsx", params={"q": QUESTION}).content))
    assert below.search(book.read("xl/sharedStrings.xml").decode())
    assert f'template="{site.address}sporg?q=' in site.get("opensearch.xml").text


def test_the_api_names_what_leads_on_below_the_path(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    found = site.get("api/v1/search", params={"q": QUESTION, "top": 1}).json()
    assert found["next"].startswith(f"{PATH}/api/v1/search?")
    assert site.get(found["hits"][0]["url"]).status_code == 200
    assert site.get("api/v1/openapi.json").json()["servers"] == [{"url": PATH}]
    problem = site.get("api/v1/documents/findes-ikke").json()
    assert problem["instance"] == f"{PATH}/api/v1/documents/findes-ikke"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.certificate)
    with Client(site.address) as client:
        assert len(list(client.documents())) == 5


def test_what_watches_the_server_on_its_own_machine_needs_no_path(site: Site) -> None:
    for path in ("/api/v1/health/ready", f"{PATH}/api/v1/health/ready"):
        assert requests.get(site.behind + path, timeout=20).status_code == 200
    assert site.get("metrics").status_code == 404


def test_a_reader_asks_and_opens_a_source_in_a_browser(browser: Browser, site: Site) -> None:
    context = browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    outside: list[str] = []
    failed: list[str] = []
    page.on("request", lambda one: outside.append(one.url) if not one.url.startswith(site.address[:-1]) else None)
    page.on("response", lambda one: failed.append(one.url) if one.status >= 400 else None)
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.goto(site.address)
    page.get_by_role("searchbox").first.fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(re.escape(f"{site.address}sporg?q=")))
    page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
    page.locator(f'main a[href^="{PATH}/dokumenter/"] >> visible=true').first.click()
    expect(page).to_have_url(re.compile(re.escape(f"{site.address}dokumenter/")))
    assert (outside, failed) == ([], [])
    context.close()


def test_the_search_field_of_another_page_asks_below_the_path(browser: Browser, site: Site) -> None:
    context = browser.new_context(ignore_https_errors=True)
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.goto(site.address)
    page.evaluate(
        "([source, server]) => new Promise((done) => {"
        " const script = document.createElement('script'); script.src = source; script.onload = done;"
        " const field = document.createElement('erfarings-soegning'); field.setAttribute('server', server);"
        " document.body.append(field, script); })",
        [f"{PATH}/static/erfarings-soegning.js", site.address],
    )
    field = page.locator("erfarings-soegning")
    field.locator("input").fill(QUESTION)
    with page.expect_response(lambda one: f"{PATH}/api/v1/answer?" in one.url) as answered:
        field.get_by_role("button").click()
    assert answered.value.status == 200
    expect(field.get_by_role("link", name="Se hele svaret")).to_have_attribute(
        "href", re.compile(re.escape(f"{site.address}sporg?"))
    )
    context.close()
