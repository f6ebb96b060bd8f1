"""What tests need of time on a machine that others use too: waiting for an event, and costs that are compared.

A busy machine adds to every time and never takes from one. So a test waits for what is to happen, far longer than that
takes; a cost is processor time; and costs that seem out of proportion are measured again, and the least of each counts.
A virtual machine counts what its host takes from it as the cost of what then ran, which a short action slips past and
a long one does not. So a long action is measured beside as many short ones in a row as make up its length.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

# Seconds after which what is waited for is not coming.
PATIENCE = 120.0
ATTEMPTS = 5


def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait until something is so; fails the test when it is not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def cost(action: Callable[[], object]) -> float:
    """The processor seconds that an action takes this process."""
    begun = time.process_time()
    action()
    return time.process_time() - begun


def out_of_proportion(
    long: Callable[[], object], short: Callable[[], object], parts: int, times: float, least: float
) -> str:
    """What both cost if the long action is more than ``times`` as expensive as ``parts`` short ones; empty otherwise.

    What the short ones cost counts as ``least`` seconds at the least: of less a clock tells little.
    """

    def in_parts() -> None:
        for _ in range(parts):
            short()

    slow = quick = math.inf
    for _ in range(ATTEMPTS):
        slow = min(slow, cost(long))
        quick = min(quick, cost(in_parts))
        if slow <= times * max(quick, least):
            return ""
    return f"{slow:.3f} s beside {quick:.3f} s"
