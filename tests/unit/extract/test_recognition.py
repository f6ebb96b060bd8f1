from __future__ import annotations

import codecs

import pytest

from kb.core.errors import DamagedFileError, NoTextError, ProtectedFileError, UnsupportedFormatError
from kb.extract.encoding import decode
from kb.extract.recognition import Format, recognise
from tests.unit.extract.making import container, docx, epub, opendocument, report_pdf

MARKDOWN = "# Overskrift\n\nTekst med [et link](https://eksempel.dk).\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500


@pytest.mark.parametrize(
    ("data", "suffix", "form"),
    [
        (report_pdf(1), ".txt", Format.PDF),
        (b"junk before\n" + report_pdf(1), ".pdf", Format.PDF),
        (MARKDOWN.encode(), ".docx", Format.MARKDOWN),
        (MARKDOWN.encode(), ".md", Format.MARKDOWN),
        (b"bare tekst", ".md", Format.MARKDOWN),
        (b"bare tekst", ".txt", Format.TEXT),
        (b"bare tekst", ".pdf", Format.TEXT),
        (b"<!DOCTYPE html><html><body>x", ".txt", Format.HTML),
        (b"  <html lang='da'>", ".md", Format.HTML),
        (b"{\\rtf1\\ansi Hej}", ".doc", Format.RTF),
        (docx(), ".pdf", Format.DOCX),
        (opendocument("<text:p>x</text:p>"), ".zip", Format.ODT),
        (opendocument("", "presentation"), ".odt", Format.ODP),
        (epub({"a.xhtml": "<p>x</p>"}), ".zip", Format.EPUB),
        (OLE + "WordDocument".encode("utf-16-le"), ".xyz", Format.DOC),
        ("æøå".encode("utf-16"), ".txt", Format.TEXT),
        (container({"xl/workbook.xml": "<x/>"}), ".zip", Format.XLSX),
        (opendocument("", "spreadsheet"), ".odt", Format.ODS),
        (b"a;b\n1;2\n", ".csv", Format.CSV),
        (b"Received: x\nFrom: a@b.dk\nTo: c@d.dk\n\nHej", ".txt", Format.EML),
        (b"From: a@b.dk\n in en aftale\n\nHej", ".txt", Format.TEXT),
        (OLE + "__properties_version1.0".encode("utf-16-le"), ".doc", Format.MSG),
        (container({"noget.txt": "x"}), ".zip", Format.ZIP),
        (container({"noget.txt": "x"}), "", Format.ZIP),
    ],
)
def test_content_comes_before_suffix(data: bytes, suffix: str, form: Format) -> None:
    assert recognise(data, suffix) is form


@pytest.mark.parametrize(
    ("data", "suffix", "error"),
    [
        (b"", ".pdf", NoTextError),
        (b"\0" * 100, ".pdf", NoTextError),
        (b" \n\t", ".txt", NoTextError),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, ".png", UnsupportedFormatError),
        (b"\x7fELF" + b"\1" * 50, "", UnsupportedFormatError),
        (bytes(range(256)) * 4, ".txt", UnsupportedFormatError),
        (b"PK\x03\x04" + b"x" * 40, ".docx", DamagedFileError),
        (container({"xl/workbook.bin": "x"}), ".xlsb", UnsupportedFormatError),
        (container({"noget.txt": "x"}), ".docx", UnsupportedFormatError),
        (OLE + "EncryptedPackage".encode("utf-16-le"), ".docx", ProtectedFileError),
        (OLE + "Workbook".encode("utf-16-le"), ".xls", UnsupportedFormatError),
        (b'{"a": 1}', ".json", UnsupportedFormatError),
    ],
)
def test_what_cannot_be_read_is_named(data: bytes, suffix: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        recognise(data, suffix)


WORDS = "Rødgrød på ærøsk, sagde borgmesteren: »Århus« – det var 2 § forår"


@pytest.mark.parametrize(
    "data",
    [
        WORDS.encode(),
        codecs.BOM_UTF8 + WORDS.encode(),
        WORDS.encode("utf-16"),
        WORDS.encode("utf-16-le"),
        WORDS.encode("utf-16-be"),
        WORDS.encode("utf-32"),
        WORDS.encode("cp1252"),
        WORDS.encode("mac_roman"),
        b'<meta charset="iso-8859-1">' + WORDS.encode("cp1252"),
        b'<meta charset="utf-8">' + WORDS.encode("cp1252"),
    ],
)
def test_text_is_decoded_whatever_its_encoding(data: bytes) -> None:
    assert decode(data).endswith(WORDS)


def test_a_sample_cut_inside_a_character_is_still_utf8() -> None:
    assert decode("blåbærgrød".encode()[:-2]) == "blåbærgr"
