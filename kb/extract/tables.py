"""Tables as rows that name their columns (pure functions).

A row is of little use to a search engine, or to a reader of one passage, when its heading stands forty rows higher.
Each row therefore becomes "Kolonne: værdi; Kolonne: værdi". A table with one column, or one used for layout (long
texts in its cells and no heading row), becomes paragraphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from kb.extract.blocks import Block, Kind

# What a box of facts about a report or a project names in its left column. Two of these, and the first row is a fact
# like the others: read as column names it would turn every row below into a falsehood.
_FACT_LABELS = frozenset(
    {
        *("myndighed", "område", "emne", "periode", "status", "projekt", "projektnavn", "projektperiode", "udgiver"),
        *("dato", "titel", "type", "år", "budget", "leverandør", "version", "forfatter", "kommune", "region"),
        *("partnere", "kilde", "sprog", "temaer", "fase", "sted", "omfang"),
    }
)
_LONG_CELL = 400
_LONG_HEADER = 80


def table_blocks(
    rows: Sequence[Sequence[str]], *, header_rows: int = 0, labelled: bool = False, page: int = 0, group: int = 0
) -> list[Block]:
    """The blocks of a table of cleaned one-line cells.

    ``header_rows`` is how many rows are marked as headings; ``labelled`` says that each row's first cell is marked as
    the heading of that row and no row as that of the columns.
    """
    filled = [list(row) for row in rows if any(row)]
    if not filled:
        return []
    if max(len(row) for row in filled) == 1 or _is_layout(filled, header_rows):
        cells = [cell for row in filled for cell in row if cell]
        return [Block(Kind.PARAGRAPH, cell, page=page, group=group) for cell in cells]
    caption = {cell for row in filled[:header_rows] for cell in row if cell}
    if len(caption) == 1 and len(filled) > header_rows:
        # One cell across the top names the table, not its columns.
        rest = table_blocks(filled[header_rows:], page=page, group=group)
        return [Block(Kind.PARAGRAPH, caption.pop(), page=page, group=group), *rest]
    title, filled = _split_title(filled, header_rows)
    if title:
        below = table_blocks(filled, header_rows=header_rows, labelled=labelled, page=page, group=group)
        return [Block(Kind.PARAGRAPH, title, page=page, group=group), *below]
    header, body = ([], filled) if labelled else _split_header(filled, header_rows)
    return [Block(Kind.ROW, text, page=page, group=group) for text in _row_texts(header, body) if text]


def _row_texts(header: list[str], body: list[list[str]]) -> list[str]:
    if not body:
        return ["; ".join(cell for cell in header if cell)]
    if not header and all(len(row) <= 2 for row in body):
        return [_label_and_value(*(*row, "")[:2]) for row in body]
    return [format_row(header, row) for row in body]


def format_row(header: Sequence[str], row: Sequence[str]) -> str:
    """One row as "Kolonne: værdi; ..."; a value without a column name stands alone, an empty one is left out."""
    parts: list[str] = []
    for name, value in zip_longest(header, row, fillvalue=""):
        column = name.rstrip(" :")
        if value:
            parts.append(f"{column}: {value}" if column and column != value else value)
    return "; ".join(parts)


def header_of(rows: Sequence[Sequence[str]]) -> list[str]:
    """The first row with text when it looks like column names, else nothing."""
    first = next((list(row) for row in rows if any(row)), [])
    return first if _looks_like_header(first) and not _is_fact_box(rows) else []


def _label_and_value(label: str, value: str) -> str:
    return f"{label.rstrip(' :')}: {value}" if label.strip(" :") and value else label or value


def _is_layout(rows: Sequence[Sequence[str]], header_rows: int) -> bool:
    if header_rows:
        return False
    return any(len(cell) > _LONG_CELL for row in rows for cell in row) and not _looks_like_header(rows[0])


def _split_title(rows: list[list[str]], header_rows: int) -> tuple[str, list[list[str]]]:
    """The text of a first row that is one cell over the whole table, and the rows below it."""
    if header_rows or len(rows) < 3 or sum(map(bool, rows[0])) != 1 or not rows[0][0]:
        return "", rows
    return (rows[0][0], rows[1:]) if all(sum(map(bool, row)) > 1 for row in rows[1:3]) else ("", rows)


def _split_header(rows: list[list[str]], header_rows: int) -> tuple[list[str], list[list[str]]]:
    if header_rows and header_rows < len(rows):
        stacked = zip_longest(*rows[:header_rows], fillvalue="")
        return [" ".join(dict.fromkeys(cell for cell in cells if cell)) for cells in stacked], rows[header_rows:]
    if len(rows) > 1 and _looks_like_header(rows[0]) and not _is_fact_box(rows):
        return rows[0], rows[1:]
    return [], rows


def _is_fact_box(rows: Sequence[Sequence[str]]) -> bool:
    labels = [row[0].rstrip(" :").lower() for row in rows if row]
    return all(len(row) <= 2 for row in rows) and sum(label in _FACT_LABELS for label in labels) >= 2


def _looks_like_header(row: Sequence[str]) -> bool:
    """Short, different, and words rather than numbers; the corner above row names may be empty."""
    named = [cell for cell in row if cell]
    if len(named) < 2 or len(named) < len(row) - 1 or len(set(named)) < len(named):
        return False
    if len(row) == 2 and (any(c.isdigit() for c in row[1]) or len(row[1].split()) > 3 or row[0].endswith(":")):
        return False  # a label and its value, not two column names
    return all(len(cell) <= _LONG_HEADER and any(c.isalpha() for c in cell) and cell[-1] not in ".;" for cell in named)
