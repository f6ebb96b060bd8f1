"""What an editor does: put reports in, see what became of them, correct, remove; and readers notice at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.browser.conftest import Server, start
from tests.browser.test_accessibility import violations
from tests.support import HashEmbedder, make_settings, write_corpus
from tests.timing import PATIENCE

pytestmark = pytest.mark.browser


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    settings = make_settings(tmp_path, batch_size=64)
    write_corpus(settings.corpus)
    yield from start(settings, HashEmbedder())


@pytest.fixture
def desk(browser: Browser, own_server: Server) -> Iterator[Page]:
    context = browser.new_context(base_url=own_server.address)
    yield context.new_page()
    context.close()


def wait_until_over(page: Page) -> None:
    expect(page.locator("#tilstand")).to_have_text("Færdig", timeout=PATIENCE * 1000)


def feed_ids(page: Page) -> set[str]:
    feed = ElementTree.fromstring(page.request.get("/sporg.atom?q=klimarobotten").text())  # noqa: S314
    return {element.text or "" for element in feed.iter("{http://www.w3.org/2005/Atom}id")}


def test_from_upload_to_answer_and_out_again(desk: Page, own_server: Server) -> None:
    before = feed_ids(desk)
    desk.goto("/admin")
    klima = "# Klimarobotten\n\nKlimarobotten måler vandstanden ved Marstal havn hver time.\n"
    files: list[FilePayload] = [
        {"name": "klima robot.md", "mimeType": "text/markdown", "buffer": klima.encode()},
        {"name": "noter æøå.txt", "mimeType": "text/plain", "buffer": "Mødet handlede om cykelstier.\n".encode()},
        {"name": "i stykker.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 og ikke mere"},
    ]
    desk.get_by_label("Filer").set_input_files(files)
    desk.get_by_role("button", name="Læg ind og indeksér").click()
    wait_until_over(desk)
    rows = desk.locator("main li.report")
    expect(rows.filter(has_text="klima robot.md")).to_contain_text("Kan findes nu")
    expect(rows.filter(has_text="noter æøå.txt")).to_contain_text("Kan findes nu")
    expect(rows.filter(has_text="i stykker.pdf")).not_to_contain_text("Kan findes nu")
    expect(rows.filter(has_text="i stykker.pdf")).to_contain_text("PDF")
    assert sorted(path.name for path in own_server.settings.corpus.joinpath("indlagt").iterdir()) == [
        "i-stykker.pdf", "klima-robot.md", "noter-aeoeaa.txt",
    ]  # fmt: skip

    desk.goto("/sporg?q=Hvad+måler+klimarobotten+ved+Marstal+havn")
    expect(desk.locator("main")).to_contain_text("Marstal havn hver time")
    assert feed_ids(desk) - before

    desk.goto("/admin/rapporter")
    desk.get_by_role("link", name="Klimarobotten").click()
    expect(desk.get_by_label("Titel")).to_have_value("Klimarobotten")
    desk.get_by_label("Projekt", exact=True).fill("Havnevagten")
    desk.get_by_label("År").fill("2025")
    desk.get_by_role("button", name="Gem og indeksér").click()
    wait_until_over(desk)
    desk.goto("/projekter/havnevagten")
    expect(desk.get_by_role("heading", level=1)).to_have_text("Havnevagten")

    desk.goto("/admin/rapporter")
    desk.get_by_role("link", name="Klimarobotten").click()
    desk.get_by_label("Ja, filen skal slettes").check()
    desk.get_by_role("button", name="Slet").click()
    wait_until_over(desk)
    assert desk.goto("/projekter/havnevagten").status == 404  # type: ignore[union-attr]
    assert not list(own_server.settings.corpus.rglob("*klima*"))


def test_from_a_refused_question_to_a_word_that_finds(desk: Page) -> None:
    question = "Hvor tit blev Kildebækken målt?"
    desk.goto(f"/sporg?q={quote(question)}")
    expect(desk.get_by_role("heading", name="Det kan rapporterne ikke svare på")).to_be_visible()
    desk.goto("/admin/spoergsmaal")
    expect(desk.locator("main li.report").filter(has_text=question)).to_contain_text("1 gang uden svar")
    assert violations(desk) == ""

    desk.get_by_role("link", name=f"Tilføj et ord til: {question}").click()
    expect(desk.get_by_label("Navne for det samme")).to_have_value("Kildebækken\n")
    desk.get_by_label("Navne for det samme").fill("Kildebækken\nvandløbet")
    desk.get_by_role("button", name="Se, hvad der ændres").click()
    expect(desk.get_by_role("status")).to_contain_text("1 spørgsmål får andre svar, af 1 gemt spørgsmål.")
    expect(desk.get_by_role("heading", name="Får et svar")).to_be_visible()
    desk.get_by_role("button", name="Tag i brug").click()
    assert violations(desk) == ""

    desk.get_by_role("link", name=f"Spørg igen: »{question}«").click()
    expect(desk.locator("main")).to_contain_text("Vandløbet blev målt hver uge.")
    desk.goto("/admin/spoergsmaal")
    expect(desk.locator("main")).to_contain_text("Ingen.")


def test_an_older_index_can_be_put_in_use_again(desk: Page, own_server: Server) -> None:
    (own_server.settings.corpus / "nyt.md").write_text("# Nyt\n\nEn ny rapport om drivhuse.\n", encoding="utf-8")
    desk.goto("/admin")
    desk.get_by_role("button", name="Indeksér igen").click()
    wait_until_over(desk)
    desk.goto("/admin/indekser")
    items = desk.locator("main li.report")
    expect(items).to_have_count(2)
    expect(items.first).to_contain_text("I brug")
    desk.get_by_role("button", name="Tag i brug").click()
    expect(items.nth(1)).to_contain_text("I brug")
    assert desk.goto("/dokumenter/nyt").status == 404  # type: ignore[union-attr]
