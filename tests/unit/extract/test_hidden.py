"""What a person who opens a document does not see is not read, whichever format it is in."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from pptx import Presentation

from kb.extract.formats import legacy_office
from tests.unit.extract.making import opendocument, read, word_xml, written

SEEN = "<w:p><w:r><w:t>Synlig tekst.</w:t></w:r></w:p>"


def test_word_comments_are_not_read(tmp_path: Path) -> None:
    body = '<w:p><w:r><w:t>Et afsnit.</w:t></w:r><w:r><w:commentReference w:id="5"/></w:r></w:p>'
    comment = f'<w:comment w:id="5" w:initials="Y">{SEEN}</w:comment>'
    assert read(written(tmp_path, "a.docx", word_xml(body, comments=comment))).text == "Et afsnit."


def test_hidden_runs_in_word_are_not_read(tmp_path: Path) -> None:
    body = (
        f"{SEEN}<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>Skjult.</w:t></w:r></w:p>"
        '<w:p><w:r><w:t>Før </w:t></w:r><w:r><w:rPr><w:rStyle w:val="Gemt"/></w:rPr><w:t>skjult </w:t></w:r>'
        '<w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>efter.</w:t></w:r></w:p>'
        '<w:p><w:pPr><w:pStyle w:val="Intern"/></w:pPr><w:r><w:t>Skjult afsnit.</w:t></w:r></w:p>'
    )
    styles = (
        '<w:style w:styleId="Gemt" w:type="character"><w:rPr><w:vanish/></w:rPr></w:style>'
        '<w:style w:styleId="Intern" w:type="paragraph"><w:basedOn w:val="Gemt"/></w:style>'
    )
    document = read(written(tmp_path, "a.docx", word_xml(body, styles=styles)))
    assert document.text == "Synlig tekst.\n\nFør efter."


def test_hidden_slides_are_not_read_and_named(tmp_path: Path) -> None:
    presentation = Presentation()
    for title in ("Vist", "Gemt", "Slut"):
        slide = presentation.slides.add_slide(presentation.slide_layouts[5])
        slide.shapes.title.text = title
        if title == "Gemt":
            slide.element.set("show", "0")
    buffer = io.BytesIO()
    presentation.save(buffer)
    document = read(written(tmp_path, "a.pptx", buffer.getvalue()))
    assert document.text == "Vist\n\nSlut"
    assert [heading.text for heading in document.headings] == ["Vist", "Slut"]
    assert document.text[document.pages[2].start : document.pages[2].end] == "Slut"
    assert [warning.message for warning in document.warnings] == ["Skjulte slides er ikke læst: 2."]


STYLES = (
    '<style:style style:name="Gemt"><style:text-properties text:display="none"/></style:style>'
    '<style:style style:name="Barn" style:parent-style-name="Gemt"/>'
    '<style:style style:name="Usynlig"><style:drawing-page-properties presentation:visibility="hidden"/></style:style>'
)


def test_hidden_text_in_odt_is_not_read(tmp_path: Path) -> None:
    body = (
        '<text:p>Synlig <text:span text:style-name="Barn">gemt </text:span>tekst.</text:p>'
        '<text:section text:display="none"><text:p>Skjult sektion.</text:p></text:section>'
        '<text:section text:display="condition" text:is-hidden="true"><text:p>Også.</text:p></text:section>'
        '<text:section text:display="condition"><text:p>Vist sektion.</text:p></text:section>'
        '<text:p><text:hidden-paragraph text:is-hidden="true"/>Skjult afsnit.</text:p>'
        '<text:p text:style-name="Gemt">Skjult i en stil.</text:p>'
        "<text:p>Før <text:hidden-text>skjult </text:hidden-text>efter.</text:p>"
    )
    document = read(written(tmp_path, "a.odt", opendocument(body, styles=STYLES)))
    assert document.text == "Synlig tekst.\n\nVist sektion.\n\nFør efter."


def test_hidden_slides_in_odp_are_not_read_and_named(tmp_path: Path) -> None:
    slide = '<draw:page draw:style-name="{}"><draw:frame><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame></draw:page>'  # noqa: E501
    body = slide.format("Usynlig", "Gemt") + slide.format("Vanlig", "Vist")
    document = read(written(tmp_path, "a.odp", opendocument(body, "presentation", styles=STYLES)))
    assert document.text == "Vist"
    assert [warning.message for warning in document.warnings] == ["Skjulte slides er ikke læst: 1."]


RTF = r"{\rtf1\ansi\ansicpg1252 Synlig {\v skjult }tekst.\par \v gemt \v0 Mere {\deleted slettet }tekst.\par}"


@pytest.mark.slow
def test_hidden_text_in_rtf_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "a.rtf", RTF)
    if legacy_office.libreoffice() is not None:
        assert read(path).text == "Synlig tekst.\n\nMere tekst."
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read(path).text.split() == ["Synlig", "tekst.", "Mere", "tekst."]


PAGE = """<html><head><style>/* {} */ .gemt, #intern > p { color: red; display: none }
@media print { .vist { display: none } } a:hover { visibility: hidden }</style></head><body>
<p class="gemt">Skjult.</p><div id="intern"><p>Også skjult.</p></div><p class="vist">Synlig <a href="x">tekst</a>.</p>
</body></html>"""


def test_html_hidden_by_a_style_rule_is_not_read(tmp_path: Path) -> None:
    assert read(written(tmp_path, "a.html", PAGE)).text == "Synlig tekst."
