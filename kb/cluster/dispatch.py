"""Which worker has which task: given out as workers have room, and given out again when a worker is lost.

Nothing here knows of Ray; the driver tells what happens and asks what to send.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from kb.cluster.messages import Kind, Task

# Tasks of each kind that a worker has at a time: one it does, one that waits for it.
AHEAD = 2
# A task that so many workers were lost with is not given out again: it may be what they were lost to.
MOST_LOSSES = 3
W = TypeVar("W", bound=Hashable)


class Dispatcher(Generic[W]):
    """The tasks that wait and those that workers have; a task is in one place until it is done or given up."""

    def __init__(self) -> None:
        self._waiting: dict[Kind, deque[Task]] = {kind: deque() for kind in Kind}
        self._held: dict[W, dict[int, Task]] = {}
        self._losses: dict[int, int] = {}

    @property
    def workers(self) -> list[W]:
        """Those there are."""
        return list(self._held)

    def add(self, task: Task) -> None:
        """A new task, which waits for its turn."""
        self._waiting[task.kind].append(task)

    def joined(self, worker: W) -> None:
        """A new worker, which has nothing yet."""
        self._held[worker] = {}

    def given_out(self) -> Iterator[tuple[W, Task]]:
        """The tasks to send now, each to the worker with the fewest of its kind."""
        for kind, waiting in self._waiting.items():
            while waiting and (worker := self._freest(kind)) is not None:
                task = waiting.popleft()
                self._held[worker][task.number] = task
                yield worker, task

    def done(self, worker: W, number: int) -> None:
        """A worker has answered a task."""
        del self._held[worker][number]
        self._losses.pop(number, None)

    def lost(self, worker: W) -> list[Task]:
        """A worker is gone: what it had waits again, before everything else. Returns the tasks that are given up."""
        given_up = []
        for task in reversed(self._held.pop(worker).values()):
            losses = self._losses[task.number] = self._losses.get(task.number, 0) + 1
            if losses < MOST_LOSSES:
                self._waiting[task.kind].appendleft(task)
            else:
                del self._losses[task.number]
                given_up.append(task)
        return given_up

    def _freest(self, kind: Kind) -> W | None:
        """The worker with the fewest tasks of a kind; None when all have as many as they may."""
        counts = {worker: sum(task.kind is kind for task in held.values()) for worker, held in self._held.items()}
        worker = min(counts, key=lambda one: counts[one], default=None)
        return worker if worker is not None and counts[worker] < AHEAD else None
