from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from kb.extract import ReadOptions, content_key, find_files
from kb.extract.corpus_files import shown_path
from kb.extract.description import describe
from tests.support import ODD_READ, ODD_SKIPPED, write_odd_files
from tests.unit.extract.making import MARKER_TEXT, read, report_pdf, written


def test_what_is_no_document_is_left_out(tmp_path: Path) -> None:
    names = ["b.pdf", "a.md", "README.md", ".skjult.md", "~$b.docx", ".~lock.b.odt#", "b.pdf.meta.yaml", "Thumbs.db"]
    for name in names:
        written(tmp_path, name, MARKER_TEXT)
    (tmp_path / ".git").mkdir()
    written(tmp_path / ".git", "c.md", MARKER_TEXT)
    (tmp_path / "under").mkdir()
    written(tmp_path / "under", "d.txt", MARKER_TEXT)
    found = [path.relative_to(tmp_path).as_posix() for path in find_files([tmp_path, tmp_path / "a.md"]).files]
    assert found == ["README.md", "a.md", "b.pdf", "under/d.txt"]


def test_odd_names_and_links_are_skipped_with_a_reason_or_read(tmp_path: Path) -> None:
    write_odd_files(tmp_path)
    (tmp_path / "link.md").symlink_to(ODD_READ[0])
    found = find_files([tmp_path])
    assert {path.name for path in found.files} == {*ODD_READ, "link.md"}
    shown = {shown_path(one.path.relative_to(tmp_path).as_posix()): one for one in found.skipped}
    assert {path: one.code for path, one in shown.items()} == ODD_SKIPPED
    assert "UTF-8" in shown["mappe-\\xe5/rapport.md"].reason
    assert "linjeskift" in shown["to\\nlinjer.md"].reason
    assert all(one.reason.endswith(".") for one in found.skipped)


@pytest.mark.parametrize(
    "name", ["bl\u00f8dt\u00adord.md", "med\u00a0mellemrum.md", "a\u030angstrom.md", "\U0001f4c4.md"]
)
def test_names_that_are_only_unusual_are_read(tmp_path: Path, name: str) -> None:
    written(tmp_path, name, MARKER_TEXT)
    assert [path.name for path in find_files([tmp_path]).files] == [name]


def test_a_link_goes_by_its_own_name(tmp_path: Path) -> None:
    written(tmp_path, "mål.md", MARKER_TEXT)
    (tmp_path / "a.md").symlink_to("mål.md")
    assert read(tmp_path / "a.md").path == "a.md"


def test_a_folder_that_cannot_be_opened_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The superuser, whom tests may run as, opens every folder: the system's refusal alone is made."""
    written(tmp_path, "a.md", MARKER_TEXT)
    (tmp_path / "lukket").mkdir()
    scandir = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("lukket"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = find_files([tmp_path])
    assert [path.name for path in found.files] == ["a.md"]
    assert [(one.path.name, one.code) for one in found.skipped] == [("lukket", "kan-ikke-åbnes")]


def test_the_key_follows_the_file_and_its_sidecar(tmp_path: Path) -> None:
    path = written(tmp_path, "a.pdf", b"et")
    first = content_key(path)
    assert content_key(path) == first
    written(tmp_path, "a.pdf.meta.yaml", "titel: x")
    second = content_key(path)
    written(tmp_path, "a.pdf.meta.yaml", "titel: y")
    third = content_key(path)
    path.write_bytes(b"to")
    assert len({first, second, third, content_key(path)}) == 4


def test_the_fingerprint_follows_what_changes_the_text() -> None:
    usual = ReadOptions()
    assert usual.fingerprint() == ReadOptions(timeout=5, memory_mb=512, workers=7).fingerprint()
    assert (
        len({usual.fingerprint(), ReadOptions(ocr=False).fingerprint(), ReadOptions(mask_contacts=False).fingerprint()})
        == 3
    )


def test_description(tmp_path: Path) -> None:
    described = describe(read(written(tmp_path, "a.pdf", report_pdf(2))))
    assert described["reader"] == "pypdf"
    assert described["headings"][0] == {"level": 1, "text": "Rapport om forsøget", "page": 1}
    assert [page["number"] for page in described["pages"]] == [1, 2, 3]
    assert sum(page["characters"] for page in described["pages"]) <= described["characters"]
    assert described["first_lines"][0] == "Rapport om forsøget"
    assert described["masked"] == {}
