"""Every page by axe's WCAG 2.2 AA rules at a phone's and a desk's width, in ordinary and in forced colours."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Server
from tests.timing import PATIENCE

pytestmark = pytest.mark.browser

ANSWERED = quote("Hvordan håndterede Norddjurs det juridiske grundlag for mailsorteringen?")
REFUSED = quote("Hvornår kører bus 5C fra Nørreport?")
PAGES = {
    "forside": "/",
    "svar": f"/sporg?q={ANSWERED}",
    "svar filtreret": f"/sporg?q={ANSWERED}&temaer=jura",
    "afslag": f"/sporg?q={REFUSED}",
    "dårligt spørgsmål": "/sporg?q=%3F",
    "rapporter": "/dokumenter",
    "rapport": "/dokumenter/norddjurs-mailsortering",
    "PDF med citat": "/dokumenter/aalborg-air?passage=aalborg-air.5",
    "projekter": "/projekter",
    "projekt": "/projekter/intelligent-fordeling-og-journalisering-af-mails",
    "sammenlign": "/projekter/sammenlign?projekt=intelligent-fordeling-og-journalisering-af-mails",
    "temaer": "/temaer",
    "tema": "/temaer/jura",
    "overblik": "/overblik",
    "side af PDF": "/dokumenter/aalborg-air/side/2?passage=aalborg-air.5",
    "om": "/om",
    "hjælp": "/hjaelp",
    "tilgængelighed": "/tilgaengelighed",
    "tak": "/tilbagemelding/tak?q=gdpr",
    "mine spørgsmål": "/mine-spoergsmaal",
    "findes ikke": "/findes-ikke",
    "API": "/api/v1/dokumentation",
    "log ind": "/log-ind",
    "redaktion": "/admin",
    "redaktion: rapporter": "/admin/rapporter",
    "redaktion: rapport": "/admin/rapporter/norddjurs-mailsortering",
    "redaktion: spørgsmål": "/admin/spoergsmaal",
    "redaktion: ord": "/admin/ord",
    "redaktion: nyt ord": f"/admin/ord/ny?q={REFUSED}",
    "redaktion: hvad et ord ændrer": f"/admin/ord/se?handling=ord&navne=bus%0Amailsortering&q={REFUSED}",
    "redaktion: fremhæv": f"/admin/fremhaev?q={REFUSED}",
    "redaktion: spørg et projekt": f"/admin/spoergsmaal/spoerg?q={REFUSED}",
    "redaktion: kørsler": "/admin/koersler",
    "redaktion: indekser": "/admin/indekser",
    "redaktion: login": "/admin/login",
}
RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"],
    }
}


def violations(page: Page) -> str:
    """What axe finds, as text; empty when nothing."""
    found = Axe().run(page, options=RULES).response["violations"]
    return json.dumps(
        [{"rule": one["id"], "where": [node["html"][:200] for node in one["nodes"]]} for one in found],
        indent=1, ensure_ascii=False,
    ) if found else ""  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_no_violation_at_any_width_or_in_forced_colours(page: Page, name: str) -> None:
    page.goto(PAGES[name])
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert violations(page) == ""
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.emulate_media(forced_colors="active")
    assert violations(page) == ""
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") == "da"
    assert "Erfaringsbasen" in page.title()


def test_axe_does_find_what_is_wrong(page: Page) -> None:
    page.goto("/om")
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"/static/ikon.svg\">')")
    assert "image-alt" in violations(page)


def test_the_open_parts_of_an_answer_pass_too(page: Page) -> None:
    page.goto(PAGES["svar"])
    for details in page.locator("details").all():
        details.evaluate("element => { element.open = true; }")
    page.locator(".answer .cite").first.click()
    assert violations(page) == ""


def test_a_run_and_its_files_pass_too(page: Page) -> None:
    page.goto("/admin/koersler")
    page.locator("main li.report a").first.click()
    assert violations(page) == ""
    page.goto("/admin")
    page.get_by_role("button", name="Indeksér igen").click()
    expect(page.locator("#tilstand")).to_have_text("Færdig", timeout=PATIENCE * 1000)
    assert violations(page) == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_targets_are_large_enough_for_a_finger(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(PAGES["svar"])
    small = page.evaluate(
        """[...document.querySelectorAll("main button, main summary, main .cite, main .tag, header a, footer a")]
        .filter(e => e.checkVisibility()).map(e => [e.textContent.trim(), e.getBoundingClientRect()])
        .filter(([, box]) => box.height < 24 || box.width < 24).map(([text]) => text)"""
    )
    assert small == []


def test_the_page_can_be_used_by_keyboard(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Gå til sidens indhold"
    # It slides into view; it must come all the way.
    page.wait_for_timeout(1000)
    assert page.locator(".skipnav").bounding_box()["y"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "q"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.type("Hvordan håndterede Norddjurs det juridiske grundlag for mailsorteringen?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".answer .cite")
    page.locator(".answer .cite").first.focus()
    page.keyboard.press("Enter")
    assert page.locator(".cite-open").count() == 1
    assert page.evaluate("document.activeElement.classList.contains('cite')")
    page.keyboard.press("Space")
    assert page.locator(".cite-open").count() == 0


def test_a_tick_is_seen_in_forced_colours(page: Page) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(PAGES["svar filtreret"])
    box = "e => getComputedStyle(e, '::before').backgroundColor"
    ticked = page.locator(".form-checkbox:checked + label").first.evaluate(box)
    empty = page.locator(".form-checkbox:not(:checked) + label").first.evaluate(box)
    assert ticked != empty


def test_nothing_moves_under_reduced_motion(browser: Browser, server: Server) -> None:
    context: BrowserContext = browser.new_context(base_url=server.address, reduced_motion="reduce")
    page = context.new_page()
    page.goto("/")
    moving = page.evaluate(
        """[...document.querySelectorAll("*")].filter(e => {
            const style = getComputedStyle(e);
            return style.transitionDuration.split(", ").some(d => d !== "0s" && style.transitionProperty !== "none")
                || style.animationName !== "none";
        }).length"""
    )
    assert moving == 0
    context.close()
