"""A cluster without workers is told as that, and one whose workers are slow to begin is not."""

from __future__ import annotations

import importlib.util
import time

import pytest

from kb.cluster.edition import Edition
from kb.cluster.messages import Start
from kb.extract import ReadOptions
from tests.support import HashEmbedder

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="UDEN ray ER KLYNGER IKKE PRØVET")
OPTIONS = ReadOptions(workers=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("starting", "seconds", "is_given_up"),
    [(False, 59, False), (False, 61, True), (True, 599, False), (True, 601, True)],
)
def test_workers_that_are_about_to_begin_are_waited_for_longer(
    starting: bool, seconds: float, is_given_up: bool
) -> None:
    from kb.cluster.driver import ClusterUnusableError, Crew, Member

    crew = Crew(Start("hoved:6379", Edition.here(OPTIONS, HashEmbedder()), b"", OPTIONS, 60.0, 600.0))
    crew._last_worker_at = time.monotonic() - seconds
    if starting:
        crew._starting = {"reference": Member("node", "vært", None)}
    if is_given_up:
        with pytest.raises(ClusterUnusableError):
            crew._check_there_are_workers()
    else:
        crew._check_there_are_workers()
