"""Files made to harm: each ends in a reason, quickly."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from kb.core.errors import DamagedFileError, ReadError, ReadLimitError
from kb.extract import find_files
from tests.unit.extract.making import (
    MARKER_TEXT,
    container,
    docx,
    epub,
    image_pdf,
    opendocument,
    read,
    report_pdf,
    written,
)

ENTITIES = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "boom"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    """The container with one part replaced or added."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            if part != name:
                new.writestr(part, old.read(part))
        new.writestr(name, content)
    return result.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["word/media/bombe.bin", "word/document.xml"])
def test_a_zip_bomb_is_refused_unopened(tmp_path: Path, name: str) -> None:
    bomb = with_part(docx(), name, b"\0" * (300 << 20))
    assert len(bomb) < 1 << 20
    with pytest.raises(ReadLimitError) as caught:
        read(written(tmp_path, "a.docx", bomb))
    assert caught.value.code == "zip-bombe"


def test_an_image_too_large_to_unpack_is_told_as_that_and_not_as_one_without_text(tmp_path: Path) -> None:
    with pytest.raises(ReadLimitError, match="for stort") as caught:
        read(written(tmp_path, "stor.pdf", image_pdf(60_000, 60_000)))
    assert caught.value.code == "for-stor"
    with pytest.raises(ReadError, match=r"ikke fundet tekst|ikke genkendt"):
        read(written(tmp_path, "almindelig.pdf", image_pdf(1000, 1500)))
    writer = PdfWriter(clone_from=PdfReader(written(tmp_path, "a.pdf", report_pdf(1))))
    writer.append(PdfReader(tmp_path / "stor.pdf"))
    writer.write(tmp_path / "begge.pdf")
    (warning,) = read(tmp_path / "begge.pdf").warnings
    assert (warning.code, "for stort" in warning.message) == ("sider-uden-tekst", True)


@pytest.mark.slow
def test_a_container_of_very_many_parts_is_refused(tmp_path: Path) -> None:
    parts = {f"word/{number}.xml": "" for number in range(20_001)}
    with pytest.raises(ReadLimitError):
        read(written(tmp_path, "a.docx", container({"word/document.xml": "<x/>", **parts})))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.docx", with_part(docx(), "word/document.xml", f"{ENTITIES}<w>&b;&c;</w>".encode())),
        ("a.docx", with_part(docx(), "docProps/core.xml", f"{ENTITIES}<w>&c;</w>".encode())),
        (
            "a.odt",
            container({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": ENTITIES + "<a>&b;</a>"}),
        ),
    ],
)
def test_xml_entities_are_refused(tmp_path: Path, name: str, data: bytes) -> None:
    with pytest.raises(DamagedFileError) as caught:
        read(written(tmp_path, name, data))
    assert caught.value.code == "xml-entiteter"


def test_epub_entities_in_the_package_are_refused(tmp_path: Path) -> None:
    book = with_part(epub({"a.xhtml": "<p>x</p>"}), "OEBPS/b.opf", f"{ENTITIES}<package>&c;</package>".encode())
    with pytest.raises(DamagedFileError):
        read(written(tmp_path, "a.epub", book))


def test_epub_chapters_outside_the_container_do_not_exist(tmp_path: Path) -> None:
    (tmp_path / "hemmelig.xhtml").write_text("<p>hemmelig</p>")
    book = epub({"../../hemmelig.xhtml": "<p>inde i bogen</p>", "a.xhtml": "<p>synlig</p>"})
    assert "hemmelig" not in read(written(tmp_path, "a.epub", book)).text


def test_an_entity_in_html_is_only_text(tmp_path: Path) -> None:
    page = f"{ENTITIES}<html><body><p>før &c; efter</p></body></html>"
    document = read(written(tmp_path, "a.html", page))
    assert "root:" not in document.text


@pytest.mark.slow
def test_xml_nested_very_deeply_is_refused_or_read(tmp_path: Path) -> None:
    body = "<text:section>" * 20_000 + "<text:p>x</text:p>" + "</text:section>" * 20_000
    with pytest.raises(ReadError):
        read(written(tmp_path, "a.odt", opendocument(body)))


def pdf_objects(*bodies: str) -> bytes:
    """A PDF without a cross-reference table, which readers rebuild."""
    objects = "".join(f"{number} 0 obj\n{body}\nendobj\n" for number, body in enumerate(bodies, start=1))
    return f"%PDF-1.4\n{objects}trailer\n<< /Root 1 0 R /Size {len(bodies) + 1} >>\n%%EOF\n".encode()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            pdf_objects("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R] /Count 1 >>"),
            id="pages in a circle",
        ),
        pytest.param(
            pdf_objects(
                "<< /Type /Catalog /Pages 2 0 R /Outlines 3 0 R >>",
                "<< /Type /Pages /Kids [] /Count 0 >>",
                "<< /First 3 0 R /Next 3 0 R /Title (x) >>",
            ),
            id="outline in a circle",
        ),
        pytest.param(
            pdf_objects(
                "<< /Type /Catalog /Pages 2 0 R >>",
                "<< /Type /Pages /Kids [3 0 R] /Count 999999999 >>",
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 1e30 1e30] /Contents 3 0 R >>",
            ),
            id="huge page that is its own content",
        ),
        pytest.param(b"%PDF-1.7\n", id="only a header"),
        pytest.param(report_pdf(1)[:400], id="cut off early"),
    ],
)
def test_crooked_pdfs_end_in_a_reason(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ReadError):
        read(written(tmp_path, "a.pdf", data))


def test_a_page_that_draws_itself_is_read_without_the_circle(tmp_path: Path) -> None:
    stream = "BT /F 12 Tf 50 700 Td (Hej med jer alle sammen her) Tj ET /X Do"
    form = f"<< /Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources << /XObject << /X 5 0 R >> >> /Length {len(stream)} >>\nstream\n{stream}\nendstream"  # noqa: E501
    data = pdf_objects(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R "
        "/Resources << /XObject << /X 5 0 R >> /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> "
        ">> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        form,
    )
    assert "Hej med jer alle sammen her" in read(written(tmp_path, "a.pdf", data)).text


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "udenfor"
    root = tmp_path / "rod"
    outside.mkdir()
    root.mkdir()
    written(outside, "hemmelig.md", "# Hemmelig")
    written(root, "synlig.md", "# Synlig")
    (root / "genvej.md").symlink_to(outside / "hemmelig.md")
    (root / "mappe").symlink_to(outside)
    (root / "rundt").symlink_to(root)
    (root / "intet.md").symlink_to(root / "findes-ikke.md")
    (root / "indenfor.md").symlink_to(root / "synlig.md")
    found = find_files([root])
    assert [path.name for path in found.files] == ["indenfor.md", "synlig.md"]
    assert {one.path.name: one.code for one in found.skipped} == dict.fromkeys(
        ("genvej.md", "mappe", "intet.md"), "link-følges-ikke"
    )


def test_names_made_to_break_out_stay_names(tmp_path: Path) -> None:
    path = written(tmp_path, "..%2f..%2fetc; rm -rf ~ \u202etxt.md", MARKER_TEXT)
    document = read(path)
    assert document.id == "2f-2fetc-rm-rf-txt"
    assert "/" not in document.path
