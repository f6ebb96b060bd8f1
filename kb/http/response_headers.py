"""What every response carries: security headers, a validator for the browser's cache, and compression.

No page has inline script or style, and nothing is fetched from another host, so the content security policy allows
neither.
"""

from __future__ import annotations

import gzip

from flask import Response, request

from kb.http.layers import Layer
from kb.http.web.static_files import accepts_gzip

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'", "style-src 'self'", "script-src 'self'", "img-src 'self'", "font-src 'self'",
        "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    )
)  # fmt: skip
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    # A question stands in the address; it must not follow the reader to the source's own pages.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
SMALLEST_COMPRESSED = 1024


def _finish(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    # Also on what is sent plain: a cache between would else hand it, or its 304, to those who take gzip and back.
    response.vary.add("Accept-Encoding")
    if "Cache-Control" not in response.headers:
        # The browser may keep a page and must ask whether it still holds: a new build changes the answers at once.
        response.headers["Cache-Control"] = "private, no-cache"
        if request.method == "GET" and response.status_code == 200 and not response.is_streamed:
            response.add_etag(weak=True)
            response.make_conditional(request)
    return _compressed(response)


LAYER = Layer(after=_finish)


def _compressed(response: Response) -> Response:
    media_type = response.mimetype or ""
    if (
        response.is_streamed
        or response.direct_passthrough
        or "Content-Encoding" in response.headers
        or not (media_type.startswith("text/") or media_type.endswith(("+xml", "json")))
        or not accepts_gzip()
        or len(response.get_data()) < SMALLEST_COMPRESSED
    ):
        return response
    response.set_data(gzip.compress(response.get_data(), 6, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    return response
