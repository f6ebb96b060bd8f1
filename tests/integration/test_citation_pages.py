"""Citations of genuine PDFs name the page where a reader finds the sentence, told by what PDFium sees on each page."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pypdfium2
import pytest
from flask.testing import FlaskClient

from kb import indexing
from kb.core.models import Passage, page_at
from kb.core.settings import Settings
from kb.extract import ReadOptions, read_file
from kb.http.server import make_app
from kb.indexing.chunking import chunk
from kb.language.sentences import Sentence, sentences_of
from kb.retrieval.snapshot_holder import SnapshotHolder
from tests.support import SHARED, HashEmbedder, make_settings

DOCUMENTS = SHARED / "documents"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.slow,
    pytest.mark.skipif(not DOCUMENTS.is_dir(), reason=f"testdokumenterne er ikke i {DOCUMENTS}"),
]
# Of all layouts: letters, reports, two columns, tables, numbered and unnumbered chapters.
NAMES = [
    "eco-net/1_ubu_hoeringssvar_tilUVM.pdf",
    "eco-net/Afrapportering_WSSD.pdf",
    "eco-net/UNECE_UBU-strategi_DK.pdf",
    "os2/OS2faktor Login - Windows Credential Provider.pdf",
    "os2/SOFD Core - AD replikator.pdf",
]
# So many letters of a sentence's beginning tell where it stands.
LETTERS = 40
FEWEST_LETTERS = 15


def letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.lower())


def located(file: Path, passages: Sequence[Passage]) -> list[tuple[Sentence, set[int]]]:
    """The sentences whose beginning PDFium shows on some page of a file, each with those pages."""
    with pypdfium2.PdfDocument(file) as pdf:
        shown = [letters(page.get_textpage().get_text_range()) for page in pdf]
    found = []
    for sentence in (one for passage in passages for one in sentences_of(passage)):
        beginning = letters(sentence.text)[:LETTERS]
        on = {number for number, text in enumerate(shown, 1) if beginning in text}
        if len(beginning) >= FEWEST_LETTERS and on:
            found.append((sentence, on))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_sentence_that_can_be_located_lies_on_the_page_it_is_cited_by(name: str) -> None:
    document = read_file(DOCUMENTS / name, DOCUMENTS, ReadOptions(ocr=False))
    found = located(DOCUMENTS / name, chunk(document, lambda text: len(text) // 4 + 1))
    pages = [page_at(document.pages, sentence.start) for sentence, _ in found]
    wrong = [
        (page.number if page else None, on, sentence.text[:60])
        for page, (sentence, on) in zip(pages, found, strict=True)
        if page is None or page.number not in on
    ]
    assert not wrong
    assert len(found) >= 20


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A base of one PDF."""
    made = make_settings(tmp_path_factory.mktemp("sider"), ocr=False)
    made.corpus.mkdir()
    shutil.copy(DOCUMENTS / "os2/SOFD Core - AD replikator.pdf", made.corpus / "a.pdf")
    indexing.run(made, HashEmbedder())
    return made


@pytest.fixture(scope="module")
def reader(settings: Settings) -> FlaskClient:
    return make_app(settings, HashEmbedder()).test_client()


@pytest.fixture(scope="module")
def pages(settings: Settings) -> int:
    """How many pages the PDF has."""
    with pypdfium2.PdfDocument(settings.corpus / "a.pdf") as pdf:
        return len(pdf)


def test_the_page_picture_is_of_the_sentence_and_not_of_the_passage(settings: Settings, reader: FlaskClient) -> None:
    held = SnapshotHolder(settings, HashEmbedder()).searcher().snapshot
    passages = [one for one in held.passages_of("a") if one.page_first != one.page_last]
    found = located(settings.corpus / "a.pdf", passages)
    later = [(sentence, on) for sentence, on in found if sentence.passage.page_first not in on]
    assert later
    for sentence, on in later[:3]:
        place = f"{sentence.start}-{sentence.end}"
        page = reader.get(f"/dokumenter/a?passage={sentence.passage.id}&sted={place}").text
        assert any(f"Side {number}, som den ser ud i filen" in page for number in on)
        number = min(on)
        alone = reader.get(f"/dokumenter/a/side/{number}?passage={sentence.passage.id}&sted={place}").text
        assert f'src="/dokumenter/a/side/{number}.png?passage={sentence.passage.id}&amp;sted={place}"' in alone
        assert "<mark" in alone


def test_a_page_leads_to_those_before_and_after_it_and_to_the_report(reader: FlaskClient, pages: int) -> None:
    views = [reader.get(f"/dokumenter/a/side/{number}").text for number in (1, 2, pages)]
    ways = [re.findall(r'rel="(\w+)" href="/dokumenter/a/side/(\d+)"', view) for view in views]
    assert ways == [[("next", "2")], [("prev", "1"), ("next", "3")], [("prev", str(pages - 1))]]
    assert 'href="/dokumenter/a#side-2"' in views[1]
    assert "<mark" not in views[0]
    assert 'href="/dokumenter/a/side/2"' in reader.get("/dokumenter/a").text
    assert [reader.get(f"/dokumenter/a/side/{number}").status_code for number in (0, pages + 1)] == [404, 404]
