"""The sources file: what an administrator has set up to be fetched from, in TOML. Without it nothing is.

    [hr]
    kind = "folder"
    path = "/mnt/hr/erfaringer"

Each table is a source, by a name that becomes its folder below the corpus. A secret stands in a file or a variable of
its own, never here, and is read when it is used. Every host that a source may reach is named here; nothing that a
source sends leads anywhere else (:mod:`kb.sources.http_client`).
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from kb.core.errors import NotFoundError, SettingsError
from kb.core.identity import is_loopback
from kb.core.settings import Settings
from kb.extract.corpus_files import is_document_name

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
# The endings of what there are readers for; what a file is says its content, when it is read.
EXTENSIONS = (
    "pdf", "docx", "doc", "odt", "rtf", "pptx", "ppt", "odp", "xlsx", "xlsm", "xls", "ods", "csv", "eml", "msg", "zip",
    "html", "htm", "md", "txt", "vtt",
)  # fmt: skip
_ADVICE = "Ret kildefilen (KB_SOURCES_FILE); se Kilder i driftshåndbogen."


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("skal være en adresse med http eller https")
    if parts.username or parts.password:
        raise ValueError("må ikke rumme bruger eller adgangskode")
    if parts.query or parts.fragment:
        raise ValueError("må ikke have noget efter ? eller #")
    return value.rstrip("/")


Address = Annotated[str, AfterValidator(_web_address)]


class _Common(BaseModel):
    """What every kind of source has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    every_minutes: Annotated[int, Field(ge=0, le=10_080)] = 60
    max_loss: Annotated[float, Field(ge=0, le=1)] = 0.25
    max_file_mb: Annotated[int, Field(ge=1, le=1000)] = 200
    max_files: Annotated[int, Field(ge=1, le=200_000)] = 20_000
    settle_seconds: Annotated[float, Field(ge=0, le=3600)] = 0.0
    extensions: tuple[str, ...] = EXTENSIONS

    def takes(self, path: str) -> bool:
        """Whether a file of this name is taken in: of a kind that is read, and not hidden anywhere on its way."""
        *folders, name = path.split("/")
        hidden = any(folder.startswith(".") for folder in folders)
        return not hidden and is_document_name(name) and PurePosixPath(name).suffix[1:].lower() in self.extensions

    @property
    def max_bytes(self) -> int:
        """The most bytes of one file."""
        return self.max_file_mb << 20


class FolderSource(_Common):
    """A folder of this machine, as a network drive is mounted."""

    kind: Literal["folder"]
    path: Path
    settle_seconds: Annotated[float, Field(ge=0, le=3600)] = 60.0


class _Remote(_Common):
    """What is reached by HTTP: by which proxy, and by which certificates it is known."""

    proxy: str = ""
    ca_file: Path | None = None


class WebDavSource(_Remote):
    """A folder of a WebDAV server."""

    kind: Literal["webdav"]
    url: Address
    user: str = ""
    password_file: Path | None = None
    password_env: str = ""

    @model_validator(mode="after")
    def _encrypted(self) -> WebDavSource:
        if self.user:
            _must_be_encrypted(self.url)
        return self

    @property
    def password(self) -> str:
        """The user's password, read now."""
        return _secret(self.name, "password", self.password_file, self.password_env)


class SharePointSource(_Remote):
    """A document library of a SharePoint site, by Microsoft Graph with the app's own right to that site alone."""

    kind: Literal["sharepoint"]
    tenant: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,100}$")]
    client_id: str
    client_secret_file: Path | None = None
    client_secret_env: str = ""
    site: Address
    library: str = ""
    folder: str = ""
    login_url: Address = "https://login.microsoftonline.com"
    graph_url: Address = "https://graph.microsoft.com/v1.0"

    @model_validator(mode="after")
    def _encrypted(self) -> SharePointSource:
        for address in (self.site, self.login_url, self.graph_url):
            _must_be_encrypted(address)
        return self

    @property
    def client_secret(self) -> str:
        """The app's secret, read now."""
        return _secret(self.name, "client_secret", self.client_secret_file, self.client_secret_env)


