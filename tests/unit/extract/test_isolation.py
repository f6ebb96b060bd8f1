"""Reading in worker processes: the real processes, on files that make them fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from kb.core.errors import InstallationError, ReadError
from kb.extract import ReadOptions, ReadOutcome, ReadStatus, read_files, recognise_file
from kb.extract.recognition import Format
from tests.support import broken_module
from tests.timing import PATIENCE
from tests.unit.extract.making import MARKER_TEXT, docx, report_pdf, scanned_pdf, written

OPTIONS = ReadOptions(timeout=60, workers=2, ocr=False)


def outcomes(paths: list[Path], root: Path, options: ReadOptions = OPTIONS) -> dict[str, ReadOutcome]:
    return {outcome.path: outcome for outcome in read_files(paths, root, options)}


def children(process: int | None = None) -> set[int]:
    """The processes that a process (this one, when not told) has started."""
    process = process or os.getpid()
    return set(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))


def pipe(folder: Path, name: str) -> Path:
    """A file that can be opened and never read to its end."""
    path = folder / name
    os.mkfifo(path)
    return path


def test_every_file_gets_its_outcome(tmp_path: Path) -> None:
    paths = [
        written(tmp_path, "a.md", "# Titel\n\nTekst"),
        written(tmp_path, "b.docx", docx()),
        written(tmp_path, "c.pdf", b""),
        written(tmp_path, "d.pdf", scanned_pdf(["x"])),
        written(tmp_path, "e.md", "---\nid: ../x\n---\nTekst"),
        written(tmp_path, "f.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 20),
        tmp_path / "findes-ikke.md",
    ]
    found = outcomes(paths, tmp_path)
    assert {path: (outcome.status, outcome.code) for path, outcome in found.items()} == {
        "a.md": (ReadStatus.READ, ""),
        "b.docx": (ReadStatus.READ, ""),
        "c.pdf": (ReadStatus.FAILED, "tom-fil"),
        "d.pdf": (ReadStatus.FAILED, "kræver-ocr"),
        "e.md": (ReadStatus.FAILED, "ugyldige-metadata"),
        "f.png": (ReadStatus.FAILED, "ukendt-filformat"),
        "findes-ikke.md": (ReadStatus.FAILED, "kan-ikke-åbnes"),
    }
    assert all(bool(outcome.reason) == bool(outcome.code) for outcome in found.values())
    assert found["a.md"].document is not None
    assert found["a.md"].document.text == "Titel\n\nTekst"


@pytest.mark.slow
def test_a_hanging_file_fails_alone_at_its_deadline(tmp_path: Path) -> None:
    first = written(tmp_path, "a.md", MARKER_TEXT)
    last = written(tmp_path, "c.md", MARKER_TEXT)
    options = ReadOptions(timeout=3.0, workers=1)
    found = outcomes([first, pipe(tmp_path, "b.md"), last], tmp_path, options)
    assert found["b.md"].code == "tidsgrænse"
    assert "3 sekunder" in found["b.md"].reason
    assert found["a.md"].status is found["c.md"].status is ReadStatus.READ


@pytest.mark.slow
def test_a_crash_fails_the_file_alone(tmp_path: Path) -> None:
    before = children()
    reading = read_files([pipe(tmp_path, "a.md"), written(tmp_path, "b.md", MARKER_TEXT)], tmp_path, OPTIONS)
    first = next(reading)
    assert (first.path, first.status) == ("b.md", ReadStatus.READ)
    for worker in children() - before:
        os.kill(worker, signal.SIGSEGV)
    second = next(reading)
    assert (second.path, second.code) == ("a.md", "læser-gik-ned")
    assert "SIGSEGV" in second.reason
    assert list(reading) == []


@pytest.mark.slow
def test_a_file_that_needs_too_much_memory_fails_alone(tmp_path: Path) -> None:
    huge = tmp_path / "a.txt"
    with huge.open("wb") as file:
        file.write(b"Tekst. ")
        file.truncate(900 << 20)
    small = written(tmp_path, "b.pdf", report_pdf(1))
    found = outcomes([huge, small], tmp_path, ReadOptions(workers=1, memory_mb=256, ocr=False))
    assert found["a.txt"].code == "hukommelsesgrænse"
    assert found["b.pdf"].status is ReadStatus.READ


@pytest.mark.slow
def test_a_stream_that_unpacks_without_end_costs_only_its_file(tmp_path: Path) -> None:
    packer = zlib.compressobj(9)
    line = b"BT /F 12 Tf (bombe) Tj ET\n" * 40_000
    stream = b"".join([*(packer.compress(line) for _ in range(600)), packer.flush()])
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R >>",
        b"<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, one) for number, one in enumerate(objects, start=1))
    bomb = written(tmp_path, "a.pdf", b"%PDF-1.4\n" + body + b"trailer\n<< /Root 1 0 R /Size 5 >>\n%%EOF\n")
    small = written(tmp_path, "b.md", MARKER_TEXT)
    found = outcomes([bomb, small], tmp_path, ReadOptions(timeout=30, workers=1, memory_mb=512, ocr=False))
    assert found["a.pdf"].status is ReadStatus.FAILED
    assert found["a.pdf"].code in {"hukommelsesgrænse", "læser-gik-ned", "tidsgrænse", "ingen-tekst"}
    assert found["b.md"].status is ReadStatus.READ


@pytest.mark.slow
@pytest.mark.parametrize("how", ["", "raise OSError('libX.so: cannot open shared object file')", "def halv(:"])
@pytest.mark.parametrize("module", ["mammoth", "pypdfium2", "selectolax"])
def test_a_module_that_cannot_be_loaded_is_no_fault_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, how: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(broken_module(tmp_path / "halv", module, how)))
    before = children()
    paths = [
        written(tmp_path, "a.md", MARKER_TEXT),
        written(tmp_path, "b.docx", docx()),
        written(tmp_path, "c.pdf", report_pdf(1)),
    ]
    with pytest.raises(InstallationError, match="læserne ikke kan indlæses") as caught:
        list(read_files(paths, tmp_path, OPTIONS))
    assert "pip install" in caught.value.advice
    assert children() == before


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_cannot_start_is_no_fault_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(broken_module(tmp_path / "halv", "yaml")))
    paths = [written(tmp_path, f"{number}.md", MARKER_TEXT) for number in range(3)]
    with pytest.raises(InstallationError, match="ikke kan starte"):
        list(read_files(paths, tmp_path, ReadOptions(workers=workers)))


@pytest.mark.slow
def test_a_file_loads_its_own_reader_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(broken_module(tmp_path / "halv", "pypdf")))
    paths = [written(tmp_path, "a.md", MARKER_TEXT), written(tmp_path, "b.docx", docx())]
    assert {outcome.status for outcome in read_files(paths, tmp_path, OPTIONS)} == {ReadStatus.READ}


@pytest.mark.slow
def test_a_module_for_what_a_file_turns_out_to_be_fails_it_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name says Markdown; that it is a Word file is seen when it has been opened."""
    monkeypatch.setenv("PYTHONPATH", str(broken_module(tmp_path / "halv", "mammoth", "def halv(:")))
    found = outcomes([written(tmp_path, "a.md", docx()), written(tmp_path, "b.md", MARKER_TEXT)], tmp_path)
    assert (found["a.md"].code, found["b.md"].status) == ("modul-mangler", ReadStatus.READ)
    assert "beskadiget" not in found["a.md"].reason


