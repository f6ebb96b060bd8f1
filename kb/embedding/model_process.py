"""The process that has the models in memory for all workers of a server (:mod:`kb.http.processes`).

    python -m kb.embedding.model_process        # its arguments come pickled on standard input

It answers the tasks of :mod:`kb.embedding.remote` on a Unix socket, a thread a connection. Questions that workers send
at the same time are embedded in one pass (:mod:`kb.embedding.batching`); the reader's windows go in passes of their
own, as those of one question fill one. It ends with the server that started it.
"""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any

from kb.core.child_process import environment_of_child
from kb.core.errors import KbError
from kb.core.settings import Settings
from kb.embedding.batching import BatchingEmbedder
from kb.embedding.embedder import Embedder
from kb.embedding.reader.choice import ReaderSource
from kb.embedding.remote import Models, Reply, Task, carried_out

MODULE = "kb.embedding.model_process"
BACKLOG = 128
PARENT_INTERVAL = 1.0
# Seconds between two starts: a process that cannot begin must not keep the processors busy.
RESTART_INTERVAL = 1.0
STOP_TIMEOUT = 5.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What the process is started with: where it listens, for whom, and which models it loads."""

    settings: Settings
    embedder: Embedder
    address: str
    server: int


class ModelProcess:
    """The process as the server's master keeps it: started, and started again when it has died."""

    def __init__(self, settings: Settings, embedder: Embedder, address: str) -> None:
        self._arguments = Arguments(settings, embedder, address, os.getpid())
        self._process: subprocess.Popen[bytes] | None = None
        self._started = -RESTART_INTERVAL

    @property
    def address(self) -> str:
        """Where it is asked."""
        return self._arguments.address

    @property
    def pid(self) -> int:
        """Its number; 0 before it was first started."""
        return self._process.pid if self._process else 0

    def keep_up(self) -> None:
        """Start the process where none runs."""
        if self._process is not None and self._process.poll() is None:
            return
        if time.monotonic() - self._started < RESTART_INTERVAL:
            return
        if self._process is not None:
            log.error("Modelprocessen %s er gået ned og startes igen", self._process.pid)
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", MODULE],
            stdin=subprocess.PIPE,
            env=environment_of_child(),
            start_new_session=True,  # an interrupt from the server's terminal reaches it last, by the master
        )
        assert self._process.stdin is not None
        with suppress(BrokenPipeError), self._process.stdin as arguments:
            pickle.dump(self._arguments, arguments)

    def stop(self) -> None:
        """End it."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def serve(listener: Listener, models: Models) -> None:
    """Answer whoever connects, for ever."""
    while True:
        try:
            connection = listener.accept()
        except OSError:
            log.exception("Modelprocessen kunne ikke tage imod en forbindelse")
            time.sleep(PARENT_INTERVAL)
            continue
        threading.Thread(target=_answer, args=(connection, models), name="kb-model", daemon=True).start()


def _answer(connection: Connection[Reply[Any], Task[Any]], models: Models) -> None:
    """Carry out what comes on a connection, one task after the other, until the worker is gone."""
    with connection, suppress(EOFError, OSError):
        while True:
            connection.send(carried_out(connection.recv(), models))


def _warm(models: Models, *, reading: bool) -> None:
    # What is wrong with a model is told to the first who asks.
    with suppress(KbError):
        models.embedder.embed_queries(["varm op"])
    with suppress(KbError):
        if reading:
            models.readers.reader().read("varm op", [])


def _end_with(server: int) -> None:
    """Leave when the server is gone, however it went."""
    while os.getppid() == server:
        time.sleep(PARENT_INTERVAL)
    os._exit(0)


def main() -> None:
    """Load the models and answer."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # Only the server that started this process can write to its standard input.
    arguments: Arguments = pickle.load(sys.stdin.buffer)  # noqa: S301
    threading.Thread(target=_end_with, args=(arguments.server,), name="kb-parent", daemon=True).start()
    Path(arguments.address).unlink(missing_ok=True)
    models = Models(BatchingEmbedder(arguments.embedder), ReaderSource(arguments.settings))
    with Listener(arguments.address, family="AF_UNIX", backlog=BACKLOG) as listener:
        warming = {"reading": arguments.settings.reading}
        threading.Thread(target=_warm, args=(models,), kwargs=warming, name="kb-warm-up", daemon=True).start()
        serve(listener, models)


if __name__ == "__main__":
    main()
