from __future__ import annotations

from pathlib import Path

import pytest

from tests.killing import torment


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_runs_killed_at_fifty_moments_lose_nothing(tmp_path: Path) -> None:
    """A longer one: ``python -m benchmarks.killed_runs``."""
    tally = torment(tmp_path, kills=50, kills_each=6, seed=20261123)
    assert tally.problems == []
    assert tally.kills >= 50
    assert len(tally.stages) >= 6, tally.stages
    assert tally.completed >= 8
    assert tally.searches > 50
