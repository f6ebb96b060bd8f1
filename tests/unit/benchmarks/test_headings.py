"""The score of headings that were read against those that are there."""

from __future__ import annotations

from benchmarks.headings import Title, score, table

TRUTH = {
    "path": "rapport.pdf",
    "half": "dev",
    "headings": [
        {"page": 1, "level": 1, "text": "1. Formål"},
        {"page": 2, "level": 2, "text": "1.1 Data – kilder"},
        {"page": 3, "level": 1, "text": "2. Resultater"},
    ],
    "optional": ["Forfattere"],
}


def test_letters_and_digits_on_the_right_page_make_a_heading_right() -> None:
    read = [Title.of(1, "1 Formål", 1), Title.of(2, "1.1 Data - kilder", 2), Title.of(4, "2. Resultater", 1)]
    found = score(TRUTH, read)
    assert (found.right, [title.text for title in found.missing]) == (2, ["2. Resultater"])
    assert [title.page for title in found.too_much] == [4]
    assert found.precision == found.recall == found.f1 == 2 / 3


def test_a_heading_said_twice_is_right_once_and_an_optional_one_does_not_count() -> None:
    found = score(TRUTH, [Title.of(1, "1. Formål"), Title.of(1, "1. Formål"), Title.of(9, "FORFATTERE")])
    assert (found.right, len(found.too_much)) == (1, 1)


def test_levels_are_judged_by_the_steps_between_headings() -> None:
    up_and_down = [Title.of(1, "1. Formål", 2), Title.of(2, "1.1 Data - kilder", 5), Title.of(3, "2. Resultater", 5)]
    assert score(TRUTH, up_and_down).levels == 0.5


def test_the_table_has_a_line_for_each_document_and_the_mean_of_each_half() -> None:
    lines = table([score(TRUTH, [])])
    assert len(lines) == 3
    assert lines[-1] == "dev: F1 0.000 over 1 documents"
