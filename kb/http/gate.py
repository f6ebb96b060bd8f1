"""The gate every request passes, pages and API alike: from where, by whom, how often, and whether they may.

The cheapest refusal comes first. An open server (:mod:`kb.core.identity`) knows one visitor: its own machine, asked for
under its own name, with no proxy in between. ``g.identity`` is who asks and ``g.address`` from where. Nothing behind
the gate judges either again: a view names the role it needs, or its blueprint stands in one of the sets below.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Response, current_app, g, redirect, request, url_for
from limits import RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import NotFound

from kb.core.access import names_in
from kb.core.identity import (
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
    role_of,
)
from kb.core.public_address import PublicAddress, public_address
from kb.core.settings import Settings
from kb.http.layers import Layer
from kb.http.refusals import (
    REALM,
    ForeignHost,
    ForeignOrigin,
    KeyNotAccepted,
    NoRole,
    RoleTooSmall,
    SignInNeeded,
    TooMany,
)
from kb.state.audit import Audit
from kb.state.keys import Key, KeyRefused, KeyStore
from kb.state.sessions import SessionStore

EXTENSION = "kb.guard"
YEAR = 31_536_000
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Blueprints whose every page is open to anyone, and those that need more than reading.
OPEN_BLUEPRINTS = frozenset({"statisk", "openapi", "maalinger", "login"})
EDITORS_BLUEPRINTS = frozenset({"redaktion", "mangler"})
# The attribute of a view that holds the role it names.
NEEDED_ROLE = "needed_role"
# The attribute of a view that tells of every file there is.
TELLS_OF_ALL = "tells_of_all"
View = TypeVar("View", bound=Callable[..., Any])


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
    sessions: SessionStore
    address: PublicAddress | None

    @property
    def encrypted(self) -> bool:
        """Whether users come by https."""
        return self.address is not None and self.address.is_encrypted

    @property
    def cookie(self) -> str:
        """The session cookie's name; browsers let no unencrypted page set one with the prefix, nor another host.

        The prefix that keeps other hosts out as well is for cookies of a whole host, and below a path the others on the
        host have no business with ours.
        """
        if not self.encrypted:
            return "kb_session"
        return "__Secure-kb" if self.cookie_path != "/" else "__Host-kb"

    @property
    def cookie_path(self) -> str:
        """The path below which browsers send the cookies."""
        return (self.address and self.address.root) or "/"

    @classmethod
    def make(cls, settings: Settings, limits: Storage) -> Guard:
        """From the settings, with what counts calls; raises :class:`kb.core.errors.SettingsError` for an address that
        is none.
        """
        return cls(
            settings,
            KeyStore(settings.state),
            Audit(settings.state),
            MovingWindowRateLimiter(limits),
            networks(settings.trusted_proxies, "trusted_proxies"),
            networks(settings.metrics_from, "metrics_from"),
            is_closed(settings),
            SessionStore(settings.state),
            public_address(settings),
        )


def needs(role: AccessRole | None) -> Callable[[View], View]:
    """Name the role that one must at least have for a view, None for anyone at all."""

    def mark(view: View) -> View:
        setattr(view, NEEDED_ROLE, role)
        return view

    return mark


def tells_of_all(view: View) -> View:
    """Mark a view that tells of every file there is: where some are for some groups alone, it is for administrators."""
    setattr(view, TELLS_OF_ALL, True)
    return view


def guard() -> Guard:
    """The application's gate."""
    registered: Guard = current_app.extensions[EXTENSION]
    return registered


def _pass() -> Response | None:
    held = guard()
    peer = request.remote_addr or ""
    trusted = is_in(peer, held.proxies)
    g.address = client_address(peer, request.headers.get("X-Forwarded-For", ""), held.proxies) if trusted else peer
    # Known from the start, so that every refusal has an address to tell of.
    g.identity = None
    if request.method == "OPTIONS":
        return None  # tells what there is and does nothing
    g.identity = _identify(held, trusted=trusted)
    _limit(held)
    if not _may():
        return _to_sign_in()
    changes = request.method not in SAFE_METHODS and (g.identity is None or g.identity.is_ambient)
    if changes and not g.get("from_named_origin"):
        _check_origin()
    return None


def _to_sign_in() -> Response:
    """A person who opens a page is led to the sign-in; everyone else is told."""
    if request.method != "GET" or request.path.startswith("/api/") or request.accept_mimetypes.best != "text/html":
        raise SignInNeeded
    return current_app.make_response(redirect(url_for("login.form", next=here())))


def here() -> str:
    """The path and query that were asked for, as the browser knows them."""
    return request.script_root + (request.full_path if request.query_string else request.path)


def _finish(response: Response) -> Response:
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        response.headers.setdefault("WWW-Authenticate", REALM.to_header())
    if guard().encrypted:
        response.headers["Strict-Transport-Security"] = f"max-age={YEAR}"
    return response


LAYER = Layer(_pass, _finish)


