"""Other sites' pages that ask: the origins named in ``KB_CORS_ORIGINS`` may read what the API says to anyone.

No cookie goes along, and no page of theirs may change anything. The component
``<erfarings-soegning>`` is a file any page may load.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, request

from kb.core.errors import SettingsError
from kb.core.settings import Settings
from kb.http.api.operations import PREFIX
from kb.http.layers import Layer

COMPONENT = "/static/erfarings-soegning.js"
DAY = "86400"


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

    return Layer(after=allow)


def _open(response: Response, origin: str) -> None:
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = "ETag, Retry-After, X-Request-Id"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = "GET"
        response.headers["Access-Control-Allow-Headers"] = "Authorization, If-None-Match"
        response.headers["Access-Control-Max-Age"] = DAY
