"""What a caseworker does: ask, filter, open the cited place, take it along; with and without JavaScript."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit
from xml.etree import ElementTree

import docx
import openpyxl
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Server
from tests.timing import PATIENCE

pytestmark = pytest.mark.browser

QUESTION = "Hvordan håndterede Norddjurs det juridiske grundlag for mailsorteringen?"
ANSWER = "Norddjurs gjorde den juridiske afklaring til en del af selve projektet om mailsortering."
ATOM = {"a": "http://www.w3.org/2005/Atom"}


def ask(page: Page, question: str = QUESTION) -> None:
    page.goto("/")
    page.get_by_label("Hvad vil du vide?").fill(question)
    page.get_by_role("button", name="Spørg").click()


def test_ask_and_open_a_citation_in_place(page: Page) -> None:
    ask(page)
    expect(page).to_have_title(f"{QUESTION} – Erfaringsbasen")
    answer = page.get_by_role("region", name="Svar", exact=True)
    expect(answer).to_contain_text(ANSWER)
    before = page.evaluate("window.scrollY")
    link = answer.locator("p", has_text=ANSWER).locator(".cite")
    link.click()
    source = page.locator(".cite-open")
    expect(source).to_contain_text(ANSWER)
    assert page.evaluate("window.scrollY") == before
    source.get_by_role("link").click()
    mark = page.locator("mark").first
    expect(mark).to_have_text(ANSWER)
    expect(mark).to_be_in_viewport()


def test_matched_words_are_marked(page: Page) -> None:
    ask(page)
    marked = [text.casefold() for text in page.locator(".passage-quote mark").all_text_contents()]
    assert any("mailsortering" in text for text in marked)
    assert any(text.startswith("juridisk") for text in marked)


def test_filters_live_in_the_address_and_come_off(page: Page) -> None:
    ask(page, "Hvad lærte projekterne?")
    page.locator("summary", has_text="Myndighed").click()
    page.get_by_role("checkbox", name="Aalborg Kommune (").check()
    page.get_by_role("button", name="Vis resultater").click()
    assert parse_qs(urlsplit(page.url).query)["myndighed"] == ["Aalborg Kommune"]
    assert set(page.locator(".passage-title").all_text_contents()) == {
        "AIR – Intelligent rehabilitering og målrettede tilbud til borgere i Aalborg Kommune"
    }
    page.get_by_role("link", name="Fjern filteret Myndighed: Aalborg Kommune").click()
    assert "myndighed" not in page.url
    assert len(set(page.locator(".passage-title").all_text_contents())) > 1


def test_a_question_is_saved_renamed_and_deleted(page: Page) -> None:
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(f"/sporg?q={quote(QUESTION)}")
    page.get_by_role("button", name="Gem spørgsmålet").click()
    saved = page.get_by_role("article", name=QUESTION)
    expect(saved).to_contain_text("Intet nyt siden sidst.")
    saved.locator("summary").click()
    saved.get_by_label("Navn").fill("Norddjurs' hjemmel")
    saved.get_by_role("button", name="Gem").click()
    renamed = page.get_by_role("article", name="Norddjurs' hjemmel")
    expect(renamed).to_contain_text(QUESTION)
    renamed.locator("summary").click()
    renamed.get_by_role("button", name="Slet spørgsmålet").click()
    expect(page.locator("main")).to_contain_text("Du har ikke gemt noget endnu.")


def test_a_pdf_opens_on_the_page_with_the_place_shown(page: Page) -> None:
    page.goto("/dokumenter/aalborg-air?passage=aalborg-air.5#aalborg-air.5")
    image = page.get_by_role("img", name="Side 1 af rapporten")
    assert image.evaluate("e => e.complete && e.naturalWidth") == 1000
    expect(page.locator("mark").first).to_be_in_viewport()


@pytest.mark.parametrize(("width", "tallest"), [(1280, 1600), (390, 2600)])
def test_an_answer_is_about_a_screen_long_before_it_is_unfolded(page: Page, width: int, tallest: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    ask(page, "Hvordan håndterede projekterne det juridiske grundlag?")
    assert page.evaluate("document.documentElement.scrollHeight") <= tallest
    expect(page.locator(".passage").first).to_be_hidden()


def test_what_is_folded_is_opened_to_be_printed_and_folded_again(page: Page) -> None:
    ask(page)
    page.wait_for_load_state()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("details.coverage")).to_have_attribute("open", "")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    expect(page.locator("details.coverage")).not_to_have_attribute("open", "")


def test_copy_gives_the_text_with_its_source(page: Page) -> None:
    ask(page)
    page.get_by_role("button", name="Kopiér svaret med kilder").click()
    expect(page.get_by_role("status")).to_have_text("Kopieret med kilde.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert ANSWER in copied
    assert "Intelligent fordeling og journalisering af mails i Norddjurs Kommune" in copied
    page.get_by_text("passager, der passer bedst").click()
    page.locator(".passage [data-copy]").first.click()
    page.wait_for_function(f"async () => await navigator.clipboard.readText() !== {copied!r}")
    assert page.evaluate("navigator.clipboard.readText()").startswith("»")


def test_take_the_answer_and_the_hits_along(page: Page, tmp_path: Path) -> None:
    ask(page)
    with page.expect_download() as word:
        page.get_by_role("link", name="Hent svaret som Word").click()
    word.value.save_as(tmp_path / "svar.docx")
    paragraphs = [paragraph.text for paragraph in docx.Document(str(tmp_path / "svar.docx")).paragraphs]
    assert paragraphs[0] == QUESTION
    assert any(text.startswith(ANSWER) for text in paragraphs)
    with page.expect_download() as excel:
        page.get_by_role("link", name="Passagerne som Excel").click()
    excel.value.save_as(tmp_path / "passager.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "passager.xlsx").active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:4] == ("nummer", "projekt", "myndighed", "rapport")
    assert any(ANSWER in str(row[8]) for row in rows[1:])
    with page.expect_download() as plain:
        page.get_by_role("link", name="Passagerne som CSV").click()
    plain.value.save_as(tmp_path / "passager.csv")
    lines = list(csv.reader(io.StringIO((tmp_path / "passager.csv").read_text("utf-8-sig")), delimiter=";"))
    assert [str(cell or "") for cell in rows[1]][8] == lines[1][8]


def test_the_feed_leads_to_passages(context: BrowserContext) -> None:
    response = context.request.get(f"/sporg.atom?q={quote(QUESTION)}")
    feed = ElementTree.fromstring(response.text())  # noqa: S314 - our own server's answer
    entries = feed.findall("a:entry", ATOM)
    assert len({entry.findtext("a:id", namespaces=ATOM) for entry in entries}) == len(entries) > 5
    link = entries[0].find("a:link", ATOM)
    assert link is not None
    page = context.new_page()
    page.goto(link.attrib["href"])
    expect(page.locator("mark").first).to_be_in_viewport()


def test_refusal_is_a_page_of_its_own(page: Page) -> None:
    ask(page, "Hvornår kører bus 5C fra Nørreport?")
    expect(page.get_by_role("heading", name="Det kan rapporterne ikke svare på")).to_be_visible()
    expect(page.locator(".passage").first).to_be_hidden()
    assert page.locator(".answer").count() == 0


def test_feedback_reaches_the_editors(page: Page) -> None:
    ask(page)
    page.get_by_text("Var svaret nyttigt?").click()
    page.get_by_label("Nej").check()
    page.get_by_label("Hvorfor?").fill("Borgeren 010190-1238 var ikke med")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Tak for din tilbagemelding")).to_be_visible()
    page.get_by_role("link", name="Tilbage til svaret").click()
    expect(page).to_have_title(f"{QUESTION} – Erfaringsbasen")
    page.goto("/admin/spoergsmaal")
    expect(page.get_by_text("Borgeren [CPR-nummer skjult] var ikke med").first).to_be_visible()


def test_the_same_way_without_javascript(browser: Browser, server: Server) -> None:
    context = browser.new_context(base_url=server.address, java_script_enabled=False)
    page = context.new_page()
    ask(page)
    expect(page.get_by_role("region", name="Svar", exact=True)).to_contain_text(ANSWER)
    expect(page.get_by_role("button", name="Kopiér svaret med kilder")).to_be_hidden()
    page.locator(".answer p", has_text=ANSWER).locator(".cite").click()
    source = page.locator("li:target")
    expect(source).to_contain_text(ANSWER)
    source.get_by_role("link").click()
    expect(page.locator("mark").first).to_be_in_viewport()
    context.close()


def test_markup_in_reports_and_questions_is_text(page: Page) -> None:
    page.goto("/dokumenter/vandvaerket")
    expect(page.get_by_role("heading", level=1)).to_have_text("Prøve med <script>alert(1)</script>")
    expect(page.get_by_text("[CPR-nummer skjult] fik <b>ikke</b> vand")).to_be_visible()
    assert "010190" not in page.content()
    ask(page, '"><img src=x onerror=alert(1)> trykmåleren')
    assert page.get_by_label("Dit spørgsmål").input_value() == '"><img src=x onerror=alert(1)> trykmåleren'
    assert page.locator("img").count() == 0


def test_first_page_is_light_sets_no_cookie_and_stays_home(context: BrowserContext, server: Server) -> None:
    page = context.new_page()
    sizes: dict[str, int] = {}
    urls: list[str] = []
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}))
    page.on("request", lambda request: urls.append(request.url))
    page.goto("/", wait_until="networkidle")
    assert 10_000 < sum(sizes.values()) < 150_000
    assert all(url.startswith(server.address) for url in urls)
    assert context.cookies() == []
