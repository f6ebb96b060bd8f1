"""Amounts of money in text, in whole kroner (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

_NUMBER = r"\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+(?:,\d+)?"
_AMOUNT = re.compile(
    rf"(?<![\d.,])(?:kr\.?|dkk)\s(?P<before>{_NUMBER})(?:\s(?P<scale>mio|mia|million\w*|milliard\w*))?"
    rf"|(?<![\d.,])(?P<number>{_NUMBER})[\s-]*"
    r"(?:(?P<unit>mio|mia|million\w*|milliard\w*|tusinde?)\b\.?(?:\s(?:danske\s)?(?:kr\b\.?|kroner|dkk))?"
    r"|(?P<thousand>t\.?kr\b\.?)|(?:danske\s)?(?:kr\b\.?|kroner|dkk\b|,-))"
)
_SCALES = {"mio": 10**6, "million": 10**6, "mia": 10**9, "milliard": 10**9, "tusind": 10**3}
_MONEY = re.compile(r"kr\b|kroner|dkk|,-")


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount in whole kroner and its place in a text."""

    kroner: int
    start: int
    end: int


def amounts_in(text: str) -> Iterator[Amount]:
    """The amounts in a text in lower case, in order.

    "mio." without "kr." is one only where the text speaks of kroner: other things come in millions as well.
    """
    for match in _AMOUNT.finditer(text):
        number = match["before"] or match["number"]
        unit = match["scale"] or match["unit"] or ""
        if unit and not match["before"] and not _MONEY.search(match.group()):
            continue
        scale = next((factor for name, factor in _SCALES.items() if unit.startswith(name)), 1)
        scale = 1000 if match["thousand"] else scale
        kroner = int(Decimal(number.replace(".", "").replace(",", ".")) * scale)
        yield Amount(kroner, match.start(), match.end())


def shown(kroner: int) -> str:
    """An amount as it is shown: "4,1 mio. kr.", "500.000 kr."."""
    if kroner < 10**6:
        return f"{kroner:,} kr.".replace(",", ".")
    millions = f"{Decimal(kroner) / 10**6:,.2f}".rstrip("0").rstrip(".")
    return f"{millions.translate(str.maketrans(',.', '.,'))} mio. kr."
