"""The small files of ../shared/cases that were read wrong once, each with its right outcome."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from kb.core.models import Document
from kb.extract import read_file
from kb.extract.recognition import Format, recognise
from tests.support import SHARED
from tests.unit.extract.making import OPTIONS

CASES = SHARED / "cases"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not CASES.is_dir(), reason=f"{CASES} (or KB_SHARED) is absent: its files are NOT read"),
]


def case(name: str) -> Document:
    return read_file(CASES / name, CASES, OPTIONS)


def codes(document: Document) -> list[str]:
    return [warning.code for warning in document.warnings]


def test_word_notes_are_read_and_comments_are_not() -> None:
    text = case("docx-notes/notes.docx").text
    assert "Sager: 120\n" in text
    assert "[Y1]" not in text
    assert "Comment" not in text
    assert case("docx-comments/paragraph.docx").text == "Alene afsnit med kommentar."


def test_hidden_word_text_is_not_read() -> None:
    assert "Skjult" not in case("docx-vanish/vanish.docx").text


def test_word_text_that_mammoth_passes_over_is_read() -> None:
    expected = "Aftalen er indgået med Netkompagniet for 4 mio. kr., se afsnit 5.2."
    assert case("docx-lost/fldsimple.docx").text == expected
    text = case("docx-math/math.docx").text
    assert "F1=0,87" in text
    assert "besparelse=timer·løn" in text
    text = case("docx-textbox/textbox.docx").text
    assert [text.count(town) for town in ("Odense", "Vejle", "Ribe")] == [1, 1, 1]


@pytest.mark.parametrize("name", ["onebyte.txt", "onebyte.md", "nometa.html"])
def test_one_stray_byte_leaves_the_other_letters_right(name: str) -> None:
    document = case(f"txt-badbyte/{name}")
    assert "Rådhuset på" in document.text
    assert "tegnsæt" in codes(document)


def test_words_written_with_a_hyphen_keep_it_at_a_line_end() -> None:
    text = case("pdf-hyphen/prefixes.pdf").text
    kept = "it-udstyr e-post co2-udledning ikke-personhenførbare GDPR-krav EU-regler ph.d.-projekter A-kasser"
    assert [word for word in f"{kept} tosprogede netbanken databehandlere".split() if word not in text] == []


def test_numbered_headings_on_each_page_are_read() -> None:
    text = case("pdf-pageheads/case.pdf").text
    assert [number for number in range(1, 7) if f"Case {number}" not in text] == []
    text = case("pdf-pageheads/years.pdf").text
    assert [year for year in range(2016, 2022) if str(year) not in text.split()] == []


def test_columns_whose_lines_are_drawn_in_turn_are_read_one_after_the_other() -> None:
    text = case("pdf-columns/interleaved.pdf").text.replace("\n", " ")
    assert "hvorfor kommunen valgte at afprøve løsningen" in text
    assert "at borgerne fik svar hurtigere" in text


def test_ligatures_mapped_to_nothing_are_read_or_warned_of() -> None:
    document = case("pdf-letters/nullmap.pdf")
    assert document.warnings or all(word in document.text for word in ("finansieret", "fleksibel", "officiel"))


def test_a_book_with_a_bad_chapter_is_read_in_part() -> None:
    document = case("epub-badchapter/badcrc.epub")
    assert document.text
    assert "dele-mangler" in codes(document)


def test_front_matter_after_empty_lines_is_used_and_a_repeated_key_named() -> None:
    blank = case("md-frontmatter/blank.md")
    assert (blank.metadata.titel, blank.metadata.projekt) == ("Efter blanke linjer", "P")
    assert "titel:" not in blank.text
    assert "gentaget-nøgle" in codes(case("md-frontmatter/dup.md"))


def test_text_after_many_comments_is_recognised_at_once() -> None:
    data = (CASES / "redos-comments/comments26.md").read_bytes()
    begun = time.process_time()
    assert recognise(data, ".md") is Format.MARKDOWN
    assert time.process_time() - begun < 0.5


def test_every_case_is_held() -> None:
    held = Path(__file__).read_text("utf-8")
    there = [path.relative_to(CASES).as_posix() for path in CASES.glob("*/*")]
    assert [name for name in there if name.partition("/")[0] not in held] == []


def test_many_lines_that_end_in_a_hyphen_are_read_in_time() -> None:
    begun = time.process_time()
    case("txt-hyphens-slow/2000.txt")
    assert time.process_time() - begun < 4
