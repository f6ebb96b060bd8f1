"""How much of a DOCX is in the PDF made of it, and how alike versions and strangers are.

    python -m benchmarks.twins

For each pair of a DOCX (or ODT) and a PDF of one name: the share of the words we read in the former that stand in the
text of the latter in the same order (longest common subsequence over words). A document whose PDF is of another time
is printed anew by LibreOffice, so that the readers are compared and not two texts. A second figure takes the words
straight from the XML of the DOCX, tables of contents left out, so that the reader of DOCX does not judge itself. A
third is the share of five-word runs by which versions of one report are recognised. Exits with 1 when a pair longer
than a page is below the bound.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import tempfile
import zipfile
from pathlib import Path

from defusedxml import ElementTree
from rapidfuzz.distance import LCSseq

from benchmarks.readers_page import ROOT, documents, write_section
from kb.core.errors import ReadError
from kb.core.models import Document
from kb.extract import ReadOptions, find_files, read_file
from kb.extract.copies import SHARED, Runs, shared_share, word_runs
from kb.extract.formats.legacy_office import libreoffice

BOUND = 0.98
# Written before its PDF, from which chapters and names are gone.
_OF_ANOTHER_TIME = {"AD - OS2MO opsætnings guide.odt"}
_SECONDS = 300
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_WORD = re.compile(r"\w+")


def main() -> None:
    root = documents()
    lines = [
        "| pair | PDF reader | words | in the PDF, in order | from the XML | five-word runs shared |",
        "|---|---|---:|---:|---:|---:|",
    ]
    worst = 1.0
    with tempfile.TemporaryDirectory() as folder:
        for source in sorted(path for path in root.rglob("*") if path.suffix in {".docx", ".odt"}):
            pdf = printed(source, Path(folder)) if source.name in _OF_ANOTHER_TIME else source.with_suffix(".pdf")
            if pdf is None or not pdf.is_file():
                continue
            word, pages = _read(source, root), _read(pdf, pdf.parent)
            share = in_order(_words(word.text), _words(pages.text))
            raw = f"{in_order(_words(_xml_text(source)), _words(pages.text)):.4f}" if source.suffix == ".docx" else ""
            alike = shared_share(word_runs(word.text), word_runs(pages.text))
            name = f"{source.name} (printed anew)" if source.name in _OF_ANOTHER_TIME else source.name
            lines.append(f"| {name} | {pages.reader} | {len(_words(word.text))} | {share:.4f} | {raw} | {alike:.3f} |")
            if len(pages.pages) > 1:
                worst = min(worst, share)
    lines += ["", f"Lowest of those longer than a page: {worst:.4f} (asked for: {BOUND}).", "", _strangers(root)]
    text = "\n".join(lines)
    write_section("twins", text)
    print(text)
    if worst < BOUND:
        raise SystemExit(1)


def printed(source: Path, folder: Path) -> Path | None:
    """A document as a PDF made by LibreOffice; None, and a word of it, where there is no LibreOffice."""
    office = libreoffice()
    if office is None:
        print(f"SKIPPED: LibreOffice is not here to print {source.name}")
        return None
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [office, profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
    return folder / f"{source.stem}.pdf"


def in_order(words: list[str], others: list[str]) -> float:
    """The share of ``words`` found in ``others`` in the same order."""
    return LCSseq.similarity(words, others) / len(words) if words else 1.0


def _read(path: Path, root: Path) -> Document:
    return read_file(path, root, ReadOptions())


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _xml_text(path: Path) -> str:
    """The words of a DOCX straight from its XML."""
    with zipfile.ZipFile(path) as archive:
        root = ElementTree.fromstring(archive.read("word/document.xml"))
    paragraphs = []
    for paragraph in root.iter(f"{_W}p"):
        style = paragraph.find(f"{_W}pPr/{_W}pStyle")
        if style is None or not re.match(r"(?i)toc|indhold", style.get(f"{_W}val", "")):
            parts = (node.text or " " for node in paragraph.iter() if node.tag in {f"{_W}t", f"{_W}tab", f"{_W}br"})
            paragraphs.append("".join(parts))
    return "\n".join(paragraphs)


def _strangers(root: Path) -> str:
    """The most alike of the reports that are not versions of one another."""
    texts: dict[str, Runs] = {}
    for folder in (root, ROOT / "corpus"):
        for path in find_files([folder]).files:
            try:
                document = read_file(path, folder, ReadOptions(ocr=False))
            except ReadError:
                continue
            texts[path.relative_to(folder).as_posix()] = word_runs(document.text)
    pairs = [(shared_share(texts[a], texts[b]), a, b) for a, b in itertools.combinations(texts, 2)]
    share, one, other = max(pair for pair in pairs if pair[0] < SHARED)
    versions = sum(pair[0] >= SHARED for pair in pairs)
    return (
        f"{len(texts)} documents of the test set and the corpus: {versions} pairs share {SHARED:g} of their "
        f"five-word runs or more and count as versions; the nearest of the others share {share:.2f} ({one}, {other})."
    )


if __name__ == "__main__":
    main()
