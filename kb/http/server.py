"""The server: the one factory that puts pages, API and what wraps every request together, on waitress.

One process with one model in memory answers from several threads; :mod:`kb.http.processes` makes workers of it. The
application can also be given to another WSGI server: ``kb.http.server:make_app()``.
"""

from __future__ import annotations

import errno
import logging
import socket
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask.json.provider import DefaultJSONProvider
from threadpoolctl import threadpool_limits
from waitress.server import BaseWSGIServer, MultiSocketServer, create_server

from kb.core.access import Access
from kb.core.errors import ConfigurationError, IndexBusyError, IndexUnusableError, StateUnavailableError, StorageError
from kb.core.identity import check_setup
from kb.core.public_address import PublicAddress, public_address
from kb.core.settings import Settings, load_settings
from kb.embedding.batching import BatchingEmbedder
from kb.embedding.embedder import Embedder, load_embedder
from kb.http import audit_trail, cross_origin, gate, metrics, request_log, response_headers, sign_in
from kb.http.api import openapi
from kb.http.api.change_routes import changes
from kb.http.api.curation_routes import curation
from kb.http.api.lesson_routes import lessons
from kb.http.api.problem_details import problem
from kb.http.api.routes import api
from kb.http.layers import Layer, wrap
from kb.http.services import EXTENSION, Services, services
from kb.http.shared import Shared
from kb.http.slow_senders import PacedChannel
from kb.http.web import app as pages
from kb.http.web import error_pages
from kb.operations.jobs import keep_recovering
from kb.operations.lesson_reminders import keep_reminding
from kb.operations.saved_questions import keep_notifying
from kb.operations.source_jobs import keep_syncing
from kb.retrieval.permitted_snapshot import PermittedSnapshotHolder
from kb.retrieval.snapshot_holder import SnapshotHolder
from kb.state.audit import Audit
from kb.state.keys import KeyStore
from kb.state.repository import repository_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CHANNEL_TIMEOUT = 60
MOST_BYTES = 1 << 30
# Bytes of a request that is no upload.
FORM_LIMIT = 256 * 1024
# What to do about an address that cannot be listened on.
_ADDRESS_ADVICE = {
    errno.EADDRINUSE: "Et andet program har porten; se hvilket: sudo ss -ltnp. Stop det, eller vælg en anden "
    "med KB_PORT (kb serve --port 8001), og ret den i proxyen.",
    errno.EADDRNOTAVAIL: "Maskinen har ikke den adresse: ret KB_HOST. Bag en proxy på samme maskine er det 127.0.0.1.",
    errno.EACCES: "Porte under 1024 er kun for root: vælg en anden med KB_PORT, og lad proxyen have 443.",
}
log = logging.getLogger(__name__)


def check_access(settings: Settings) -> None:
    """Raise :class:`ConfigurationError` when the server would be reachable from elsewhere with no access set up."""
    check_setup(settings, keys=KeyStore(settings.state).active())


