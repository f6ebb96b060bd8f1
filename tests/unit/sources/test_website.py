"""Web pages as a source: what the sitemap lists and robots.txt allows, and nothing elsewhere."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, Response

from kb.core.errors import SourceError
from kb.sources.configuration import WebsiteSource
from kb.sources.website import WebsiteConnector
from tests.serving import serving

pytest.importorskip("protego", reason="protego mangler: WEBSIDER ER IKKE PRØVET")
HEAD = '<?xml version="1.0"?>'
NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def urlset(*pages: tuple[str, str]) -> bytes:
    told = "".join(f"<url><loc>{url}</loc>{f'<lastmod>{at}</lastmod>' if at else ''}</url>" for url, at in pages)
    return f"{HEAD}<urlset {NAMESPACE}>{told}</urlset>".encode()


@pytest.fixture
def pages() -> dict[str, bytes]:
    """What the site answers, by path."""
    return {}


@pytest.fixture
def site(pages: dict[str, bytes]) -> Iterator[str]:
    app = Flask("websted")

    @app.get("/")
    @app.get("/<path:path>")
    def page(path: str = "") -> Response:
        return Response(pages[path]) if path in pages else Response("", 404)

    with serving(app, closing=0.1) as url:
        pages["robots.txt"] = f"User-agent: *\nDisallow: /*?\nDisallow: /intern\nSitemap: {url}/index.xml".encode()
        index = f"{HEAD}<sitemapindex {NAMESPACE}><sitemap><loc>{url}/sider.xml.gz</loc></sitemap></sitemapindex>"
        pages["index.xml"] = index.encode()
        yield url


def connect(site: str, waited: list[float] | None = None, **more: object) -> WebsiteConnector:
    source = WebsiteSource.model_validate({"name": "web", "kind": "website", "url": site, **more})
    return WebsiteConnector(source, wait=([] if waited is None else waited).append)


def test_what_the_sitemap_lists_is_listed_as_far_as_the_site_allows(
    site: str, pages: dict[str, bytes], tmp_path: Path
) -> None:
    pages["om"], pages["sider.xml.gz"] = b"<p>om", gzip.compress(
        urlset(
            (f"{site}/", "2026-01-01"), (f"{site}/rapport.pdf", "2026-01-02"), (f"{site}/om", ""),
            (f"{site}/gone", ""), (f"{site}/intern/x", "2026"), (f"{site}/s?q=1", "2026"),
            ("http://169.254.169.254/meta", "2026"), (f"{site}/{'x' * 2048}", "2026"), ("file:///etc/passwd", "2026"),
        )
    )  # fmt: skip
    waited: list[float] = []
    connector = connect(site, waited)
    files = {file.path: file for file in connector.listing("").files}
    assert sorted(files) == ["index.html", "om.html", "rapport.pdf"]
    assert files["rapport.pdf"].version == "2026-01-02"
    assert set(waited) == {1.0}
    connector.fetch(files["om.html"], tmp_path / "om")
    assert (tmp_path / "om").read_bytes() == b"<p>om"
    pages["om"] = b"<p>andet"
    after = {file.path: file for file in connector.listing("").files}
    assert after["om.html"].version != files["om.html"].version
    assert [file.path for file in connect(site, under=["/om"]).listing("").files] == ["om.html"]
    with pytest.raises(SourceError, match="max_files"):
        connect(site, max_files=2).listing("")


@pytest.mark.parametrize(
    "sitemap", [b"<urlset>", b'<!DOCTYPE u [<!ENTITY x "y">]><urlset><url><loc>&x;</loc></url></urlset>', b"\x1f\x8bx"]
)
def test_a_sitemap_that_cannot_be_read_empties_nothing(site: str, pages: dict[str, bytes], sitemap: bytes) -> None:
    pages["sider.xml.gz"] = sitemap
    with pytest.raises(SourceError, match="XML"):
        connect(site).listing("")


def test_a_sitemap_that_is_not_there_is_told(site: str) -> None:
    with pytest.raises(SourceError, match="404"):
        connect(site).listing("")
