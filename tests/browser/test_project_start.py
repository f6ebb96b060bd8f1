"""The errand of Projektstart-tjek: a plan pasted, sent as a file or filled in, read, taken along and shared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_accessibility import violations

pytestmark = [pytest.mark.browser, pytest.mark.model]

PLAN = (
    "Kommunens fællespostkasse modtager 400 mails om dagen, som to medarbejdere læser og sender videre. Vi vil have en "
    "algoritme til at læse hver mail og foreslå den rigtige afdeling. Forventet gevinst: hurtigere svar."
)
FIELDS = {
    "hvad": "fordele kommunens indgående post", "hvem": "medarbejderne i borgerservice", "data": "mails fra to år",
    "teknik": "en algoritme, der læser mails", "fase": "idé",
}  # fmt: skip


def paste(page: Page, _folder: Path) -> None:
    page.get_by_label("Planens tekst").fill(PLAN)


def upload(page: Page, folder: Path) -> None:
    document = docx.Document()
    document.add_heading("Projektplan", 1)
    document.add_paragraph(PLAN)
    document.save(str(folder / "plan.docx"))
    page.locator("input[name=fil]").set_input_files(folder / "plan.docx")


def fill_in(page: Page, _folder: Path) -> None:
    for name, text in FIELDS.items():
        page.locator(f"[name={name}]").fill(text)


def compare(page: Page, give: Callable[[Page, Path], None], folder: Path) -> None:
    page.goto("/projektstart")
    give(page, folder)
    page.get_by_role("button", name="Tjek planen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Projektstart-tjek af jeres plan")


def downloaded(page: Page, name: str, folder: Path) -> Any:
    """The paragraphs of a Word file that a button gives."""
    with page.expect_download() as taken:
        page.get_by_role("button", name=name).click()
    taken.value.save_as(folder / taken.value.suggested_filename)
    return docx.Document(str(folder / taken.value.suggested_filename))


@pytest.mark.parametrize("give", [paste, upload, fill_in], ids=["paste", "upload", "fields"])
def test_however_a_plan_is_given_the_project_that_did_the_same_is_shown(
    desk: Page, give: Callable[[Page, Path], None], tmp_path: Path
) -> None:
    compare(desk, give, tmp_path)
    similar = desk.get_by_role("region", name="Projekter, der ligner jeres")
    expect(similar).to_contain_text("Intelligent fordeling og journalisering af mails")
    expect(similar).to_contain_text("Norddjurs Kommune")


def test_the_whole_errand_is_read_taken_along_and_shared(desk: Page, tmp_path: Path) -> None:
    desk.goto("/projektstart")
    for width in (1280, 390):
        desk.set_viewport_size({"width": width, "height": 800})
        assert violations(desk) == ""
    compare(desk, paste, tmp_path)
    for width in (390, 1280):
        desk.set_viewport_size({"width": width, "height": 800})
        assert violations(desk) == ""
        assert desk.evaluate("document.documentElement.scrollWidth") <= width
    gaps = desk.get_by_role("region", name="Det nævner planen ikke")
    expect(gaps).to_contain_text("Hvilken lov giver os hjemmel")
    shown = [text.strip() for text in desk.locator("#lignende ~ article h3").all_text_contents()]

    word = downloaded(desk, "Hent som Word", tmp_path)
    headings = [one.text for one in word.paragraphs if one.style.name.startswith("Heading")]
    assert set(shown) <= set(headings)
    assert {"Projekter, der ligner jeres", "Det nævner planen ikke", "Kilder"} <= set(headings)
    checklist = downloaded(desk, "Hent tom tjekliste", tmp_path)
    assert all(table.rows[1].cells[2].text == "" for table in checklist.tables)
    assert any("Hjemmel og lovgrundlag" in one.text for one in checklist.paragraphs)

    desk.get_by_role("button", name="Gem, og lav et link").click()
    expect(desk.get_by_text("Denne plan er delt med et link")).to_be_visible()
    link = desk.url
    desk.goto("/hjaelp")
    desk.goto(link)
    expect(desk.get_by_role("region", name="Projekter, der ligner jeres")).to_contain_text(shown[0])
    desk.get_by_role("button", name="Slet linket og planen").click()
    assert desk.request.get(link).status == 404
