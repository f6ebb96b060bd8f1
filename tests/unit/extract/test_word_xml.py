"""Word text that mammoth passes over is read, or the reading says that it is partial."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb.extract.isolation import PARTIAL_CODES
from tests.unit.extract.making import read, word_xml, written


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def text_box(text: str) -> str:
    return (
        "<w:drawing><wp:inline><a:graphic><a:graphicData><wps:wsp><wps:txbx><w:txbxContent>"
        f"<w:p>{run(text)}</w:p></w:txbxContent></wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing>"
    )


def old_box(text: str) -> str:
    return f"<w:pict><v:shape><v:textbox><w:txbxContent><w:p>{run(text)}</w:p></w:txbxContent></v:textbox></v:shape></w:pict>"  # noqa: E501


@pytest.mark.parametrize(
    ("inline", "text"),
    [
        (f'<w:fldSimple w:instr=" REF x ">{run("5.2")}</w:fldSimple>', "5.2"),
        (f'<w:dir w:val="ltr">{run("to")}</w:dir>', "to"),
        (f'<w:bdo w:val="ltr">{run("tre")}</w:bdo>', "tre"),
        (f"<w:r><w:ruby><w:rt>{run('lyd')}</w:rt><w:rubyBase>{run('ord')}</w:rubyBase></w:ruby></w:r>", "ord"),
        (f"<w:fremtid><w:lag>{run('nyt')}</w:lag></w:fremtid>", "nyt"),
        (
            f"<w:moveFrom>{run('flyttet bort')}</w:moveFrom><w:moveTo>{run('flyttet hertil')}</w:moveTo>",
            "flyttet hertil",
        ),
        ("<w:r><w:t>to</w:t><w:cr/><w:t>linjer</w:t><w:ptab/><w:t>i</w:t></w:r>", "to linjer i"),
        ("<m:oMath><m:r><m:t>F1=0,87</m:t></m:r></m:oMath>", "F1=0,87"),
        (
            "<m:oMath><m:f><m:num><m:r><m:t>1</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f></m:oMath>",
            "1/2",
        ),
    ],
)
def test_text_inside_a_sentence_is_read(tmp_path: Path, inline: str, text: str) -> None:
    body = f"<w:p>{run('Værdien er ')}{inline}{run(' i alt.')}</w:p>"
    assert read(written(tmp_path, "a.docx", word_xml(body))).text == f"Værdien er {text} i alt."


def test_each_text_box_is_read_once(tmp_path: Path) -> None:
    boxes = [
        text_box("Kun tegning."),
        f"<mc:AlternateContent><mc:Choice>{text_box('Begge.')}</mc:Choice>"
        f"<mc:Fallback>{old_box('Begge.')}</mc:Fallback></mc:AlternateContent>",
        f"<mc:AlternateContent><mc:Choice>{text_box('Kun valg.')}</mc:Choice></mc:AlternateContent>",
        f"<mc:AlternateContent><mc:Choice>{text_box('Tom udvej.')}</mc:Choice><mc:Fallback/></mc:AlternateContent>",
        old_box("Rund.").replace("v:shape", "v:oval"),
    ]
    body = "".join(f"<w:p><w:r>{box}</w:r></w:p>" for box in boxes)
    document = read(written(tmp_path, "a.docx", word_xml(body)))
    assert document.text == "Kun tegning.\n\nBegge.\n\nKun valg.\n\nTom udvej.\n\nRund."


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ("<w:altChunk/>", "andre filer"),
        ("<w:p><w:subDoc/></w:p>", "andre filer"),
        ("<w:p><w:r><w:object><w:OLEObject/></w:object></w:r></w:p>", "andre filer"),
        ("<w:p><w:r><w:drawing><wp:inline><a:chart/></wp:inline></w:drawing></w:r></w:p>", "diagrammer"),
        ("<w:p><w:r><w:drawing><wp:inline><a:relIds/></wp:inline></w:drawing></w:r></w:p>", "SmartArt"),
    ],
)
def test_what_cannot_be_read_makes_the_reading_partial_and_is_named(tmp_path: Path, part: str, named: str) -> None:
    document = read(written(tmp_path, "a.docx", word_xml(f"<w:p>{run('Tekst.')}</w:p>{part}")))
    assert document.text == "Tekst."
    assert [warning.code for warning in document.warnings if warning.code in PARTIAL_CODES] == ["dele-mangler"]
    assert named in document.warnings[0].message
