"""What a PDF holds and does not show is not read: layers, text beside the page, invisible and covered text."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from fpdf import FPDF
from PIL import Image
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DecodedStreamObject, NameObject, RectangleObject

from tests.unit.extract.making import SENTENCES, DrawnPdf, dictionary, drawn_line, read, written

SEEN = "".join(drawn_line(sentence, 760 - 14 * row) for row, sentence in enumerate(SENTENCES))
READ = " ".join(SENTENCES).split()


def text_of(tmp_path: Path, data: bytes) -> list[str]:
    return read(written(tmp_path, "a.pdf", data)).text.split()


def in_layer(name: str, text: str, y: int = 600) -> str:
    return f"/OC /{name} BDC {drawn_line(text, y)} EMC\n"


def test_a_layer_that_is_switched_off_is_not_read(tmp_path: Path) -> None:
    drawn = DrawnPdf()
    off, _ = drawn.layer("Intern"), drawn.layer("Dansk")
    drawn.switch(OFF=ArrayObject([off]))
    data = drawn.bytes(SEEN + in_layer("Intern", "Fortrolig bemærkning") + in_layer("Dansk", "Vist lag"))
    assert text_of(tmp_path, data) == [*READ, "Vist", "lag"]


def test_a_hidden_layer_over_a_shown_one_is_not_read(tmp_path: Path) -> None:
    drawn = DrawnPdf()
    drawn.layer("English")
    on = drawn.layer("Dansk")
    drawn.switch(BaseState=NameObject("/OFF"), ON=ArrayObject([on]))
    data = drawn.bytes(SEEN + in_layer("English", "The price was high") + in_layer("Dansk", "Prisen var høj her"))
    assert text_of(tmp_path, data) == [*READ, "Prisen", "var", "høj", "her"]


def test_a_layer_hidden_by_its_use_for_viewing_is_not_read(tmp_path: Path) -> None:
    drawn = DrawnPdf()
    group = drawn.layer("Print", view="OFF")
    rule = {"Event": NameObject("/View"), "Category": ArrayObject([NameObject("/View")]), "OCGs": ArrayObject([group])}
    drawn.switch(AS=ArrayObject([dictionary(rule)]))
    assert text_of(tmp_path, drawn.bytes(SEEN + in_layer("Print", "Kun i tryk"))) == READ


@pytest.mark.parametrize(
    ("policy", "expression", "shown"),
    [("/AnyOn", "", True), ("/AllOn", "", False), ("/AllOff", "", False), ("/AnyOff", "", True), ("", "/Not", False)],
)
def test_a_combination_of_layers_is_judged_as_the_file_says(
    tmp_path: Path, policy: str, expression: str, shown: bool
) -> None:
    drawn = DrawnPdf()
    on, off = drawn.layer("A"), drawn.layer("B")
    drawn.switch(OFF=ArrayObject([off]))
    rule: dict[str, Any] = {"Type": NameObject("/OCMD"), "OCGs": ArrayObject([on, off])}
    rule |= {"P": NameObject(policy)} if policy else {}
    rule |= {"VE": ArrayObject([NameObject(expression), on])} if expression else {}
    drawn.mark("M", drawn.writer._add_object(dictionary(rule)))
    assert ("Begge" in text_of(tmp_path, drawn.bytes(SEEN + in_layer("M", "Begge lag")))) is shown


def test_a_form_in_a_hidden_layer_is_not_read_and_what_follows_keeps_its_type(tmp_path: Path) -> None:
    drawn = DrawnPdf()
    off = drawn.layer("Udkast")
    drawn.switch(OFF=ArrayObject([off]))
    form = DecodedStreamObject()
    form.set_data(drawn_line("Kladde i en form", 500).encode())
    form.update(dictionary({"Type": NameObject("/XObject"), "Subtype": NameObject("/Form"), "OC": off,
                            "BBox": RectangleObject((0, 0, 595, 842)), "Resources": drawn.resources}))  # fmt: skip
    drawn.resources[NameObject("/XObject")] = dictionary({"X": drawn.writer._add_object(form)})
    inside = "BT /OC /Udkast BDC /F 11 Tf 60 400 Td (skjult) Tj EMC (Arvet skrift) Tj ET\n"
    assert text_of(tmp_path, drawn.bytes(SEEN + "/X Do\n" + inside)) == [*READ, "Arvet", "skrift"]


def test_text_beside_the_visible_page_is_not_read(tmp_path: Path) -> None:
    drawn = DrawnPdf()
    drawn.page[NameObject("/MediaBox")] = RectangleObject((-200, -100, 700, 900))
    drawn.page.cropbox = RectangleObject((0, 0, 595, 842))
    beside = (
        drawn_line("Noter til os selv", 860) + drawn_line("Trykkerinoter", 500, -150) + drawn_line("Under siden", -40)
    )
    assert text_of(tmp_path, drawn.bytes(SEEN + beside)) == READ


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize(
    "hidden",
    [
        drawn_line("Usynlig skrift", 500, before="3 Tr"),
        drawn_line("Hvid skrift", 500, before="1 g") + "0 g\n",
        "0 g 50 480 300 40 re f 1 g 60 490 100 20 re f\n" + drawn_line("Hvid på hvid", 500) + "0 g\n",
        drawn_line("Dækket af en kasse", 500) + "0.9 g 50 490 200 30 re f 0 g\n",
        "0 g 50 480 300 40 re f\n" + drawn_line("Sort på sort", 500),
        "q 50 600 100 100 re W n\n" + drawn_line("Klippet væk", 500) + "Q\n",
    ],
)  # fmt: skip
def test_text_that_nobody_sees_is_not_read(tmp_path: Path, hidden: str, turn: int) -> None:
    drawn = DrawnPdf()
    drawn.page.rotate(turn)
    assert text_of(tmp_path, drawn.bytes(SEEN + hidden)) == READ


def test_white_text_on_a_dark_ground_and_pale_text_are_read(tmp_path: Path) -> None:
    data = DrawnPdf().bytes(
        SEEN
        + "0.2 g 50 480 300 40 re f 1 g\n" + drawn_line("Hvid på mørk", 495)
        + "0.75 g\n" + drawn_line("bleg skrift", 450)
        + "0.9 g 50 390 300 40 re f 0 g\n" + drawn_line("sort i en kasse", 400)
    )  # fmt: skip
    assert text_of(tmp_path, data) == [*READ, "Hvid", "på", "mørk", "bleg", "skrift", "sort", "i", "en", "kasse"]


def test_the_invisible_text_of_a_recognised_scan_is_read(tmp_path: Path) -> None:
    seen = FPDF(unit="pt", format=(595, 842))
    seen.add_page()
    seen.set_font("Helvetica", size=11)
    for row, sentence in enumerate(SENTENCES):
        seen.text(60, 82 + 14 * row, sentence)
    picture = pypdfium2.PdfDocument(bytes(seen.output()))[0].render(scale=2).to_pil()
    assert isinstance(picture, Image.Image)
    scan = FPDF(unit="pt", format=(595, 842))
    scan.add_page()
    scan.image(picture, 0, 0, 595, 842)
    scan.set_font("Helvetica", size=11)
    scan.text_mode = 3
    for row, sentence in enumerate((*SENTENCES, "Her står intet på billedet.")):
        scan.text(60, 82 + 14 * row, sentence)
    assert text_of(tmp_path, bytes(scan.output())) == READ
    assert PdfReader(io.BytesIO(bytes(scan.output()))).pages[0].extract_text().count("intet") == 1
