"""A server of several processes, with the processes it consists of: started for tests, looked into by benchmarks.

with workers(settings) as server:
    server.get("/api/v1/search", "faldrisiko")
    os.kill(server.model(), signal.SIGKILL)
"""

from __future__ import annotations

import http.client
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kb.core.settings import Settings
from kb.embedding.model_process import MODULE
from tests.timing import PATIENCE, until

HOME = Path(__file__).parents[1]
# Answers that clients get after a kill before it is over: more than were under way.
ANSWERED_SINCE = 40
# What a client sees of a connection whose worker was killed, before its answer or in the middle of it.
BROKEN = (OSError, http.client.HTTPException)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@dataclass(frozen=True)
class Server:
    """A running server by its master's number and its port."""

    master: int
    port: int
    count: int = 2

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def model(self) -> int:
        """The number of the model process; 0 while there is none."""
        return next((pid for pid in self._children() if MODULE in _command(pid)), 0)

    def workers(self) -> list[int]:
        """The numbers of the workers."""
        return [pid for pid in self._children() if MODULE not in _command(pid)]

    def a_worker(self) -> int:
        """The number of the oldest of them."""
        return self.workers()[0]

    def processes(self) -> list[int]:
        """All of them."""
        return [self.master, *self._children()]

    def _children(self) -> list[int]:
        try:
            told = Path(f"/proc/{self.master}/task/{self.master}/children").read_text(encoding="ascii")
        except OSError:
            return []
        return [pid for pid in map(int, told.split()) if _command(pid)]

    def ask(self, path: str, question: str = "", *, key: str = "", post: bool = False) -> tuple[int, Any]:
        """Status and JSON of one request on a connection of its own; raises one of ``BROKEN`` where that breaks."""
        query = f"?{urllib.parse.urlencode({'q': question})}" if question else ""
        url = f"{self.address}{path}{query}"
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        request = urllib.request.Request(url, headers=headers, method="POST" if post else "GET")  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def get(self, path: str, question: str = "") -> Any:
        """The JSON of a request that succeeds."""
        status, found = self.ask(path, question)
        assert status == 200, (status, found)
        return found

    def is_ready(self) -> bool:
        try:
            return self.ask("/api/v1/health/ready")[0] == 200
        except BROKEN:
            return False


def _command(pid: int) -> str:
    """The command line of a process; empty for one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@contextmanager
def workers(settings: Settings, log: Path, count: int = 2) -> Iterator[Server]:
    """Serve with so many workers and the small deterministic embedder until the block is left; logs to a file."""
    chosen = settings.model_copy(update={"web_workers": count, "port": free_port()})
    with log.open("wb") as told:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.workers"], stdin=subprocess.PIPE, stdout=told, stderr=told, cwd=HOME
        )
    assert process.stdin is not None
    with process.stdin as arguments:
        pickle.dump(chosen, arguments)
    server = Server(process.pid, chosen.port, count)
    try:
        until(lambda: server.is_ready() or process.poll() is not None)
        assert process.poll() is None, log.read_text(encoding="utf-8")
        yield server
    finally:
        process.terminate()
        process.wait(PATIENCE)


# What a server says of the moment and not of the question.
OF_THE_BUILD = ("build_id", "created")


def said(found: dict[str, Any]) -> dict[str, Any]:
    """What was answered, whichever build it is from."""
    return {name: value for name, value in found.items() if name not in OF_THE_BUILD}


@dataclass
class Seen:
    """What clients saw who asked the same things again and again: answers, answers unlike the first, and connections
    that broke.
    """

    answered: int = 0
    broken: int = 0
    wrong: list[object] = field(default_factory=list)


@contextmanager
def asking(server: Server, questions: Sequence[tuple[str, str]], *, clients: int) -> Iterator[Seen]:
    """Ask paths and questions in so many threads until the block is left; what is answered first is the truth."""
    expected = {one: said(server.get(*one)) for one in questions}
    seen, done = Seen(), threading.Event()

    def ask() -> None:
        while not done.is_set():
            for (path, question), first in expected.items():
                try:
                    status, found = server.ask(path, question)
                except BROKEN:
                    seen.broken += 1  # the connection of a worker that was killed
                    continue
                if status != 200 or said(found) != first:
                    seen.wrong.append((path, question, status, found))
                seen.answered += 1

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        done.set()
        for thread in threads:
            thread.join()


def kill(server: Server, victim: int, seen: Seen) -> None:
    """Kill a process of a server, and wait until another is in its place and clients have been answered again."""
    os.kill(victim, signal.SIGKILL)
    reached = seen.answered + ANSWERED_SINCE
    until(lambda: victim not in {*server.workers(), server.model()} and server.model() != 0)
    until(lambda: len(server.workers()) == server.count and seen.answered >= reached)


if __name__ == "__main__":
    from kb.http import processes
    from tests.support import HashEmbedder

    processes.serve(pickle.load(sys.stdin.buffer), HashEmbedder(), patience=PATIENCE)  # noqa: S301
