from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kb.extract.encoding import Decoded, decoded
from tests.unit.extract.making import read, written

TEXT = "Rådhuset på Østerbro får nye regler for børn, og det er både nødvendigt og særligt. "


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html"])
def test_a_stray_byte_leaves_utf8_as_it_is_and_is_warned_of(tmp_path: Path, name: str) -> None:
    data = f"<html><body><p>{TEXT}" if name.endswith("html") else TEXT * 2
    document = read(written(tmp_path, name, data.encode() + b"L\xf8n."))
    assert document.text.startswith(TEXT)
    assert document.text.endswith("Løn.")
    assert [warning.code for warning in document.warnings] == ["tegnsæt"]


@pytest.mark.parametrize("encoding", ["iso-8859-5", "koi8-r", "x-mac-roman", "ibm850", "latin1", "windows-1250"])
def test_a_declaration_outweighs_a_guess(encoding: str) -> None:
    text = "Привет" if encoding in {"iso-8859-5", "koi8-r"} else TEXT
    if encoding == "windows-1250":
        text = "Łódź og Kraków"
    page = f'<meta charset="{encoding}"><p>{text}'
    found = decoded(page.encode("mac-roman" if encoding == "x-mac-roman" else encoding))
    assert (found.text, found.warnings) == (page, ())


@pytest.mark.parametrize("encoding", ["punycode", "idna", "utf-7", "unicode_escape", "hex", "utf-16", "findes-ikke"])
def test_a_declaration_of_what_no_text_is_kept_in_is_passed_over(encoding: str) -> None:
    page = f'<meta charset="{encoding}"><p>{TEXT}'
    assert decoded(page.encode("cp1252")) == Decoded(page)


def test_prose_about_encodings_declares_nothing() -> None:
    text = f"Filerne havde charset=iso-8859-5. {TEXT}"
    assert decoded(text.encode("cp1252")) == Decoded(text)


def test_a_page_that_says_utf8_is_read_as_that_when_it_has_one_right_letter() -> None:
    page = '<meta charset="utf-8"><p>På dansk: r\udcf8dgr\udcf8d med fl\udcf8de'
    found = decoded(page.encode("utf-8", "surrogateescape"))
    assert found.text == '<meta charset="utf-8"><p>På dansk: rødgrød med fløde'
    assert [warning.code for warning in found.warnings] == ["tegnsæt"]


def test_a_declaration_that_does_not_hold_is_warned_of() -> None:
    for declared, used in (("utf-8", "cp1252"), ("iso-8859-1", "cp865"), ("iso-8859-1", "mac-roman")):
        found = decoded(f'<meta charset="{declared}"><p>{TEXT}'.encode(used))
        assert [warning.code for warning in found.warnings] == ["tegnsæt"], (declared, used)
        assert declared != "utf-8" or found.text.endswith(TEXT)


def test_a_text_cut_in_the_middle_of_a_character_is_warned_of_and_a_last_letter_kept() -> None:
    assert decoded("blåbærgrød".encode()[:-2]).text == "blåbærgr"
    assert decoded("blåbærgrød".encode()[:-2]).warnings
    assert decoded("Vi skal gå".encode("cp1252")).text == "Vi skal gå"
    marked = decoded(b"\xef\xbb\xbf" + "Rådhuset på ".encode() + b"L\xf8n")
    assert (marked.text, len(marked.warnings)) == ("Rådhuset på Løn", 1)


@pytest.mark.parametrize("encoding", ["cp1252", "mac-roman", "cp850", "cp865"])
def test_old_danish_text_is_read_and_nothing_said(encoding: str) -> None:
    assert decoded(TEXT.encode(encoding)) == Decoded(TEXT)
    table = "Kommune;Sager\r\nKøge;12\r\nÅrhus;340\r\nÆrø;7\r\n"
    assert decoded(table.encode(encoding)) == Decoded(table)


SPOKEN = (
    "og det er en på gå år så får børn løn mål læring sårbar været bedømmelse ÆNDRINGER Ørsted Århus Å ø å Ærø "
    "idé allé kommune projekt 2021 § 4 % café Müller Malmö vælgere ØKONOMI Søren nødvendigt"
)
WORDS = st.sampled_from(SPOKEN.split())
MARKS = st.sampled_from([" ", ", ", ". ", "\n", " - ", ": ", "; ", " (", ") ", "/"])
TYPESET = st.sampled_from([" – ", "’s ", " “", "” ", " »", "« ", "… ", " ½ ", " ° "])


@st.composite
def danish(draw: st.DrawFn, encoding: str) -> str:
    """Danish words with what stands between them, as far as the encoding has it."""
    between = st.one_of(MARKS, TYPESET)
    words = draw(st.lists(st.tuples(WORDS, between), min_size=1, max_size=40))
    return "".join(word + mark for word, mark in words).encode(encoding, "ignore").decode(encoding)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1", "cp1252", "cp850", "cp865", "mac-roman"])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_danish_text_comes_back_the_same_or_with_a_warning(encoding: str, data: st.DataObject) -> None:
    text = data.draw(danish(encoding))
    # "Å« " of Latin-1 are the bytes of "ū " in UTF-8: of such, few as they are, nothing tells what was meant.
    assume(encoding == "utf-8" or as_utf8(text.encode(encoding)) in (text, None))
    found = decoded(text.encode(encoding))
    assert found.text == text or found.warnings


def as_utf8(content: bytes) -> str | None:
    """What the bytes are in UTF-8, if anything."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
