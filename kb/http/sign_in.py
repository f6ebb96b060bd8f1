"""Signing in and out: by OpenID Connect (Authlib), or with a key where there is nothing else.

The way of an OpenID sign-in: ``/log-ind/oidc`` sends the browser to the provider with a state, a nonce and a PKCE
challenge, which a short-lived signed cookie binds to that browser. ``/log-ind/retur`` exchanges the code, and Authlib
checks the token's signature, issuer, audience, time and nonce. Its groups decide the role. The session that then begins
always gets a new token, so a cookie planted beforehand is worth nothing. When the provider tells that someone has
signed out there (:mod:`kb.http.back_channel`), their sessions here end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Blueprint, Flask, current_app, g, make_response, redirect, render_template, request, session, url_for
from joserfc.errors import JoseError
from requests import RequestException
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from kb.core.access import group_names
from kb.core.identity import Identity, Via, role_of
from kb.core.public_address import public_address
from kb.core.settings import Settings
from kb.http import back_channel
from kb.http.audit_trail import audited, note, record
from kb.http.gate import check_key, count_failure, guard, here, refuse_after_failures
from kb.http.refusals import KeyNotAccepted, LogoutRefused, NoRole, ProviderFailed, SignInFailed
from kb.http.services import services
from kb.state.sessions import Session

EXTENSION = "kb.oidc"
LONGEST_NAME = 120
# What a provider says of itself or of how this server is set up there, and never of the person (RFC 6749).
PROVIDER_ERRORS = frozenset({"server_error", "temporarily_unavailable", "invalid_client", "unauthorized_client"})

blueprint = Blueprint("login", __name__)


def install(app: Flask, settings: Settings, secret: bytes) -> None:
    """Let people sign in to an application; ``secret`` signs sign-ins under way, in every process of the server."""
    address = public_address(settings)
    app.register_blueprint(blueprint)
    # Signs only what binds a sign-in under way to its browser; a restart makes that person begin again.
    app.secret_key = secret
    app.context_processor(_ways)
    app.config.update(
        SESSION_COOKIE_NAME="kb_login_undervejs",
        SESSION_COOKIE_SECURE=address is not None and address.is_encrypted,
        SESSION_COOKIE_PATH=(address and address.root) or "/",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    if not settings.oidc_issuer:
        return
    oauth = OAuth(app)
    oauth.register(
        "oidc",
        client_id=settings.oidc_client_id,
        client_secret=_secret(settings),
        server_metadata_url=settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration",
        client_kwargs={"scope": settings.oidc_scope, "code_challenge_method": "S256", "timeout": 10},
    )
    app.extensions[EXTENSION] = oauth


def _ways() -> dict[str, str]:
    """What the frame of every page shows of signing in and out."""
    who: Identity | None = g.get("identity")
    if who is not None and who.via is Via.SESSION:
        own = {"sign_out_url": url_for("login.sign_out"), "own_sign_ins_url": url_for("logins.own")}
        return {**own, "signed_in_as": who.name}
    if guard().closed and (who is None or who.via is Via.ANONYMOUS) and request.blueprint != blueprint.name:
        return {"sign_in_url": url_for("login.form", next=here())}
    return {}


def _secret(settings: Settings) -> str:
    if settings.oidc_client_secret_file is not None:
        return settings.oidc_client_secret_file.read_text(encoding="utf-8").strip()
    return settings.oidc_client_secret.get_secret_value()


def _provider() -> Any:
    """Authlib's client of the provider; 404 when there is none."""
    oauth = current_app.extensions.get(EXTENSION)
    if oauth is None:
        raise NotFound
    return oauth.oidc


def safe_next(wanted: str, root: str = "") -> str:
    """A path of our own, below ``root``, to go on to; anything that could lead elsewhere becomes the front page."""
    front = f"{root}/"
    if not wanted.isprintable() or "\\" in wanted or wanted.startswith("//"):
        return front
    parts = urlsplit(wanted)
    # A browser takes dots out of a path before it goes there, and with them the root.
    below = f"{parts.path}/".startswith(front) and "/." not in unquote(parts.path)
    return wanted if below and wanted.startswith("/") and not parts.scheme and not parts.netloc else front


def _next(given: Mapping[str, str]) -> str:
    """Where to go on to after the sign-in, as the address or the form says."""
    return safe_next(given.get("next", "/"), request.script_root)


@blueprint.get("/log-ind")
def form() -> str:
    """The ways in."""
    has_provider = EXTENSION in current_app.extensions
    return render_template("log-ind.html", next=_next(request.args), has_provider=has_provider)


@blueprint.post("/log-ind")
@audited("logget ind")
def by_key() -> Response:
    """Sign in with a key."""
    try:
        key = check_key(request.form.get("noegle", ""))
    except KeyNotAccepted:
        record("login afvist", detail="forkert nøgle")
        raise
    who = Identity(key.name, key.role, Via.SESSION, key.id, key.groups)
    return _begin(who, key_id=key.id, then=_next(request.form))


