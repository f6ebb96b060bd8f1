"""PDF: pages to runs, runs to lines, lines to blocks.

pypdf reads first. PDFium's reading is taken instead where pypdf fails, is slow, its text scores badly and PDFium's
better, or the two disagree on the letters themselves (``quality``); of a page with tables, or with columns drawn line
by line, since pypdf does not tell where their cells end; and of a page with text that is not seen (``unseen``). The
reader is named on the document. PDFium tells in any case what a page shows: how many characters, which lines are
drawn, the outline, the tags, the page labels. Pages without text, and parts in fonts without a mapping, are recognised
from their image (``scanned``). A file that cannot be opened is searched for whole pages (``salvage``).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

import pypdfium2
from pypdf.errors import FileNotDecryptedError

from kb.core.errors import DamagedFileError, NoTextError, OcrMissingError, ReadError, ReadLimitError
from kb.core.models import ReadWarning
from kb.extract import ocr
from kb.extract.blocks import Content, PageInfo, Properties
from kb.extract.options import ReadOptions
from kb.extract.pdf import pdfium, pypdf_reader
from kb.extract.pdf.fonts import with_weight
from kb.extract.pdf.layers import without_hidden_layers
from kb.extract.pdf.layout import layout
from kb.extract.pdf.letters import filled_by, holed_runs, holed_words, mended, with_filled_page, without_stray_holes
from kb.extract.pdf.lines import has_cells
from kb.extract.pdf.quality import AGREED, GOOD, disagreement, score, visible
from kb.extract.pdf.raw_page import RawPage, plain_text
from kb.extract.pdf.salvage import salvage
from kb.extract.pdf.scanned import (
    is_too_large,
    is_unreadable,
    needs_ocr,
    recognised,
    recognised_beside,
    unreadable_parts,
)
from kb.extract.time_limits import TooSlow, time_limit

MAX_PAGES = 10_000
# pypdf's allowance in seconds of processor time: what it needs for ordinary pages, several times over.
_SLOW, _SLOW_PAGE = 3.0, 0.2
# The share of a file's time that recognition may use; the rest is for what comes after it.
_OCR_SHARE = 0.8
_NAMED_PAGES = 12
_TOO_LARGE = "billedet er for stort til at blive læst. Gem det mindre, fx i 300 punkter pr. tomme."


def read_pdf(data: bytes, options: ReadOptions) -> Content:
    """A PDF; raises a :class:`ReadError` for what is damaged, encrypted or has no text."""
    deadline = time.monotonic() + _OCR_SHARE * options.timeout
    data, document, warnings = _open(data)
    if (shown := without_hidden_layers(data)) is not data:
        document.close()
        data, document = shown, pdfium.open_document(shown)
    with closing(document):
        count = min(len(document), MAX_PAGES)
        if count < len(document):
            warnings.append(ReadWarning("afkortet", f"Kun de første {count} af {len(document)} sider er læst."))
        reader, pages = _read_pages(data, document, count)
        scans = _Scans(document, options.ocr, deadline)
        pages = [without_stray_holes(scans.read(page)) for page in mended(pages)]
        warnings += scans.warnings()
        if not any(page.runs for page in pages):
            raise scans.no_text()
        labels = pdfium.page_labels(document)[:count]
        infos = tuple(
            PageInfo(page.number, label, page.number in scans.done) for page, label in zip(pages, labels, strict=True)
        )
        name = f"{reader}+tesseract" if scans.done else reader
        blocks = tuple(layout(pages, pdfium.outline(document)))
        return Content(name, blocks, _properties(document), infos, tuple(warnings))


def _open(data: bytes) -> tuple[bytes, pypdfium2.PdfDocument, list[ReadWarning]]:
    """The file as it is, or what can be rescued of it."""
    try:
        document = pdfium.open_document(data)
        if len(document):
            return data, document, []
        document.close()
        error = DamagedFileError("PDF-filen har ingen sider.")
    except DamagedFileError as damaged:
        error = damaged
    mended = salvage(data)
    if mended is None:
        raise error
    data, rescued, told = mended
    of = f" af {told}" if told > rescued else ""
    warning = ReadWarning("sider-mangler", f"Filen er beskadiget eller klippet over. {rescued}{of} sider kunne reddes.")
    return data, pdfium.open_document(data), [warning]


def _read_pages(data: bytes, document: pypdfium2.PdfDocument, count: int) -> tuple[str, list[RawPage]]:
    """The pages by the reader whose text is better, and its name."""
    first = _by_pypdf(data, document, count)
    second = [pdfium.read_page(document, number) for number in range(1, count + 1)]
    if first is None:
        return "pdfium", second
    first = [_with_tags(one, other) for one, other in zip(first, second, strict=True)]
    shown = sum(visible(pdfium.page_text(document, page.number)) - page.left_out for page in second)
    first_text, second_text = plain_text(first), plain_text(second)
    first_score, second_score = score(first_text, shown), score(second_text, shown)
    if first_score < GOOD and first_score < second_score:
        return "pdfium", second
    if second_score >= GOOD and disagreement(first_text, second_text) > AGREED:
        return "pdfium", second
    pages = [_better(one, other) for one, other in zip(first, second, strict=True)]
    taken = sum(page is other for page, other in zip(pages, second, strict=True))
    return "pypdf+pdfium" if taken else "pypdf", pages


def _with_tags(first: RawPage, second: RawPage) -> RawPage:
    """pypdf's reading of a page with the tags and the weight of its type, which PDFium alone tells.

    PDFium's where pypdf does not tell what is seen of the page, nor where each letter stands.
    """
    if second.left_out or second.mended:
        return second
    runs = with_weight(first.runs, second.runs) if second.weighed else first.runs
    return replace(first, runs=runs, marks=second.marks)


def _better(first: RawPage, second: RawPage) -> RawPage:
    """PDFium's reading of a page with tables or columns, since pypdf does not tell where their cells end; else pypdf's.

    Also where pypdf's reading of just this page is bad: a font used on one page, or text turned on its side.
    """
    if has_cells(second):
        return second
    shown = visible(plain_text([second]))
    good = score(plain_text([first]), shown)
    return second if good < GOOD and good < score(plain_text([second]), shown) else first


def _by_pypdf(data: bytes, document: pypdfium2.PdfDocument, count: int) -> list[RawPage] | None:
    """The pages by pypdf with the drawn lines PDFium sees; None when pypdf fails or is slow."""
    try:
        with time_limit(_SLOW + _SLOW_PAGE * count) as clock:
            reader = pypdf_reader.Reader(data)
            if len(reader) < count:
                return None
            pages: list[RawPage] = []
            for number in range(1, count + 1):
                clock.check()
                rules = pdfium.page_rules(document, number)
                pages.append(reader.read_page(number, rules))
            return pages
    except TooSlow:
        return None
    except (FileNotDecryptedError, MemoryError, RecursionError):
        return None
    except Exception:  # pypdf raises whatever its parts do on files that break the format's rules
        return None


@dataclass
class _Scans:
    """Recognition of the pages that need it, within the time there is; remembers what was and was not done."""

    document: pypdfium2.PdfDocument
    wanted: bool
    deadline: float
    done: set[int] = field(default_factory=set)
    left: list[int] = field(default_factory=list)
    too_large: list[int] = field(default_factory=list)
    out_of_time: bool = False
    unreadable: list[int] = field(default_factory=list)
    holed: list[int] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)

    def read(self, page: RawPage) -> RawPage:
        """The page, recognised in whole or in part where it must be."""
        parts = None if needs_ocr(self.document, page) else unreadable_parts(page)
        if parts is not None and not parts:
            return self._with_whole_words(_without_unreadable(page))
        if is_too_large(self.document, page):
            self.too_large.append(page.number)
            return page if parts is None else _without_unreadable(page)
        if seconds := self._seconds():
            try:
                result = recognised(self.document, page, parts, seconds)
            except ReadLimitError:
                self.out_of_time = True
            else:
                self.done.add(page.number)
                return result
        if parts is None:
            self.left.append(page.number)
            return page
        self.unreadable.append(page.number)
        return _without_unreadable(page)

    def _seconds(self) -> float:
        """The time there is for recognition; 0 when it is up, or recognition is not to be had."""
        if not self.wanted or not ocr.is_installed():
            return 0.0
        seconds = self.deadline - time.monotonic()
        self.out_of_time = self.out_of_time or seconds <= 0
        return 0.0 if self.out_of_time else seconds

    def _with_whole_words(self, page: RawPage) -> RawPage:
        """The page with words that lack letters read from its image; a page where that fails is named."""
        page = with_filled_page(page, self.words)
        runs = holed_runs(page)
        if not runs:
            return page
        if seconds := self._seconds():
            try:
                seen = recognised_beside(self.document, page, runs, seconds)
            except ReadLimitError:
                self.out_of_time = True
            else:
                self.words |= filled_by([word for run in runs for word in holed_words(run.text)], seen)
                self.done.add(page.number)
                page = with_filled_page(page, self.words)
        if holed_runs(page):
            self.holed.append(page.number)
        return page

    def warnings(self) -> list[ReadWarning]:
        """What a person should know of pages that were not, or only partly, read."""
        found: list[ReadWarning] = []
        if self.left and self.out_of_time:
            text = f"{_pages(self.left)} er billeder, og tiden gik ud. Bed driften om at give læsningen længere tid."
            found.append(ReadWarning("sider-uden-tekst", text))
        elif self.left:
            found.append(ReadWarning("kræver-ocr", f"{_pages(self.left)} er billeder. {self._cure()}"))
        if self.too_large:
            found.append(ReadWarning("sider-uden-tekst", f"{_pages(self.too_large)}: {_TOO_LARGE}"))
        if self.unreadable:
            text = f"{_pages(self.unreadable)} har skrift, som filen ikke fortæller bogstaverne i. {self._cure()}"
            found.append(ReadWarning("ulæselig-skrift", text))
        if self.holed:
            cure = "" if self.wanted and ocr.is_installed() else f" {self._cure()}"
            text = f"{_pages(self.holed)} har ord, som mangler bogstaver, fordi filen ikke fortæller dem.{cure}"
            found.append(ReadWarning("ulæselig-skrift", text))
        return found

    def no_text(self) -> ReadError:
        """Why a file of which nothing was read has no text."""
        if self.too_large:
            return ReadLimitError(f"{_pages(self.too_large)}: {_TOO_LARGE}", code="for-stor")
        if self.left and self.out_of_time:
            return NoTextError(
                "Siderne er billeder, og tegngenkendelsen nåede ikke at blive færdig.", code="tidsgrænse"
            )
        if self.left:
            return OcrMissingError("Siderne er billeder, og deres tekst er ikke genkendt.", advice=self._cure())
        if self.done:
            return NoTextError("Siderne er billeder, og der er ikke fundet tekst i dem.")
        return NoTextError("Filen indeholder ingen tekst.")

    def _cure(self) -> str:
        return OcrMissingError.advice if self.wanted else "Bed driften om at slå tekstgenkendelse til."


def _without_unreadable(page: RawPage) -> RawPage:
    return replace(page, runs=tuple(run for run in page.runs if not is_unreadable(run)))


def _pages(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"Side {numbers[0]}"
    named = ", ".join(map(str, numbers[:_NAMED_PAGES]))
    return f"Siderne {named}" + (f" og {len(numbers) - _NAMED_PAGES} til" if len(numbers) > _NAMED_PAGES else "")


def _properties(document: pypdfium2.PdfDocument) -> Properties:
    try:
        told = document.get_metadata_dict(skip_empty=True)
    except (UnicodeDecodeError, pypdfium2.PdfiumError):
        return Properties()
    return Properties(title=told.get("Title", ""))
