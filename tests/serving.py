"""Runs an application on a loopback port of its own while a test asks it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from waitress.server import BaseWSGIServer, create_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# Seconds a closed server's thread is waited for; one with a connection that is kept open ends with the tests.
_CLOSING = 5.0


@contextmanager
def serving(app: WSGIApplication, *, closing: float = _CLOSING) -> Iterator[str]:
    """Answer on a free port until the block is left; gives the address."""
    server = create_server(app, host="127.0.0.1", port=0, threads=4, asyncore_use_poll=True)
    assert isinstance(server, BaseWSGIServer)
    assert server.socket is not None
    closed = threading.Event()

    def run() -> None:
        try:
            server.run()
        except OSError:  # a connection that was kept open is closed while the loop waits for it
            if not closed.is_set():
                raise

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
    finally:
        closed.set()
        server.close()
        thread.join(closing)
