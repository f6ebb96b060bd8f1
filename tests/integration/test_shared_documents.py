"""The readers on genuine documents: what a person sees in them is read, and each hard case ends as it should."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from rapidfuzz.distance import LCSseq

from kb.core.errors import DamagedFileError, NoTextError, ProtectedFileError
from kb.core.models import Document
from kb.extract import ReadOptions, ReadStatus, find_files, ocr, read_file, read_files
from tests.support import SHARED

DOCUMENTS = SHARED / "documents"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DOCUMENTS.is_dir(), reason=f"testdokumenterne er ikke i {DOCUMENTS}"),
]
needs_tesseract = pytest.mark.skipif(not ocr.is_installed(), reason="Tesseract med dansk er ikke installeret")
needs_libreoffice = pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice er ikke installeret")
NO_OCR = ReadOptions(ocr=False)
TWINS = sorted(path for path in DOCUMENTS.rglob("*.docx") if path.with_suffix(".pdf").is_file())


def read(name: str, options: ReadOptions = NO_OCR) -> Document:
    return read_file(DOCUMENTS / name, DOCUMENTS, options)


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


@pytest.mark.parametrize("path", TWINS, ids=lambda path: path.name)
def test_the_words_of_a_docx_are_in_its_pdf_in_order(path: Path) -> None:
    word = words(read_file(path, DOCUMENTS, NO_OCR).text)
    printed = words(read_file(path.with_suffix(".pdf"), DOCUMENTS, NO_OCR).text)
    assert LCSseq.similarity(word, printed) >= 0.98 * len(word)


def test_there_are_twins() -> None:
    assert len(TWINS) == 3


def test_the_pdf_whose_spaces_pypdf_loses_is_read_by_pdfium() -> None:
    document = read("os2/OS2faktor Login - Windows Credential Provider.pdf")
    assert document.reader == "pdfium"
    assert "brugerne slipper" in document.text or "brugeren slipper" in document.text


def test_two_columns_and_their_hyphens() -> None:
    document = read("eco-net/Goe_0208.pdf")
    assert "mer til at tage økologiudfordringen op" in document.text.replace("medlem", "")
    assert document.reader == "pdfium"  # pypdf reads some capitals as small letters
    assert "JUNI 2008" in document.text
    assert len(re.findall(r"\w- ?\n", document.text)) < 10
    assert (
        "Hidtil har bæverne udelukkende bevæget sig i vandløbssystemer, der munder ud i Nissum Fjord." in document.text
    )
    assert len(document.pages) == 32


@needs_tesseract
def test_a_broken_font_is_recognised_from_the_page() -> None:
    document = read("eco-net/Oko-net_53.pdf", ReadOptions())
    assert "\ufffd" not in document.text
    assert document.reader == "pdfium+tesseract"


def test_without_recognition_a_broken_font_makes_the_reading_partial() -> None:
    document = read("eco-net/Oko-net_53.pdf")
    assert "\ufffd" not in document.text
    assert "ulæselig-skrift" in [warning.code for warning in document.warnings]


@needs_tesseract
def test_the_scan_is_read() -> None:
    document = read("eco-net/BILAG_D.pdf", ReadOptions())
    assert (
        "Efter at have studeret medsendte materiale m.v. har jeg besluttet mig for, at jeg med glæde" in document.text
    )
    assert document.pages[0].ocr


@pytest.mark.parametrize(
    ("name", "error", "code"),
    [
        ("eco-net/feb10_nytfra13.pdf", NoTextError, "tom-fil"),
        ("eco-net/BILAG_D.pdf", NoTextError, "kræver-ocr"),
        ("eco-net/UBU_plakat.pdf", NoTextError, "kræver-ocr"),
        (
            "sample-files/005-libreoffice-writer-password/libreoffice-writer-password.pdf",
            ProtectedFileError,
            "adgangskode",
        ),
    ],
)
def test_what_cannot_be_read_says_why(name: str, error: type[Exception], code: str) -> None:
    with pytest.raises(error) as caught:
        read(name)
    assert caught.value.code == code  # type: ignore[attr-defined]


def test_pages_of_the_cut_off_file_are_rescued() -> None:
    document = read("eco-net/eco-nyt_medlemmer_01_2007.pdf")
    assert [warning.code for warning in document.warnings] == ["sider-mangler"]
    assert "1 af 2 sider" in document.warnings[0].message
    assert len(document.text.split()) > 500


def test_the_odt_and_presentations_are_read() -> None:
    assert len(read("os2/AD - OS2MO opsætnings guide.odt").headings) == 5
    assert len(read("skadesokonomi/Skadesøkonomi Seminar feb 2022.odp").pages) == 7
    assert len(read("skadesokonomi/QGIS plugin Skadesøkonomi-QGIS generalforsamling.pptx").headings) == 7


@needs_libreoffice
def test_the_old_formats_are_read() -> None:
    report = read("eco-net/OK_rapport_UBU-netværk.doc")
    assert "Baggrund for arbejdet:" in [heading.text for heading in report.headings]
    assert "Værdier og visioner for det 21. århundrede" in [heading.text for heading in read("eco-net/DD.rtf").headings]


def test_every_document_ends_in_an_outcome_with_its_spans_right() -> None:
    options = ReadOptions(timeout=100, ocr=False)
    files = find_files([DOCUMENTS]).files
    outcomes = list(read_files(files, DOCUMENTS, options))
    assert {outcome.file for outcome in outcomes} == {file.relative_to(DOCUMENTS).as_posix() for file in files}
    for outcome in outcomes:
        assert outcome.code not in {"læser-gik-ned", "tidsgrænse", "hukommelsesgrænse", "læsefejl"}, outcome
        assert (outcome.status is ReadStatus.READ) == (outcome.code == "")
        if outcome.document is not None:
            check_spans(outcome.document)


def check_spans(document: Document) -> None:
    for heading in document.headings:
        assert document.text[heading.start : heading.end] == heading.text
    reached = 0
    for page in document.pages:
        assert reached <= page.start <= page.end <= len(document.text)
        reached = page.end
    assert "\n\n\n" not in document.text
    assert not any(line != line.strip() for line in document.text.split("\n"))


def test_damaged_beyond_rescue(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes((DOCUMENTS / "eco-net/Afrapportering_WSSD.pdf").read_bytes()[:200])
    with pytest.raises(DamagedFileError):
        read_file(path, tmp_path, NO_OCR)
