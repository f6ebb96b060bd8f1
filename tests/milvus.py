"""A milvus-lite server: what tests of an index on Milvus ask, in this process or in one that can be killed."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kb.core.settings import Settings
from tests.timing import until

PRESENT = all(importlib.util.find_spec(name) for name in ("pymilvus", "milvus_lite"))
needs_milvus = pytest.mark.skipif(
    not PRESENT, reason="UDEN pymilvus OG milvus-lite ER ET INDEKS PÅ MILVUS IKKE PRØVET (pip install .[cluster,test])"
)


def on_milvus(settings: Settings, url: str | Path, **overrides: object) -> Settings:
    """The same installation with its index on a server, or in a milvus-lite folder."""
    return settings.model_copy(update={"index_url": str(url), **overrides})


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class MilvusServer:
    """A server in a process of its own, which can be killed and started again on the same data and port.

    with MilvusServer(tmp_path / "milvus") as server:
        server.url
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> MilvusServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "milvus_lite", "server", "--data-dir", str(self._folder)]
        command += ["--host", "127.0.0.1", "--port", str(self._port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers)

    def kill(self) -> None:
        """Kill it, as a machine goes down."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self._port)) == 0
