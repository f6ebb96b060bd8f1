"""The search field on another site's page, in a real browser: it asks across origins where it is named only."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from kb import indexing
from kb.http.server import make_app
from tests.browser.conftest import OWN_REPORT
from tests.serving import serving
from tests.support import HashEmbedder, make_settings, write_corpus

pytestmark = pytest.mark.browser
QUESTION = "Hvad skete der med trykmåleren i Vandby i januar?"


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, without a log."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(params=[True, False], ids=["named", "not named"])
def intranet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, bool]]:
    """Another site whose page holds the component, and whether the server names the site."""
    named: bool = request.param
    site = tmp_path / "site"
    site.mkdir()
    held = ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: Quiet(*args, directory=str(site)))
    threading.Thread(target=held.serve_forever, daemon=True).start()
    origin = f"http://localhost:{held.server_port}"
    settings = make_settings(
        tmp_path, access="closed", anonymous_reading=True, cors_origins=origin if named else "https://andre.example"
    )
    write_corpus(settings.corpus, {"vand.md": OWN_REPORT})
    indexing.run(settings, HashEmbedder())
    app = make_app(settings, HashEmbedder())
    with serving(app) as address:
        (site / "index.html").write_text(
            f'<!doctype html><html lang="da"><meta charset="utf-8"><title>Intranet</title>'
            f'<script src="{address}/static/erfarings-soegning.js" defer></script>'
            f'<erfarings-soegning server="{address}"></erfarings-soegning></html>',
            encoding="utf-8",
        )
        yield origin, named
    held.shutdown()
    held.server_close()


def test_it_answers_where_it_is_named(browser: Browser, intranet: tuple[str, bool]) -> None:
    origin, named = intranet
    page = browser.new_page()
    page.goto(f"{origin}/index.html")
    page.get_by_label("Spørg Erfaringsbasen").fill(QUESTION)
    page.get_by_role("button", name="Spørg").click()
    status = page.get_by_role("status")
    if not named:
        expect(status).to_contain_text("kan ikke nås")
    else:
        expect(status.get_by_role("link", name="Se hele svaret")).to_be_visible()
        page.get_by_label("Spørg Erfaringsbasen").fill("<img src=x onerror=alert(1)> vandløb")
        page.get_by_label("Spørg Erfaringsbasen").press("Enter")
        expect(status.get_by_role("link", name="Se hele svaret")).to_be_visible()
        assert page.locator("img").count() == 0
    page.close()
