"""Character recognition with Tesseract, called directly on one image at a time.

Tesseract gives each word with its box and how sure it is; words it is unsure of beyond use are left out. It runs on
one thread, since several files are read at a time.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from statistics import median

from PIL.Image import Image

from kb.core.errors import ReadLimitError

DPI = 300
_LANGUAGE = "dan"
_UNSURE = 30.0
_SURE = {True: 35.0, False: 65.0}
_FEW_LETTERS = 4
_WIDEST_SPACE = 2.0


@dataclass(frozen=True)
class RecognisedLine:
    """One line of recognised text with its box in pixels, the origin at the image's upper left corner.

    ``height`` is the usual height of the lines of its paragraph: a line's own depends on the letters in it.
    """

    text: str
    left: int
    top: int
    right: int
    bottom: int
    height: float


@cache
def is_installed() -> bool:
    """Whether Tesseract and its Danish data are on this machine."""
    if shutil.which("tesseract") is None:
        return False
    listed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=False, timeout=30)
    return _LANGUAGE in listed.stdout.split()


def recognise_lines(image: Image, seconds: float) -> list[RecognisedLine]:
    """The lines of text in an image; raises :class:`ReadLimitError` when it takes longer than ``seconds``."""
    buffer = io.BytesIO()
    image.convert("L").save(buffer, "PNG", compress_level=1)
    command = ["tesseract", "stdin", "stdout", "-l", _LANGUAGE, "--dpi", str(DPI), "--psm", "3", "tsv"]
    try:
        result = subprocess.run(
            command,
            input=buffer.getvalue(),
            capture_output=True,
            check=False,
            timeout=max(seconds, 0.1),
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )
    except subprocess.TimeoutExpired as error:
        raise ReadLimitError("Tegngenkendelsen nåede ikke at blive færdig.", code="tidsgrænse") from error
    return _lines(result.stdout.decode("utf-8", "replace"))


def _lines(table: str) -> list[RecognisedLine]:
    """Tesseract's table of words, gathered by line."""
    words: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row.get("level") == "5" and (row.get("text") or "").strip() and float(row["conf"]) >= _UNSURE:
            words.setdefault((row["block_num"], row["par_num"], row["line_num"]), []).append(row)
    heights: dict[tuple[str, ...], list[int]] = {}
    for key, line in words.items():
        heights.setdefault(key[:2], []).append(_height(line))
    parts = [(key, part) for key, line in words.items() for part in _parted(line)]
    return [_line(part, median(heights[key[:2]])) for key, part in parts if _makes_sense(part)]


def _height(words: list[dict[str, str]]) -> int:
    top = min(int(word["top"]) for word in words)
    return max(int(word["top"]) + int(word["height"]) for word in words) - top


def _parted(words: list[dict[str, str]]) -> list[list[dict[str, str]]]:
    """Part a line where a gap is too wide for a space: Tesseract reads over the strip between columns."""
    parts: list[list[dict[str, str]]] = []
    end = 0
    for word in words:
        left, height = int(word["left"]), int(word["height"])
        if parts and left - end <= _WIDEST_SPACE * height:
            parts[-1].append(word)
        else:
            parts.append([word])
        end = left + int(word["width"])
    return parts


def _makes_sense(words: list[dict[str, str]]) -> bool:
    """Specks and strokes are read as punctuation, or as letters Tesseract itself hardly believes in."""
    text = "".join(word["text"] for word in words)
    sure = sum(float(word["conf"]) * len(word["text"]) for word in words) / len(text)
    letters = sum(char.isalnum() for char in text)
    return sure >= _SURE[letters >= _FEW_LETTERS] and letters >= 0.6 * len(text)


def _line(words: list[dict[str, str]], height: float) -> RecognisedLine:
    return RecognisedLine(
        " ".join(word["text"].strip() for word in words),
        min(int(word["left"]) for word in words),
        min(int(word["top"]) for word in words),
        max(int(word["left"]) + int(word["width"]) for word in words),
        max(int(word["top"]) + int(word["height"]) for word in words),
        height,
    )
