"""Spreadsheets: XLSX by openpyxl, ODS by its XML, and CSV. A sheet is a heading, its rows name their columns.

Rows that an empty row parts are tables of their own. What a person who opens the file does not see is not read: hidden
sheets, rows and columns. Cells hold what is shown: an amount in kroner, a percentage and a date are written as such. No
more than :data:`MAX_ROWS` rows and :data:`MAX_COLUMNS` columns are read; a warning says what was left out.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import chain, islice
from typing import Any
from xml.etree.ElementTree import Element

from defusedxml import ElementTree
from openpyxl import load_workbook

from kb.core.errors import DamagedFileError
from kb.core.models import ReadWarning
from kb.extract.blocks import Block, Content, Kind, Properties
from kb.extract.cleaning import one_line
from kb.extract.encoding import decoded
from kb.extract.formats.opendocument import parsed, styles_where
from kb.extract.options import ReadOptions
from kb.extract.tables import table_blocks
from kb.extract.xml_names import attribute, local_name
from kb.extract.zip_container import check_xml_parts, opened

MAX_ROWS = 20_000
MAX_COLUMNS = 200
# Empty rows in a row beyond which nothing more is looked for: a sheet may be said to have a million.
_MAX_EMPTY = 2_000
_LONGEST_CELL = 32_767
# The names that programs give to sheets.
_DEFAULT_NAME = re.compile(r"(?:ark|sheet|tabelle|feuil|blad)\s?\d*", re.IGNORECASE)
_ODS_LEFT_OUT = frozenset({"annotation", "tracked-changes"})
_DELIMITERS = (";", ",", "\t", "|")
_SAMPLED_ROWS = 60
# A format with thousands parted, and its decimals.
_GROUPED = re.compile(r"#,##0(?:\.(0{1,9}))?")
_DANISH_SIGNS = str.maketrans(",.", ".,")

Rows = Iterable[Sequence[str]]


@dataclass
class _Reading:
    """Gathers the blocks of one file's sheets up to the limits."""

    blocks: list[Block] = field(default_factory=list)
    rows: int = 0
    group: int = 0
    cut: bool = False

    def sheet(self, name: str, rows: Rows) -> None:
        """Take a sheet in: its name as a heading unless it is empty, and its tables."""
        below: list[Block] = []
        for table in _tables(self._within_limits(rows)):
            self.group += 1
            below += table_blocks(table, group=self.group)
        if below and name:
            self.blocks.append(Block(Kind.HEADING, name, level=1))
        self.blocks += below

    def content(self, reader: str, properties: Properties, told: tuple[ReadWarning, ...] = ()) -> Content:
        """What has been read."""
        message = f"Kun de første {MAX_ROWS} rækker og {MAX_COLUMNS} kolonner af regnearket er læst."
        cut = (ReadWarning("afkortet", message),) if self.cut else ()
        return Content(reader, tuple(self.blocks), properties, warnings=(*told, *cut))

    def _within_limits(self, rows: Rows) -> Iterator[list[str]]:
        empty = 0
        for row in rows:
            cells = [one_line(cell[:_LONGEST_CELL]) for cell in row[:MAX_COLUMNS]]
            self.cut = self.cut or any(row[MAX_COLUMNS:])
            if not any(cells):
                empty += 1
                if empty > _MAX_EMPTY:
                    return
                yield []
                continue
            empty = 0
            if self.rows == MAX_ROWS:
                self.cut = True
                return
            self.rows += 1
            yield cells


def _tables(rows: Iterable[list[str]]) -> Iterator[list[list[str]]]:
    """Runs of rows between empty ones, without the columns that are empty in all of them."""
    table: list[list[str]] = []
    for row in chain(rows, [[]]):
        if row:
            table.append(row)
        elif table:
            yield _without_empty_columns(table)
            table = []


def _without_empty_columns(table: list[list[str]]) -> list[list[str]]:
    width = max(map(len, table))
    padded = [row + [""] * (width - len(row)) for row in table]
    used = [column for column in range(width) if any(row[column] for row in padded)]
    return [[row[column] for column in used] for row in padded]


