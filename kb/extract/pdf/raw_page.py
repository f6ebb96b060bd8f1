"""What both PDF readers hand to the layout: runs of text with their place and type on each page.

Coordinates are in points with the origin at the page's lower left corner as the page is shown (rotation undone), so
a larger ``y`` is higher up. Keeping both readers to this one form lets a single layout serve both, and makes their
texts comparable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class BoxedText(Protocol):
    """A character or a piece of a line: its text, from ``x0`` to ``x1`` on the baseline ``y``."""

    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def x0(self) -> float: ...  # noqa: D102
    @property
    def x1(self) -> float: ...  # noqa: D102
    @property
    def y(self) -> float: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Run:
    """Characters that stand together on one line: ``y`` is the baseline, ``size`` the type size in points."""

    text: str
    x0: float
    x1: float
    y: float
    size: float
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line drawn on the page: horizontal when ``y0 == y1``, else vertical."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class Mark:
    """What the file's tags say of a stretch of text on the baseline ``y``.

    ``level`` is that of the heading it belongs to, 0 of other text, and ``ARTIFACT`` of what the tags leave out: page
    numbers, the labels of charts. ``element`` tells one heading from the next.
    """

    x0: float
    x1: float
    y: float
    level: int
    element: int = 0


ARTIFACT = -1


@dataclass(frozen=True, slots=True)
class RawPage:
    """One page's runs in the order of the content stream.

    ``aside`` is text turned away from the page's own direction; ``rules`` are the drawn lines that may frame tables;
    ``left_out`` counts the characters that the page holds but does not show; ``mended`` tells of letters put right by
    where they stand, ``weighed`` of bold type told by the font itself, since its name says nothing; ``marks`` is what
    the tags of a tagged file say.
    """

    number: int
    width: float
    height: float
    runs: tuple[Run, ...]
    aside: tuple[Run, ...] = ()
    rules: tuple[Rule, ...] = ()
    left_out: int = 0
    mended: bool = False
    weighed: bool = False
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A bookmark: ``level`` from 1, ``page`` from 1 (0 when it leads nowhere)."""

    level: int
    title: str
    page: int


def plain_text(pages: Sequence[RawPage]) -> str:
    """The runs as text in stream order, one line a run: what the measure of quality looks at."""
    return "\n".join(run.text for page in pages for run in (*page.runs, *page.aside))
