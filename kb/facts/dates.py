"""Danish dates in text, as ISO dates of the precision that the text gives (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MONTHS = {
    name: number
    for number, name in enumerate(
        (
            "januar", "februar", "marts", "april", "maj", "juni", "juli", "august", "september", "oktober", "november",
            "december",
        ),
        1,
    )
}  # fmt: skip
_MONTH = "|".join(MONTHS)
# A point in time: a day, a month, a part of a year or a year. The text is in lower case.
POINT = (
    rf"(?:(?:den )?(?:(?P<day>\d{{1,2}})\. )?(?P<month>{_MONTH}) "
    r"|(?:primo|medio|ultimo|starten af|slutningen af|begyndelsen af|foråret|efteråret|sommeren|vinteren"
    r"|(?:første|andet) halvår|(?:[1-4]\.|første|andet|tredje|fjerde) kvartal)(?: af| i)? )?"
    r"(?P<year>(?:19|20)\d\d)(?:/(?P<second>20\d\d))?(?!\d)"
)
_POINT = re.compile(rf"\b{POINT}")


@dataclass(frozen=True, slots=True)
class Dated:
    """A date and its place in a text; ``is_bare`` where it is a year and nothing more."""

    date: str
    start: int
    end: int
    is_bare: bool


def dates_in(text: str) -> Iterator[Dated]:
    """The dates in a text in lower case, in order; of "2021/2022" the later year."""
    for match in _POINT.finditer(text):
        yield Dated(date_of(match), match.start(), match.end(), match.group()[0].isdigit() and not match["month"])


def date_of(match: re.Match[str], suffix: str = "") -> str:
    """The ISO date of a match of :data:`POINT`; ``suffix`` is what its groups' names end in."""
    year = match[f"second{suffix}"] or match[f"year{suffix}"]
    month, day = match[f"month{suffix}"], match[f"day{suffix}"]
    if not month:
        return str(year)
    return f"{year}-{MONTHS[month]:02d}" + (f"-{int(day):02d}" if day else "")


def point(suffix: str) -> str:
    """:data:`POINT` with groups named apart, for a pattern that has several."""
    return re.sub(r"\?P<(\w+)>", rf"?P<\1{suffix}>", POINT)


def in_words(date: str) -> str:
    """An ISO date of any precision as it is written: "25. maj 2023", "maj 2023", "2023"."""
    year, *rest = date.split("-")
    names = list(MONTHS)
    month = f"{names[int(rest[0]) - 1]} " if rest else ""
    return f"{int(rest[1])}. {month}{year}" if len(rest) > 1 else f"{month}{year}"
