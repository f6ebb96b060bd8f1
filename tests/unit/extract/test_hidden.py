"""What a person who opens a document does not see is not read, whichever format it is in."""

from __future__ import annotations

from pathlib import Path

from tests.unit.extract.making import read, word_xml, written

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
