"""HTTP to the hosts that an administrator named for a source, and to no other.

An address that a source sends (a redirect, a link, the next page) is followed only to an origin that was named, so that
no answer can lead the server to something else on the inside. Private addresses are reached where they were named.
Sizes and times are limited, a server that asks for patience gets it, and what is told of a failure is the host and
never the address, which may hold a token.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from kb.core.errors import SettingsError, SourceError, SourceFileError
from kb.core.version import VERSION

AGENT = f"Erfaringsbasen/{VERSION}"
CONNECT_SECONDS, READ_SECONDS = 10, 60
# Seconds that one answer may take in all, and a server may ask us to wait.
LONGEST_SECONDS, LONGEST_WAIT = 900, 300
MOST_REDIRECTS, MOST_TRIES = 5, 6
MOST_BYTES = 32 << 20
CHUNK = 1 << 16
BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; the body is empty where it was written to a file."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def is_good(self) -> bool:
        """Whether it is what was asked for."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


@dataclass(frozen=True, slots=True)
class Ask:
    """A request. ``headers`` go to the origin that is asked and not along with a redirect to another."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] | None = None
    data: Any = None
    most_bytes: int = MOST_BYTES
    target: Path | None = None


def origin_of(url: str) -> str:
    """Scheme, host and port of an address; empty for one that is no address of the web."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in PORTS or not parts.hostname:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port or PORTS[parts.scheme]}"


class HttpClient:
    """A client for the origins of ``named`` addresses alone."""

    def __init__(
        self,
        *named: str,
        auth: tuple[str, str] | None = None,
        proxy: str = "",
        ca_file: Path | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._origins = frozenset(origin_of(url) for url in named)
        self._home = origin_of(named[0])
        self._auth = auth
        self._wait = wait
        self._session = requests.Session()
        # Neither netrc files, which hold passwords, nor the proxies of the environment: what is used is what was set.
        self._session.trust_env = False
        self._session.headers["User-Agent"] = AGENT
        self._session.proxies = {"http": proxy, "https": proxy} if proxy else {}
        if ca_file is not None:
            if not ca_file.is_file():
                raise SettingsError(f"Certifikatfilen {ca_file} findes ikke.", advice="Ret ca_file i kildefilen.")
            self._session.verify = str(ca_file)

    def may_reach(self, url: str) -> bool:
        """Whether an address is of an origin that was named."""
        return origin_of(url) in self._origins

    def ask(self, ask: Ask) -> Answer:
        """Ask, following redirects and waiting as asked; raises :class:`SourceError`, and :class:`SourceFileError`
        for an answer that is too large.
        """
        for attempt in range(1, MOST_TRIES + 1):
            answer = self._follow(ask)
            if answer.status not in BUSY or attempt == MOST_TRIES:
                return answer
            self._wait(_patience(answer.headers, attempt))
        raise AssertionError  # the last attempt returns

    def _follow(self, ask: Ask) -> Answer:
        url = ask.url
        for _ in range(MOST_REDIRECTS + 1):
            if not self.may_reach(url):
                raise SourceFileError(f"Kilden henviser til {_host(url)}, som ikke er sat op, og det følges ikke.")
            answer = self._once(ask, url)
            if answer.status not in {301, 302, 303, 307, 308} or "location" not in answer.headers:
                return answer
            url = urljoin(url, answer.headers["location"])
        raise SourceError(f"{_host(ask.url)} viser videre igen og igen.")

    def _once(self, ask: Ask, url: str) -> Answer:
        same = origin_of(url) == origin_of(ask.url)
        auth = self._auth if origin_of(url) == self._home else None
        try:
            with self._session.request(
                ask.method,
                url,
                headers=dict(ask.headers or {}) if same else {},
                data=ask.data if same else None,
                auth=auth,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                good = HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES
                body = _read(response, ask) if good else b""
                return Answer(response.status_code, headers, body)
        except (requests.RequestException, UnicodeError) as error:
            # Not the library's own words, nor as the cause: they hold the address.
            raise SourceError(f"{_host(url)} {_trouble(error)}.") from None


def _read(response: requests.Response, ask: Ask) -> bytes:
    until = time.monotonic() + LONGEST_SECONDS
    parts: list[bytes] = []
    size = 0
    file = ask.target.open("wb") if ask.target else None
    try:
        for part in response.iter_content(CHUNK):
            size += len(part)
            if size > ask.most_bytes:
                raise SourceFileError(f"Filen er større end {ask.most_bytes >> 20} MiB og hentes ikke.")
            if time.monotonic() > until:
                raise SourceFileError("Filen tog for lang tid at hente.")
            if file:
                file.write(part)
            else:
                parts.append(part)
    finally:
        if file:
            file.close()
    return b"".join(parts)


def _patience(headers: Mapping[str, str], attempt: int) -> float:
    """Seconds to wait, as the server asks (a number; a date is not used by those we ask), else longer each time."""
    asked = headers.get("retry-after", "")
    return float(min(int(asked) if asked.isascii() and asked.isdigit() else 2**attempt, LONGEST_WAIT))


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or "en ugyldig adresse"
    except ValueError:
        return "en ugyldig adresse"


def _trouble(error: Exception) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "har et certifikat, der ikke stoles på"
    if isinstance(error, requests.exceptions.ProxyError):
        return "kan ikke nås gennem proxyen"
    if isinstance(error, requests.Timeout):
        return "svarede ikke i tide"
    return "kan ikke nås"
