"""Everyday words, and what reports call the same."""

from __future__ import annotations

from importlib.resources import files

import pytest

from kb.language import danish
from kb.language.everyday import WORDS_FILE, named_by_reports
from kb.language.vocabulary import words_of

LINES = [
    line
    for line in (files("kb.language") / "word_lists" / WORDS_FILE).read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


def named(text: str) -> list[set[str]]:
    """The names of each group, as stems."""
    return [{" ".join(name) for name in names} for names in named_by_reports(words_of(text))]


def stem(word: str) -> str:
    return danish.stem(word)


@pytest.mark.parametrize(
    ("question", "report"),
    [
        ("Hvad gik skattekronerne til?", "bevilling"),
        ("Hvem støvsuger for de gamle?", "rengøring"),
        ("Hvad siger de på rådhuset?", "kommune"),
    ],
)
def test_an_everyday_word_in_any_form_brings_what_reports_say(question: str, report: str) -> None:
    assert any(stem(report) in group for group in named(question))


def test_of_two_names_at_a_place_the_longer_one_counts() -> None:
    sides = {name: line.split(" = ")[1] for line in LINES for name in line.split(" = ")[0].split(", ")}
    longer = [name for name in sides if " " in name and name.split()[0] in sides]
    assert longer
    for name in longer:
        (found,) = named(name)
        reports = {" ".join(map(stem, words_of(report))) for report in sides[name].split(", ")}
        assert reports - {" ".join(map(stem, words_of(name)))} <= found


def test_what_no_line_has_brings_nothing() -> None:
    assert named("Xyzzy plugh?") == []


def test_every_line_has_two_sides_and_no_name_stands_in_two_lines() -> None:
    sides = [line.split(" = ") for line in LINES]
    assert all(len(both) == 2 for both in sides)
    names = [name for both in sides for name in both[0].split(", ")]
    assert len(names) == len(set(names))


def test_no_everyday_name_is_a_stop_word() -> None:
    names = [name for line in LINES for name in line.split(" = ")[0].split(", ")]
    assert [name for name in names if name in danish.stop_words()] == []
