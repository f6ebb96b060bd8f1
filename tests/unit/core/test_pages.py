"""The page that a place of a document's text lies on."""

from __future__ import annotations

from kb.core.models import Page, page_at

# Page 3 is empty, and a line end lies between pages 1 and 2.
PAGES = (Page(1, 0, 10, "i"), Page(2, 11, 20, "ii"), Page(3, 20, 20), Page(4, 20, 30, "1"))


def test_a_place_lies_on_the_page_that_begins_last_before_it() -> None:
    found = {offset: page_at(PAGES, offset) for offset in (0, 9, 11, 19, 20, 29)}
    assert {offset: page.number for offset, page in found.items() if page} == {0: 1, 9: 1, 11: 2, 19: 2, 20: 4, 29: 4}


def test_what_stands_between_two_pages_belongs_to_the_first() -> None:
    page = page_at(PAGES, 10)
    assert page is not None
    assert page.number == 1


def test_a_document_without_pages_has_none() -> None:
    assert page_at((), 5) is None
