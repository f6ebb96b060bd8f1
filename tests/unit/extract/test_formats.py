"""DOCX, PPTX, OpenDocument, RTF, DOC, EPUB, Markdown and plain text, read from small files made here."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from docx import Document as Word
from pptx import Presentation
from pptx.oxml import parse_xml
from pptx.util import Inches

from kb.core.errors import MetadataError, ToolMissingError
from kb.extract.formats import legacy_office
from tests.unit.extract.making import OPTIONS, SENTENCES, container, docx, epub, opendocument, read, written

needs_libreoffice = pytest.mark.skipif(legacy_office.libreoffice() is None, reason="LibreOffice er ikke installeret")


def test_docx_keeps_headings_lists_and_tables(tmp_path: Path) -> None:
    document = read(written(tmp_path, "rapport.docx", docx()))
    assert document.text == (
        f"Formål\n\n{SENTENCES[0]}\n\nData\n\n- Første kilde\n- Anden kilde\n\n"
        f"År: 2020; Sager: 120\nÅr: 2021; Sager: 340\n\n{SENTENCES[1]}"
    )
    assert [(heading.level, heading.text) for heading in document.headings] == [(1, "Formål"), (2, "Data")]
    assert document.metadata.titel == "Erfaringer med sagsbehandling"
    assert document.reader == "mammoth"


def word_bytes(word: object) -> bytes:
    buffer = io.BytesIO()
    word.save(buffer)  # type: ignore[attr-defined]
    return buffer.getvalue()


def test_bold_paragraphs_are_the_headings_they_are_meant_as(tmp_path: Path) -> None:
    word = Word()
    word.add_paragraph().add_run("Baggrund").bold = True
    word.add_paragraph(SENTENCES[0])
    word.add_paragraph().add_run("Dette er fremhævet, men det er en sætning.").bold = True
    word.add_paragraph(SENTENCES[1])
    document = read(written(tmp_path, "a.docx", word_bytes(word)))
    assert [heading.text for heading in document.headings] == ["Baggrund"]


def test_a_contents_list_in_word_is_dropped(tmp_path: Path) -> None:
    word = Word()
    titles = ("Formål", "Metode", "Læring", "Råd")
    word.add_paragraph("Indhold")
    for title in titles:
        word.add_paragraph(f"{title}\t3")
    for title in titles:
        word.add_heading(title, 1)
        word.add_paragraph(SENTENCES[0])
    document = read(written(tmp_path, "a.docx", word_bytes(word)))
    assert document.text == "\n\n".join(f"{title}\n\n{SENTENCES[0]}" for title in titles)


@pytest.mark.slow
def test_headings_that_return_are_not_taken_for_contents(tmp_path: Path) -> None:
    word = Word()
    for project in ("Odense", "Vejle"):
        word.add_heading(project, 1)
        for title in ("Formål", "Læring", "Råd"):
            word.add_heading(title, 2)
            word.add_paragraph(SENTENCES[0])
    document = read(written(tmp_path, "a.docx", word_bytes(word)))
    assert len(document.headings) == 8


def test_presentation_slides_are_pages(tmp_path: Path) -> None:
    presentation = Presentation()
    for title, points in (("Status på projektet", ["Et punkt", "Et andet"]), ("Læring", ["Tal med juraen"])):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = "\n".join(points)
    slide.notes_slide.notes_text_frame.text = "Husk at nævne tidsplanen."
    table = slide.shapes.add_table(2, 2, Inches(1), Inches(4), Inches(4), Inches(1)).table
    for index, text in enumerate(["År", "Sager", "2020", "12"]):
        table.cell(index // 2, index % 2).text = text
    buffer = io.BytesIO()
    presentation.save(buffer)
    document = read(written(tmp_path, "a.pptx", buffer.getvalue()))
    assert [(page.number, document.text[page.start : page.end]) for page in document.pages] == [
        (1, "Status på projektet\n\n- Et punkt\n- Et andet"),
        (2, "Læring\n\nTal med juraen\n\nÅr: 2020; Sager: 12\n\nHusk at nævne tidsplanen."),
    ]
    assert [heading.level for heading in document.headings] == [1, 2]


ODT = """<text:tracked-changes><text:p>slettet</text:p></text:tracked-changes>
<text:h text:outline-level="1">Formål</text:h>
<text:p>Første<text:s/>afsnit<text:note><text:note-citation>1</text:note-citation><text:note-body>
<text:p>En note.</text:p></text:note-body></text:note>.</text:p>
<text:list><text:list-item><text:p>et</text:p></text:list-item><text:list-item><text:p>to</text:p>
<text:list><text:list-item><text:p>to-en</text:p></text:list-item></text:list></text:list-item></text:list>
<table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>År</text:p></table:table-cell>
<table:table-cell><text:p>Sager</text:p></table:table-cell></table:table-row></table:table-header-rows>
<table:table-row><table:table-cell><text:p>2020</text:p></table:table-cell><table:table-cell><text:p>12</text:p>
</table:table-cell></table:table-row></table:table>"""


def test_odt(tmp_path: Path) -> None:
    document = read(written(tmp_path, "a.odt", opendocument(ODT)))
    assert document.text == "Formål\n\nFørste afsnit.\n\n- et\n- to\n- to-en\n\nÅr: 2020; Sager: 12\n\nEn note."
    assert document.headings[0].level == 1


BOX = "<draw:frame><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame>"


def test_boxes_in_headings_and_cells_of_odt_are_read(tmp_path: Path) -> None:
    body = (
        f'<text:h text:outline-level="1">Formål{BOX.format("I en boks.")}</text:h><text:p>Afsnit.</text:p>'
        "<table:table><table:table-row><table:table-cell><text:p>Sager</text:p></table:table-cell>"
        f"<table:table-cell><text:p>{BOX.format('120')}</text:p></table:table-cell></table:table-row></table:table>"
        "<text:p>Et <text:ruby><text:ruby-base>ord</text:ruby-base><text:ruby-text>lyd</text:ruby-text></text:ruby>."
        "</text:p>"
    )
    document = read(written(tmp_path, "a.odt", opendocument(body)))
    assert document.text == "Formål\n\nI en boks.\n\nAfsnit.\n\nSager: 120\n\nEt ord."
    assert document.warnings == ()


@pytest.mark.parametrize(("suffix", "kind"), [("odt", "text"), ("odp", "presentation")])
def test_objects_in_opendocument_make_the_reading_partial(tmp_path: Path, suffix: str, kind: str) -> None:
    inside = "<text:p>Tekst.<draw:frame><draw:object/></draw:frame></text:p>"
    body = inside if kind == "text" else f"<draw:page><draw:frame>{inside}</draw:frame></draw:page>"
    document = read(written(tmp_path, f"a.{suffix}", opendocument(body, kind)))
    assert [warning.code for warning in document.warnings] == ["dele-mangler"]


def test_slides_with_what_is_not_read_are_named(tmp_path: Path) -> None:
    presentation = Presentation()
    for title in ("Først", "Formel"):
        presentation.slides.add_slide(presentation.slide_layouts[5]).shapes.title.text = title
    shape = presentation.slides[1].shapes.title
    shape.text_frame.paragraphs[0]._p.append(
        parse_xml(
            '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
            'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"><mc:Choice Requires="a14">'
            "<m:oMath><m:r><m:t>x=1</m:t></m:r></m:oMath></mc:Choice></mc:AlternateContent>"
        )
    )
    buffer = io.BytesIO()
    presentation.save(buffer)
    document = read(written(tmp_path, "a.pptx", buffer.getvalue()))
    assert [(w.code, w.message[-8:]) for w in document.warnings] == [("dele-mangler", "slide 2.")]


def test_odp(tmp_path: Path) -> None:
    slide = (
        '<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>{}</text:p></draw:text-box>'
        "</draw:frame>"
        '<draw:frame presentation:class="outline"><draw:text-box><text:list><text:list-item><text:p>{}</text:p>'
        "</text:list-item></text:list></draw:text-box></draw:frame></draw:page>"
    )
    body = slide.format("Status", "Et punkt") + slide.format("Læring", "Et andet")
    document = read(written(tmp_path, "a.odp", opendocument(body, "presentation")))
    assert [document.text[page.start : page.end] for page in document.pages] == [
        "Status\n\n- Et punkt",
        "Læring\n\n- Et andet",
    ]


def test_epub_chapters_come_in_the_order_of_the_spine(tmp_path: Path) -> None:
    chapters = {"z.xhtml": "<h1>Først</h1><p>Et afsnit.</p>", "a.xhtml": "<h1>Sidst</h1><ul><li>et punkt</li></ul>"}
    document = read(written(tmp_path, "a.epub", epub(chapters)))
    assert document.text == "Først\n\nEt afsnit.\n\nSidst\n\n- et punkt"
    assert document.metadata.titel == "En bog"


def test_a_chapter_that_is_damaged_costs_itself_alone(tmp_path: Path) -> None:
    data = epub({f"{n}.xhtml": f"<p>Kapitel {n} {SENTENCES[n]}</p>" for n in range(3)})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        place = archive.getinfo("OEBPS/1.xhtml").header_offset
    broken = bytearray(data)
    broken[place + 60 : place + 66] = b"\xff" * 6
    document = read(written(tmp_path, "a.epub", bytes(broken)))
    assert document.text == f"Kapitel 0 {SENTENCES[0]}\n\nKapitel 2 {SENTENCES[2]}"
    assert [warning.code for warning in document.warnings] == ["dele-mangler"]


def test_a_chapter_with_letters_that_cannot_be_read_is_told_of_once(tmp_path: Path) -> None:
    data = epub({f"{n}.xhtml": f"<p>Kapitel {n} {SENTENCES[n]}</p>" for n in range(2)})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    for n in range(2):
        parts[f"OEBPS/{n}.xhtml"] = f"<p>Kapitel {n} {SENTENCES[n]} Sk\ufffdnt</p>".encode("utf-16")
    document = read(written(tmp_path, "a.epub", container(parts)))
    assert [warning.code for warning in document.warnings] == ["tegnsæt"]


def test_a_chapter_that_the_book_lacks_or_has_as_garbage_is_counted(tmp_path: Path) -> None:
    data = epub({f"{n}.xhtml": f"<p>Kapitel {n} {SENTENCES[n]}</p>" for n in range(3)})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["OEBPS/1.xhtml"] = bytes(range(256)) * 8
    parts["OEBPS/b.opf"] = parts["OEBPS/b.opf"].replace(b"</spine>", b'<itemref idref="uden-fil"/></spine>')
    document = read(written(tmp_path, "a.epub", container(parts)))
    assert document.text == f"Kapitel 0 {SENTENCES[0]}\n\nKapitel 2 {SENTENCES[2]}"
    assert [warning.message for warning in document.warnings] == [
        "2 kapitler er beskadiget eller mangler og er ikke læst."
    ]


RTF = r"{\rtf1\ansi\ansicpg1252 Erfaringer fra \'d8rsted\par Sm\'e5 b\'f8rn\par}"


@pytest.mark.slow
@needs_libreoffice
def test_rtf_by_libreoffice(tmp_path: Path) -> None:
    document = read(written(tmp_path, "a.rtf", RTF))
    assert document.text == "Erfaringer fra Ørsted\n\nSmå børn"
    assert document.reader == "libreoffice+mammoth"


@pytest.mark.slow
@needs_libreoffice
def test_doc_by_libreoffice(tmp_path: Path) -> None:
    source = written(tmp_path, "a.docx", docx())
    profile = (tmp_path / "profile").as_uri()
    command = ["soffice", f"-env:UserInstallation={profile}", "--headless", "--convert-to", "doc", "--outdir"]
    subprocess.run([*command, str(tmp_path), str(source)], check=True, capture_output=True, timeout=120)
    document = read(tmp_path / "a.doc")
    assert document.media_type == "application/msword"
    assert [heading.text for heading in document.headings] == ["Formål", "Data"]
    assert "År: 2020; Sager: 120" in document.text


def test_rtf_without_libreoffice_is_read_as_plain_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    document = read(written(tmp_path, "a.rtf", RTF))
    assert document.text.split() == ["Erfaringer", "fra", "Ørsted", "Små", "børn"]
    assert (document.reader, document.warnings[0].code) == ("striprtf", "forenklet")


def test_doc_without_its_programs_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError) as caught:
        legacy_office.read_doc(b"\xd0\xcf\x11\xe0", OPTIONS)
    assert "LibreOffice" in caught.value.advice


@pytest.mark.skipif(shutil.which("antiword") is None, reason="antiword er ikke installeret")
def test_damaged_doc_is_refused(tmp_path: Path) -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "WordDocument".encode("utf-16-le") + b"\0" * 600
    with pytest.raises(Exception, match="beskadiget"):
        read(written(tmp_path, "a.doc", data))


MARKDOWN = """---
id: min-rapport
titel: Min rapport
projekt: Projekt X
ukendt: ja
---
# Min rapport