def _shown_names(names: Sequence[str]) -> list[str]:
    """The headings of sheets: none for a single one that has the name programs give."""
    cleaned = [one_line(name) for name in names]
    return [""] if len(cleaned) == 1 and _DEFAULT_NAME.fullmatch(cleaned[0]) else cleaned


# --- XLSX -------------------------------------------------------------------------------------------------------------


def read_xlsx(data: bytes, _options: ReadOptions) -> Content:
    """A workbook; raises a :class:`ReadError` for what is damaged, encrypted or a bomb."""
    reading = _Reading()
    with opened(data) as archive:
        check_xml_parts(archive)
        with warnings.catch_warnings(action="ignore"):  # openpyxl tells of what it does not keep when it writes
            workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        try:
            sheets = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
            for name, sheet in zip(_shown_names([sheet.title for sheet in sheets]), sheets, strict=True):
                reading.sheet(name, _xlsx_rows(sheet, _hidden(archive, sheet)))
            title = workbook.properties.title or ""
        finally:
            workbook.close()
    return reading.content("openpyxl", Properties(title, cover=False))


@dataclass(frozen=True, slots=True)
class _Hidden:
    """The numbers, from 1, of a sheet's rows and columns that are not shown."""

    rows: frozenset[int]
    columns: frozenset[int]


def _hidden(archive: zipfile.ZipFile, sheet: Any) -> _Hidden:
    """What a sheet hides: openpyxl does not tell of a sheet that it reads row by row."""
    rows: set[int] = set()
    columns: set[int] = set()
    number = 0
    with archive.open(sheet._worksheet_path) as part:
        for _, element in ElementTree.iterparse(part):
            name = local_name(element)
            if name == "row":
                number = int(element.get("r") or number + 1)
                if element.get("hidden") in {"1", "true"}:
                    rows.add(number)
                element.clear()
            elif name == "col" and element.get("hidden") in {"1", "true"}:
                first, last = int(element.get("min", 1)), int(element.get("max", 1))
                columns.update(range(first, min(last, 20_000) + 1))
    return _Hidden(frozenset(rows), frozenset(columns))


def _xlsx_rows(sheet: Any, hidden: _Hidden) -> Iterator[list[str]]:
    sheet.reset_dimensions()  # what a file says of its size may be wrong either way
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if number not in hidden.rows:
            yield [_shown(cell) for column, cell in enumerate(row, start=1) if column not in hidden.columns]