WITHOUT_A_PART = """
class images:
    img_element = staticmethod(lambda made: made)

def convert_to_html(*arguments, **options):
    import cobble_that_is_missing
"""


@pytest.mark.slow
def test_a_module_that_some_files_alone_need_fails_those_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """mammoth is there; what it would load for a document alone is not."""
    monkeypatch.setenv("PYTHONPATH", str(broken_module(tmp_path / "halv", "mammoth", WITHOUT_A_PART)))
    paths = [written(tmp_path, "a.md", MARKER_TEXT), written(tmp_path, "b.docx", docx())]
    found = outcomes(paths, tmp_path)
    assert (found["a.md"].status, found["b.docx"].code) == (ReadStatus.READ, "modul-mangler")
    assert "beskadiget" not in found["b.docx"].reason
    assert "Installér modulet cobble_that_is_missing" in found["b.docx"].reason


@pytest.mark.slow
def test_no_worker_outlives_the_reading(tmp_path: Path) -> None:
    before = children()
    reading = read_files([pipe(tmp_path, "a.md"), written(tmp_path, "b.md", MARKER_TEXT)], tmp_path, OPTIONS)
    next(reading)
    reading.close()  # type: ignore[attr-defined]
    assert children() == before


INTERRUPTED = """
import sys
from pathlib import Path
from kb.extract import ReadOptions, read_files
root = Path(sys.argv[1])
for outcome in read_files([root / "a.md", root / "b.md"], root, ReadOptions()):
    print(outcome.path, flush=True)
"""


@pytest.mark.slow
def test_an_interrupt_ends_the_workers(tmp_path: Path) -> None:
    pipe(tmp_path, "a.md")
    written(tmp_path, "b.md", MARKER_TEXT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "b.md"
        workers = children(process.pid)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert workers
    assert "KeyboardInterrupt" in errors
    assert not any(Path(f"/proc/{worker}/cmdline").exists() for worker in workers)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_many_files_come_out_once_each(tmp_path: Path, workers: int) -> None:
    paths = [written(tmp_path, f"{number:02}.md", f"# Nr. {number}") for number in range(25)]
    found = [outcome.path for outcome in read_files(paths, tmp_path, ReadOptions(workers=workers))]
    assert sorted(found) == [path.name for path in paths]


def test_what_a_file_is_is_told_by_a_process_of_its_own(tmp_path: Path) -> None:
    before = children()
    assert recognise_file(written(tmp_path, "a.pdf", docx()), ".pdf", OPTIONS) is Format.DOCX
    assert recognise_file(written(tmp_path, ".b.new", MARKER_TEXT), ".md", OPTIONS) is Format.MARKDOWN
    with pytest.raises(ReadError, match="program") as caught:
        recognise_file(written(tmp_path, "c.md", "MZ"), ".md", OPTIONS)
    assert caught.value.code == "ukendt-filformat"
    assert children() == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("a.md", ReadOptions(timeout=0.5), "tidsgrænse"),
        ("b.txt", ReadOptions(memory_mb=256), "hukommelsesgrænse"),
    ],
)
def test_telling_what_a_file_is_has_the_limits_of_reading_it(
    tmp_path: Path, name: str, options: ReadOptions, code: str
) -> None:
    pipe(tmp_path, "a.md")
    with written(tmp_path, "b.txt", "Tekst. ").open("ab") as file:
        file.truncate(900 << 20)
    before = children()
    with pytest.raises(ReadError) as caught:
        recognise_file(tmp_path / name, ".md", options)
    assert caught.value.code == code
    assert children() == before


@pytest.mark.slow
def test_a_worker_that_cannot_tell_what_a_file_is_is_no_fault_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(broken_module(tmp_path / "halv", "yaml")))
    with pytest.raises(InstallationError, match="ikke kan starte"):
        recognise_file(written(tmp_path, "a.md", MARKER_TEXT), ".md", OPTIONS)
