"""What cannot be a cluster is told at once and with what to do; nothing of the index is changed."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kb import indexing
from kb.cluster import client
from kb.core.errors import ClusterError, InstallationError, SettingsError
from kb.core.settings import Settings
from kb.index import builds
from tests.support import HashEmbedder
from tests.timing import until

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="UDEN ray ER KLYNGER IKKE PRØVET")


@pytest.fixture
def port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    "address", ["auto", "ray://hoved:10001", "hoved", "hoved:", "http://hoved:6379", "hoved:6379/x"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="VÆRT:PORT"):
        client.check_reachable(address)


def test_without_the_library_it_says_which_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(InstallationError) as told:
        client.check_reachable("hoved:6379")
    assert "[cluster]" in told.value.advice


@needs_ray
@pytest.mark.slow
@pytest.mark.parametrize("port", [1, 99999])
def test_a_cluster_that_is_not_there_is_an_error_and_the_index_is_as_it_was(indexed: Settings, port: int) -> None:
    before = builds.current_id(indexed.index_dir)
    (indexed.corpus / "ny.md").write_text("# Ny\n\nTekst.", encoding="utf-8")
    with pytest.raises(ClusterError, match="kan ikke nås"):
        indexing.run(indexed.model_copy(update={"index_cluster": f"127.0.0.1:{port}"}), HashEmbedder())
    assert builds.current_id(indexed.index_dir) == before
    assert indexing.run(indexed, HashEmbedder()).added == ("ny.md",)


@needs_ray
@pytest.mark.slow
def test_a_port_that_speaks_something_else_is_given_up(
    indexed: Settings, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray waits for it without end, and heeds no signal meanwhile."""
    monkeypatch.setattr(client, "START_PATIENCE", 3.0)
    monkeypatch.setattr(client, "STOP_PATIENCE", 1.0)
    with pytest.raises(ClusterError, match="svarer ikke"):
        indexing.run(indexed.model_copy(update={"index_cluster": f"127.0.0.1:{port}"}), HashEmbedder())


@needs_ray
@pytest.mark.slow
def test_a_driver_that_dies_is_told_as_a_lost_connection(indexed: Settings, port: int) -> None:
    """Ray's native code ends the process it is in when the cluster's head is gone for good."""
    killer = threading.Thread(target=lambda: until(_kill_driver))
    killer.start()
    with pytest.raises(ClusterError, match="gik tabt"):
        indexing.run(indexed.model_copy(update={"index_cluster": f"127.0.0.1:{port}"}), HashEmbedder())
    killer.join()


@needs_ray
def test_so_is_one_that_dies_before_it_is_told_what_to_do(
    indexed: Settings, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ended(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.wait()

    monkeypatch.setattr(client, "MODULE", "kb.cluster.no_such_module")
    monkeypatch.setattr(subprocess, "Popen", Ended)
    with pytest.raises(ClusterError, match="gik tabt"):
        indexing.run(indexed.model_copy(update={"index_cluster": f"127.0.0.1:{port}"}), HashEmbedder())


def _kill_driver() -> bool:
    """Kill the driver that this process has started; False when there is none yet."""
    told = " ".join(file.read_text(encoding="ascii") for file in Path("/proc/self/task").glob("*/children"))
    for pid in told.split():
        if client.MODULE.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(int(pid), signal.SIGKILL)
            return True
    return False


@pytest.mark.slow
def test_nothing_of_a_cluster_is_loaded_where_none_is_named(tmp_path: Path) -> None:
    """``kb index`` without a cluster needs nothing of one."""
    asked = (
        "import sys, kb.indexing; print(sorted(name for name in sys.modules if name.startswith(('kb.cluster', 'ray'))))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
