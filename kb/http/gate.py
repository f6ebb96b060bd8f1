"""The gate every request passes, pages and API alike: from where, by whom, how often, and whether they may.

The cheapest refusal comes first. An open server (:mod:`kb.core.identity`) knows one visitor: its own machine, asked for
under its own name, with no proxy in between. ``g.identity`` is who asks and ``g.address`` from where.
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, redirect, request, url_for
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import NotFound

from kb.core.errors import StorageError
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
from kb.core.settings import Settings
from kb.http.api.operations import operations
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
from kb.state.audit import Audit, Event
from kb.state.keys import Key, KeyRefused, KeyStore
from kb.state.sessions import SessionStore
from kb.state.upload_names import shown_name

EXTENSION = "kb.guard"
YEAR = 31_536_000
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Blueprints whose every page is open to anyone, and those that need more than reading.
OPEN_BLUEPRINTS = frozenset({"statisk", "openapi", "maalinger", "login"})
PAGE_ACTIONS = {
    "redaktion.upload": "rapport lagt ind",
    "redaktion.replace_report": "rapport erstattet",
    "redaktion.save_report": "metadata ændret",
    "redaktion.delete_report": "rapport slettet",
    "redaktion.delete_unread": "fil slettet",
    "redaktion.reindex": "indeksering sat i gang",
    "redaktion.cancel_job": "job annulleret",
    "redaktion.cancel_run": "kørsel standset",
    "redaktion.use_index": "indeks taget i brug",
    "redaktion.feedback_csv": "tilbagemeldinger udtrukket",
    "udtraek.hits_csv": "svar udtrukket",
    "udtraek.hits_xlsx": "svar udtrukket",
    "udtraek.answer_docx": "svar udtrukket",
    "dokumenter.original": "original hentet",
}
# The parts of a page's address that say what is done something to.
TARGETS = ("document_id", "job_id", "run_id")
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
    sessions: SessionStore

    @property
    def cookie(self) -> str:
        """The session cookie's name; browsers let no other host and no unencrypted page set one with the prefix."""
        return "__Host-kb" if self.settings.public_url.startswith("https:") else "kb_session"

    @classmethod
    def make(cls, settings: Settings) -> Guard:
        """From the settings; raises :class:`kb.core.errors.SettingsError` for an address that is none."""
        return cls(
            settings,
            KeyStore(settings.state_dir),
            Audit(settings.state_dir),
            MovingWindowRateLimiter(MemoryStorage()),
            networks(settings.trusted_proxies, "trusted_proxies"),
            networks(settings.metrics_from, "metrics_from"),
            is_closed(settings),
            SessionStore(settings.state_dir),
        )


def install(app: Flask, guard: Guard) -> None:
    """Put the gate before every request of an application."""
    app.extensions[EXTENSION] = guard
    app.after_request(_tell_how)
    app.after_request(_record_pages)
    app.after_request(_only_encrypted)
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
    if request.method not in SAFE_METHODS and (g.identity is None or g.identity.is_ambient):
        _check_origin()
    return None


def _to_sign_in() -> Response:
    """A person who opens a page is led to the sign-in; everyone else is told."""
    if request.method != "GET" or request.path.startswith("/api/") or request.accept_mimetypes.best != "text/html":
        raise SignInNeeded
    path = request.full_path if request.query_string else request.path
    return current_app.make_response(redirect(url_for("login.form", next=path)))


def _tell_how(response: Response) -> Response:
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        response.headers.setdefault("WWW-Authenticate", REALM.to_header())
    return response


def _only_encrypted(response: Response) -> Response:
    if guard().settings.public_url.startswith("https:"):
        response.headers["Strict-Transport-Security"] = f"max-age={YEAR}"
    return response


def _record_pages(response: Response) -> Response:
    """Write what people do on the pages into the audit trail; the API's operations write their own."""
    action = PAGE_ACTIONS.get(request.endpoint or "")
    if action and response.status_code < HTTPStatus.BAD_REQUEST and g.get("identity") is not None:
        given = request.view_args or {}
        sent = request.files.listvalues() if request.method == "POST" else ()
        named = [shown_name(file.filename or "") for files in sent for file in files]
        target = next((str(given[name]) for name in TARGETS if name in given), request.form.get("indeks", ""))
        try:
            record(action, target=target, detail=", ".join(named))
        except (StorageError, sqlite3.Error) as error:
            # Reading goes on where nothing can be written; a change does not.
            if request.method != "GET":
                raise
            current_app.logger.error("Hændelsen kunne ikke skrives: %s", error)
    return response


def _identify(held: Guard, *, trusted: bool) -> Identity | None:
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if kind:
        return _by_key(secret.strip() if kind.lower() == "bearer" else "")
    token = request.cookies.get(held.cookie)
    if token and (found := held.sessions.find(token)):
        return Identity(found.name, found.role, Via.SESSION, found.subject)
    if trusted and held.settings.user_header and (name := _header(held.settings.user_header)):
        return _by_proxy(held.settings, name)
    if not held.closed:
        return _local()
    return ANONYMOUS if held.settings.anonymous_reading else None


def _by_proxy(settings: Settings, name: str) -> Identity:
    """Whom a trusted proxy has let in; its other requests could not carry the header."""
    groups = _header(settings.groups_header) if settings.groups_header else ""
    role = role_of([group.strip() for group in groups.replace(";", ",").split(",")], settings)
    if role is None:
        raise NoRole
    return Identity(name[:120], role, Via.PROXY, name)


def _header(name: str) -> str:
    """A header as text: in UTF-8, as proxies write names; where the bytes are not, in Latin-1, as HTTP has it."""
    given = request.headers.get(name, "")
    try:
        return given.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return given


def _by_key(secret: str) -> Identity:
    key = check_key(secret)
    return Identity(key.name, key.role, Via.KEY, key.id)


def check_key(secret: str) -> Key:
    """The key of a secret; after too many wrong ones from an address, none from there is looked at for a while."""
    held = guard()
    failures = RateLimitItemPerMinute(held.settings.rate_limit_failures)
    if not held.limiter.test(failures, "nøgle", g.address):
        raise TooMany(_wait(held, failures, "nøgle", g.address))
    try:
        return held.keys.check(secret)
    except KeyRefused as error:
        held.limiter.hit(failures, "nøgle", g.address)
        raise KeyNotAccepted from error


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
    operation = operations().get(request.endpoint or "")
    if operation is not None:
        return operation.role
    if request.blueprint in OPEN_BLUEPRINTS:
        return None
    return AccessRole.EDITOR if request.blueprint in EDITORS_BLUEPRINTS else AccessRole.READER


def _may() -> bool:
    """Whether the one who asks may; False when they might if they made themselves known."""
    role = needed_role()
    if role is None or (g.identity is not None and g.identity.role.includes(role)):
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
    if g.identity is not None and g.identity is not LOCAL and g.identity.role.includes(AccessRole.ADMIN):
        return True
    passed_on = any(name in request.headers for name in FORWARDED) and g.address == request.remote_addr
    if passed_on or not is_in(g.address, held.metrics_from):
        raise NotFound
    return True
