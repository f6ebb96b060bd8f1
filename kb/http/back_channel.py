"""Back-channel logout: the provider tells that someone has signed out, or is shut out, and their sessions here end.

OpenID Connect Back-Channel Logout 1.0. The provider posts a signed logout token to ``/log-ud/udbyder``, with no browser
in between: it names a person, a session at the provider, or both. What is checked of it is here, but for its signature,
apart from the request and from the provider, so that every rule can be tried.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

EVENT = "http://schemas.openid.net/event/backchannel-logout"
# How old a token may be and how far the clocks may be apart; for so long its id is remembered.
VALID = timedelta(minutes=10)
LEEWAY_SECONDS = 120
# A token of ours for another purpose may have a type; a logout token that says one says this.
TYPES = frozenset({"", "jwt", "logout+jwt"})


class LogoutTokenError(ValueError):
    """The token is none, or not one for this server; says which rule it breaks, for the log."""


@dataclass(frozen=True, slots=True)
class Logout:
    """Whose sessions end: ``subject`` or ``provider_session`` may be empty, and not both."""

    jti: str
    subject: str
    provider_session: str


def read(token: str, keys: KeySet, *, algorithms: Sequence[str], issuer: str, client_id: str) -> Logout:
    """What a logout token says; raises :class:`LogoutTokenError`, and ``JoseError`` where signature or times fail."""
    decoded = jwt.decode(token, keys, registry=JWSRegistry(algorithms=list(algorithms), strict_check_header=False))
    if str(decoded.header.get("typ", "")).lower() not in TYPES:
        raise LogoutTokenError("another type of token")
    return checked(decoded.claims, issuer=issuer, client_id=client_id)


def checked(claims: Mapping[str, Any], *, issuer: str, client_id: str) -> Logout:
    """What a token's claims say; raises as :func:`read`."""
    expected = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": client_id}}
    needed = {name: {"essential": True} for name in ("iat", "jti", "events")}
    registry = jwt.JWTClaimsRegistry(leeway=LEEWAY_SECONDS, **expected, **needed)  # type: ignore[arg-type]
    registry.validate(dict(claims))
    if claims["iat"] < time.time() - VALID.total_seconds():
        raise LogoutTokenError("too old")
    if not isinstance(claims["events"], Mapping) or not isinstance(claims["events"].get(EVENT), Mapping):
        raise LogoutTokenError("no logout")
    if "nonce" in claims:
        raise LogoutTokenError("an ID token")
    subject, session = claims.get("sub", ""), claims.get("sid", "")
    if not (isinstance(subject, str) and isinstance(session, str) and (subject or session)):
        raise LogoutTokenError("nobody is named")
    return Logout(claims["jti"], subject, session)


def read_with(provider: Any, token: str) -> Logout:
    """What a logout token of Authlib's client of a provider says; keys it does not know yet are fetched once.

    Raises as :func:`read`, and what Authlib raises when the provider does not answer.
    """
    metadata = provider.load_server_metadata()
    signed_by = {
        "algorithms": metadata.get("id_token_signing_alg_values_supported") or ["RS256"],
        "issuer": metadata["issuer"],
        "client_id": provider.client_id,
    }
    try:
        return read(token, KeySet.import_key_set(provider.fetch_jwk_set()), **signed_by)
    except JoseError:
        # It may be signed with a key that the provider has taken into use since.
        return read(token, KeySet.import_key_set(provider.fetch_jwk_set(force=True)), **signed_by)
