"""The driver as a run sees it: tasks out, results back, an error when the cluster cannot be used.

client = DriverClient(start)
client.submit(Kind.EMBED, ["Hvad kostede det?"]).result()
client.close()
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from itertools import count
from multiprocessing.connection import Connection
from typing import Any

from kb.cluster.messages import Done, Failed, GivenUp, Kind, Over, Start, Task, Workers
from kb.core.child_process import environment_of_child
from kb.core.errors import ClusterError, InstallationError, SettingsError

MODULE = "kb.cluster.driver"
# Seconds to reach the cluster's port, to be connected to it, to get its first worker (more than the driver waits for
# one), and for the driver to end.
REACH_PATIENCE = 5.0
START_PATIENCE = 120.0
WORKER_PATIENCE = 900.0
STOP_PATIENCE = 15.0
_ADDRESS = re.compile(r"(?P<host>[\w.-]+):(?P<port>\d{1,5})")


class TaskLostError(ClusterError):
    """Several workers were lost while they had a task."""


class DriverClient:
    """The driver as the run sees it: takes tasks from several threads; ``workers`` is how many there are, at least 1.

    Raises :class:`ClusterError` when the cluster cannot be used.
    """

    def __init__(self, start: Start) -> None:
        self.workers = 1
        self._numbers = count()
        self._lock = threading.Lock()
        # Of its own: a send waits for the driver, and the driver's results must be heard meanwhile.
        self._sending = threading.Lock()
        self._futures: dict[int, Future[Any]] = {}
        self._over: ClusterError | None = None
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._connection: Connection[Any, Any] = Connection(os.dup(ours.fileno()))
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", MODULE, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=environment_of_child(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # an interrupt from the terminal reaches it by way of the run
            )
        self._thread = threading.Thread(target=self._receive, name="kb-klynge", daemon=True)
        try:
            with contextlib.suppress(OSError):  # waiting tells that the driver is gone
                self._connection.send(start)
            self._await_workers(start.address)
        except BaseException:
            self.close()
            raise
        self._thread.start()

    def submit(self, kind: Kind, items: Sequence[Any]) -> Future[Any]:
        """Have a task done; the future raises what it raised, or :class:`ClusterError`."""
        future: Future[Any] = Future()
        with self._lock:
            if self._over:
                raise self._over
            number = next(self._numbers)
            self._futures[number] = future
        with self._sending, contextlib.suppress(OSError):  # the thread that listens tells that the driver is gone
            self._connection.send(Task(number, kind, items))
        return future

    def close(self) -> None:
        """End the driver and with it the workers."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        if self._thread.is_alive():
            self._thread.join()
        self._connection.close()
        self._socket.close()

    def _await_workers(self, address: str) -> None:
        """Wait for the driver's word that it is connected, and for its first worker."""
        for patience in (START_PATIENCE, WORKER_PATIENCE):
            if not self._connection.poll(patience):
                raise ClusterError(f"Klyngen på {address} svarer ikke.")
            self._take(self._heard())
            if self._over:
                raise self._over

    def _receive(self) -> None:
        while self._over is None:
            self._take(self._heard())
        with self._lock:
            left, self._futures = list(self._futures.values()), {}
        for future in left:
            future.set_exception(self._over)

    def _heard(self) -> object:
        try:
            return self._connection.recv()
        except (EOFError, OSError):
            return Over("Forbindelsen til klyngen gik tabt.")

    def _take(self, told: object) -> None:
        if isinstance(told, Workers):
            self.workers = max(told.count, 1)
        elif isinstance(told, Over):
            with self._lock:
                self._over = ClusterError(told.message, advice=told.advice)
        elif isinstance(told, Done):
            self._future(told.number).set_result(told.result)
        elif isinstance(told, Failed):
            self._future(told.number).set_exception(told.error)
        elif isinstance(told, GivenUp):
            message = "Klyngen blev ved med at miste den maskine, der havde opgaven."
            self._future(told.number).set_exception(TaskLostError(message))

    def _future(self, number: int) -> Future[Any]:
        with self._lock:
            return self._futures.pop(number)


def check_reachable(address: str) -> None:
    """Raise for what is no address, for a missing library, and for a port that nobody listens on."""
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        advice = "Skriv adressen på klyngens hoved, fx 10.0.0.5:6379."
        raise SettingsError(f"{address} er ikke en klynges adresse, som skrives VÆRT:PORT.", advice=advice)
    if importlib.util.find_spec("ray") is None:
        advice = "Installér tilføjelsen, og kør kommandoen igen: pip install '.[cluster]' -c constraints.txt"
        raise InstallationError("Indeksering på en klynge kræver Ray, som ikke er installeret.", advice=advice)
    try:
        socket.create_connection((parts["host"], int(parts["port"])), REACH_PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f"Klyngen på {address} kan ikke nås: {error}.") from error
