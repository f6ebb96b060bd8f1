"""The address that users see, ``KB_PUBLIC_URL``, taken apart and held to a form that every link can be built on (pure).

    public_address(Settings(public_url="https://kommune.dk/erfaringer")).root   # "/erfaringer"

``root`` is the path all pages lie below: empty where the server has a name of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from kb.core.errors import SettingsError
from kb.core.settings import Settings

# Letters that no browser, proxy or cookie writes otherwise than they were given.
_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """Scheme, host with port, and the path below which the pages lie, without its last slash."""

    scheme: str
    host: str
    root: str

    @property
    def is_encrypted(self) -> bool:
        """Whether users come by https."""
        return self.scheme == "https"

    def of(self, path: str) -> str:
        """The full address of one of the server's own paths, which begins with a slash."""
        return f"{self.scheme}://{self.host}{self.root}{path}"


def public_address(settings: Settings) -> PublicAddress | None:
    """The settings' address, None where none is set; raises :class:`SettingsError` for one that cannot be used."""
    if not settings.public_url:
        return None
    try:
        parts = urlsplit(settings.public_url)
        known = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known or parts.query or parts.fragment or "@" in parts.netloc:
        raise _unusable(settings, "er ingen webadresse")
    root = parts.path.rstrip("/")
    if not _PLAIN_PATH.fullmatch(root):
        raise _unusable(settings, "har en sti med andet end bogstaver uden æøå, tal og - . _ ~")
    return PublicAddress(parts.scheme, parts.netloc, root)


def _unusable(settings: Settings, why: str) -> SettingsError:
    return SettingsError(
        f"Indstillingen public_url {why}: {settings.public_url}.",
        advice="Skriv adressen, som brugerne ser den: https://erfaringer.kommune.dk eller "
        "https://intranet.kommune.dk/erfaringer.",
    )
