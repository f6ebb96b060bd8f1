from __future__ import annotations

from pathlib import Path

from kb.extract import ReadOptions, content_key, find_files
from kb.extract.description import describe
from tests.unit.extract.making import MARKER_TEXT, read, report_pdf, written


def test_what_is_no_document_is_left_out(tmp_path: Path) -> None:
    names = ["b.pdf", "a.md", "README.md", ".skjult.md", "~$b.docx", ".~lock.b.odt#", "b.pdf.meta.yaml", "Thumbs.db"]
    for name in names:
        written(tmp_path, name, MARKER_TEXT)
    (tmp_path / ".git").mkdir()
    written(tmp_path / ".git", "c.md", MARKER_TEXT)
    (tmp_path / "under").mkdir()
    written(tmp_path / "under", "d.txt", MARKER_TEXT)
    found = [path.relative_to(tmp_path).as_posix() for path in find_files([tmp_path, tmp_path / "a.md"])]
    assert found == ["README.md", "a.md", "b.pdf", "under/d.txt"]


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
