"""The driver: the process that speaks to Ray for a run (:mod:`kb.cluster.client`), and ends with it.

    python -m kb.cluster.driver FILE_DESCRIPTOR

It keeps a worker on every machine of the cluster that has processors to give, gives out tasks and sends results back.
Machines that come later get a worker too. That of a machine has all its processors, as it embeds with all of them.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, NoReturn

import ray
from ray.exceptions import RayError, RayTaskError
from ray.experimental import internal_kv
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from kb.cluster.dispatch import Dispatcher
from kb.cluster.edition import difference
from kb.cluster.messages import Done, Failed, GivenUp, Kind, Over, Start, Task, Workers
from kb.cluster.worker import Worker

# Seconds that results are waited for before new tasks are looked for, and between two looks for machines.
POLL = 0.05
RECRUIT_INTERVAL = 1.0
# Seconds that workers are given to end their child processes.
STOP_PATIENCE = 3.0
# Starts on one machine that may fail, whatever the reason, before it is left alone.
MOST_STARTS = 3
_ADVICE_ON_JOINING = (
    "Se efter, om denne maskine er med i klyngen (ray start --address) og har klyngens nøgle (RAY_AUTH_TOKEN_PATH)."
)
_ADVICE = "Se efter, om klyngen kører (ray status), og om den har ledige processorer."


class ClusterUnusableError(Exception):
    """The cluster cannot be used; carries what the run is told."""

    def __init__(self, message: str, advice: str = _ADVICE) -> None:
        super().__init__(message)
        self.over = Over(message, advice)


@dataclass(frozen=True, eq=False, slots=True)
class Member:
    """A worker by its machine and its actor."""

    node: str
    host: str
    actor: Any

    def send(self, task: Task) -> Any:
        """Give it a task; its kinds go in threads of their own."""
        method = self.actor.read if task.kind is Kind.READ else self.actor.embed
        return method.options(concurrency_group=task.kind.value).remote(task.items)


class Crew:
    """The workers on the cluster's machines, with what they have."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._dispatcher: Dispatcher[Member] = Dispatcher()
        self._starting: dict[Any, Member] = {}
        self._running: dict[Any, tuple[Member, Task]] = {}
        self._starts: dict[str, int] = {}
        self._fault = ""
        self._recruited_at = -RECRUIT_INTERVAL
        self._last_worker_at = time.monotonic()
        self._actor = ray.remote(concurrency_groups={kind.value: 1 for kind in Kind})(Worker)

    def add(self, task: Task) -> None:
        """A task to be given out."""
        self._dispatcher.add(task)

    def turn(self) -> Iterator[Workers | Done | Failed | GivenUp]:
        """Look for machines, give out tasks, and say what has come meanwhile."""
        before = len(self._dispatcher.workers)
        self._recruit()
        for member, task in self._dispatcher.given_out():
            self._running[member.send(task)] = member, task
        for reference in self._ready():
            if reference in self._starting:
                self._joined(reference)
            elif reference in self._running:
                yield from self._answered(reference)
        self._check_there_are_workers()
        if (workers := len(self._dispatcher.workers)) != before:
            yield Workers(workers)

    def stop(self) -> None:
        """End what the workers have started, and the workers."""
        stopping = [member.actor.stop.remote() for member in self._dispatcher.workers]
        if stopping:
            ray.wait(stopping, num_returns=len(stopping), timeout=STOP_PATIENCE)
        reading = [reference for reference, (_, task) in self._running.items() if task.kind is Kind.READ]
        if reading:
            ray.wait(reading, num_returns=len(reading), timeout=STOP_PATIENCE)

    def _ready(self) -> list[Any]:
        references = [*self._starting, *self._running]
        if not references:
            time.sleep(POLL)
            return []
        ready, _ = ray.wait(references, timeout=POLL)
        return list(ready)

    def _recruit(self) -> None:
        """Start a worker on each machine that has none."""
        if time.monotonic() - self._recruited_at < RECRUIT_INTERVAL:
            return
        self._recruited_at = time.monotonic()
        taken = {member.node for member in [*self._starting.values(), *self._dispatcher.workers]}
        for node in ray.nodes():
            cpus = int(node["Resources"].get("CPU", 0))
            if not node["Alive"] or not cpus or node["NodeID"] in taken:
                continue
            if self._starts.get(node["NodeID"], 0) < MOST_STARTS:
                self._begin(node["NodeID"], node["NodeManagerHostname"], cpus)

    def _begin(self, node: str, host: str, cpus: int) -> None:
        place = NodeAffinitySchedulingStrategy(node, soft=False)
        options = {"num_cpus": cpus, "max_restarts": 0, "max_task_retries": 0, "scheduling_strategy": place}
        member = Member(node, host, self._actor.options(**options).remote(self._start.opening, self._start.options))
        self._starting[member.actor.check.remote()] = member
        self._starts[node] = self._starts.get(node, 0) + 1

    def _joined(self, reference: Any) -> None:
        """A worker has begun, or could not; raises :class:`ClusterUnusableError` for one that would work otherwise."""
        member = self._starting.pop(reference)
        try:
            found = ray.get(reference)
        except RayError as error:
            self._fault = f" {member.host}: {_last_line(error)}"
            return
        if isinstance(found, Over):
            raise ClusterUnusableError(found.message, found.advice)
        if differs := difference(self._start.edition, found):
            raise ClusterUnusableError(
                f"Maskinen {member.host} i klyngen kan ikke bruges: {differs}.",
                "Installér samme udgave af Erfaringsbasen, sprogmodellen og programmerne på alle klyngens maskiner.",
            )
        self._dispatcher.joined(member)

    def _answered(self, reference: Any) -> Iterator[Done | Failed | GivenUp]:
        member, task = self._running[reference]
        try:
            result = ray.get(reference)
        except RayTaskError as error:
            cause = error.cause if isinstance(error.cause, Exception) else RuntimeError(_last_line(error))
            yield Failed(task.number, cause)
        except RayError:  # the worker, its machine or the result's place is gone
            yield from self._lost(member)
            return
        else:
            yield Done(task.number, result)
        del self._running[reference]
        self._dispatcher.done(member, task.number)

    def _lost(self, member: Member) -> Iterator[GivenUp]:
        """A worker is gone, or cannot be reached: it is ended for good, so that no task is done by two."""
        with contextlib.suppress(RayError):
            ray.kill(member.actor)
        self._running = {ref: held for ref, held in self._running.items() if held[0] is not member}
        # Its machine may serve again: that it began there once shows that it can.
        self._starts[member.node] = 0
        for task in self._dispatcher.lost(member):
            yield GivenUp(task.number)

    def _patience(self) -> float:
        return self._start.starting_patience if self._starting else self._start.patience

    def _check_there_are_workers(self) -> None:
        now = time.monotonic()
        if self._dispatcher.workers:
            self._last_worker_at = now
        elif now - self._last_worker_at > self._patience():
            message = f"Klyngen på {self._start.address} har ingen maskiner, der kan læse og indlejre."
            raise ClusterUnusableError(message + self._fault)


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1].strip() if lines else type(error).__name__


