"""Who may do what: roles, identities, and whether a server with these settings may start (pure).

A server that can be reached from its own machine only is open, and requests from there have the role of admin. One that
listens on other addresses or is behind a proxy is closed: every request needs an identity, or ``KB_ANONYMOUS_READING``
must allow anyone to read. A closed server without any way to get in does not start.
"""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from kb.core.access import EVERYTHING, Access
from kb.core.errors import ConfigurationError, SettingsError
from kb.core.public_address import public_address
from kb.core.settings import Settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class AccessRole(StrEnum):
    """What someone may do: a reader asks; an editor also changes the reports; an admin also administers the server."""

    READER = "reader"
    EDITOR = "editor"
    ADMIN = "admin"

    def includes(self, other: AccessRole) -> bool:
        """Whether this role may do everything that ``other`` may."""
        order = list(AccessRole)
        return order.index(self) >= order.index(other)


class Via(StrEnum):
    """How someone was authenticated. The values are the words shown."""

    LOCAL = "denne maskine"
    KEY = "nøgle"
    SESSION = "login"
    PROXY = "proxy"
    ANONYMOUS = "uden navn"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks. ``name`` is a person's or a key's name; ``id`` distinguishes two of the same name.

    ``groups`` are those that the sign-in or the key gives.
    """

    name: str
    role: AccessRole
    via: Via
    id: str = ""
    groups: frozenset[str] = frozenset()

    @property
    def access(self) -> Access:
        """Which reports they may see: administrators every one."""
        return EVERYTHING if self.role is AccessRole.ADMIN else Access(self.groups)

    @property
    def is_ambient(self) -> bool:
        """Whether a browser authenticates unasked (cookie, address, proxy), so that a foreign page can make it act."""
        return self.via is not Via.KEY


LOCAL = Identity("lokal", AccessRole.ADMIN, Via.LOCAL)
ANONYMOUS = Identity("anonym", AccessRole.READER, Via.ANONYMOUS)


def is_loopback(host: str) -> bool:
    """Whether an address or a name is this machine alone."""
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_closed(settings: Settings) -> bool:
    """Whether everyone needs an identity."""
    beyond = not is_loopback(settings.host) or settings.public_url or settings.trusted_proxies
    return bool(beyond or has_sign_on(settings)) or settings.access == "closed"


def has_sign_on(settings: Settings) -> bool:
    """Whether people sign in by OpenID Connect or by a proxy's header."""
    return bool(settings.oidc_issuer or settings.user_header)


def check_setup(settings: Settings, *, keys: int) -> None:
    """Raise :class:`ConfigurationError` when the server would be closed with no way in; ``keys`` are those in force."""
    if settings.oidc_issuer and not (settings.oidc_client_id and settings.public_url):
        raise SettingsError(
            "OpenID Connect kræver også, at klientens id og serverens egen adresse er sat.",
            advice="Sæt KB_OIDC_CLIENT_ID og KB_PUBLIC_URL.",
        )
    if settings.user_header and not settings.trusted_proxies:
        raise SettingsError(
            "Et hoved med brugerens navn kan kun bruges bag en betroet proxy; ellers kan enhver skrive det.",
            advice="Sæt KB_TRUSTED_PROXIES til proxyens adresse.",
        )
    group_roles(settings)
    public_address(settings)
    if has_sign_on(settings):
        return
    if is_closed(settings) and not keys and not settings.anonymous_reading:
        advice = (
            "Lav en nøgle med: kb key create NAVN --role admin. Eller lad alle, der kan nå serveren, læse: "
            "KB_ANONYMOUS_READING=true."
        )
        if is_loopback(settings.host):
            setting = next(name for name in ("public_url", "trusted_proxies", "access") if getattr(settings, name))
            told = f"Serveren er lukket, fordi KB_{setting.upper()} er sat, men der er ikke sat adgang op."
            raise ConfigurationError(told, advice=advice)
        raise ConfigurationError(
            f"Serveren ({settings.host}) kan nås fra andre maskiner, men der er ikke sat adgang op.",
            advice=f"{advice} Eller lyt kun på denne maskine: kb serve --host 127.0.0.1",
        )


def group_roles(settings: Settings) -> dict[str, AccessRole]:
    """The role of each group; raises :class:`SettingsError` for a malformed pair."""
    roles = {}
    for pair in filter(None, (part.strip() for part in settings.group_roles.split(","))):
        group, equals, role = (part.strip() for part in pair.rpartition("="))
        if not equals or not group or role not in list(AccessRole):
            raise SettingsError(
                f"Indstillingen group_roles har et ugyldigt par: {pair}.", advice="Skriv: Redaktion=editor,Drift=admin."
            )
        roles[_composed(group)] = AccessRole(role)
    return roles


def role_of(groups: Iterable[str], settings: Settings) -> AccessRole | None:
    """The highest role of someone in these groups; None when they have none."""
    known = group_roles(settings)
    roles = [known[group] for group in map(_composed, groups) if group in known]
    if settings.signed_in_role == "reader":
        roles.append(AccessRole.READER)
    return max(roles, key=list(AccessRole).index, default=None)


def _composed(group: str) -> str:
    """A group's name in Unicode's composed form: "å" can be one character or two that look the same."""
    return unicodedata.normalize("NFC", group)


def networks(listed: str, name: str) -> tuple[Network, ...]:
    """The networks of a comma-separated setting; raises :class:`SettingsError` naming the setting."""
    parsed = []
    for part in filter(None, (part.strip() for part in listed.split(","))):
        try:
            parsed.append(ipaddress.ip_network(part))
        except ValueError as error:
            raise SettingsError(
                f"Indstillingen {name} har en ugyldig adresse: {part}.", advice="Skriv fx 10.0.0.5 eller 10.0.0.0/24."
            ) from error
    return tuple(parsed)


def is_in(address: str, allowed: Iterable[Network]) -> bool:
    """Whether an address is in one of the networks."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in allowed)


def client_address(peer: str, forwarded_for: str, proxies: tuple[Network, ...]) -> str:
    """The address of the client: the last one in ``X-Forwarded-For`` that is not a trusted proxy's own.

    Anyone can send the header, so it is believed only as far back as trusted proxies passed it on.
    """
    address = peer
    for part in reversed([part.strip() for part in forwarded_for.split(",") if part.strip()]):
        if not is_in(address, proxies):
            break
        address = part
    return address
