"""PDF: pages to lines, lines to blocks."""

from __future__ import annotations

from contextlib import closing

from kb.extract.blocks import Content, PageInfo, Properties
from kb.extract.options import ReadOptions
from kb.extract.pdf import pdfium
from kb.extract.pdf.layout import layout


def read_pdf(data: bytes, options: ReadOptions) -> Content:
    """A PDF; raises a :class:`ReadError` for what is damaged, encrypted or has no text."""
    with closing(pdfium.open_document(data)) as document:
        pages = [pdfium.read_page(document, number) for number in range(1, len(document) + 1)]
        labels = pdfium.page_labels(document)
        infos = tuple(PageInfo(page.number, label) for page, label in zip(pages, labels, strict=True))
        title = document.get_metadata_dict().get("Title", "")
        return Content("pdfium", tuple(layout(pages, pdfium.outline(document))), Properties(title=title), infos)
