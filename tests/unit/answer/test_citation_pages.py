"""A citation names the page its own sentence begins on, whatever page its passage begins on."""

from __future__ import annotations

from dataclasses import replace

from kb.answer.composition import Citations
from kb.core.models import DocumentRecord, Metadata, Page, Passage
from kb.language.sentences import sentences_of

TEXT = (
    "Projektet i Vandby begyndte med et udbud. Det tog hele foråret at skrive. "
    "Leverandøren gik konkurs i maj. Derfor blev systemet forsinket."
)
SECOND = TEXT.index("Det tog")
THIRD = TEXT.index("Derfor")
PAGES = (Page(1, 0, SECOND, "iv"), Page(2, SECOND, THIRD), Page(3, THIRD, len(TEXT), "3"))
PASSAGE = Passage("a.1", "a", 0, TEXT, 0, len(TEXT), page_first=1, page_last=3)
RECORD = DocumentRecord("a", "a.pdf", "", "application/pdf", "pdfium", Metadata("a", "A"), 3, 1, len(TEXT))


def cited(pages: tuple[Page, ...]) -> list[tuple[int | None, str]]:
    citations = Citations(lambda _: pages)
    for sentence in sentences_of(PASSAGE):
        citations.cite(sentence, RECORD)
    return [(citation.page, citation.page_label) for citation in citations.made]


def test_each_sentence_of_a_passage_over_three_pages_is_cited_by_its_own_page() -> None:
    assert cited(PAGES) == [(1, "iv"), (2, ""), (2, ""), (3, "3")]


def test_a_reports_pages_are_asked_for_once() -> None:
    asked: list[str] = []

    def pages_of(document_id: str) -> tuple[Page, ...]:
        asked.append(document_id)
        return PAGES

    citations = Citations(pages_of)
    for sentence in sentences_of(PASSAGE):
        citations.cite(sentence, RECORD)
    assert (len(citations.made), asked) == (4, ["a"])


def test_a_report_without_pages_is_cited_without_one() -> None:
    assert cited(()) == [(None, "")] * 4


def test_an_empty_page_between_is_never_cited() -> None:
    empty = replace(PAGES[1], start=SECOND, end=SECOND)
    assert (2, "") not in cited((PAGES[0], empty, Page(3, SECOND, len(TEXT))))
