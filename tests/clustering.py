"""A Ray cluster on this machine, and what is done with it for tests: in a process of its own, so that nothing of Ray
comes into theirs, every process of it can be traced, and none is left.

    python -m tests.clustering FOLDER        # writes FOLDER/told.json

The cluster has two machines with a processor each: the head, where the run is, and one that is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from kb import indexing
from kb.cluster import edition
from kb.core.errors import CancelledError, KbError
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.index import builds
from kb.indexing import cluster_pool
from tests.support import HashEmbedder, make_settings, report_text, write_corpus

# What docs/scale.md has the machines of a cluster started with, so that Ray's processes ask nothing of the world.
SILENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USAGE_STATS_REPORT_URL": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "no_proxy": "",
}
TOLD = "told.json"
SMALL_STORE = 80 << 20
REPORTS = 16
# Files read before a worker's process is killed, and before a machine is.
KILL_WORKER_AFTER, KILL_MACHINE_AFTER = 2, 8


@contextmanager
def cluster(folder: Path) -> Iterator[Any]:
    """A head and another machine, whose files are in ``folder``."""
    os.environ.update(SILENT, RAY_TMPDIR=str(folder))
    (folder / "ray").mkdir()
    from ray.cluster_utils import Cluster

    common = {"object_store_memory": SMALL_STORE}
    head = {**common, "num_cpus": 1, "include_dashboard": False, "temp_dir": str(folder)}
    made = Cluster(initialize_head=True, head_node_args=head)
    try:
        made.add_node(num_cpus=1, **common)
        yield made
    finally:
        made.shutdown()


class At:
    """A progress that does something once so many files are read."""

    def __init__(self, moments: dict[int, Callable[[], None]]) -> None:
        self._moments = moments
        self._read = -1

    def stage(self, name: str, _total: int) -> None:
        self._read = 0 if name == "læser" else -1

    def step(self, count: int = 1, _note: str = "") -> None:
        if self._read < 0:
            return
        for _ in range(count):
            self._read += 1
            self._moments.get(self._read, lambda: None)()


def workers() -> list[int]:
    """The numbers of the processes that are workers of ours."""
    return [pid for pid, title in processes() if title.startswith("ray::Worker")]


def processes() -> Iterator[tuple[int, str]]:
    """Every process with its title."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                yield int(entry.name), (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")


def contents(settings: Settings) -> dict[str, object]:
    """What a build is: every table's rows and the digest of every file that does not name itself at random."""
    folder = builds.builds_dir(settings.index_dir) / builds.current_id(settings.index_dir)
    manifest = builds.read_manifest(folder)
    with closing(sqlite3.connect(folder / builds.DATABASE_FILE)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables: dict[str, object] = {
            name: repr(database.execute(f'SELECT * FROM "{name}"').fetchall()) for name in names
        }
    files = {name: told[1] for name, told in manifest.files.items() if name.endswith(".faiss")}
    return {**tables, **files, "content": manifest.content}


def differing(one: Settings, other: Settings) -> list[str]:
    """The tables and files in which two indexes' builds differ."""
    left, right = contents(one), contents(other)
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))


def refused(settings: Settings, embedder: Embedder, progress: indexing.Progress | None = None) -> dict[str, str]:
    """The error that a run ends with, and what it left."""
    before = builds.current_id(settings.index_dir)
    try:
        indexing.run(settings, embedder, full=True, progress=progress)
    except KbError as error:
        kept = builds.current_id(settings.index_dir) == before and whole(settings)
        return {"code": error.code, "message": str(error), "advice": error.advice, "build": "kept" if kept else "lost"}
    return {}


def whole(settings: Settings) -> bool:
    """Whether nothing but builds that are whole is among the builds."""
    return not any(
        name.name.startswith(builds.STAGING_PREFIX) for name in builds.builds_dir(settings.index_dir).iterdir()
    )


def indexed_while_machines_go(made: Any, there: Settings, log: Path) -> dict[str, Any]:
    """Index while a worker's process is killed, and then the machine beside the head."""

    def kill_worker() -> None:
        os.kill(workers()[0], signal.SIGKILL)

    def kill_machine() -> None:
        made.remove_node(next(iter(made.worker_nodes)), allow_graceful=False)

    slow = HashEmbedder(batch_seconds=0.02, log=log)
    moments = {KILL_WORKER_AFTER: kill_worker, KILL_MACHINE_AFTER: kill_machine}
    report = indexing.run(there, slow, progress=At(moments))
    embedders = {int(line.split()[0]) for line in log.read_text(encoding="ascii").splitlines()}
    return {"documents": report.documents, "failed": report.failed, "embedded here": os.getpid() in embedders}


def cancelled(there: Settings) -> dict[str, Any]:
    """Index until someone asks to stop, when a file has been read; with how many workers are left afterwards."""

    def cancel() -> None:
        raise CancelledError("Stop.")

    return {**refused(there, HashEmbedder(), At({1: cancel})), "workers": len(workers())}


def asked_of_another_version(there: Settings) -> dict[str, Any]:
    """Index as another version of the package would."""
    with patch.object(edition, "VERSION", "0.0.1"):
        return refused(there, HashEmbedder())


def without_workers(there: Settings) -> dict[str, Any]:
    """Index where no worker begins for as long as one is waited for, which is not at all."""
    with patch.object(cluster_pool, "PATIENCE", 0.0), patch.object(cluster_pool, "STARTING_PATIENCE", 0.0):
        return refused(there, HashEmbedder())


def recognised_reporting() -> dict[str, bool]:
    """Whether a cluster is seen to report its usage, by what Ray keeps of one that does and of one that does not."""
    from ray._common.usage import usage_lib

    from kb.cluster.driver import reports_usage

    seen = {}
    for enabled in ("1", "0"):
        with patch.dict(os.environ, {"RAY_USAGE_STATS_ENABLED": enabled}):
            seen[enabled] = reports_usage(usage_lib._generate_cluster_metadata(ray_init_cluster=False))
    return seen


def tell(folder: Path) -> dict[str, Any]:
    """What becomes of runs on a cluster: one that loses a worker and a machine, and three that end with an error."""
    local = make_settings(folder / "local")
    write_corpus(local.corpus, {f"r{number}.md": report_text(f"emne{number}") for number in range(REPORTS)})
    indexing.run(local, HashEmbedder())
    told: dict[str, Any] = {}
    with cluster(folder) as made:
        there = make_settings(folder / "there", corpus=local.corpus, index_cluster=made.address)
        told["killed"] = indexed_while_machines_go(made, there, folder / "embedded")
        told["differing"] = differing(local, there)
        told["cancelled"] = cancelled(there)
        told["another version"] = asked_of_another_version(there)
        told["alone"] = without_workers(there)
        told["reporting"] = recognised_reporting()
    return told


if __name__ == "__main__":
    place = Path(sys.argv[1])
    (place / TOLD).write_text(json.dumps(tell(place)), encoding="utf-8")