@contextlib.contextmanager
def _connected(address: str) -> Iterator[None]:
    """A connection to the cluster; raises :class:`ClusterUnusableError`."""
    try:
        # Nothing is started here, and what workers print stays with them.
        ray.init(address=address, configure_logging=False, log_to_driver=False)
    except Exception as error:  # Ray has no error of its own for a version, an address or a machine that is not of it
        message = f"Klyngen på {address} kan ikke bruges: {_last_line(error)}"
        raise ClusterUnusableError(message, _ADVICE_ON_JOINING) from error
    try:
        _refuse_reporting(address)
        yield
    finally:
        ray.shutdown()


def _refuse_reporting(address: str) -> None:
    """Raise :class:`ClusterUnusableError` for a cluster that tells Ray's makers how it is used, or may."""
    metadata = internal_kv._internal_kv_get(b"CLUSTER_METADATA", namespace=b"cluster")
    if metadata is None or reports_usage(json.loads(metadata)):
        raise ClusterUnusableError(
            f"Klyngen på {address} sender statistik til Rays udviklere.",
            "Start den igen med RAY_USAGE_STATS_ENABLED=0, som docs/scale.md viser.",
        )


def reports_usage(metadata: Mapping[str, object]) -> bool:
    """Whether usage statistics are on in the cluster of these metadata: some are kept for them alone."""
    return "session_start_timestamp_ms" in metadata


def serve(connection: Connection[Any, Any]) -> NoReturn:
    """Carry out what comes until the run closes the connection, and then end the workers."""
    start: Start = connection.recv()
    with _connected(start.address):
        crew = Crew(start)
        connection.send(Workers(0))  # connected; a worker takes longer
        try:
            while True:
                while connection.poll():
                    crew.add(connection.recv())
                for told in crew.turn():
                    connection.send(told)
        finally:
            crew.stop()


def main() -> None:
    """Serve the run that started this process."""
    connection: Connection[Any, Any] = Connection(int(sys.argv[1]))
    with contextlib.suppress(EOFError, OSError):  # the run is over, or gone
        connection.send(_served(connection))


def _served(connection: Connection[Any, Any]) -> Over:
    """Serve, and say why it ended."""
    try:
        serve(connection)
    except ClusterUnusableError as error:
        return error.over
    except (EOFError, OSError):
        raise
    except Exception as error:  # Ray raises what it likes when its head goes, and nobody else would see it
        return Over(f"Klyngen kan ikke bruges længere: {type(error).__name__}: {_last_line(error)}", _ADVICE)


if __name__ == "__main__":
    main()
