"""A folder of a WebDAV server as a source (RFC 4918): ``PROPFIND`` a folder at a time, then ``GET`` of each file.

A folder the server does not show is unseen: what lies in it is not taken to be gone. The server's answers are XML from
outside and are parsed without entities; an address in them counts only below the folder that was set up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from kb.core.errors import SourceError, SourceFileError
from kb.sources.configuration import WebDavSource
from kb.sources.http_client import Answer, Ask, HttpClient
from kb.sources.listing import Listing, RemoteFile

MULTI_STATUS = 207
MOST_FOLDERS = 20_000
# How a version begins that is the server's own mark of the content.
_ETAG = "etag "
_PROPERTIES = (
    b'<?xml version="1.0"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/>'
    b"<getetag/></prop></propfind>"
)
_HEADERS = {"Depth": "1", "Content-Type": "application/xml"}


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a folder holds: a file or a folder, by its path below the folder of the source."""

    path: str
    is_folder: bool
    size: int = 0
    modified: str = ""
    etag: str = ""

    @property
    def file(self) -> RemoteFile:
        version = f"{_ETAG}{self.etag}" if self.etag else f"{self.size}-{self.modified}"
        return RemoteFile(
            self.path, version, self.size, identity=f"{self.size}-{version}", modified=_time(self.modified)
        )


class WebDavConnector:
    """Looks through a folder of a WebDAV server and fetches from it."""

    def __init__(self, source: WebDavSource) -> None:
        self._source = source
        self._root = f"{source.url}/"
        auth = (source.user, source.password) if source.user else None
        self._client = HttpClient(source.url, auth=auth, proxy=source.proxy, ca_file=source.ca_file)

    def listing(self, cursor: str) -> Listing:
        """Every file below the folder."""
        del cursor  # the server is asked for everything each time
        files: list[RemoteFile] = []
        failures: dict[str, str] = {}
        folders, seen = deque([""]), {""}
        while folders:
            folder = folders.popleft()
            answer = self._shown(folder)
            if answer.status != MULTI_STATUS:
                self._refuse_root(folder, answer)
                failures[folder] = f"Mappen vises ikke (HTTP {answer.status})."
                continue
            for entry in self._entries(answer, folder):
                if entry.is_folder and entry.path not in seen:
                    seen.add(entry.path)
                    folders.append(entry.path)
                elif not entry.is_folder:
                    files.append(entry.file)
            if len(files) > self._source.max_files or len(seen) > MOST_FOLDERS:
                raise SourceError(f"Serveren viser flere end {self._source.max_files} filer (max_files).")
        return Listing(tuple(files), failures, tuple(failures))

    def fetch(self, file: RemoteFile, target: Path) -> None:
        """Fetch a file, which must be the version that was listed where the server says which it is."""
        answer = self._client.ask(Ask(self._address(file.path), most_bytes=self._source.max_bytes, target=target))
        if not answer.is_good:
            raise SourceFileError(f"Filen kan ikke hentes (HTTP {answer.status}).")
        now = _tag(answer.headers.get("etag", ""))
        if now and file.version.startswith(_ETAG) and file.version != f"{_ETAG}{now}":
            raise SourceFileError("Filen ændrede sig, mens den blev hentet. Den hentes næste gang.")

    def _shown(self, folder: str) -> Answer:
        address = self._address(f"{folder}/" if folder else "")
        return self._client.ask(Ask(address, "PROPFIND", headers=_HEADERS, data=_PROPERTIES))

    def _address(self, path: str) -> str:
        return self._root + quote(path)

    def _refuse_root(self, folder: str, answer: Answer) -> None:
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise SourceError("WebDAV-serveren tager ikke imod brugeren eller adgangskoden.")
        if not folder:
            raise SourceError(f"WebDAV-serveren viser ikke mappen (HTTP {answer.status}).")

    def _entries(self, answer: Answer, folder: str) -> Iterator[_Entry]:
        """What a folder holds, without itself and without what does not lie below it."""
        base = unquote(urlsplit(self._root).path)
        for response in _parsed(answer.body).iter("{DAV:}response"):
            address = urljoin(self._root, (response.findtext("{DAV:}href") or "").strip())
            path = unquote(urlsplit(address).path)
            if not self._client.may_reach(address) or not path.startswith(base):
                continue
            below = path.removeprefix(base).strip("/")
            if below == folder or below.rpartition("/")[0] != folder or {"..", "."} & set(below.split("/")):
                continue
            size = response.findtext(".//{DAV:}getcontentlength") or "0"
            yield _Entry(
                below,
                response.find(".//{DAV:}collection") is not None,
                int(size) if size.isascii() and size.isdigit() else 0,
                response.findtext(".//{DAV:}getlastmodified") or "",
                _tag(response.findtext(".//{DAV:}getetag") or ""),
            )


def _parsed(body: bytes) -> Any:
    try:
        return fromstring(body)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise SourceError("WebDAV-serverens svar kan ikke læses.") from error


def _tag(text: str) -> str:
    """An entity tag without quotation marks, which some servers leave out in a listing."""
    return text.strip().removeprefix("W/").strip('"')


def _time(text: str) -> float:
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        return 0.0
