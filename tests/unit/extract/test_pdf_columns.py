"""Columns that a PDF draws line by line across the strip between them are read one after the other; tables are not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import pytest
from fpdf import FPDF

from tests.unit.extract.making import read, written

FIRST = (
    "Indledningen beskriver, hvorfor kommunen valgte at afprøve løsningen, og hvem der tog initiativet til det første "
    "møde om sagen i efteråret samme år. Borgerne blev spurgt to gange undervejs, og svarene ligger i bilaget."
)
SECOND = (
    "Resultaterne viser, at sagerne blev afgjort hurtigere, men at antallet af klager var uændret i hele perioden, "
    "hvilket projektet forklarer med manglende information om de nye regler for aktindsigt."
)
THIRD = (
    "Anbefalingen er, at andre kommuner begynder med en lille del af sagerne og først udvider, når medarbejderne er "
    "trygge ved værktøjet og har prøvet det på kendte sager."
)


class Page:
    """A page whose lines are drawn one by one, across the columns."""

    def __init__(self) -> None:
        self.pdf = FPDF(unit="pt", format=(595, 842))
        self.pdf.add_page()
        self.y = 80.0

    def wrapped(self, text: str, width: float, size: float) -> list[str]:
        self.pdf.set_font("Helvetica", size=size)
        lines = [""]
        for word in text.split():
            longer = f"{lines[-1]} {word}".strip()
            if self.pdf.get_string_width(longer) > width:
                lines.append(word)
            else:
                lines[-1] = longer
        return lines

    def heading(self, text: str) -> None:
        self.pdf.set_font("Helvetica", style="B", size=15)
        self.pdf.text(60, self.y + 6, text)
        self.y += 28

    def columns(self, texts: Sequence[str], widths: Sequence[float], gutter: float, *, size: float = 10,
                shift: float = 0) -> None:  # fmt: skip
        columns = [self.wrapped(text, width, size) for text, width in zip(texts, widths, strict=True)]
        for row in zip_longest(*columns, fillvalue=""):
            x = 60.0
            for number, (line, width) in enumerate(zip(row, widths, strict=True)):
                if line:
                    self.pdf.text(x, self.y + shift * number, line)
                x += width + gutter
            self.y += 1.25 * size
        self.y += 20

    def paragraphs(self, folder: Path) -> list[str]:
        return read(written(folder, "a.pdf", bytes(self.pdf.output()))).text.split("\n\n")


@pytest.mark.parametrize("gutter", [9, 14, 30])
@pytest.mark.parametrize("size", [8, 10, 11])
def test_two_columns(tmp_path: Path, gutter: float, size: float) -> None:
    page = Page()
    page.heading("To spalter")
    page.columns([FIRST, SECOND], [220, 220], gutter, size=size)
    assert page.paragraphs(tmp_path) == ["To spalter", FIRST, SECOND]


@pytest.mark.parametrize("gutter", [10, 20])
def test_three_columns(tmp_path: Path, gutter: float) -> None:
    page = Page()
    page.heading("Tre spalter")
    page.columns([FIRST, SECOND, THIRD], [145, 145, 145], gutter, size=9)
    assert page.paragraphs(tmp_path) == ["Tre spalter", FIRST, SECOND, THIRD]


@pytest.mark.parametrize("widths", [(300, 130), (130, 300)])
def test_columns_of_unequal_width(tmp_path: Path, widths: tuple[float, float]) -> None:
    page = Page()
    page.heading("Bred og smal")
    texts = [f"{FIRST} {THIRD}", SECOND] if widths[0] > widths[1] else [SECOND, f"{FIRST} {THIRD}"]
    page.columns(texts, widths, 16)
    assert page.paragraphs(tmp_path) == ["Bred og smal", *texts]


@pytest.mark.parametrize("shift", [3, 6])
def test_columns_whose_lines_stand_at_different_heights(tmp_path: Path, shift: float) -> None:
    page = Page()
    page.heading("Forskudt")
    page.columns([FIRST, SECOND], [220, 220], 20, shift=shift)
    assert page.paragraphs(tmp_path) == ["Forskudt", FIRST, SECOND]


def test_a_heading_across_parts_what_is_above_from_what_is_below(tmp_path: Path) -> None:
    page = Page()
    page.heading("Baggrund")
    page.columns([FIRST, SECOND], [220, 220], 18)
    page.heading("Anbefalinger til andre kommuner og regioner i landet")
    page.columns([THIRD, FIRST], [220, 220], 18)
    assert page.paragraphs(tmp_path) == [
        "Baggrund", FIRST, SECOND, "Anbefalinger til andre kommuner og regioner i landet", THIRD, FIRST,
    ]  # fmt: skip


def test_rows_of_a_table_stay_rows(tmp_path: Path) -> None:
    page = Page()
    rows = [("Kommune", "Erfaring med det nye system", "Antal sager")] + [
        (name, f"Medarbejderne i {name} brugte det dagligt", f"{number} sager i alt")
        for number, name in enumerate(("Odense", "Vejle", "Ribe", "Thisted", "Faxe"), start=120)
    ]
    for row in rows:
        page.pdf.set_font("Helvetica", size=10)
        for x, cell in zip((60, 160, 430), row, strict=True):
            page.pdf.text(x, page.y, cell)
        page.y += 14
    assert page.paragraphs(tmp_path)[0].split("\n")[0] == (
        "Kommune: Odense; Erfaring med det nye system: Medarbejderne i Odense brugte det dagligt; "
        "Antal sager: 120 sager i alt"
    )


def test_cells_of_several_lines_are_not_taken_for_columns(tmp_path: Path) -> None:
    page = Page()
    page.heading("Problemer og løsninger")
    pairs = [
        ("Data manglede i de ældste af sagerne fra arkivet", "Sagerne blev læst ind igen af en ekstern leverandør"),
        ("Borgerne kunne ikke finde rundt på den nye side", "Forsiden fik færre valg og en tydelig søgning øverst"),
        ("Ledelsen bakkede ikke op om de ændrede vaner", "Direktionen kom med til hvert af de fire store møder"),
    ]
    for left, right in pairs:
        page.columns([left, right], [130, 130], 24)
        page.y -= 20
    text = " ".join(page.paragraphs(tmp_path))
    assert text.index("ekstern leverandør") < text.index("Borgerne kunne")
