"""Tables of quoted text: a table's row is a line of cells with their column names, as the readers write it.

blocks((Segment("År: 2022; Pris: 3\\nÅr: 2023; Pris: 4"),))  # one table of two rows
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from kb.http.web.presenters.quotes import Segment
from kb.language.sentences import is_row


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row; ``marked`` where any of it is."""

    cells: tuple[str, ...]
    marked: bool


@dataclass(frozen=True, slots=True)
class Block:
    """A table with its ``columns`` and ``rows``, or text in its ``segments``."""

    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    segments: tuple[Segment, ...] = ()


def plain(text: str) -> Segment:
    """A text of which nothing is marked."""
    return Segment(text)


def blocks(segments: Sequence[Segment]) -> list[Block]:
    """A quotation in order, neighbouring rows of the same columns as one table."""
    return [_block(columns, list(lines)) for columns, lines in groupby(_lines(segments), key=_columns)]


def _block(columns: tuple[str, ...], lines: list[tuple[Segment, ...]]) -> Block:
    if columns:
        return Block(columns, tuple(_row(line) for line in lines))
    return Block(segments=tuple(segment for line in lines for segment in line))


def _lines(segments: Sequence[Segment]) -> Iterator[tuple[Segment, ...]]:
    """The segments cut at the ends of lines, which stay with their lines."""
    line: list[Segment] = []
    for segment in segments:
        for piece in segment.text.splitlines(keepends=True):
            line.append(Segment(piece, segment.marked))
            if piece.endswith("\n"):
                yield tuple(line)
                line = []
    if line:
        yield tuple(line)


def _columns(line: tuple[Segment, ...]) -> tuple[str, ...]:
    """The column names of a row; none of other text."""
    text = _text(line)
    return tuple(name for name, _ in _cells(text)) if is_row(text) else ()


def _row(line: tuple[Segment, ...]) -> Row:
    return Row(tuple(value for _, value in _cells(_text(line))), any(segment.marked for segment in line))


def _text(line: tuple[Segment, ...]) -> str:
    return "".join(segment.text for segment in line).strip()


def _cells(text: str) -> list[tuple[str, str]]:
    """Column names with their values; a semicolon inside a value begins no cell."""
    cells: list[tuple[str, str]] = []
    for part in text.split("; "):
        name, colon, value = part.partition(": ")
        if colon or not cells:
            cells.append((name, value))
        else:
            cells[-1] = (cells[-1][0], f"{cells[-1][1]}; {part}")
    return cells