En linje
der fortsætter.

- et
- to

| År | Sager |
|----|-------|
| 2020 | 12 |

```
kode
```
"""


def test_markdown_with_front_matter(tmp_path: Path) -> None:
    document = read(written(tmp_path, "a.md", MARKDOWN))
    assert document.text == "Min rapport\n\nEn linje der fortsætter.\n\n- et\n- to\n\nÅr: 2020; Sager: 12\n\nkode"
    assert (document.id, document.metadata.projekt) == ("min-rapport", "Projekt X")
    assert [warning.code for warning in document.warnings] == ["ukendt-metadata"]


def test_windows_line_ends_and_no_front_matter(tmp_path: Path) -> None:
    document = read(written(tmp_path, "a.md", "---\r\n\r\n# Titel\r\n\r\nTekst\r\n"))
    assert document.text == "Titel\n\nTekst"


def test_front_matter_after_empty_lines_and_a_repeated_key(tmp_path: Path) -> None:
    document = read(written(tmp_path, "a.md", "\n\n---\ntitel: Første\ntitel: Anden\n---\nTekst"))
    assert (document.text, document.metadata.titel) == ("Tekst", "Anden")
    assert "«titel»" in document.warnings[0].message


def test_a_key_written_in_two_forms_of_one_letter_is_repeated(tmp_path: Path) -> None:
    front = "---\nå\u0072: 2020\na\u030ar: 2021\n---\nTekst"
    document = read(written(tmp_path, "a.md", front))
    assert [warning.code for warning in document.warnings] == ["gentaget-nøgle"]
    assert document.metadata.år == 2021


def test_footnotes_of_markdown_are_read_without_their_marks(tmp_path: Path) -> None:
    text = "Det blev dyrt[^1] og sent[^år]: se [^ukendt] og `a[^1]`.\n\n[^1]: Omkring 4 mio. kr.\n\n[^år]: Et år.\n"
    document = read(written(tmp_path, "a.md", text))
    assert document.text == "Det blev dyrt og sent: se [^ukendt] og a[^1].\n\nOmkring 4 mio. kr.\n\nEt år."


def test_broken_front_matter_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match="linje 3"):
        read(written(tmp_path, "a.md", "---\ntitel: x\na: b: c\n---\nTekst"))


def test_a_sidecar_wins_over_front_matter(tmp_path: Path) -> None:
    path = written(tmp_path, "a.md", MARKDOWN)
    written(tmp_path, "a.md.meta.yaml", "titel: Sidevognens titel\n")
    assert read(path).metadata.titel == "Sidevognens titel"


def test_plain_text(tmp_path: Path) -> None:
    text = f"ERFARINGER\n==========\n\n{SENTENCES[0]}\n{SENTENCES[1]}\n\n1.2 Metode\n\n* et\n* to\n  på to linjer\n"
    document = read(written(tmp_path, "a.txt", text.encode("cp1252")))
    assert document.text == (f"ERFARINGER\n\n{SENTENCES[0]} {SENTENCES[1]}\n\n1.2 Metode\n\n- et\n- to på to linjer")
    assert [(heading.level, heading.text) for heading in document.headings] == [(1, "ERFARINGER"), (2, "1.2 Metode")]
