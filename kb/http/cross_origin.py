"""Other sites' pages that ask: the origins named in ``KB_CORS_ORIGINS`` may read what the API says to anyone.

Their pages may have a question answered, and say what the answer was worth, as whoever is signed in to the server; a
browser sends the session's cookie along from pages of the same site alone (``SameSite=Lax``). For the rest of the API
no cookie goes along, and no page of theirs may change anything. The component ``<erfarings-soegning>`` is a file any
page may load.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, g, request

from kb.core.errors import SettingsError
from kb.core.settings import Settings
from kb.http.api.operations import PREFIX
from kb.http.layers import Layer

COMPONENT = "/static/erfarings-soegning.js"
DAY = "86400"
# What the component asks as its reader, by path.
WITH_SESSION = {f"{PREFIX}/answer": "GET", f"{PREFIX}/feedback": "POST"}


def origins(settings: Settings) -> frozenset[str]:
    """The origins that are named; raises :class:`SettingsError` for one that is none."""
    named = frozenset(part.strip().rstrip("/") for part in settings.cors_origins.split(",") if part.strip())
    for origin in named:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or not parts.netloc or f"{parts.scheme}://{parts.netloc}" != origin:
            raise SettingsError(
                f"Indstillingen cors_origins har et ugyldigt websted: {origin}.",
                advice="Skriv hvert websted for sig, fx https://intranet.kommune.dk; * kan ikke bruges.",
            )
    return named


def layer(settings: Settings) -> Layer:
    """Lets the named origins' pages ask; raises as :func:`origins` does."""
    allowed = origins(settings)

    def allow(response: Response) -> Response:
        if request.path == COMPONENT:
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if request.path.startswith(PREFIX) and allowed:
            response.vary.add("Origin")
            if request.headers.get("Origin") in allowed:
                _open(response, request.headers["Origin"])
        return response

    def know() -> None:
        # For the gate, which lets no other page elsewhere change anything.
        asks = request.method == WITH_SESSION.get(request.path)
        g.from_named_origin = asks and request.headers.get("Origin") in allowed

    return Layer(know, allow)


def _open(response: Response, origin: str) -> None:
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = "ETag, Retry-After, X-Request-Id"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if request.path in WITH_SESSION:
        response.headers["Access-Control-Allow-Credentials"] = "true"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = WITH_SESSION.get(request.path, "GET")
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, If-None-Match"
        response.headers["Access-Control-Max-Age"] = DAY
