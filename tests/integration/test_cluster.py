"""Indexing on a real Ray cluster of two machines that loses a worker and then a machine.

What is done is in :mod:`tests.clustering`, in a process of its own that strace follows with all that it starts.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import clustering

ROOT = Path(__file__).parents[2]
SECONDS = 600
_CALL = re.compile(r"^(?P<pid>\d+) +(?P<name>\w+)\((?P<fd>\d+), (?P<rest>.*)")
_ADDRESS = re.compile(r'inet_addr\("([\d.]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')
# Ray learns the machine's own address by naming this one to the system; nothing is sent to it.
_NAMED_ONLY = "8.8.8.8"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(2 * SECONDS),
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None, reason="UDEN ray ER INDEKSERING PÅ EN KLYNGE IKKE PRØVET"
    ),
]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder with a short name, as those of sockets must be; nothing that runs in it is left running."""
    made = Path(tempfile.mkdtemp(prefix="kbr"))
    yield made
    for pid in _running_in(made):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def told(folder: Path) -> dict[str, Any]:
    traced = ["strace", "-f", "--seccomp-bpf", "-o", str(folder / "trace"), "-e"]
    traced += ["trace=connect,sendto,sendmsg,sendmmsg"]
    command = [*(traced if shutil.which("strace") else []), sys.executable, "-m", "tests.clustering", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder), "HOME": str(folder / "home")}
    options: dict[str, Any] = {"cwd": ROOT, "env": environment, "capture_output": True, "text": True}
    done = subprocess.run(command, check=False, timeout=SECONDS, **options)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads((folder / clustering.TOLD).read_text(encoding="utf-8"))
    return found


def _running_in(folder: Path) -> list[int]:
    """The processes that were started with this folder as Ray's."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"RAY_TMPDIR={folder}".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_a_build_whose_worker_and_machine_are_lost_underway_is_the_local_one(told: dict[str, Any]) -> None:
    assert told["killed"] == {"documents": clustering.REPORTS, "failed": {}, "embedded here": False}
    assert told["differing"] == []


def test_a_run_that_is_cancelled_leaves_no_worker_and_the_build_in_use(told: dict[str, Any]) -> None:
    assert told["cancelled"]["code"] == "indeksering-annulleret"
    assert (told["cancelled"]["build"], told["cancelled"]["workers"]) == ("kept", 0)


def test_a_machine_with_another_version_is_refused_by_name(told: dict[str, Any]) -> None:
    refused = told["another version"]
    assert re.search(r"Maskinen \S+ i klyngen kan ikke bruges: udgaven af Erfaringsbasen er", refused["message"])
    assert (refused["code"], refused["build"]) == ("klynge-utilgængelig", "kept")


def test_a_cluster_without_workers_is_told_as_that(told: dict[str, Any]) -> None:
    assert "ingen maskiner" in told["alone"]["message"]
    assert (told["alone"]["code"], told["alone"]["build"]) == ("klynge-utilgængelig", "kept")


def test_a_cluster_that_reports_its_usage_is_recognised(told: dict[str, Any]) -> None:
    assert told["reporting"] == {"1": True, "0": False}


def test_no_process_is_left(told: dict[str, Any], folder: Path) -> None:
    assert told
    assert _running_in(folder) == []


def test_nothing_is_written_outside_the_folders_it_is_given(told: dict[str, Any], folder: Path) -> None:
    assert told
    assert not (folder / "home").exists()
    assert list(folder.glob("kb-read-*")) == []


@pytest.mark.skipif(not shutil.which("strace"), reason="UDEN strace ER DET IKKE PRØVET, OM RAY KALDER UD")
def test_no_process_of_run_or_cluster_sends_anything_beyond_the_cluster(told: dict[str, Any], folder: Path) -> None:
    assert told
    assert foreign((folder / "trace").read_text(encoding="utf-8", errors="replace"), _own_addresses()) == []


def test_the_page_has_machines_started_as_they_were_here() -> None:
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    assert [name for name, value in clustering.SILENT.items() if value and f"{name}={value}" not in page] == []


def foreign(trace: str, own: frozenset[str]) -> list[str]:
    """The calls by which something goes, or could go, to an address that is not this machine's."""
    named: set[tuple[str, str]] = set()
    found = []
    for line in trace.splitlines():
        call = _CALL.match(line)
        if call is None:
            continue
        socket = call["pid"], call["fd"]
        addresses = [one or other for one, other in _ADDRESS.findall(call["rest"])]
        beyond = [address for address in addresses if address.removeprefix("::ffff:") not in own]
        if call["name"] == "connect":
            named.discard(socket)
        if call["name"] == "connect" and beyond == [_NAMED_ONLY]:
            named.add(socket)
        elif beyond or socket in named:
            found.append(line)
    return found


def _own_addresses() -> frozenset[str]:
    shown = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True).stdout.split()
    return frozenset({"127.0.0.1", "::1", "0.0.0.0", *shown})  # noqa: S104


def test_the_trace_is_read_rightly() -> None:
    trace = """
7 connect(3, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("8.8.8.8")}, 16) = 0
7 connect(3, {sa_family=AF_INET, sin_port=htons(6379), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
7 sendto(3, "x", 1, 0, NULL, 0) = 1
8 connect(4, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("8.8.8.8")}, 16) = 0
8 sendto(4, "x", 1, 0, NULL, 0) = 1
9 connect(5, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.9")}, 16) = -1 EINPROGRESS
9 connect(5, {sa_family=AF_INET6, sin6_port=htons(1), inet_pton(AF_INET6, "::ffff:127.0.0.1", &sin6_addr)}, 28) = 0
"""
    assert [line.split()[0] for line in foreign(trace, frozenset({"127.0.0.1"}))] == ["8", "9"]
