"""Letters that a PDF draws and does not name are mended where that is sure, else the page is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from pypdf.generic import ArrayObject, DecodedStreamObject, NameObject, NumberObject

from kb.core.models import Document
from kb.extract import ReadOptions
from kb.extract.ocr import is_installed
from kb.extract.pdf.layout import layout
from kb.extract.pdf.letters import filled_by, holed_words, mended, without_stray_holes
from kb.extract.pdf.raw_page import RawPage, Run
from tests.unit.extract.making import OPTIONS, SENTENCES, DrawnPdf, dictionary, drawn_line, read, written

BODY = "".join(drawn_line(sentence, 500 - 14 * row) for row, sentence in enumerate(SENTENCES))
# Codes of glyphs that the standard encoding of Helvetica has and WinAnsi has not.
FI, FL, RING = "\\200", "\\201", "\\202"


def document(tmp_path: Path, stream: str, *, names: str = "", fi_width: int = 500, options: ReadOptions = OPTIONS
             ) -> Document:  # fmt: skip
    """Text with ligatures and accents as glyphs of their own; ``names`` is what the font says their letters are."""
    drawn = DrawnPdf()
    glyphs = ArrayObject([NumberObject(128), NameObject("/fi"), NameObject("/fl"), NameObject("/ring")])
    drawn.font[NameObject("/Encoding")] = dictionary({"BaseEncoding": NameObject("/WinAnsiEncoding"),
                                                      "Differences": glyphs})  # fmt: skip
    if fi_width != 500:
        widths = [278 if code == 32 else fi_width if code == 128 else 556 for code in range(32, 256)]
        drawn.font[NameObject("/Widths")] = ArrayObject(NumberObject(width) for width in widths)
        drawn.font[NameObject("/FirstChar")] = NumberObject(32)
        drawn.font[NameObject("/LastChar")] = NumberObject(255)
    if names:
        told = DecodedStreamObject()
        ranges = f"1 begincodespacerange <00> <FF> endcodespacerange\n2 beginbfchar {names} endbfchar"
        told.set_data(f"/CIDInit /ProcSet findresource begin begincmap {ranges} endcmap end".encode())
        drawn.font[NameObject("/ToUnicode")] = drawn.writer._add_object(told)
    return read(written(tmp_path, "a.pdf", drawn.bytes(stream + BODY)), options)


UNNAMED = "<80> <0000> <81> <E001>"
HOLED = drawn_line(f"En {FI}nansieret og {FL}eksibel, of{FI}ciel aftale om inddragelse af borgerne", 600)


@pytest.mark.slow
@pytest.mark.skipif(not is_installed(), reason="tesseract with Danish is not installed: no letters are recognised")
def test_ligatures_without_a_name_are_recognised(tmp_path: Path) -> None:
    found = document(tmp_path, HOLED, names=UNNAMED, options=ReadOptions())
    assert "En finansieret og fleksibel, of" in found.text
    assert [warning.code for warning in found.warnings] in ([], ["ulæselig-skrift"])


def test_ligatures_without_a_name_are_named_where_they_are_not_recognised(tmp_path: Path) -> None:
    found = document(tmp_path, HOLED, names=UNNAMED)
    assert [warning.code for warning in found.warnings] == ["ulæselig-skrift"]
    assert found.warnings[0].message.startswith("Side 1 har ord, som mangler bogstaver")


def test_an_accent_over_a_letter_is_one_with_it(tmp_path: Path) -> None:
    stream = (
        f"BT /F 11 Tf 60 600 Td [(p) -111 ({RING}) 444 (a) ( Resum) -111 (\xb4) 444 (e of d\xb4Angleterre)] TJ ET\n"
    )
    assert document(tmp_path, stream).text.startswith("på Resumé of d´Angleterre")


def test_a_space_inside_a_ligature_is_none(tmp_path: Path) -> None:
    stream = drawn_line(f"De skal {FI} nde geogra{FI} og mere", 600)
    text = document(tmp_path, stream, names="<80> <FB01> <81> <FB02>", fi_width=230).text
    assert text.startswith("De skal finde geogra")


def page(*texts: str) -> RawPage:
    return RawPage(
        1, 595, 842, tuple(Run(text, 60, 60 + 5 * len(text), 700 - 14 * i, 10) for i, text in enumerate(texts))
    )


def read_of(*texts: str) -> list[str]:
    return [run.text for run in mended([page(*texts)])[0].runs]


def test_signs_that_can_only_be_accents_or_ligatures_are_put_right() -> None:
    assert read_of("p˚a ˚Arhus gr¨on kommunikaƟon soŌware Resum´e") == ["på Århus grön kommunikation software Resumé"]
    assert read_of("FN´s d´Angleterre 20 °C Ōsaka ´en´") == ["FN´s d´Angleterre 20 °C Ōsaka ´en´"]


def test_the_documents_own_words_fill_holes_and_join_split_ligatures() -> None:
    assert read_of("De er finansieret her", "\ufffdnansieret, af fi nansieret filosofi og") == [
        "De er finansieret her",
        "finansieret, af finansieret filosofi og",
    ]


def test_signs_beside_words_are_no_holes() -> None:
    assert holed_words("\uf0b7Tekst x\ufffd2 \ufffd a\x00 5\ufffd6 \ufffdKommunen FORSLAG\ufffdTIL") == []
    assert holed_words("\x00nansieret of\ue000ciel,") == ["\x00nansieret", "of\ue000ciel,"]


def test_a_hole_is_shown_in_a_word_and_a_space_elsewhere() -> None:
    shown = without_stray_holes(page("\ufffdFORSLAG\ufffdTIL", "\ue000nansieret"))
    assert [run.text for run in shown.runs] == [" FORSLAG TIL", "\ufffdnansieret"]


def test_a_hole_is_filled_only_by_the_one_word_that_fits() -> None:
    assert filled_by(["of\x00ciel,"], ["En officiel aftale"]) == {"of\x00ciel,": "officiel,"}
    assert filled_by(["\x00nde"], ["finde og sende og minde"]) == {}


def test_mended_pages_are_laid_out_like_others() -> None:
    assert [block.text for block in layout(mended([page("p˚a tide")]))] == ["på tide"]
