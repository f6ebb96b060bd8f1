"""Counts of calls hold over processes: two stores of one folder are as two processes of one server."""

from __future__ import annotations

from pathlib import Path

import pytest
from limits import RateLimitItemPerMinute
from limits.strategies import MovingWindowRateLimiter

from kb.state.rate_limits import SharedCounts
from kb.state.repository import Repository

THREE = RateLimitItemPerMinute(3)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds it is, for the test to change."""
    now = [1_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


def test_processes_count_together(tmp_path: Path, clock: list[float]) -> None:
    first, second = (MovingWindowRateLimiter(SharedCounts(tmp_path)) for _ in range(2))
    assert [one.hit(THREE, "nøgle", "192.0.2.7") for one in (first, second, first, second)] == [True, True, True, False]
    assert not MovingWindowRateLimiter(SharedCounts(tmp_path)).test(THREE, "nøgle", "192.0.2.7")
    assert second.hit(THREE, "nøgle", "192.0.2.8")
    clock[0] += 59
    assert not first.test(THREE, "nøgle", "192.0.2.7")
    clock[0] += 2
    assert first.hit(THREE, "nøgle", "192.0.2.7")


def test_it_is_told_when_one_more_is_allowed(tmp_path: Path, clock: list[float]) -> None:
    limiter = MovingWindowRateLimiter(SharedCounts(tmp_path))
    limiter.hit(THREE, "kald", "a")
    clock[0] += 20
    limiter.hit(THREE, "kald", "a")
    stats = limiter.get_window_stats(THREE, "kald", "a")
    assert (round(stats.reset_time - clock[0]), stats.remaining) == (40, 1)
    assert limiter.get_window_stats(THREE, "kald", "b").remaining == 3


def test_what_no_longer_counts_is_not_kept(tmp_path: Path, clock: list[float]) -> None:
    limiter = MovingWindowRateLimiter(SharedCounts(tmp_path))
    limiter.hit(THREE, "kald", "192.0.2.7")
    clock[0] += 61
    limiter.hit(THREE, "kald", "192.0.2.8")
    kept = [key for (key,) in Repository(tmp_path).rows("counted_calls", "key")]
    assert len(kept) == 1
    assert "192.0.2.8" in kept[0]
    assert SharedCounts(tmp_path).reset() == 1
