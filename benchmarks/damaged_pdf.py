"""Measures what repairing damaged PDFs with pikepdf (qpdf) before reading would add to what the reader gets of them.

    pip install pikepdf
    python -m benchmarks.damaged_pdf

Six PDFs of the corpus are damaged in six ways. For each the share of the whole file's letters that are read is printed,
as the product reads it and with a repair before. The choice that rests on it is in docs/decisions/libraries.md.
"""

from __future__ import annotations

import io
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pikepdf  # type: ignore[import-not-found,unused-ignore]

from kb.core.errors import ReadError
from kb.evaluation import metrics
from kb.extract.options import ReadOptions
from kb.extract.pdf import read_pdf

CORPUS = Path(__file__).parents[1] / "corpus"
OPTIONS = ReadOptions(ocr=False)
FILES = 6


def _cut(share: float) -> Callable[[bytes], bytes]:
    return lambda data: data[: int(len(data) * share)]


def _without_cross_references(data: bytes) -> bytes:
    """The tables and streams of cross-references overwritten."""
    return re.sub(rb"startxref\s+\d+", b"startxref\n0", data.replace(b"\nxref", b"\nxxxx").replace(b"/XRef", b"/XXXX"))


def _with_bytes_in_front(data: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n" * 80 + data


def _with_line_ends_changed(data: bytes) -> bytes:
    """As by a transfer in text mode: every offset is wrong, and compressed data are damaged too."""
    return data.replace(b"\n", b"\r\n")


def _with_noise(data: bytes) -> bytes:
    """One byte in 20,000 changed."""
    noisy = bytearray(data)
    generator = random.Random(1)  # noqa: S311
    for _ in range(len(data) // 20_000 + 1):
        noisy[generator.randrange(len(noisy))] ^= 0xFF
    return bytes(noisy)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut to 95 %": _cut(0.95),
    "cut to 60 %": _cut(0.6),
    "no cross-references": _without_cross_references,
    "bytes in front": _with_bytes_in_front,
    "line ends changed": _with_line_ends_changed,
    "noise": _with_noise,
}


def letters(data: bytes) -> Counter[str]:
    """The letters read of a file; none where it is refused."""
    try:
        content = read_pdf(data, OPTIONS)
    except ReadError:
        return Counter()
    return Counter(letter for block in content.blocks for letter in block.text if letter.isalpha())


def repaired(data: bytes) -> bytes:
    """The file as pikepdf writes it again; as it is where pikepdf cannot open it."""
    try:
        with pikepdf.open(io.BytesIO(data)) as document:
            target = io.BytesIO()
            document.save(target)
            return target.getvalue()
    except pikepdf.PdfError:
        return data


def main() -> None:
    """Print the mean share of letters by damage."""
    files = sorted(CORPUS.rglob("*.pdf"))[:: max(1, len(list(CORPUS.rglob("*.pdf"))) // FILES)][:FILES]
    whole = {file: letters(file.read_bytes()) for file in files}
    print(f"{len(files)} files; share of letters read: as it is, repaired before")
    for name, damage in DAMAGES.items():
        shares: list[tuple[float, float]] = []
        for file in files:
            data = damage(file.read_bytes())
            all_letters = whole[file].total()
            shares.append(
                (
                    (letters(data) & whole[file]).total() / all_letters,
                    (letters(repaired(data)) & whole[file]).total() / all_letters,
                )
            )
        print(
            f"{name:22} {metrics.mean([a for a, _ in shares]):.3f} {metrics.mean([b for _, b in shares]):.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