def _shown(cell: Any) -> str:
    """A cell as a Danish spreadsheet shows it."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "ja" if value else "nej"
    if isinstance(value, datetime):
        return f"{value:%d-%m-%Y}" if value.time() == time() else f"{value:%d-%m-%Y %H:%M}"
    if isinstance(value, date):
        return f"{value:%d-%m-%Y}"
    if isinstance(value, int | float):
        return number_shown(value, str(cell.number_format or ""))
    return str(value)


def number_shown(value: float, written: str) -> str:
    """A number as its format writes it: percentages, thousands and kroner; else plainly, with a decimal comma."""
    if "%" in written:
        return f"{_plain(round(value * 100, 4))} %"
    text = _plain(value)
    if grouped := _GROUPED.search(written):
        text = f"{value:,.{len(grouped[1] or '')}f}".translate(_DANISH_SIGNS)
    if "kr" in written.lower() or "DKK" in written:
        return f"{text} kr."
    return f"{text} euro" if "€" in written else text


def _plain(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.12g}".replace(".", ",")


# --- ODS --------------------------------------------------------------------------------------------------------------


def read_ods(data: bytes, _options: ReadOptions) -> Content:
    """An OpenDocument spreadsheet; raises a :class:`ReadError` for what is damaged, encrypted or a bomb."""
    content, properties, styles = parsed(data)
    hidden = styles_where([content, *styles], lambda found: attribute(found, "display") == "false")
    sheets = [
        element
        for element in content.iter()
        if local_name(element) == "table" and attribute(element, "style-name") not in hidden
    ]
    reading = _Reading()
    for name, sheet in zip(_shown_names([attribute(sheet, "name") for sheet in sheets]), sheets, strict=True):
        reading.sheet(name, _ods_rows(sheet))
    return reading.content("odf", Properties(properties.title, properties.language, cover=False))


def _ods_rows(sheet: Element) -> Iterator[list[str]]:
    columns = list(islice(_ods_columns(sheet), MAX_COLUMNS + 1))
    for row in _inside(sheet, "table-row"):
        if _is_seen(row):
            cells = list(islice(_ods_cells(row), MAX_COLUMNS + 1))
            seen = [cell for place, cell in enumerate(cells) if place >= len(columns) or columns[place]]
            yield from [seen] * min(_repeated(row, "number-rows-repeated"), MAX_ROWS + 1)


def _ods_columns(sheet: Element) -> Iterator[bool]:
    """Of each column, whether it is seen."""
    for column in _inside(sheet, "table-column"):
        seen = _is_seen(column)
        for _ in range(min(_repeated(column, "number-columns-repeated"), MAX_COLUMNS + 1)):
            yield seen


def _ods_cells(row: Element) -> Iterator[str]:
    for cell in row:
        if local_name(cell) in {"table-cell", "covered-table-cell"}:
            text = " ".join(_ods_text(part) for part in cell if local_name(part) == "p")
            for _ in range(min(_repeated(cell, "number-columns-repeated"), MAX_COLUMNS + 1)):
                yield text


def _ods_text(element: Element) -> str:
    parts = [element.text or ""]
    for child in element:
        if local_name(child) not in _ODS_LEFT_OUT:
            parts.append(" " if local_name(child) in {"s", "tab", "line-break"} else _ods_text(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _inside(sheet: Element, name: str) -> Iterator[Element]:
    """The rows or columns of a sheet; groups of them are folded up or shown by their own."""
    groups = {f"{name}s", f"{name}-group", name.replace("table-", "table-header-") + "s"}
    for child in sheet:
        if local_name(child) == name:
            yield child
        elif local_name(child) in groups and attribute(child, "display") != "false":
            yield from _inside(child, name)


def _is_seen(element: Element) -> bool:
    return attribute(element, "visibility") not in {"collapse", "filter"}


def _repeated(element: Element, name: str) -> int:
    said = attribute(element, name)
    return max(int(said), 1) if said.isdecimal() and len(said) < 9 else 1


# --- CSV --------------------------------------------------------------------------------------------------------------


def read_csv(data: bytes, _options: ReadOptions) -> Content:
    """A table of text, whatever its encoding and delimiter; raises :class:`DamagedFileError` for none at all."""
    found = decoded(data)
    text = found.text.replace("\r\n", "\n").replace("\r", "\n")
    said, text = _said_delimiter(text)
    reading = _Reading()
    try:
        reading.sheet("", csv.reader(io.StringIO(text), delimiter=said or delimiter_of(text)))
    except csv.Error as error:
        raise DamagedFileError("CSV-filen er beskadiget: et felt i den er for langt eller slutter ikke.") from error
    return reading.content("csv", Properties(cover=False), found.warnings)


def _said_delimiter(text: str) -> tuple[str, str]:
    """The delimiter that Excel's first line names ("sep=;"), and the text below it."""
    first, _, rest = text.partition("\n")
    said = first.strip().lower()
    return (said[4], rest) if len(said) == 5 and said.startswith("sep=") and said[4] in _DELIMITERS else ("", text)


def delimiter_of(text: str) -> str:
    """The delimiter by which most of the first rows have as many fields as the first of them, and most fields."""
    lines = text.split("\n", _SAMPLED_ROWS)[:_SAMPLED_ROWS]
    return max(_DELIMITERS, key=lambda delimiter: _regularity(lines, delimiter))


def _regularity(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    try:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return 0.0, 0
    usual = max(set(widths), key=widths.count, default=1)
    return (widths.count(usual) / len(widths) if usual > 1 else 0.0), usual
