"""Recognising a file takes time in proportion to its length, whatever it is built against."""

from __future__ import annotations

import pytest

from kb.extract.recognition import Format, recognise
from tests.timing import out_of_proportion

# Each repeated to growing length; every one made an earlier expression take the square of it or worse.
HOSTILE = {
    "comments": ("", "<!-- a -->"),
    "comments never closed": ("", "<!-- a "),
    "declarations": ("", "<?xml "),
    "blank lines": ("a", "\n"),
    "front matter never closed": ("---\n", "\n"),
    "fences": ("---\n", "---x\n"),
    "brackets": ("", "["),
    "links never closed": ("", "[a](/"),
    "pipes": ("", "| \n"),
    "dashes": ("", "---\n\n"),
    "stars": ("", "**a"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_time_grows_with_length_alone(name: str) -> None:
    start, repeated = HOSTILE[name]
    short, long = (((start + repeated * (size // len(repeated))) + " ord").encode() for size in (1000, 60_000))
    assert not out_of_proportion(lambda: recognise(long, ".dat"), lambda: recognise(short, ".dat"), 60, 2, 0.03)


@pytest.mark.parametrize("comments", [0, 1, 25, 2000])
def test_a_page_after_comments_is_a_page(comments: int) -> None:
    page = "<?xml version='1.0'?>\n" + "<!-- a -->\n" * comments + "<!DOCTYPE  html><p>Hej"
    assert recognise(page.encode(), ".txt") is Format.HTML
    assert recognise(("<!-- a -->\n" * comments + "Bare tekst").encode(), ".txt") is Format.TEXT
