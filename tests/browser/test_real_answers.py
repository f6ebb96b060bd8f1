"""The shipped corpus and the real model: what the front page promises is kept."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from kb.http.web.example_questions import CANDIDATES, SHOWN

pytestmark = [pytest.mark.browser, pytest.mark.model]


def test_every_example_on_the_front_page_has_an_answer_that_opens(desk: Page) -> None:
    for _ in CANDIDATES:  # each visit finds out about one more
        desk.goto("/")
    questions = desk.locator(".examples a").all_text_contents()
    assert len(questions) == SHOWN
    for question in questions:
        desk.goto("/")
        desk.get_by_role("link", name=question).click()
        expect(desk.locator(".answer .answer-text p").first).to_be_visible()
        desk.locator(".sources > summary").click()
        desk.locator(".sources a").first.click()
        expect(desk.locator("mark").first).to_be_in_viewport()


def test_a_pdf_citation_of_an_answer_is_shown_on_its_page(desk: Page) -> None:
    desk.goto("/sporg?q=Hvilke+data+bruger+AIR+i+Aalborg?")
    desk.locator(".sources > summary").click()
    desk.locator(".sources a", has_text="AIR").first.click()
    expect(desk.locator(".page-image img")).to_be_visible()
    assert desk.locator(".page-image img").evaluate("e => e.complete && e.naturalWidth") == 1000


def test_what_the_reports_do_not_say_is_refused(desk: Page) -> None:
    desk.goto("/sporg?q=Hvornår+kører+bus+5C+fra+Nørreport?")
    expect(desk.get_by_role("heading", name="Det kan rapporterne ikke svare på")).to_be_visible()
