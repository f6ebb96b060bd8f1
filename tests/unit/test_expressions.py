"""Every regular expression that meets foreign text takes time in proportion to its length."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable

import pytest

from kb.extract.time_limits import TooSlow, time_limit
from tests.unit.expressions import Expression, attacks, found_in

pytestmark = pytest.mark.slow
FOREIGN = (
    "kb.answer",
    "kb.core.privacy",
    "kb.core.slug",
    "kb.extract",
    "kb.facts",
    "kb.indexing",
    "kb.language",
    "kb.proposals",
)
LONG = 12_000
# Seconds of processor time below which nothing is compared, and beyond which nothing is waited for.
QUICK, HOPELESS = 0.03, 1.0
ATTEMPTS = 5


def slower_than_its_length(expression: Expression, made: Callable[[int], str]) -> bool:
    """Whether four times the length costs more than eight times the time: the square of it would be sixteen.

    What seems so is measured again, and the least of each counts: a machine that others use adds to a time and never
    takes from it.
    """
    short = long = math.inf
    try:
        for _ in range(ATTEMPTS):
            long = min(long, _seconds(expression, made(LONG)))
            short = min(short, _seconds(expression, made(LONG // 4)))
            if long <= QUICK or long <= 8 * max(short, QUICK / 16):
                return False
    except TooSlow:
        return True
    return True


def _seconds(expression: Expression, text: str) -> float:
    """The process's own time, which a busy machine does not add to."""
    begun = time.process_time()
    with time_limit(HOPELESS):
        expression.run(text)
    return time.process_time() - begun


@pytest.mark.parametrize("expression", found_in(FOREIGN), ids=str)
def test_time_grows_with_length_alone(expression: Expression) -> None:
    slow = (made(60) for made in attacks(expression.pattern) if slower_than_its_length(expression, made))
    assert next(slow, None) is None


@pytest.mark.parametrize("written", [r"(a|aa)+$", r"\s+$", r"(\w+\s?)*:", r"<!--.*?-->\s*x", r"\d+[.,]\d+%"])
def test_an_expression_that_is_slower_than_its_length_is_found(written: str) -> None:
    expression = Expression("", re.compile(written, re.DOTALL), "search")
    assert any(slower_than_its_length(expression, made) for made in attacks(expression.pattern))
