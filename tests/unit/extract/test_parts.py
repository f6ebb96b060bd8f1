"""Files inside files: archives, and what PDFs carry, down to their limits."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from kb.core.errors import NoTextError, ProtectedFileError, ReadLimitError
from kb.core.paths import holders, inside, own_name
from kb.extract import ReadOptions, ReadStatus, isolation, read_files, take_out_isolated, zip_container
from kb.extract.part import Place
from kb.extract.parts import parts_of
from kb.extract.reader import read_place
from kb.extract.recognition import Format
from tests.unit.extract.making import container, eml, report_pdf, written

OPTIONS = ReadOptions(timeout=60, workers=1, ocr=False)


def with_attachment(name: str, data: bytes) -> bytes:
    """A report that carries a file."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(report_pdf(1))))
    writer.add_attachment(name, data)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_the_files_in_an_archive_are_parts_under_names_that_differ() -> None:
    data = container(
        {"a/rapport.md": "x", "../b\\rapport.md": "y", "__MACOSX/a.md": "z", ".skjult.md": "z", "a › b.md": "q"}
    )
    parts = parts_of(Format.ZIP, data)
    assert [part.name for part in parts] == ["a/rapport.md", "b/rapport.md", "a - b.md"]
    assert parts[1].read() == b"y"


def test_names_of_an_older_archive_are_read_as_their_machine_wrote_them() -> None:
    data = container({"Blbrgrd.md": "x"})
    old = data.replace(b"Blbrgrd.md", "Blåbærø.md".encode("cp850"))
    assert [part.name for part in parts_of(Format.ZIP, old)] == ["Blåbærø.md"]


def test_an_encrypted_file_in_an_archive_is_named_and_the_others_read(tmp_path: Path) -> None:
    data = bytearray(container({"åben.md": "Tekst", "b.md": "x"}))
    for place in (data.rindex(b"PK\x01\x02") + 8, data.rindex(b"PK\x03\x04") + 6):
        data[place] |= 1
    file = written(tmp_path, "a.zip", bytes(data))
    assert read_place(Place(file, ("åben.md",)), tmp_path, OPTIONS).document
    with pytest.raises(ProtectedFileError):
        read_place(Place(file, ("b.md",)), tmp_path, OPTIONS)


def test_a_bomb_and_an_archive_of_nothing_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_container, "_RATIO_FROM", 1 << 16)
    bomb = written(tmp_path, "a.zip", container({"a.txt": b"\0" * (1 << 20)}))
    with pytest.raises(ReadLimitError):
        read_place(Place(bomb), tmp_path, OPTIONS)
    with pytest.raises(NoTextError):
        read_place(Place(written(tmp_path, "b.zip", container({".skjult": "x"}))), tmp_path, OPTIONS)


def test_what_a_pdf_carries_is_a_document_of_its_own(tmp_path: Path) -> None:
    file = written(tmp_path, "a.pdf", with_attachment("bilag.md", b"# Bilag\n\nTekst"))
    found = read_place(Place(file), tmp_path, OPTIONS)
    assert (found.document is not None, found.parts) == (True, ("bilag.md",))
    attached = read_place(Place(file, found.parts), tmp_path, OPTIONS).document
    assert attached is not None
    assert (attached.path, attached.text) == ("a.pdf › bilag.md", "Bilag\n\nTekst")


def test_what_an_invoice_carries_for_programs_is_no_document() -> None:
    assert parts_of(Format.PDF, with_attachment("faktura.xml", b"<x/>")) == ()


@pytest.mark.slow
def test_files_inside_files_are_read_after_them_down_to_a_depth(tmp_path: Path) -> None:
    mail = eml("Hej", bilag_zip=container({"c.zip": container({"d.zip": container({"e.md": "x"})})}))
    paths = [written(tmp_path, "a.zip", container({"m.eml": mail})), written(tmp_path, "b.md", "Tekst")]
    found = {one.path: one for one in read_files(paths, tmp_path, OPTIONS)}
    deepest = "a.zip › m.eml › bilag.zip › c.zip"
    assert list(found) == ["a.zip", "a.zip › m.eml", "a.zip › m.eml › bilag.zip", deepest, "b.md"]
    assert {one.file for one in found.values()} == {"a.zip", "b.md"}
    assert found["a.zip"].status is ReadStatus.READ
    assert found["a.zip"].document is None
    assert found[deepest].status is ReadStatus.FAILED


@pytest.mark.slow
def test_of_one_file_only_so_many_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "MOST_PARTS", 2)
    file = written(tmp_path, "a.zip", container({f"{number}.md": f"Tekst {number}" for number in range(4)}))
    first, *others = read_files([file], tmp_path, OPTIONS)
    assert (first.code, len(others)) == ("afkortet", 2)


@pytest.mark.slow
def test_what_is_inside_a_file_is_unpacked_by_a_process_of_its_own(tmp_path: Path) -> None:
    file = written(tmp_path, "a.zip", container({"a.md": "Tekst"}))
    assert take_out_isolated(Place(file, ("a.md",)), OPTIONS) == b"Tekst"


def test_a_path_tells_what_a_document_is_called_and_lies_in(tmp_path: Path) -> None:
    path = inside("mappe/a.zip", "m.eml", "b/c.pdf")
    assert (own_name(path), list(holders(path))) == ("c.pdf", ["mappe/a.zip › m.eml", "mappe/a.zip"])
    written(tmp_path, "a › b.zip", b"")
    assert Place.of(tmp_path, "a › b.zip › c.md") == Place(tmp_path / "a › b.zip", ("c.md",))
    assert Place.of(tmp_path, "a › b.zip") == Place(tmp_path / "a › b.zip")


def test_an_archive_with_nothing_but_names_that_lead_out_has_no_files() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../..", "x")
    assert parts_of(Format.ZIP, buffer.getvalue()) == ()
