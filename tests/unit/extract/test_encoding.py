from __future__ import annotations

from pathlib import Path

import pytest

from kb.extract.encoding import decode, encoding_warnings
from tests.unit.extract.making import read, written

TEXT = "Rådhuset på Østerbro får nye regler for børn, og det er både nødvendigt og særligt. "


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html"])
def test_a_stray_byte_leaves_utf8_as_it_is_and_is_warned_of(tmp_path: Path, name: str) -> None:
    data = f"<html><body><p>{TEXT}" if name.endswith("html") else TEXT * 2
    document = read(written(tmp_path, name, data.encode() + b"L\xf8n."))
    assert document.text.startswith(TEXT)
    assert document.text.endswith("Løn.")
    assert [warning.code for warning in document.warnings] == ["tegnsæt"]


def test_a_declaration_outweighs_a_guess() -> None:
    data = b'<meta charset="iso-8859-5"><p>' + "Привет".encode("iso-8859-5")
    assert decode(data).endswith("Привет")
    assert encoding_warnings(data) == ()


def test_old_danish_text_is_not_taken_for_damaged_utf8() -> None:
    data = TEXT.encode("cp1252")
    assert decode(data) == TEXT
    assert encoding_warnings(data) == encoding_warnings(TEXT.encode()) == ()
