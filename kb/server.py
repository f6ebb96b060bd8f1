"""The server: pages and API put together, on waitress.

One process with one model in memory answers from several threads. The application can also be given to another WSGI
server: ``kb.server:make_app()``.
"""

from __future__ import annotations

import logging

from flask import Flask
from flask.json.provider import DefaultJSONProvider
from waitress.server import create_server

from kb.api import openapi, requests
from kb.api.problems import problem
from kb.api.routes import api
from kb.embed import Embedder, load_embedder
from kb.errors import ConfigurationError, IndexUnusableError
from kb.search import SnapshotHolder
from kb.settings import Settings, load_settings
from kb.web.app import create_app

log = logging.getLogger(__name__)


def make_app(settings: Settings | None = None, embedder: Embedder | None = None) -> Flask:
    """The whole application, with the model of the settings where none is given."""
    settings = settings or load_settings()
    holder = SnapshotHolder(settings, embedder or load_embedder(settings))
    app = create_app(settings, holder, blueprints=[api.blueprint, openapi.blueprint], api_problem=problem)
    api.install(app)
    requests.install(app)
    app.json = Json(app)
    return app


class Json(DefaultJSONProvider):
    """JSON with Danish letters as they are and members in the order they were written."""

    ensure_ascii = False
    sort_keys = False


def run(settings: Settings, embedder: Embedder) -> None:
    """Serve until interrupted; raises :class:`ConfigurationError` when the address cannot be used."""
    app = make_app(settings, embedder)
    _warm(app, embedder)
    try:
        server = create_server(app, host=settings.host, port=settings.port, threads=settings.threads, ident=None)
    except OSError as error:
        raise ConfigurationError(
            f"Adressen {settings.host}:{settings.port} kan ikke bruges: {error.strerror}.",
            advice="Vælg en anden port: kb serve --port 8001",
        ) from error
    print(f"Erfaringsbasen svarer på http://{settings.host}:{settings.port}  (stop med Ctrl-C)", flush=True)
    try:
        server.run()
    except KeyboardInterrupt:
        print("Stoppet.")
    finally:
        server.close()


def _warm(app: Flask, embedder: Embedder) -> None:
    """Open the index and load the model before the first question; without an index the pages say what to run."""
    try:
        app.extensions["kb"].holder.searcher()
    except IndexUnusableError as error:
        log.warning("%s %s", error, error.advice)
    embedder.embed_queries(["varm op"])
