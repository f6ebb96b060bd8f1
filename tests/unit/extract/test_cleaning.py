from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.extract.cleaning import clean, join_lines, one_line, strip_bullet, words_inside_lines
from tests.timing import out_of_proportion


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("eﬃcient ﬁnansiering", "efficient finansiering"),
        ("sags\u00adbehandling", "sagsbehandling"),
        ("databe\u00ad\nhandleraftale", "databehandleraftale"),
        ("a\u00a0b\u2009c", "a b c"),
        ("a\u030arhus", "århus"),
        ("x\u200by\ufeffz", "xyz"),
        ("skjult\u202etekst", "skjulttekst"),
        ("a \r\n b\rc", "a\nb\nc"),
        ("\x00nul\x07", "nul"),
        ("\uf0b7 punkt", "• punkt"),
        ("\ue123", ""),
    ],
)
def test_characters_are_normalised(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned


@given(st.text())
def test_cleaning_is_idempotent_and_normalised(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert "\n" not in one_line(text)


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        (["erfa-", "ringer"], "erfaringer"),
        (["sags-", "behandlerne er"], "sagsbehandlerne er"),
        (["AI-", "projekter"], "AI-projekter"),
        (["2030-", "målene"], "2030-målene"),
        (["it-", "udstyr"], "it-udstyr"),
        (["e-", "post"], "e-post"),
        (["A-", "kasser"], "A-kasser"),
        (["ikke-", "personhenførbare"], "ikke-personhenførbare"),
        (["ph.d.-", "projekter"], "ph.d.-projekter"),
        (["to-", "sprogede"], "tosprogede"),
        (["net-", "banken"], "netbanken"),
        (["kapit-", "alen"], "kapitalen"),
        (["Nord-", "Jylland"], "Nord-Jylland"),
        (["drifts-", "og anlægsudgifter"], "drifts- og anlægsudgifter"),
        (["kommune-", "eller regionsvalg"], "kommune- eller regionsvalg"),
        (["sags\u00ad", "behandling"], "sagsbehandling"),
        (["en linje", "og en til"], "en linje og en til"),
        (["afsnittet -", "som er sat ind"], "afsnittet - som er sat ind"),
        (["", "kun én"], "kun én"),
    ],
)
def test_lines_are_joined(lines: list[str], joined: str) -> None:
    assert join_lines(lines) == joined


def test_joining_takes_time_by_the_length() -> None:
    line = "afsnittet handler om kommunens arbejde med sagsbehand-"
    long, short = [line] * 16_000, [line] * 1_000
    assert not out_of_proportion(lambda: join_lines(long), lambda: join_lines(short), 16, 2.5, 0.016)


def test_the_document_itself_tells_how_a_word_is_written() -> None:
    vocabulary = words_inside_lines(["brug af single-page løsninger", "med OS2faktor i drift og e-mail-"])
    assert join_lines(["single-", "page"], vocabulary) == "single-page"
    assert join_lines(["OS2fak-", "tor"], vocabulary) == "OS2faktor"
    assert "e-mail" not in vocabulary


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("• punkt", "punkt"),
        ("- punkt", "punkt"),
        ("o punkt", "punkt"),
        ("–5 grader", None),
        ("ordet", None),
        ("•x", "x"),
    ],
)
def test_bullets(line: str, text: str | None) -> None:
    assert strip_bullet(line) == text


def test_accents_without_end_are_cut_and_take_no_longer_than_other_signs() -> None:
    """Putting accents in order takes the square of their number."""
    accented = {size: "e" + "\u0301\u0323" * size for size in (5_000, 50_000)}
    assert len(clean(accented[50_000])) == 30  # one of the thirty is part of the letter
    assert not out_of_proportion(lambda: clean(accented[50_000]), lambda: clean(accented[5_000]), 10, 2, 0.02)
    assert clean("a\u030a" + "─" * 200 + "A\u030a") == "å" + "─" * 200 + "Å"
