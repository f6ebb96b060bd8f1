"""The search field on another site's page, in a real browser: it asks where it is named only, and as its reader."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from kb import indexing
from kb.core.identity import AccessRole
from kb.core.settings import Settings
from kb.http.server import make_app
from kb.state.feedback import FeedbackStore
from kb.state.keys import KeyStore
from kb.state.sessions import Session, SessionStore
from tests.browser.conftest import OWN_REPORT
from tests.serving import serving
from tests.support import HashEmbedder, make_settings, write_corpus
from tests.timing import PATIENCE

pytestmark = pytest.mark.browser
QUESTION = "Hvad skete der med trykmåleren i Vandby i januar?"


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, without a log."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def intranet(folder: Path, host: str, *, named: bool, **access: object) -> Iterator[tuple[str, str, Settings]]:
    """Another site whose page holds the component; gives the site, the server's address and its settings."""
    site = folder / "site"
    site.mkdir()
    held = ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: Quiet(*args, directory=str(site)))
    threading.Thread(target=held.serve_forever, daemon=True).start()
    origin = f"http://{host}:{held.server_port}"
    settings = make_settings(
        folder, access="closed", cors_origins=origin if named else "https://andre.example", **access
    )
    KeyStore(settings.state_dir).create("drift", AccessRole.ADMIN)  # a closed server has a way in
    write_corpus(settings.corpus, {"vand.md": OWN_REPORT})
    indexing.run(settings, HashEmbedder())
    with serving(make_app(settings, HashEmbedder())) as address:
        (site / "index.html").write_text(
            f'<!doctype html><html lang="da"><meta charset="utf-8"><title>Intranet</title>'
            f'<script src="{address}/static/erfarings-soegning.js" defer></script>'
            f'<erfarings-soegning server="{address}"></erfarings-soegning></html>',
            encoding="utf-8",
        )
        yield origin, address, settings
    held.shutdown()
    held.server_close()


def ask(page: Page) -> Locator:
    """Ask in the component; where it answers."""
    page.get_by_label("Spørg Erfaringsbasen").fill(QUESTION)
    page.get_by_role("button", name="Spørg").click()
    status = page.get_by_role("status")
    expect(status).not_to_contain_text("Søger", timeout=PATIENCE * 1000)
    return status


@pytest.mark.parametrize("named", [True, False], ids=["named", "not named"])
def test_it_answers_where_it_is_named(browser: Browser, tmp_path: Path, named: bool) -> None:
    page = browser.new_page()
    with intranet(tmp_path, "localhost", named=named, anonymous_reading=True) as (origin, *_):
        page.goto(f"{origin}/index.html")
        status = ask(page)
        if not named:
            expect(status).to_contain_text("kan ikke nås")
        else:
            expect(status.get_by_role("link", name="Se hele svaret")).to_be_visible()
            page.get_by_label("Spørg Erfaringsbasen").fill("<img src=x onerror=alert(1)> vandløb")
            page.get_by_label("Spørg Erfaringsbasen").press("Enter")
            expect(status).not_to_contain_text("Søger", timeout=PATIENCE * 1000)
            expect(status.get_by_role("link", name="Se hele svaret")).to_be_visible()
            assert page.locator("img").count() == 0
        page.close()


def test_it_asks_as_whoever_is_signed_in_and_says_how_sure_the_answer_is(browser: Browser, tmp_path: Path) -> None:
    # The same host on two ports is one site, as the intranet and the server are below one domain.
    with intranet(tmp_path, "127.0.0.1", named=True) as (origin, address, settings), browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{origin}/index.html")
        status = ask(page)
        expect(status).to_contain_text("Du er ikke logget ind")
        expect(status.get_by_role("link", name="Log ind")).to_have_attribute("href", re.compile(f"^{address}/sporg"))
        token = SessionStore(settings.state_dir).begin(Session("anna", AccessRole.READER, "anna"), hours=1)
        context.add_cookies([{"name": "kb_session", "value": token, "url": address, "sameSite": "Lax"}])
        ask(page)
        expect(status).to_contain_text(re.compile(r"Svarets sikkerhed: (sikkert|sandsynligt|usikkert)\."))
        expect(status).to_contain_text("1 af 1 projekt taler om dette.")
        status.get_by_role("button", name="Nej").click()
        expect(status).to_contain_text("Tak for din tilbagemelding", timeout=PATIENCE * 1000)
        (kept,) = FeedbackStore(settings.state_dir).all()
        assert (kept.question, kept.useful, bool(kept.citations)) == (QUESTION, False, True)
