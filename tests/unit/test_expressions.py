"""Every regular expression that meets foreign text takes time in proportion to its length."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from kb.extract.time_limits import TooSlow, time_limit
from tests.timing import out_of_proportion
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
    "kb.sources",
)
LONG, PARTS = 12_000, 4
# Seconds of processor time below which nothing is compared, and beyond which nothing is waited for.
QUICK, HOPELESS = 0.03, 1.0


def slower_than_its_length(expression: Expression, made: Callable[[int], str]) -> bool:
    """Whether a text costs more than twice what its four quarters cost: the square of the length is four times."""
    long, short = made(LONG), made(LONG // PARTS)

    def run(text: str) -> None:
        with time_limit(HOPELESS):
            expression.run(text)

    try:
        return bool(out_of_proportion(lambda: run(long), lambda: run(short), PARTS, 2, QUICK / 2))
    except TooSlow:
        return True


@pytest.mark.parametrize("expression", found_in(FOREIGN), ids=str)
def test_time_grows_with_length_alone(expression: Expression) -> None:
    slow = (made(60) for made in attacks(expression.pattern) if slower_than_its_length(expression, made))
    assert next(slow, None) is None


@pytest.mark.parametrize("written", [r"(a|aa)+$", r"\s+$", r"(\w+\s?)*:", r"<!--.*?-->\s*x", r"\d+[.,]\d+%"])
def test_an_expression_that_is_slower_than_its_length_is_found(written: str) -> None:
    expression = Expression("", re.compile(written, re.DOTALL), "search")
    assert any(slower_than_its_length(expression, made) for made in attacks(expression.pattern))
