"""Files and images as a browser or a program may ask for them: only if changed, or a part.

Werkzeug answers a range before it looks whether the copy held is still good, and refuses a range it does not
understand. RFC 9110 has it the other way: preconditions come first (13.2.2), and a range in another unit, in several
parts or not understood is ignored (14.2). A range that begins after the end is still refused (416).
"""

from __future__ import annotations

import io
from pathlib import Path

from flask import Response, request, send_file
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import is_resource_modified, parse_range_header


def sent(source: Path | bytes, *, media_type: str, etag: str, download_name: str = "") -> Response:
    """A file or an image; ``download_name`` makes it a download. ``etag`` changes when its bytes do."""
    response = send_file(
        io.BytesIO(source) if isinstance(source, bytes) else source.resolve(),
        mimetype=media_type,
        as_attachment=bool(download_name),
        download_name=download_name or None,
        conditional=False,
        etag=etag,
    )
    asked = dict(request.environ)
    held = not is_resource_modified(asked, response.headers["ETag"], last_modified=response.last_modified)
    if held or not _is_understood(asked.get("HTTP_RANGE", "")):
        asked.pop("HTTP_RANGE", None)
    try:
        response.make_conditional(asked, accept_ranges=True, complete_length=response.content_length)
    except RequestedRangeNotSatisfiable:
        response.close()
        raise
    return response


def _is_understood(value: str) -> bool:
    ranges = parse_range_header(value)
    return ranges is not None and ranges.units == "bytes" and len(ranges.ranges) == 1
