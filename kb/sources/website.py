"""Web pages as a source: those that a site lists in its sitemap (sitemaps.org), as far as its robots.txt allows.

Only the site's own host is asked, one page at a time with a pause between. A page's version is the sitemap's
``lastmod``; where it gives none, the page is fetched to see whether it is another. Sitemaps are XML from outside and
are parsed without entities.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import time
import zlib
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from kb.core.errors import SourceError, SourceFileError
from kb.sources.configuration import WebsiteSource
from kb.sources.http_client import AGENT, MOST_BYTES, Answer, Ask, HttpClient, origin_of
from kb.sources.listing import Listing, RemoteFile

if TYPE_CHECKING:
    from protego import Protego

MOST_SITEMAPS = 50
ROBOTS_BYTES = 512 << 10
# Characters of a page's address, as sitemaps.org has it.
LONGEST_ADDRESS = 2048
LONGEST_PAUSE = 30.0
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


class WebsiteConnector:
    """Looks through a site's sitemaps and fetches its pages."""

    def __init__(self, source: WebsiteSource, wait: Callable[[float], None] = time.sleep) -> None:
        self._source = source
        self._wait = wait
        self._client = HttpClient(source.url, proxy=source.proxy, ca_file=source.ca_file, wait=wait)
        self._robots: Protego | None = None

    def listing(self, cursor: str) -> Listing:
        """Every page that the sitemaps list, robots.txt allows, and the source is set up for."""
        del cursor  # the sitemap tells everything each time
        pages: dict[str, str] = {}
        for url, lastmod in self._pages():
            if self._is_wanted(url):
                pages[url] = lastmod
            if len(pages) > self._source.max_files:
                raise SourceError(f"Sitemappet har flere end {self._source.max_files} sider (max_files).")
        files: list[RemoteFile] = []
        failures: dict[str, str] = {}
        unseen: list[str] = []
        for path, url in _paths(pages, self._source.extensions).items():
            version = pages[url]
            if not version:
                version, wrong = self._looked_at(url)
                if wrong:
                    failures[path] = wrong
                if not version:
                    # A page that is gone goes; of one that could not be had, nothing is known.
                    unseen += [path] if wrong else []
                    continue
            files.append(RemoteFile(path, version, address=url))
        return Listing(tuple(files), failures, tuple(unseen))

    def fetch(self, file: RemoteFile, target: Path) -> None:
        """Fetch a page."""
        answer = self._get(file.address, target)
        if not answer.is_good:
            raise SourceFileError(f"Siden kan ikke hentes (HTTP {answer.status}).")

    def _pages(self) -> Iterator[tuple[str, str]]:
        """Each page of the sitemaps with its ``lastmod``; a sitemap may list others."""
        waiting = [self._source.sitemap] if self._source.sitemap else self._sitemaps_of_robots()
        read: set[str] = set()
        while waiting:
            url = waiting.pop(0)
            if url in read or not self._client.may_reach(url):
                continue
            read.add(url)
            if len(read) > MOST_SITEMAPS:
                raise SourceError(f"Webstedet har flere end {MOST_SITEMAPS} sitemaps.")
            for kind, found, lastmod in _entries(self._sitemap(url)):
                if kind == "sitemap":
                    waiting.append(found)
                else:
                    yield found, lastmod

    def _sitemaps_of_robots(self) -> list[str]:
        return [*self._rules().sitemaps] or [f"{self._source.url}/sitemap.xml"]

    def _sitemap(self, url: str) -> Any:
        answer = self._get(url)
        if not answer.is_good:
            raise SourceError(f"Sitemappet kan ikke hentes (HTTP {answer.status}).")
        try:
            return fromstring(_unpacked(answer.body))
        except (ParseError, DefusedXmlException, ValueError, EOFError, OSError, zlib.error) as error:
            raise SourceError("Sitemappet kan ikke læses som XML.") from error

    def _is_wanted(self, url: str) -> bool:
        if len(url) > LONGEST_ADDRESS or not self._client.may_reach(url):
            return False
        path = urlsplit(url).path or "/"
        inside = not self._source.under or any(path.startswith(start) for start in self._source.under)
        return inside and bool(self._rules().can_fetch(url, AGENT))

    def _looked_at(self, url: str) -> tuple[str, str]:
        """A page's version by its content, or empty with why; both empty for one that is gone."""
        try:
            answer = self._get(url)
        except SourceFileError as error:
            return "", str(error)
        if answer.status in _GONE:
            return "", ""
        if not answer.is_good:
            return "", f"Siden kan ikke hentes (HTTP {answer.status})."
        return f"sha256-{hashlib.sha256(answer.body).hexdigest()}", ""

    def _get(self, url: str, target: Path | None = None) -> Answer:
        if not self._rules().can_fetch(url, AGENT):
            raise SourceFileError("Webstedets robots.txt tillader ikke, at siden hentes.")
        asked = self._rules().crawl_delay(AGENT) or 0.0
        self._wait(max(self._source.pause_seconds, min(float(asked), LONGEST_PAUSE)))
        return self._client.ask(Ask(url, most_bytes=min(self._source.max_bytes, MOST_BYTES), target=target))

    def _rules(self) -> Protego:
        """The site's robots.txt (RFC 9309): none is none, and one that cannot be had forbids everything."""
        if self._robots is None:
            from protego import Protego

            root = origin_of(self._source.url)
            answer = self._client.ask(Ask(f"{root}/robots.txt", most_bytes=ROBOTS_BYTES))
            if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise SourceError(f"Webstedets robots.txt kan ikke hentes (HTTP {answer.status}).")
            self._robots = Protego.parse(answer.body.decode("utf-8", "replace"))
        return self._robots


def _entries(root: Any) -> Iterator[tuple[str, str, str]]:
    """What a sitemap lists: ``url`` or ``sitemap``, the address, and when it was last changed."""
    for element in root:
        kind = str(element.tag).rpartition("}")[2]
        values = {str(one.tag).rpartition("}")[2]: (one.text or "").strip() for one in element}
        if kind in {"url", "sitemap"} and values.get("loc"):
            yield kind, values["loc"], values.get("lastmod", "")


def _unpacked(body: bytes) -> bytes:
    """A sitemap, which may be packed; raises ``ValueError`` for one that unpacks to too much."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
        plain = packed.read(MOST_BYTES + 1)
    if len(plain) > MOST_BYTES:
        raise ValueError
    return plain


def _paths(urls: dict[str, str], extensions: tuple[str, ...]) -> dict[str, str]:
    """Each page's address by the path of a file for it; one of a query, or of a path that is taken, gets a digest."""
    paths: dict[str, str] = {}
    for url in sorted(urls):
        parts = urlsplit(url)
        path = unquote(parts.path).strip("/") or "index"
        if PurePosixPath(path).suffix[1:].lower() not in extensions:
            path += ".html"
        if parts.query or path in paths:
            whole = PurePosixPath(path)
            path = str(whole.with_stem(f"{whole.stem}-{hashlib.sha256(url.encode()).hexdigest()[:12]}"))
        paths[path] = url
    return paths
