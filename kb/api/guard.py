"""The gate every request passes, pages and API alike: from where, by whom, how often, and whether they may.

The cheapest refusal comes first. An open server (:mod:`kb.access`) knows one visitor: its own machine, asked for under
its own name, with no proxy in between. ``g.identity`` is who asks and ``g.address`` from where.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import NotFound

from kb.access import (
    ANONYMOUS,
    LOCAL,
    LOOPBACK_NAMES,
    AccessRole,
    Identity,
    Network,
    Via,
    client_address,
    is_closed,
    is_in,
    is_loopback,
    networks,
)
from kb.api.operations import operations
from kb.api.refusals import REALM, ForeignHost, ForeignOrigin, KeyNotAccepted, RoleTooSmall, SignInNeeded, TooMany
from kb.audit import Audit, Event
from kb.keys import KeyRefused, KeyStore
from kb.settings import Settings

EXTENSION = "kb.guard"
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Blueprints whose every page is open to anyone, and those that need more than reading.
OPEN_BLUEPRINTS = frozenset({"statisk", "openapi", "maalinger"})
EDITORS_BLUEPRINTS = frozenset({"redaktion"})


@dataclass(frozen=True)
class Guard:
    """What the gate works with."""

    settings: Settings
    keys: KeyStore
    audit: Audit
    limiter: MovingWindowRateLimiter
    proxies: tuple[Network, ...]
    metrics_from: tuple[Network, ...]
    closed: bool

    @classmethod
    def make(cls, settings: Settings) -> Guard:
        """From the settings; raises :class:`kb.errors.SettingsError` for an address that is none."""
        return cls(
            settings,
            KeyStore(settings.state_dir),
            Audit(settings.state_dir),
            MovingWindowRateLimiter(MemoryStorage()),
            networks(settings.trusted_proxies, "trusted_proxies"),
            networks(settings.metrics_from, "metrics_from"),
            is_closed(settings),
        )


def install(app: Flask, guard: Guard) -> None:
    """Put the gate before every request of an application."""
    app.extensions[EXTENSION] = guard
    app.after_request(_tell_how)
    # Before what the pages check of their own: their checks are finer and dearer.
    app.before_request_funcs.setdefault(None, []).insert(0, _pass)


def guard() -> Guard:
    """The application's gate."""
    found: Guard = current_app.extensions[EXTENSION]
    return found


def record(action: str, *, target: str = "", detail: str = "") -> None:
    """Write what the one who asks does into the audit trail."""
    who: Identity | None = g.get("identity")
    guard().audit.write(
        Event(
            action=action,
            who=who.name if who else "ukendt",
            via=who.via.value if who else "",
            address=g.address,
            target=target[:300],
            request_id=g.get("request_id", ""),
            detail=detail[:300],
        )
    )


def _pass() -> None:
    held = guard()
    peer = request.remote_addr or ""
    trusted = is_in(peer, held.proxies)
    g.address = client_address(peer, request.headers.get("X-Forwarded-For", ""), held.proxies) if trusted else peer
    # Known from the start, so that every refusal has an address to tell of.
    g.identity = None
    g.identity = _identify(held)
    _limit(held)
    _check_role()
    if request.method not in SAFE_METHODS and (g.identity is None or g.identity.is_ambient):
        _check_origin()


def _tell_how(response: Response) -> Response:
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        response.headers.setdefault("WWW-Authenticate", REALM.to_header())
    return response


def _identify(held: Guard) -> Identity | None:
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if kind:
        return _by_key(held, secret.strip() if kind.lower() == "bearer" else "")
    if not held.closed:
        return _local()
    return ANONYMOUS if held.settings.anonymous_reading else None


def _by_key(held: Guard, secret: str) -> Identity:
    failures = RateLimitItemPerMinute(held.settings.rate_limit_failures)
    if not held.limiter.test(failures, "nøgle", g.address):
        raise TooMany(_wait(held, failures, "nøgle", g.address))
    try:
        key = held.keys.check(secret)
    except KeyRefused as error:
        held.limiter.hit(failures, "nøgle", g.address)
        raise KeyNotAccepted from error
    return Identity(key.name, key.role, Via.KEY, key.id)


def _local() -> Identity | None:
    """The machine's own user; a foreign page could point a name of its own at this machine, and a proxy is not here."""
    host = urlsplit(f"//{request.host}").hostname or ""
    if not is_loopback(g.address) or any(name in request.headers for name in FORWARDED):
        return None
    if host not in LOOPBACK_NAMES:
        raise ForeignHost
    return LOCAL


def _limit(held: Guard) -> None:
    if g.identity is LOCAL or _is_open_endpoint():
        return
    allowed = RateLimitItemPerMinute(held.settings.rate_limit)
    who = g.identity.id if g.identity and g.identity.id else g.address
    if not held.limiter.hit(allowed, "kald", who):
        raise TooMany(_wait(held, allowed, "kald", who))


def _wait(held: Guard, item: RateLimitItemPerMinute, *names: str) -> int:
    """Seconds until one more is allowed."""
    return max(1, round(held.limiter.get_window_stats(item, *names).reset_time - time.time()))


def _is_open_endpoint() -> bool:
    return request.blueprint in OPEN_BLUEPRINTS


def needed_role() -> AccessRole | None:
    """What the one who asks must be for the address they ask; None for anyone."""
    operation = operations().get(request.endpoint or "")
    if operation is not None:
        return operation.role
    if request.blueprint in OPEN_BLUEPRINTS:
        return None
    return AccessRole.EDITOR if request.blueprint in EDITORS_BLUEPRINTS else AccessRole.READER


def _check_role() -> None:
    role = needed_role()
    if role is None:
        return
    if g.identity is None:
        raise SignInNeeded
    if not g.identity.role.includes(role):
        # Anonymous readers can still make themselves known.
        raise SignInNeeded if g.identity is ANONYMOUS else RoleTooSmall(role.value)


def _check_origin() -> None:
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    foreign = site not in {"same-origin", "none"} if site else origin and urlsplit(origin).netloc != request.host
    if foreign:
        raise ForeignOrigin


def may_read_metrics() -> bool:
    """Whether the one who asks is an admin or asks from where measurements may be read."""
    held = guard()
    if g.identity is not None and g.identity is not LOCAL and g.identity.role.includes(AccessRole.ADMIN):
        return True
    passed_on = any(name in request.headers for name in FORWARDED) and g.address == request.remote_addr
    if passed_on or not is_in(g.address, held.metrics_from):
        raise NotFound
    return True
