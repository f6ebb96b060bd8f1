"""A document library of SharePoint as a source, by Microsoft Graph.

The app signs in as itself (client credentials) and needs ``Sites.Selected`` alone: an administrator gives it the right
to read the one site. What has changed is asked for by delta queries. As a renamed folder is told of without what lies
in it, the library's tree is kept as the cursor, by the ids Graph gives its items, and every listing is made of the
whole tree. Graph says when a cursor is too old; the tree is then asked for from the beginning.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from kb.core.errors import SourceError, SourceFileError
from kb.sources.configuration import SharePointSource
from kb.sources.http_client import MOST_BYTES, Answer, Ask, HttpClient
from kb.sources.listing import Listing, RemoteFile

# Seconds before its end that a token is renewed, and folders within folders that a path may have.
MARGIN, DEEPEST = 120, 100
SCOPE = "https://graph.microsoft.com/.default"
FIELDS = "id,name,parentReference,file,folder,root,deleted,cTag,eTag,size,lastModifiedDateTime,package,malware"
RESYNC = frozenset({HTTPStatus.GONE, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})
_RIGHTS = "Se efter, at appen har Sites.Selected og læseret til netop det websted; se Kilder i driftshåndbogen."


@dataclass(frozen=True, slots=True)
class Item:
    """A file or folder of the library, as the cursor keeps it."""

    parent: str
    name: str
    is_folder: bool = False
    is_root: bool = False
    version: str = ""
    size: int = 0
    modified: float = 0.0
    harmful: bool = False


@dataclass(slots=True)
class Tree:
    """A library by the ids of its items, and the address that tells what has changed since; empty from the start."""

    drive: str
    link: str = ""
    items: dict[str, Item] = field(default_factory=dict)

    def apply(self, told: Mapping[str, Any]) -> None:
        """Take in one item of a delta: new, changed, moved or deleted."""
        id_ = str(told["id"])
        if "deleted" in told:
            self.items.pop(id_, None)
            return
        self.items[id_] = Item(
            parent=str((told.get("parentReference") or {}).get("id", "")),
            name=str(told.get("name", "")),
            is_folder="file" not in told,
            is_root="root" in told,
            version=str(told.get("cTag") or told.get("eTag") or ""),
            size=int(told.get("size") or 0),
            modified=_time(str(told.get("lastModifiedDateTime", ""))),
            harmful="malware" in told,
        )

    def path_of(self, id_: str) -> str | None:
        """An item's path below the root; None where it hangs on nothing."""
        parts: list[str] = []
        while (item := self.items.get(id_)) is not None and len(parts) < DEEPEST:
            if item.is_root:
                return "/".join(reversed(parts))
            parts.append(item.name)
            id_ = item.parent
        return None

    def to_cursor(self) -> str:
        """The tree as text."""
        items = {id_: list(asdict(item).values()) for id_, item in self.items.items()}
        return json.dumps({"drive": self.drive, "link": self.link, "items": items}, ensure_ascii=False)

    @classmethod
    def of_cursor(cls, cursor: str, drive: str) -> Tree:
        """The tree of a cursor; an empty one where it is none of this library."""
        try:
            held = json.loads(cursor) if cursor else {}
            if held.get("drive") != drive:
                return cls(drive)
            return cls(drive, held["link"], {id_: Item(*values) for id_, values in held["items"].items()})
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls(drive)


