from __future__ import annotations

from pathlib import Path

from kb.extract.blocks import Kind
from kb.extract.html import html_blocks
from kb.extract.tables import table_blocks
from tests.unit.extract.making import read, written

PAGE = """<!DOCTYPE html><html lang="da"><head><title>Erfaringer | Kommunen</title><style>p{}</style></head><body>
<header><a href="/">Forside</a></header><nav><ul><li>Menu</li></ul></nav>
<div class="cookie-banner">Vi bruger cookies</div>
<main><h1>Erfaringer med data</h1><p>Første <b>afsnit</b>
over to linjer.</p><script>alert(1)</script>
<ul><li>et</li><li>to <ul><li>to-en</li></ul></li></ul>
<table><tr><th>År</th><th>Sager</th></tr><tr><td rowspan="2">2020</td><td>12</td></tr><tr><td>13</td></tr></table>
<p style="display:none">skjult</p><pre>linje et
linje to</pre></main>
<aside>Relaterede nyheder</aside><footer>Rådhuset, 12 34 56 78</footer></body></html>"""


def test_a_web_page_gives_its_main_content(tmp_path: Path) -> None:
    document = read(written(tmp_path, "side.html", PAGE))
    assert document.text == (
        "Erfaringer med data\n\nFørste afsnit over to linjer.\n\n- et\n- to\n- to-en\n\n"
        "År: 2020; Sager: 12\nÅr: 2020; Sager: 13\n\nlinje et\nlinje to"
    )
    assert document.metadata.titel == "Erfaringer med data"
    assert [(heading.level, heading.text) for heading in document.headings] == [(1, "Erfaringer med data")]


def test_a_windows_1252_page_without_main_is_read(tmp_path: Path) -> None:
    page = "<html><body><div><h2>Læring</h2><p>Små børn på øen</p></div></body></html>"
    document = read(written(tmp_path, "gammel.htm", page.encode("cp1252")))
    assert document.text == "Læring\n\nSmå børn på øen"


def test_a_page_that_is_all_boilerplate_is_read_rather_than_lost() -> None:
    assert [block.text for block in html_blocks("<nav><p>Alt står her</p></nav>", boilerplate=True)] == ["Alt står her"]


def test_a_wrapper_of_the_whole_page_is_kept_whatever_its_name() -> None:
    page = "<div class='page has-menu'><div class='menu'>Menu</div><p>Her står det hele, og det er langt nok.</p></div>"
    assert [block.text for block in html_blocks(page, boilerplate=True)] == ["Her står det hele, og det er langt nok."]


def test_deep_nesting_does_not_overflow() -> None:
    deep = "<div>" * 5000 + "dybt" + "</div>" * 5000
    assert len(html_blocks(f"<p>før</p>{deep}")) >= 1


def test_a_sentence_set_as_a_heading_is_a_paragraph() -> None:
    long = "Dette er en hel sætning, som nogen har sat som overskrift for at få den til at fylde mere."
    kinds = [block.kind for block in html_blocks(f"<h2>{long}</h2><h2>Kort</h2>")]
    assert kinds == [Kind.PARAGRAPH, Kind.HEADING]


def rows(*cells: list[str], header_rows: int = 0) -> list[str]:
    return [block.text for block in table_blocks(cells, header_rows=header_rows)]


def test_rows_name_their_columns() -> None:
    assert rows(["År", "Sager"], ["2020", "12"], ["2021", ""]) == ["År: 2020; Sager: 12", "År: 2021"]
    assert rows(["", "2020", "2021"], ["Sager", "1", "2"], header_rows=1) == ["Sager; 2020: 1; 2021: 2"]
    assert rows(["A", "B"], ["a", "b"], ["1", "2"], header_rows=2) == ["A a: 1; B b: 2"]


def test_labels_and_values_belong_together() -> None:
    assert rows(["Projekt:", "Signaturprojekt 4"], ["Periode:", "2020-2022"]) == [
        "Projekt: Signaturprojekt 4",
        "Periode: 2020-2022",
    ]


def test_a_title_over_the_whole_table_is_no_row() -> None:
    title, header, first = ["Sager i alt", ""], ["År", "Sager"], ["2020", "12"]
    assert rows(title, header, first, ["2021", "13"]) == ["Sager i alt", "År: 2020; Sager: 12", "År: 2021; Sager: 13"]


def test_rows_with_their_own_headings_belong_together() -> None:
    table = "<table><tr><th>Kommune</th><td>Odense</td></tr><tr><th>Budget</th><td>stort</td></tr></table>"
    assert [block.text for block in html_blocks(table)] == ["Kommune: Odense", "Budget: stort"]


def test_a_table_used_for_layout_becomes_paragraphs() -> None:
    assert rows(["En lang tekst. " * 40, "en anden"]) == [("En lang tekst. " * 40), "en anden"]
    assert rows(["kun"], ["en kolonne"]) == ["kun", "en kolonne"]
    assert rows([], ["", ""]) == []
