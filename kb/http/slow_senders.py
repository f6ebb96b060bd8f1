"""Connections of the server that do not wait for a slow sender for ever.

waitress lets go of whoever has been silent for a while (``channel_timeout``), and every byte ends the silence: one byte
a second would hold a connection for days. Here a request must arrive at a least pace as well. The main loop receives
requests and hands them on when they are whole, so a slow sender never holds a thread, only one of the connections.
"""

from __future__ import annotations

import time

from waitress.channel import HTTPChannel

# Seconds a request may take to arrive at any pace, and the mean pace in bytes a second it must have kept after them.
GRACE_SECONDS = 30.0
LEAST_PACE = 1024


class PacedChannel(HTTPChannel):
    """A connection that is closed when a request on it arrives too slowly."""

    _timed: object = None
    _begun = 0.0
    _bytes = 0

    def received(self, data: bytes) -> bool:
        """Take in what was sent; False when the connection is to be closed."""
        now = time.monotonic()
        if self.request is None or self.request is not self._timed:
            self._begun, self._bytes = now, 0
        self._bytes += len(data)
        spent = now - self._begun
        if spent > GRACE_SECONDS and self._bytes < LEAST_PACE * spent:
            self.will_close = True
            return False
        taken = bool(super().received(data))
        self._timed = self.request
        return taken