def make_app(settings: Settings | None = None, embedder: Embedder | None = None, shared: Shared | None = None) -> Flask:
    """The whole application, with the model of the settings where none is given.

    ``shared`` is what it has in common with other processes of the server, nothing by default. Raises
    :class:`ConfigurationError` when it would be reachable from elsewhere with no access set up.
    """
    settings = settings or load_settings()
    shared = shared or Shared.alone(settings)
    check_access(settings)
    measurements = metrics.Measurements(settings)
    # Every thread answers a question by itself: a second one for the same small product has to be waited for, and
    # turns while it waits, which takes as much of the processors again.
    threadpool_limits(1, user_api="blas")
    embedder = embedder or load_embedder(settings)
    together = BatchingEmbedder(embedder) if shared.gathers else embedder
    measured = metrics.MeasuredEmbedder(together, measurements)
    app = Flask(pages.PACKAGE, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = FORM_LIMIT
    app.json = Json(app)
    app.extensions |= {
        EXTENSION: Services(
            settings, PermittedSnapshotHolder(SnapshotHolder(settings, measured, shared.readers), settings)
        ),
        gate.EXTENSION: gate.Guard.make(settings, shared.limits),
        metrics.EXTENSION: measurements,
    }
    wrap(app, layers(settings))
    error_pages.register(app, problem)
    pages.install(app)
    for operations in (api, changes, lessons, curation):
        operations.install(app)
    for blueprint in (openapi.blueprint, metrics.blueprint):
        app.register_blueprint(blueprint)
    sign_in.install(app, settings, shared.secret)
    if address := public_address(settings):
        app.wsgi_app = AtPublicAddress(app.wsgi_app, address)  # type: ignore[method-assign]
    return app


def layers(settings: Settings) -> tuple[Layer, ...]:
    """What wraps every request, outermost first."""
    return (
        request_log.LAYER,  # the request's id first of all, its line when the response is as it is sent
        response_headers.LAYER,  # headers and compression, on refusals too
        cross_origin.layer(settings),
        audit_trail.LAYER,  # what was refused or failed, with the status it got
        metrics.LAYER,  # what was answered, before a validator turns it into a 304
        gate.LAYER,  # nothing but a view comes behind it
    )


class AtPublicAddress:
    """Lets the application know itself by the address its users see, whatever a request claims it was sent to.

    Below a path, a request may come with the path or without it: a proxy may take it off, and what watches the server
    on its own machine knows nothing of it. What is answered names the path always.
    """

    def __init__(self, inner: WSGIApplication, address: PublicAddress) -> None:
        self._inner = inner
        self._address = address

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request under the public address."""
        root, path = self._address.root, environ.get("PATH_INFO", "")
        environ["HTTP_HOST"] = self._address.host
        environ["wsgi.url_scheme"] = self._address.scheme
        environ["SCRIPT_NAME"] = root
        if root and f"{path}/".startswith(f"{root}/"):
            environ["PATH_INFO"] = path[len(root) :]
        return self._inner(environ, start_response)


class Json(DefaultJSONProvider):
    """JSON with Danish letters as they are and members in the order they were written."""

    ensure_ascii = False
    sort_keys = False


def make_server(
    app: Flask,
    settings: Settings,
    *,
    sockets: Sequence[socket.socket] = (),
    channels: dict[int, Any] | None = None,
) -> BaseWSGIServer | MultiSocketServer:
    """The server, on ``sockets`` or else at the settings' address; raises ``OSError`` when it cannot be used.

    ``channels`` is where it puts what it waits for: who has it can drive the server step by step.
    """
    listening: dict[int, Any] = {} if channels is None else channels
    where = {"sockets": list(sockets)} if sockets else {"host": settings.host, "port": settings.port}
    server = create_server(
        app,
        map=listening,
        **where,
        # select() knows no file beyond the 1,023rd, and then answers nobody any more.
        asyncore_use_poll=True,
        # A question waits for the interpreter's lock rather than for a thread: the workers share the number.
        threads=-(-settings.threads // settings.web_workers),
        ident=None,
        # The gate judges whom to believe of what a proxy says; taken away here, all behind it would be one.
        clear_untrusted_proxy_headers=False,
        # Whoever falls silent in the middle of a request is let go.
        channel_timeout=CHANNEL_TIMEOUT,
        # Above what the application takes, so that it is the application that says no.
        max_request_body_size=MOST_BYTES,
    )
    for one in listening.values():
        if isinstance(one, BaseWSGIServer):
            one.channel_class = PacedChannel
    return server


@contextmanager
def told_of_address(settings: Settings) -> Iterator[None]:
    """Raise :class:`ConfigurationError` where the address cannot be used."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"Adressen {settings.host}:{settings.port} kan ikke bruges: {error.strerror}.",
            advice=_ADDRESS_ADVICE.get(error.errno or 0, "Ret KB_HOST og KB_PORT."),
        ) from error


def run(settings: Settings, embedder: Embedder) -> None:
    """Serve until interrupted; raises :class:`ConfigurationError` when the address cannot be used."""
    request_log.log_as_json()
    app = make_app(settings, embedder)
    warm(app, embedder)
    with told_of_address(settings):
        server = make_server(app, settings)
    stop = threading.Event()
    begin_unasked(app, settings, stop)
    if repository_of(settings.state).is_shared:
        looking = (lambda: app.extensions[EXTENSION].jobs, stop)
        threading.Thread(target=keep_recovering, args=looking, name="kb-recovery", daemon=True).start()
    print(f"Erfaringsbasen svarer på http://{settings.host}:{settings.port}  (stop med Ctrl-C)", flush=True)
    try:
        server.run()
    except KeyboardInterrupt:
        print("Stoppet.")
    finally:
        stop.set()
        server.close()


def begin_unasked(app: Flask, settings: Settings, stop: threading.Event) -> None:
    """What a server does without being asked, in the background until ``stop`` is set: old events, mails, sources."""
    _forget_old_events(settings)
    keep_reminding(settings, stop=stop)
    keep_notifying(settings, app.extensions[EXTENSION].holder.searcher, stop=stop)
    keep_syncing(app.extensions[EXTENSION].sources, stop=stop)


def _forget_old_events(settings: Settings) -> None:
    try:
        Audit(settings.state).forget(settings.audit_days, who="serveren")
    except (StorageError, sqlite3.Error) as error:
        log.warning("Gamle hændelser kunne ikke slettes: %s", error)


def warm(app: Flask, embedder: Embedder) -> None:
    """Open the index and load the model before the first question; without an index the pages say what to run."""
    try:
        with app.app_context():
            services().holder.searcher(Access())
    except (IndexUnusableError, StateUnavailableError) as error:
        log.warning("%s %s", error, error.advice)
    try:
        embedder.embed_queries(["varm op"])
    except IndexBusyError as error:  # the process that has the models is away: it may come yet
        log.warning("%s %s", error, error.advice)
