"""What wraps every request of the application, in order.

    wrap(app, (request_log.LAYER, response_headers.LAYER, gate.LAYER))

The first layer is the outermost: it sees a request first and the response last. Nothing else hangs itself before or
after every request, so that the tuple in :mod:`kb.http.server` is the whole order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Flask, Response


@dataclass(frozen=True, slots=True)
class Layer:
    """What is done before the view, which may answer in its place, and to every response, refusals too."""

    before: Callable[[], Response | None] | None = None
    after: Callable[[Response], Response] | None = None


def wrap(app: Flask, layers: Sequence[Layer]) -> None:
    """Put the layers around an application, the first outermost."""
    for layer in layers:
        if layer.before is not None:
            app.before_request(layer.before)
        if layer.after is not None:
            app.after_request(layer.after)  # Flask runs these last registered first