class SharePointConnector:
    """Looks through a library and fetches from it."""

    def __init__(self, source: SharePointSource, wait: Callable[[float], None] = time.sleep) -> None:
        self._source = source
        # Files are fetched from the site itself, where Graph sends us on to.
        self._client = HttpClient(
            source.graph_url, source.login_url, source.site, proxy=source.proxy, ca_file=source.ca_file, wait=wait
        )
        self._token = ""
        self._until = 0.0

    def listing(self, cursor: str) -> Listing:
        """Every file of the library, or of its folder that was set up."""
        tree = Tree.of_cursor(cursor, self._drive())
        if not (tree.link and self._follow(tree)):
            tree = Tree(tree.drive)
            tree.link = self._url(f"drives/{quote(tree.drive)}/root/delta?$select={FIELDS}&$top=500")
            if not self._follow(tree):
                raise SourceError("Microsoft Graph viser ikke bibliotekets indhold.", advice=_RIGHTS)
        return self._listed(tree)

    def _follow(self, tree: Tree) -> bool:
        """Take in all that has changed since the tree's link; False where Graph wants to begin anew."""
        link = tree.link
        while link:
            answer = self._ask(link)
            if answer.status in RESYNC:
                return False
            told = _told(answer)
            for item in told.get("value", ()):
                tree.apply(item)
            if len(tree.items) > 2 * self._source.max_files:
                raise SourceError(f"Biblioteket rummer flere end {self._source.max_files} filer (max_files).")
            tree.link = str(told.get("@odata.deltaLink", tree.link))
            link = str(told.get("@odata.nextLink", ""))
        return True

    def _listed(self, tree: Tree) -> Listing:
        start = "".join(f"{part}/" for part in self._source.folder.strip("/").split("/") if part)
        files, failures = [], {}
        for id_, item in tree.items.items():
            path = None if item.is_folder else tree.path_of(id_)
            if path is None or not path.startswith(start):
                continue
            path = path.removeprefix(start)
            if item.harmful:
                failures[path] = "SharePoint har mærket filen som skadelig, og den hentes ikke."
                continue
            files.append(
                RemoteFile(path, item.version, item.size, id_, certain=True, modified=item.modified, address=id_)
            )
        if len(files) > self._source.max_files:
            raise SourceError(f"Biblioteket rummer flere end {self._source.max_files} filer (max_files).")
        return Listing(tuple(files), failures, cursor=tree.to_cursor())

    def fetch(self, file: RemoteFile, target: Path) -> None:
        """Fetch a file as it is now."""
        if file.size > self._source.max_bytes:
            raise SourceFileError(f"Filen er større end {self._source.max_file_mb} MiB og hentes ikke.")
        url = self._url(f"drives/{quote(self._drive())}/items/{quote(file.address)}/content")
        answer = self._ask(url, target=target)
        if not answer.is_good:
            raise SourceFileError(f"Filen kan ikke hentes (HTTP {answer.status}).")

    def _drive(self) -> str:
        """The id of the library; looked up once."""
        if not self._drive_id:
            parts = urlsplit(self._source.site)
            path = f":{quote(parts.path)}" if parts.path else ""
            site = _told(self._ask(self._url(f"sites/{parts.netloc}{path}")))
            site_id = quote(str(site.get("id", "")), safe=",")
            self._drive_id = self._chosen(site_id)
        return self._drive_id

    _drive_id = ""

    def _chosen(self, site_id: str) -> str:
        if not self._source.library:
            return str(_told(self._ask(self._url(f"sites/{site_id}/drive")))["id"])
        drives = _told(self._ask(self._url(f"sites/{site_id}/drives?$select=id,name"))).get("value", [])
        found = next((str(one["id"]) for one in drives if one.get("name") == self._source.library), "")
        if not found:
            names = ", ".join(str(one.get("name")) for one in drives) or "ingen"
            raise SourceError(f"Webstedet har intet bibliotek, der hedder {self._source.library} (det har: {names}).")
        return found

    def _url(self, path: str) -> str:
        return f"{self._source.graph_url}/{path}"

    def _ask(self, url: str, target: Path | None = None) -> Answer:
        """Ask Graph as the app; once more with a new token where it says that the token is spent."""
        for _ in range(2):
            headers = {"Authorization": f"Bearer {self._valid_token()}"}
            most = self._source.max_bytes if target else MOST_BYTES
            answer = self._client.ask(Ask(url, headers=headers, most_bytes=most, target=target))
            if answer.status != HTTPStatus.UNAUTHORIZED:
                break
            self._token = ""
        return answer

    def _valid_token(self) -> str:
        if not self._token or time.monotonic() > self._until:
            url = f"{self._source.login_url}/{self._source.tenant}/oauth2/v2.0/token"
            form = {
                "grant_type": "client_credentials",
                "client_id": self._source.client_id,
                "client_secret": self._source.client_secret,
                "scope": SCOPE,
            }
            answer = self._client.ask(Ask(url, "POST", data=form))
            if not answer.is_good:
                advice = "Se efter tenant, client_id og hemmeligheden; den kan være udløbet."
                raise SourceError(f"Entra ID tager ikke imod appen (HTTP {answer.status}).", advice=advice)
            told = _told(answer)
            self._token = str(told.get("access_token", ""))
            self._until = time.monotonic() + float(told.get("expires_in", 0)) - MARGIN
        return self._token


def _told(answer: Answer) -> dict[str, Any]:
    """An answer of Graph; raises :class:`SourceError` for a refusal, or for what is no JSON object."""
    if not answer.is_good:
        advice = _RIGHTS if answer.status in {401, 403, 404} else ""
        raise SourceError(f"Microsoft Graph svarede HTTP {answer.status}.", advice=advice)
    try:
        told = json.loads(answer.body)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise SourceError("Svaret fra Microsoft Graph kan ikke læses.")
    return told


def _time(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