@blueprint.get("/log-ind/oidc")
def begin() -> Response:
    """Go to the provider."""
    provider = _provider()
    session["next"] = _next(request.args)
    try:
        response: Response = provider.authorize_redirect(url_for("login.back", _external=True))
    except (AuthlibBaseError, RequestException, ValueError, RuntimeError, KeyError) as error:
        # Nothing of what the person sent is looked at yet: what fails here is the provider or what is set of it.
        raise _failed(error, provider=True) from error
    return response


@blueprint.get("/log-ind/retur")
@audited("logget ind")
def back() -> Response:
    """Come back from the provider."""
    provider = _provider()
    try:
        token = provider.authorize_access_token()
        claims: dict[str, Any] = dict(token.get("userinfo") or {})
        if not claims.get("sub"):
            raise ValueError("no ID token")
        if guard().settings.oidc_groups_claim not in claims:
            claims = {**dict(provider.userinfo(token=token)), **claims}
    except (AuthlibBaseError, JoseError, RequestException, ValueError, KeyError) as error:
        raise _failed(error, provider=_is_of_the_provider(error)) from error
    name = str(claims.get("name") or claims.get("preferred_username") or claims["sub"])
    groups = _groups(claims)
    role = role_of(groups, guard().settings)
    if role is None:
        record("login afvist", target=name, detail="ingen rolle")
        raise NoRole
    who = Identity(name, role, Via.SESSION, str(claims["sub"]), frozenset(groups))
    return _begin(who, then=str(session.get("next", "/")), provider_session=str(claims.get("sid") or ""))


def _groups(claims: dict[str, Any]) -> tuple[str, ...]:
    given = claims.get(guard().settings.oidc_groups_claim, [])
    return group_names(str(group) for group in (given if isinstance(given, list) else [given]))


def _is_of_the_provider(error: Exception) -> bool:
    """Whether the provider could not be reached, or turned this server away, whoever signs in."""
    return isinstance(error, RequestException) or getattr(error, "error", "") in PROVIDER_ERRORS


def _failed(error: Exception, *, provider: bool) -> SignInFailed | ProviderFailed:
    # What went wrong is for the log; whoever forged a token is not told which check it failed.
    current_app.logger.warning("Login mislykkedes: %s: %s", type(error).__name__, error)
    record("login mislykkedes" if provider else "login afvist", detail=type(error).__name__)
    return ProviderFailed() if provider else SignInFailed()


def _begin(who: Identity, *, then: str, key_id: str = "", provider_session: str = "") -> Response:
    held = guard()
    name = "".join(letter for letter in who.name if letter.isprintable())[:LONGEST_NAME]
    hours = held.settings.session_hours
    begun = Session(name, who.role, who.id, who.groups, key_id, provider_session, g.address)
    token = held.sessions.begin(begun, hours=hours)
    g.identity = replace(who, name=name)
    services().saved_questions.note_access(who.id, who.access)
    note(detail=f"rolle {who.role.value}")
    session.clear()
    response = redirect(safe_next(then, request.script_root), 303)
    response.set_cookie(
        held.cookie, token, max_age=int(hours * 3600), secure=held.encrypted, httponly=True, samesite="Lax",
        path=held.cookie_path,
    )  # fmt: skip
    return response


@blueprint.post("/log-ud")
@audited("logget ud")
def sign_out() -> Response:
    """End the session here, and at the provider where it can be."""
    held = guard()
    held.sessions.end(request.cookies.get(held.cookie, ""))
    response = make_response(redirect(_after_sign_out(held.settings), 303))
    response.delete_cookie(held.cookie, path=held.cookie_path, secure=held.encrypted, httponly=True, samesite="Lax")
    return response


@blueprint.post("/log-ud/udbyder")
@audited("logget ud af udbyderen")
def sign_out_by_provider() -> Response:
    """End the sessions that a provider's logout token names."""
    provider = _provider()
    refuse_after_failures("logud")
    try:
        logout = back_channel.read_with(provider, request.form.get("logout_token", ""))
    except (JoseError, ValueError, KeyError, TypeError) as error:
        count_failure("logud")
        current_app.logger.warning("Et logud fra udbyderen gælder ikke: %s: %s", type(error).__name__, error)
        record("logget ud af udbyderen afvist", detail=type(error).__name__)
        raise LogoutRefused from error
    except (AuthlibBaseError, RequestException, RuntimeError) as error:
        raise _failed(error, provider=True) from error
    ended = guard().sessions.end_at_provider(
        jti=logout.jti, valid=2 * back_channel.VALID, subject=logout.subject,
        provider_session=logout.provider_session,
    )  # fmt: skip
    note(target=", ".join(sorted(set(ended))), detail=f"{len(ended)} login afsluttet")
    response = make_response("", 200)
    response.headers["Cache-Control"] = "no-store"
    return response


def _after_sign_out(settings: Settings) -> str:
    oauth = current_app.extensions.get(EXTENSION)
    front = url_for("sider.front")
    if oauth is None or g.identity is None or g.identity.via is not Via.SESSION:
        return front
    try:
        address = oauth.oidc.load_server_metadata().get("end_session_endpoint", "")
    except (AuthlibBaseError, RequestException, ValueError):
        return front
    query = {"client_id": settings.oidc_client_id, "post_logout_redirect_uri": url_for("sider.front", _external=True)}
    return f"{address}?{urlencode(query)}" if address else front
