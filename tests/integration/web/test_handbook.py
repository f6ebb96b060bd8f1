"""The handbook at ``/hjaelp/drift``: every page, its links and its tables, for admins alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from selectolax.lexbor import LexborHTMLParser

from kb.core.identity import AccessRole
from kb.http.server import make_app
from kb.http.web import handbook
from kb.state.keys import KeyStore
from tests.support import HashEmbedder, make_settings

SOURCE = Path(__file__).parents[3] / "docs" / "drift"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return make_app(make_settings(tmp_path_factory.mktemp("haandbog")), HashEmbedder())


def test_every_page_is_served_and_its_links_lead_on(app: Flask) -> None:
    client = app.test_client()
    assert set(handbook.pages()) == {path.stem for path in SOURCE.glob("*.md")}
    for name, page in handbook.pages().items():
        address = "/hjaelp/drift" if name == handbook.START else f"/hjaelp/drift/{name}"
        tree = LexborHTMLParser(client.get(address).text)
        assert [node.text() for node in tree.css("h1")] == [page.title]
        for link in tree.css(".haandbog a"):
            target = link.attributes["href"] or ""
            assert target.startswith("/hjaelp/drift/"), (name, target)
            assert client.get(target).status_code == 200, (name, target)
    assert client.get("/hjaelp/drift/findes-ikke").status_code == 404
    assert client.get("/hjaelp/drift/..%2fREADME").status_code == 404


def test_a_table_can_be_scrolled_and_a_command_is_text(app: Flask) -> None:
    with app.test_request_context():
        html = handbook.to_html("# A\n\n| a | b |\n|---|---|\n| <b>x</b> | [Krav](krav.md) |\n\n```sh\nkb <x>\n```\n")
    tree = LexborHTMLParser(html)
    (cell, linked) = tree.css("div.table--responsive-scroll[tabindex='0'] > table.table td")
    assert cell.text() == "<b>x</b>"
    assert [link.attributes["href"] for link in linked.css("a")] == ["/hjaelp/drift/krav"]
    assert [code.text() for code in tree.css("pre code")] == ["kb <x>\n"]


def test_it_is_for_admins_alone(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, access="closed")
    KeyStore(settings.state_dir).create("vej-ind", AccessRole.READER)
    client = make_app(settings, HashEmbedder()).test_client()
    for role, status in ((AccessRole.EDITOR, 403), (AccessRole.ADMIN, 200)):
        _, secret = KeyStore(settings.state_dir).create(f"n-{role}", role)
        headers = {"Authorization": f"Bearer {secret}"}
        assert client.get("/hjaelp/drift", headers=headers).status_code == status
        assert ("Driftshåndbogen" in client.get("/hjaelp", headers=headers).text) is (status == 200)
    assert client.get("/hjaelp/drift/krav").status_code == 401