def _identify(held: Guard, *, trusted: bool) -> Identity | None:
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if kind:
        return _by_key(secret.strip() if kind.lower() == "bearer" else "")
    token = request.cookies.get(held.cookie)
    if token and (session := held.sessions.find(token)):
        return Identity(session.name, session.role, Via.SESSION, session.subject, session.groups)
    if trusted and held.settings.user_header and (name := _header(held.settings.user_header)):
        return _by_proxy(held.settings, name)
    if not held.closed:
        return _local()
    return ANONYMOUS if held.settings.anonymous_reading else None


def _by_proxy(settings: Settings, name: str) -> Identity:
    """Whom a trusted proxy has let in; its other requests could not carry the header."""
    groups = names_in(_header(settings.groups_header)) if settings.groups_header else ()
    role = role_of(groups, settings)
    if role is None:
        raise NoRole
    return Identity(name[:120], role, Via.PROXY, name, frozenset(groups))


def _header(name: str) -> str:
    """A header as text: in UTF-8, as proxies write names; where the bytes are not, in Latin-1, as HTTP has it."""
    given = request.headers.get(name, "")
    try:
        return given.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return given


def _by_key(secret: str) -> Identity:
    key = check_key(secret)
    return Identity(key.name, key.role, Via.KEY, key.id, key.groups)


def check_key(secret: str) -> Key:
    """The key of a secret; after too many wrong ones from an address, none from there is looked at for a while."""
    held = guard()
    refuse_after_failures("nøgle")
    try:
        return held.keys.check(secret)
    except KeyRefused as error:
        count_failure("nøgle")
        raise KeyNotAccepted from error


def refuse_after_failures(what: str) -> None:
    """Raise :class:`TooMany` where too many of ``what`` were wrong from the address of the request."""
    held = guard()
    failures = RateLimitItemPerMinute(held.settings.rate_limit_failures)
    if not held.limiter.test(failures, what, g.address):
        raise TooMany(_wait(held, failures, what, g.address))


def count_failure(what: str) -> None:
    """Count one of ``what`` that was wrong against the address of the request."""
    held = guard()
    held.limiter.hit(RateLimitItemPerMinute(held.settings.rate_limit_failures), what, g.address)


def _local() -> Identity | None:
    """The machine's own user; a foreign page could point a name of its own at this machine, and a proxy is not here."""
    host = urlsplit(f"//{request.host}").hostname or ""
    if not is_loopback(g.address) or any(name in request.headers for name in FORWARDED):
        return None
    if host not in LOOPBACK_NAMES:
        raise ForeignHost
    return LOCAL


def _limit(held: Guard) -> None:
    if g.identity is LOCAL or request.blueprint in OPEN_BLUEPRINTS - {"login"}:
        return
    allowed = RateLimitItemPerMinute(held.settings.rate_limit)
    who = g.identity.id if g.identity and g.identity.id else g.address
    if not held.limiter.hit(allowed, "kald", who):
        raise TooMany(_wait(held, allowed, "kald", who))


def _wait(held: Guard, item: RateLimitItemPerMinute, *names: str) -> int:
    """Seconds until one more is allowed."""
    return max(1, round(held.limiter.get_window_stats(item, *names).reset_time - time.time()))


def needed_role() -> AccessRole | None:
    """What the one who asks must be for the address they ask; None for anyone."""
    view = current_app.view_functions.get(request.endpoint or "")
    if guard().settings.access_groups and hasattr(view, TELLS_OF_ALL):
        return AccessRole.ADMIN
    if hasattr(view, NEEDED_ROLE):
        role: AccessRole | None = getattr(view, NEEDED_ROLE)
        return role
    if request.blueprint in OPEN_BLUEPRINTS:
        return None
    return AccessRole.EDITOR if request.blueprint in EDITORS_BLUEPRINTS else AccessRole.READER


def is_at_least(role: AccessRole) -> bool:
    """Whether the one who asks has a role or a greater one."""
    identity: Identity | None = g.get("identity")
    return identity is not None and identity.role.includes(role)


def _may() -> bool:
    """Whether the one who asks may; False when they might if they made themselves known."""
    role = needed_role()
    if role is None or is_at_least(role):
        return True
    if g.identity is not None and g.identity is not ANONYMOUS:
        raise RoleTooSmall(role.value)
    return False


def _check_origin() -> None:
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if not site and not origin and g.identity is not None and g.identity.via in {Via.SESSION, Via.PROXY}:
        # Every browser says where a form was sent from; what says nothing has no business with a browser's cookie.
        raise ForeignOrigin
    foreign = site not in {"same-origin", "none"} if site else origin and urlsplit(origin).netloc != request.host
    if foreign:
        raise ForeignOrigin


def may_read_metrics() -> bool:
    """Whether the one who asks is an admin or asks from where measurements may be read."""
    held = guard()
    if g.identity is not LOCAL and is_at_least(AccessRole.ADMIN):
        return True
    passed_on = any(name in request.headers for name in FORWARDED) and g.address == request.remote_addr
    if passed_on or not is_in(g.address, held.metrics_from):
        raise NotFound
    return True
