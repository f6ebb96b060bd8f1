"""RTF in the encodings of its time."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kb.extract.formats import legacy_office
from kb.extract.formats.legacy_office import rtf_encoding
from tests.unit.extract.making import read, written

TEXT = "Rådhuset på Østerbro får ærlige regler"
HEADS = [
    (r"\ansi\ansicpg1252", "cp1252"), (r"\ansi", "cp1252"), (r"\ansi\ansicpg99999", "cp1252"),
    (r"\mac", "mac-roman"), (r"\ansi\ansicpg10000", "mac-roman"),
    (r"\pca", "cp850"), (r"\pc", "cp865"), (r"\ansi\ansicpg437", "cp865"),
]  # fmt: skip


def rtf(head: str, encoding: str, *, raw: bool) -> bytes:
    """The text in an RTF, its letters as they are or written as codes."""
    data = TEXT.encode(encoding)
    shown = data if raw else b"".join(bytes([byte]) if byte < 128 else b"\\'%02x" % byte for byte in data)
    return b"{\\rtf1" + head.encode() + b" " + shown + b"\\par}"


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(("head", "encoding"), HEADS)
def test_old_encodings_are_read_without_libreoffice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str, encoding: str, raw: bool
) -> None:
    monkeypatch.setattr(legacy_office, "libreoffice", lambda: None)
    assert rtf_encoding(rtf(head, encoding, raw=raw)) == encoding
    assert read(written(tmp_path, "a.rtf", rtf(head, encoding, raw=raw))).text == TEXT


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is absent: RTF is NOT read with it")
@pytest.mark.parametrize(("head", "encoding"), [(r"\pc", "cp865"), (r"\mac", "mac-roman")])
def test_old_encodings_are_read_by_libreoffice(tmp_path: Path, head: str, encoding: str) -> None:
    assert read(written(tmp_path, "a.rtf", rtf(head, encoding, raw=False))).text == TEXT


def test_a_link_is_read_as_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legacy_office, "libreoffice", lambda: None)
    link = r'{\field{\*\fldinst{HYPERLINK "https://eksempel.dk/a"}}{\fldrslt{vejledningen}}}'
    document = read(written(tmp_path, "a.rtf", r"{\rtf1\ansi Se " + link + r" om \{\field\}.\par}"))
    assert document.text == "Se vejledningen om {}."
