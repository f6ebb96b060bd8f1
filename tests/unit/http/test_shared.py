"""Calls are counted once for all workers of a server."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from limits import RateLimitItemPerSecond
from limits.strategies import MovingWindowRateLimiter

from kb.http.shared import CALLS_FILE, FileLimits


def test_calls_that_any_worker_took_count_for_all_until_their_time_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "time", lambda: now)
    one, other = (MovingWindowRateLimiter(FileLimits(tmp_path / CALLS_FILE)) for _ in range(2))
    three = RateLimitItemPerSecond(3, 60)
    assert [limiter.hit(three, "kald", "anna") for limiter in (one, other, one, other)] == [True, True, True, False]
    assert (one.test(three, "kald", "anna"), one.test(three, "kald", "bo")) == (False, True)
    assert other.get_window_stats(three, "kald", "anna") == (1060.0, 0)
    now += 60.0
    assert other.test(three, "kald", "anna")
    assert other.hit(three, "kald", "anna")
    assert one.get_window_stats(three, "kald", "anna").remaining == 2
    one.clear(three, "kald", "anna")
    assert other.get_window_stats(three, "kald", "anna").remaining == 3
