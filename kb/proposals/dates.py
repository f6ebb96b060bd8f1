"""Dates, years and periods as reports write them: "26. juni 2008", "27.11.2025", "14. 2. 2022", "JUNI 2008" (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass

# The first year that a report can state of itself, and how far ahead of today one may be dated is not known here: the
# last is far enough that no version or price passes for a year.
FIRST, LAST = 1950, 2049

_MONTHS = (
    r"jan(?:uar|uary|\.)?|feb(?:ruar|ruary|uar|\.)?|mar(?:ts|ch|s|\.)?|märz|apr(?:il|\.)?|ma[jiy]|june?i?|juni|jul[iy]?"
    r"|aug(?:ust|\.)?|sept?(?:ember|\.)?|o[kc]t(?:ober|\.)?|nov(?:ember|\.)?|de[cz](?:ember|\.)?"
)
_YEAR = r"(?P<y>19[5-9]\d|20[0-4]\d)(?!\d)"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b\d{{1,2}}\.?\s*(?:{_MONTHS})\s*(?:,\s*)?{_YEAR}",
        rf"\b(?:{_MONTHS})\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+{_YEAR}",
        rf"\b(?:{_MONTHS})[\s-]*{_YEAR}",
        rf"(?<![\d.])(?:0?[1-9]|[12]\d|3[01])\s?[./-]\s?(?:0?[1-9]|1[0-2])\s?[.,/-]\s?{_YEAR}",
        rf"(?<!\d){_YEAR}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)",
    )
)
_BARE = re.compile(rf"(?<![\d.,/-]){_YEAR}(?![\d/]|-\d|\s?[-–]\s?\d)", re.IGNORECASE)
_POINT = rf"(?:(?:\d{{1,2}}\.?\s*)?(?:{_MONTHS})\s+)?(?:19[5-9]\d|20[0-4]\d)"
_PERIOD = re.compile(rf"{_POINT}\s*(?:[-–—]|til(?: og med)?)\s*(?P<last>{_POINT})(?!\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """A year and the range of the text that it stands in."""

    year: int
    start: int
    end: int


def date_in(text: str) -> Found | None:
    """The first date or month with a year; None where there is none."""
    found = [match for pattern in _DATES if (match := pattern.search(text))]
    if not found:
        return None
    first = min(found, key=lambda match: (match.start(), -match.end()))
    return Found(int(first["y"]), *first.span())


def year_in(text: str) -> Found | None:
    """The first year that stands alone; None where there is none, or where it is the end of a period."""
    match = _BARE.search(text)
    return Found(int(match["y"]), *match.span()) if match else None


def period_in(text: str) -> tuple[str, Found] | None:
    """The first period as it is written, with its last year."""
    match = _PERIOD.search(text)
    if not match:
        return None
    return match.group(), Found(int(match["last"][-4:]), *match.span())


def without_dates(text: str) -> str:
    """The text with its dates and years taken out."""
    for pattern in (*_DATES, _BARE):
        text = pattern.sub(" ", text)
    return text
