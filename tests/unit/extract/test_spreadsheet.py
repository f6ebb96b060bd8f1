"""Spreadsheets: sheets as headings, rows that name their columns, and nothing that is hidden."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from kb.extract.formats import spreadsheet
from kb.extract.formats.spreadsheet import delimiter_of, number_shown
from tests.unit.extract.making import opendocument, read, saved, written, xlsx

BUDGET: list[list[object]] = [
    ["Kommune", "Budget", "Start", "Andel"],
    ["Odense", 1200000, date(2023, 5, 4), 0.25],
    ["Vejle", 1.5, None, 1],
]


def test_each_sheet_is_a_heading_and_each_row_names_its_columns(tmp_path: Path) -> None:
    sheets = xlsx({"Budget": BUDGET, "Tomt": [], "Folk": [["Et", "To"]]})
    document = read(written(tmp_path, "tal.xlsx", saved(sheets)))
    assert document.text == (
        "Budget\n\nKommune: Odense; Budget: 1200000; Start: 04-05-2023; Andel: 0,25\n"
        "Kommune: Vejle; Budget: 1,5; Andel: 1\n\nFolk\n\nEt: To"
    )
    assert [heading.text for heading in document.headings] == ["Budget", "Folk"]
    assert document.metadata.titel == "tal"


def test_an_empty_row_parts_two_tables(tmp_path: Path) -> None:
    rows: list[list[object]] = [["Kommune", "Sager"], ["Odense", 3], [], ["Region", "Senge"], ["Fyn", 4]]
    assert read(written(tmp_path, "a.xlsx", saved(xlsx({"Ark1": rows})))).text == (
        "Kommune: Odense; Sager: 3\n\nRegion: Fyn; Senge: 4"
    )


def test_hidden_sheets_rows_and_columns_are_not_read(tmp_path: Path) -> None:
    secret: list[list[object]] = [["hemmeligt"]]
    workbook = xlsx({"Budget": BUDGET, "Gemt": secret})
    workbook["Gemt"].sheet_state = "hidden"
    workbook["Budget"].row_dimensions[2].hidden = True
    workbook["Budget"].column_dimensions["B"].hidden = True
    assert read(written(tmp_path, "a.xlsx", saved(workbook))).text == "Budget\n\nKommune: Vejle; Andel: 1"


def test_what_lies_beyond_the_limits_is_left_out_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "MAX_ROWS", 3)
    monkeypatch.setattr(spreadsheet, "MAX_COLUMNS", 2)
    document = read(written(tmp_path, "a.csv", "Navn;Sager;Mere\n" + "x;1;2\n" * 5))
    assert document.text == "Navn: x; Sager: 1\nNavn: x; Sager: 1"
    assert [warning.code for warning in document.warnings] == ["afkortet"]


@pytest.mark.parametrize(
    ("value", "written_as", "shown"),
    [
        (1234.5, "General", "1234,5"),
        (1200000, '#,##0 "kr."', "1.200.000 kr."),
        (1234.5, "#,##0.00", "1.234,50"),
        (0.125, "0.0%", "12,5 %"),
        (20, "[$€-2] 0", "20 euro"),
    ],
)
def test_numbers_are_shown_as_a_danish_spreadsheet_shows_them(value: float, written_as: str, shown: str) -> None:
    assert number_shown(value, written_as) == shown


CELL = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
ODS = (
    '<table:table table:name="Ark1">'
    '<table:table-column/><table:table-column table:visibility="collapse"/><table:table-column/>'
    f"<table:table-row>{CELL.format('Kommune')}{CELL.format('Gemt')}{CELL.format('Sager')}</table:table-row>"
    f"<table:table-row>{CELL.format('Odense')}{CELL.format('x')}{CELL.format('3')}</table:table-row>"
    f'<table:table-row table:visibility="filter">{CELL.format("Køge")}</table:table-row>'
    '<table:table-row table:number-rows-repeated="1048570"><table:table-cell/></table:table-row>'
    '</table:table><table:table table:name="Andet" table:style-name="gemt">'
    f"<table:table-row>{CELL.format('hemmeligt')}</table:table-row></table:table>"
)
STYLE = '<style:style style:name="gemt"><style:table-properties table:display="false"/></style:style>'


def test_opendocument_spreadsheets_are_read_as_others(tmp_path: Path) -> None:
    assert (
        read(written(tmp_path, "a.ods", opendocument(ODS, "spreadsheet", styles=STYLE))).text
        == "Kommune: Odense; Sager: 3"
    )


@pytest.mark.parametrize(
    "data",
    [
        'Kommune;Beløb\nÅrhus;1,5\n"Køge; nord";2\n'.encode("cp1252"),
        'sep=;\nKommune;Beløb\nÅrhus;1,5\n"Køge; nord";2\n'.encode("utf-8-sig"),
        "Kommune\tBeløb\nÅrhus\t1,5\nKøge; nord\t2\n".encode("utf-16"),
    ],
)
def test_a_table_of_text_is_read_whatever_its_encoding_and_delimiter(tmp_path: Path, data: bytes) -> None:
    assert read(written(tmp_path, "a.csv", data)).text == "Kommune: Århus; Beløb: 1,5\nKommune: Køge; nord; Beløb: 2"


def test_the_delimiter_is_the_one_that_parts_all_rows_alike() -> None:
    assert delimiter_of("a, b og c;1\nd;2\ne, f;3") == ";"
    assert delimiter_of("navn,tal\nx;y,2\nz,3") == ","
