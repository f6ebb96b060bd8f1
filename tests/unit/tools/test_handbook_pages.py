"""The handbook's pages that are made from the code are as the code is, and every error code has a text and a remedy."""

from __future__ import annotations

import pytest

from kb.core.errors import KbError
from tools import handbook_pages


@pytest.mark.parametrize("name", handbook_pages.PAGES)
def test_the_page_is_as_made(name: str) -> None:
    kept = (handbook_pages.FOLDER / name).read_text(encoding="utf-8")
    assert kept == handbook_pages.PAGES[name](), "Kør: make reference"


def test_every_code_says_what_happened_and_what_to_do() -> None:
    rows = handbook_pages.errors_page().splitlines()[8:]
    cells = {row.split("|")[1].strip(" `"): [cell.strip() for cell in row.split("|")[2:4]] for row in rows}
    assert set(cells) == set(handbook_pages.codes())
    assert [code for code, (meaning, todo) in cells.items() if not meaning or not todo] == []


def test_no_text_is_left_of_a_code_that_is_gone() -> None:
    assert set(handbook_pages.TEXTS) - set(handbook_pages.codes()) == set()
    assert KbError.code in handbook_pages.codes()
