"""What tests need of time on a machine that others use too: waiting for an event, and costs that are compared.

A busy machine adds to every time and never takes from one. So a test waits for what is to happen, far longer than that
takes; a cost is processor time; and costs that seem out of proportion are measured again, and the least of each counts.
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


def out_of_proportion(long: Callable[[], float], short: Callable[[], float], times: float, least: float) -> str:
    """What the two cost if the long one is more than so many times as expensive as the short one; empty otherwise.

    A short cost counts as ``least`` at the least: of less a clock tells little.
    """
    slow = quick = math.inf
    for _ in range(ATTEMPTS):
        slow = min(slow, long())
        quick = min(quick, short())
        if slow <= times * max(quick, least):
            return ""
    return f"{slow:.3f} s beside {quick:.3f} s"
