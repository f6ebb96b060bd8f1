"""What was found for the questions asked last, so that a question that many ask is worked out once.

A page turned back to, an example on the front page, an intranet that shows the same box to everyone: their answers do
not change while the build does not, and so belong to whatever holds the build open, and go with it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Found = TypeVar("Found")


class Recent:
    """Keeps what was found for the last ``size`` keys asked for; safe to use from several threads.

    What is kept must not change: everybody who asks gets the same object.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def of(self, key: Hashable, find: Callable[[], Found]) -> Found:
        """What was found for ``key``, by ``find`` where it is not kept; an error is raised and not kept.

        Threads that ask at the same time may each find it.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                kept: Found = self._kept[key]
                return kept
        found = find()
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return found
