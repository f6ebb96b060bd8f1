"""Static files with an address that changes with their content, compressed once.

``static_url("app.css")`` gives ``/static/app.css?v=<digest>``; what is asked for by its digest may be kept for a year,
the rest (fonts and icons that the stylesheet names) for a day. Text is sent gzipped to those who accept it.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort, request, url_for

FOLDER = Path(__file__).parent / "static"
YEAR, DAY = 31_536_000, 86_400
_TEXT = ("text/", "image/svg", "application/javascript")

blueprint = Blueprint("statisk", __name__)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file's bytes, plain and (for text) gzipped, with its media type and digest."""

    content: bytes
    compressed: bytes | None
    media_type: str
    digest: str


@cache
def files() -> dict[str, StaticFile]:
    """Every static file by its path below the folder; read once, when first asked for."""
    return {path.relative_to(FOLDER).as_posix(): _load(path) for path in FOLDER.rglob("*") if path.is_file()}


def _load(path: Path) -> StaticFile:
    content = path.read_bytes()
    media_type = {".woff2": "font/woff2"}.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"
    text = media_type.startswith(_TEXT)
    compressed = gzip.compress(content, 9, mtime=0) if text else None
    if text:
        media_type += "; charset=utf-8"
    return StaticFile(content, compressed, media_type, hashlib.sha256(content).hexdigest()[:12])


def static_url(name: str) -> str:
    """The address of a static file; KeyError when there is none of that name."""
    return url_for("statisk.static_file", name=name, v=files()[name].digest)


@blueprint.get("/static/<path:name>")
def static_file(name: str) -> Response:
    """One static file."""
    file = files().get(name)
    if file is None:
        abort(404)
    zipped = file.compressed is not None and accepts_gzip()
    response = Response(file.compressed if zipped and file.compressed else file.content)
    response.headers["Content-Type"] = file.media_type
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.cache_control.public = True
    response.cache_control.max_age = YEAR if request.args.get("v") == file.digest else DAY
    response.set_etag(file.digest, weak=True)  # one for the plain and the gzipped bytes
    response.make_conditional(request)
    return response


def accepts_gzip() -> bool:
    """Whether the one who asks takes gzipped text."""
    return request.accept_encodings.quality("gzip") > 0