class WebsiteSource(_Remote):
    """The pages that a site lists in its sitemap."""

    kind: Literal["website"]
    url: Address
    sitemap: Address | None = None
    under: tuple[str, ...] = ()
    max_files: Annotated[int, Field(ge=1, le=200_000)] = 500
    max_file_mb: Annotated[int, Field(ge=1, le=1000)] = 20
    pause_seconds: Annotated[float, Field(ge=0, le=60)] = 1.0


Source = FolderSource | WebDavSource | SharePointSource | WebsiteSource
_ADAPTER: TypeAdapter[Source] = TypeAdapter(Annotated[Source, Field(discriminator="kind")])


def load_sources(settings: Settings) -> dict[str, Source]:
    """Every source that is set up, by name; none without a sources file.

    Raises :class:`SettingsError` for a file that cannot be read or says something wrong; no secret is read.
    """
    path = settings.sources_file
    if path is None:
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"Kildefilen {path} kan ikke åbnes: {error.strerror}.", advice=_ADVICE) from error
    except ValueError as error:
        raise SettingsError(f"Kildefilen {path} er ikke skrevet som TOML i UTF-8.", advice=_ADVICE) from error
    return {name: _source(name, table) for name, table in tables.items()}


def find_source(settings: Settings, name: str) -> Source:
    """One of them; raises :class:`NotFoundError`, and what :func:`load_sources` raises."""
    sources = load_sources(settings)
    if name not in sources:
        known = ", ".join(sorted(sources)) or "ingen"
        raise NotFoundError(f"Der er ingen kilde, der hedder {name}.", advice=f"Opsat er: {known}.")
    return sources[name]


def secret_file(source: Source) -> Path | None:
    """The file with a source's secret, if it has one; raises :class:`SettingsError` where its secret is not there."""
    if isinstance(source, WebDavSource) and source.user:
        _ = source.password
        return source.password_file
    if isinstance(source, SharePointSource):
        _ = source.client_secret
        return source.client_secret_file
    return None


def _source(name: str, table: Any) -> Source:
    if not _NAME.fullmatch(name):
        message = f"Kilden {name!r} skal hedde noget med små bogstaver a-z, tal og bindestreg, højst 40 tegn."
        raise SettingsError(message, advice=_ADVICE)
    if not isinstance(table, dict) or "name" in table:
        raise SettingsError(f"Kilden {name} skal være en tabel uden name: [{name}].", advice=_ADVICE)
    try:
        return _ADAPTER.validate_python({**table, "name": name})
    except ValidationError as error:
        # Never the value: someone may have put a secret where none belongs.
        wrong = "; ".join(f"{_place(one['loc'])}: {_said(one)}" for one in error.errors(include_input=False))
        raise SettingsError(f"Kilden {name}: {wrong}.", advice=_ADVICE) from None


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location[1:] or location) or "kind"


def _said(error: Any) -> str:
    known = {
        "missing": "mangler",
        "extra_forbidden": "er ukendt",
        "union_tag_invalid": "kind skal være folder, webdav, sharepoint eller website",
        "union_tag_not_found": "kind mangler",
    }
    said = str(error["ctx"]["error"]) if error["type"] == "value_error" else "har en ugyldig værdi"
    return known.get(error["type"], said)


def _must_be_encrypted(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("adgangskoder sendes ikke ukrypteret: brug https")


def _secret(source: str, what: str, file: Path | None, variable: str) -> str:
    """A secret of a source; raises :class:`SettingsError` where it is not there."""
    try:
        held = file.read_text(encoding="utf-8").strip() if file else os.environ.get(variable, "")
    except (OSError, ValueError) as error:
        raise SettingsError(f"Kilden {source}: {file} med {what} kan ikke læses.", advice=_ADVICE) from error
    if not held:
        message = f"Kilden {source}: {what}_file eller {what}_env mangler eller er tom."
        raise SettingsError(message, advice=_ADVICE)
    return held
