"""A server of several processes under one port: a master that holds the port, workers that answer, one model process.

    serve(settings, load_embedder(settings))        # KB_WEB_WORKERS=2 kb serve

gunicorn forks the workers and puts another in the place of one that dies or falls silent. Each of them answers with
waitress as a lone process does, on the port they share: whoever is free takes the next connection. None has a model in
memory (:mod:`kb.embedding.model_process` has), and each opens the index by itself, mapped from the same files. One at a
time, whoever holds the lock, does what a server does unasked: mails, and jobs whose worker is gone.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.channel import HTTPChannel

from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.embedding.model_process import ModelProcess
from kb.embedding.remote import PATIENCE, ModelClient, RemoteEmbedder
from kb.http.shared import Shared, server_secret
from kb.operations.jobs import keep_recovering

if TYPE_CHECKING:
    from flask import Flask

# Seconds of a worker's silence until it is replaced, and that it may take to finish what it has begun when it is told
# to stop.
SILENCE = 60
GRACE = 20
# Seconds between two signs of life.
BEAT = 0.5
LEADER_FILE = "leader.lock"
MODEL_SOCKET = "model"
MEASUREMENTS_FOLDER = "measurements"
log = logging.getLogger(__name__)


def serve(settings: Settings, embedder: Embedder, *, patience: float = PATIENCE) -> None:
    """Serve until told to stop; raises :class:`kb.core.errors.ConfigurationError` when the address cannot be used.

    ``embedder`` must have embedded nothing yet: what a model runs in does not survive a fork. A question waits for the
    models for ``patience`` seconds.
    """
    with _folder() as folder:
        # Before prometheus-client is imported, which then counts in files.
        (folder / MEASUREMENTS_FOLDER).mkdir()
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder / MEASUREMENTS_FOLDER)
        from kb.http import request_log
        from kb.http.server import check_access, told_of_address

        check_access(settings)
        request_log.log_as_json()
        with told_of_address(settings):
            listening = [one.detach() for one in _listening(settings)]
        model = ModelProcess(settings, embedder, str(folder / MODEL_SOCKET))
        print(
            f"Erfaringsbasen svarer på http://{settings.host}:{settings.port} med {settings.web_workers} processer"
            "  (stop med Ctrl-C)",
            flush=True,
        )
        client = ModelClient(model.address, patience)
        Master(Application(settings, embedder, folder, listening, model, client)).run()


def _listening(settings: Settings) -> Iterator[socket.socket]:
    """A socket for each address of the host's name, as a lone process has; raises ``OSError``."""
    for family, kind, protocol, _, address in socket.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    ):
        one = socket.socket(family, kind, protocol)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
        yield one


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of the server's own, which no other user can enter; the master takes it away, and no worker."""
    master, folder = os.getpid(), Path(tempfile.mkdtemp(prefix="kb-"))
    try:
        yield folder
    finally:
        if os.getpid() == master:
            shutil.rmtree(folder, ignore_errors=True)


class Application(BaseApplication):  # type: ignore[misc]  # gunicorn publishes no types
    """The application as gunicorn takes it: how it is run, and how a worker makes it."""

    def __init__(
        self,
        settings: Settings,
        embedder: Embedder,
        folder: Path,
        listening: Sequence[int],
        model: ModelProcess,
        client: ModelClient,
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.model = model
        self._embedder = embedder
        self._client = client
        self._listening = listening
        self._secret = server_secret(settings)
        super().__init__()

    def load_config(self) -> None:
        """What differs from gunicorn's own."""
        chosen: dict[str, Any] = {
            "bind": [f"fd://{number}" for number in self._listening],
            "workers": self.settings.web_workers,
            "worker_class": WaitressWorker,
            "timeout": SILENCE,
            "graceful_timeout": GRACE,
            "logger_class": LikeTheOthers,
            "control_socket_disable": True,  # it would be a thread in a process that forks
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application of one worker, warm."""
        from kb.http.server import make_app, warm

        embedder = RemoteEmbedder(self._embedder, self._client)
        app = make_app(self.settings, embedder, Shared.of_workers(self.folder, self._secret, self._client))
        warm(app, embedder)
        return app


class LikeTheOthers(Logger):  # type: ignore[misc]
    """What gunicorn tells goes where everything else is logged, and in its form."""

    def setup(self, cfg: Any) -> None:
        """Take the root's handlers instead of gunicorn's."""
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.setLevel(logging.INFO)
        self.error_log.propagate = True


class Master(Arbiter):  # type: ignore[misc]
    """The process that holds the port and keeps up the workers and, beside gunicorn's own, the model process."""

    def __init__(self, app: Application) -> None:
        self._model = app.model
        super().__init__(app)

    def manage_workers(self) -> None:
        """Called every second, and at once when a child has died."""
        self._model.keep_up()
        super().manage_workers()

    def stop(self, graceful: bool = True) -> None:
        """The workers first: they may still ask the model."""
        super().stop(graceful)
        self._model.stop()


class WaitressWorker(Worker):  # type: ignore[misc]
    """A worker that answers with waitress, on the sockets of the master."""

    def run(self) -> None:
        """Answer until told to stop or the master is gone, then finish what was begun."""
        from kb.http.server import make_server

        settings: Settings = self.app.settings
        channels: dict[int, Any] = {}
        server = make_server(self.wsgi, settings, sockets=[one.sock for one in self.sockets], channels=channels)
        stop = threading.Event()
        unasked = (self.wsgi, settings, self.app.folder / LEADER_FILE, stop)
        threading.Thread(target=_lead, args=unasked, name="kb-leader", daemon=True).start()
        while self.alive and os.getppid() == self.ppid:
            self.notify()
            wasyncore.loop(timeout=BEAT, use_poll=True, map=channels, count=1)
        stop.set()
        self._finish(channels)
        server.task_dispatcher.shutdown()

    def _finish(self, channels: dict[int, Any]) -> None:
        """Take no more connections, and answer the requests that have come."""
        for one in channels.values():
            one.accepting = False
        deadline = time.monotonic() + GRACE
        while any(_is_at_work(one) for one in channels.values()) and time.monotonic() < deadline:
            self.notify()
            wasyncore.loop(timeout=BEAT, use_poll=True, map=channels, count=1)


def _is_at_work(one: object) -> bool:
    return isinstance(one, HTTPChannel) and bool(one.requests or one.total_outbufs_len)


def _lead(app: Flask, settings: Settings, lock: Path, stop: threading.Event) -> None:
    """Do what a server does unasked, as soon as no other worker does; the system frees the lock of one that dies."""
    from kb.http.server import begin_unasked
    from kb.http.services import EXTENSION

    with FileLock(lock, poll_interval=BEAT, fallback_to_soft=False):
        begin_unasked(app, settings, stop)
        keep_recovering(lambda: app.extensions[EXTENSION].jobs, stop)
