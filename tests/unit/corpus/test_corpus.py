"""The shipped reports: each against the facts it was written from, and each built file against its source.

The facts lie beside the repository (../shared/facts, or KB_SHARED); without them those tests are skipped. The rest need
only what is in the repository: the Markdown of every report (in corpus/, or in tools/corpus/sources/ where
tools/corpus/build.py has made a PDF, DOCX or HTML file of it) and the built files with their metadata.
"""

import datetime as dt
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mammoth
import pypdf
import pypdfium2
import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from rapidfuzz.distance import LCSseq
from selectolax.lexbor import LexborHTMLParser

ROOT = Path(__file__).resolve().parents[3]
CORPUS = ROOT / "corpus"
SOURCES = ROOT / "tools" / "corpus" / "sources"
FACTS = Path(os.environ.get("KB_SHARED", ROOT.parent / "shared")) / "facts"

MARKDOWN = MarkdownIt("commonmark").enable("table")
METADATA_KEYS = {
    "id",
    "titel",
    "projekt",
    "myndighed",
    "type",
    "omfang",
    "område",
    "emne",
    "periode",
    "år",
    "status",
    "temaer",
    "sprog",
    "kilder",
}
THEMES = {"jura", "data", "it-infrastruktur", "organisation", "etik", "økonomi", "leverandør", "klinisk"}
TYPES = {"kommunal", "regional", "statslig", "tværgående"}
MONTHS = [
    "januar",
    "februar",
    "marts",
    "april",
    "maj",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "december",
]
NUMBER_WORDS = dict(
    zip(
        ["to", "tre", "fire", "fem", "seks", "syv", "otte", "ni", "ti", "elleve", "tolv"],
        map(str, range(2, 13)),
        strict=True,
    )
)
# Capitalised words that every report may use: the product, and the letters that stand for kunstig intelligens.
COMMON_NAMES = {"erfaringsbasen", "ai"}


@dataclass(frozen=True)
class Report:
    """One report as Markdown: where it lies, its metadata without `format`, the format, and the parsed body."""

    path: Path
    metadata: dict[str, Any]
    format: str
    tree: SyntaxTreeNode

    @property
    def id(self) -> str:
        return self.path.stem

    @property
    def text(self) -> str:
        """What a reader sees, one line a block, without the addresses of links."""
        return "\n".join(blocks(self.tree))

    @property
    def links(self) -> list[str]:
        return [str(node.attrs["href"]) for node in self.tree.walk() if node.type == "link"]

    @property
    def headings(self) -> list[tuple[str, str]]:
        return [(node.tag, inline_text(node)) for node in self.tree.walk() if node.type == "heading"]

    @property
    def built(self) -> Path:
        """The file build.py makes of it."""
        folder = CORPUS / ("projekter" if self.metadata.get("projekt") else "tvaergaaende")
        return folder / f"{self.id}.{self.format.split('-')[0]}"


def inline_text(node: SyntaxTreeNode) -> str:
    """The visible text under a node."""
    spaces = {"softbreak": " ", "hardbreak": " "}
    return "".join(spaces.get(part.type, part.content if part.type == "text" else "") for part in node.walk())


def blocks(tree: SyntaxTreeNode) -> Iterator[str]:
    """The text of every heading, paragraph, list item and table cell, in order."""
    return (inline_text(node) for node in tree.walk() if node.type == "inline")


def read_report(path: Path) -> Report:
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    metadata = yaml.safe_load(front)
    for link in metadata.get("kilder", []):
        if "dato" in link:
            link["dato"] = str(link["dato"])
    kind = metadata.pop("format", "md")
    return Report(path, metadata, kind, SyntaxTreeNode(MARKDOWN.parse(body)))


REPORTS = [read_report(path) for path in sorted([*CORPUS.glob("*/*.md"), *SOURCES.glob("*.md")], key=lambda p: p.stem)]
BUILT = [report for report in REPORTS if report.format != "md"]
each_report = pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.id)
each_built = pytest.mark.parametrize("report", BUILT, ids=lambda report: report.id)


# --- The facts ---


@pytest.fixture(scope="module")
def facts() -> dict[str, dict[str, Any]]:
    """Every item of projects.yaml and cross_cutting.yaml by its id."""
    files = [FACTS / name for name in ("projects.yaml", "cross_cutting.yaml")]
    if not all(file.exists() for file in files):
        pytest.skip("../shared/facts (or KB_SHARED) is absent: the reports are NOT held to their facts")
    return {item["id"]: item for file in files for item in yaml.safe_load(file.read_text(encoding="utf-8"))}


def strings(value: object) -> Iterator[str]:
    """Every string in an item except addresses."""
    if isinstance(value, dict):
        yield from (text for part in value.values() for text in strings(part))
    elif isinstance(value, list):
        yield from (text for part in value for text in strings(part))
    elif isinstance(value, dt.date):
        yield value.isoformat()
    elif not str(value).startswith("http"):
        yield str(value)


def item_text(item: dict[str, Any]) -> str:
    return "\n".join(strings(item))


def points(item: dict[str, Any]) -> list[dict[str, str]]:
    """The challenges of a project or the points of a cross-cutting item."""
    found: list[dict[str, str]] = item.get("udfordringer", item.get("pointer", []))
    return found


def numbers(text: str) -> set[str]:
    """Numbers as written, with the zero of 2021-09 left out so that it is the 9 of "9. september"."""
    return {number.lstrip("0") or "0" for number in re.findall(r"\d+(?:[.,]\d+)*", text)}


def measures(text: str) -> set[tuple[str, str]]:
    """Numbers with the unit that follows them."""
    units = "mio|mia|kr|procent|pct|timer|uger|måneder|år|minutter"
    found = re.findall(rf"(\d+(?:[.,]\d+)*)\s*(%|(?:{units})(?=s?\b))", text)
    return {(number, {"pct": "procent", "%": "procent"}.get(unit, unit)) for number, unit in found}


def months(text: str) -> set[str]:
    """Months named in words or in ISO dates."""
    named = {month for month in MONTHS if re.search(rf"\b{month}\b", text.lower())}
    return named | {MONTHS[int(number) - 1] for number in re.findall(r"\b20\d\d-(0[1-9]|1[0-2])\b", text)}


def bare(word: str) -> str:
    """A word in lower case without a genitive ending."""
    return re.sub(r"['’]?s$", "", word.lower())


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text)


def names_inside_sentences(text: str) -> set[str]:
    """Capitalised words that do not open a sentence, a heading, a list item or a table cell: in Danish, names."""
    sentences = (part for line in text.splitlines() for part in re.split(r"(?<=[.!?:])\s+|(?<=[«»\"”(])", line))
    inner = (word for sentence in sentences for word in words(sentence)[1:])
    return {word for word in inner if word[0].isupper()}


def known_names(facts: dict[str, dict[str, Any]]) -> set[str]:
    """The projects' names and the authorities, publishers and partners of all items."""
    fields = ("myndighed", "udgiver", "partnere")
    bodies = (text for item in facts.values() for field in fields for text in strings(item.get(field, "")))
    parts = (part.strip() for text in bodies for part in re.split(r"[(),/:]| og | m\.fl\.| med bistand fra | i ", text))
    projects = {item["navn"] for item in facts.values() if "navn" in item}
    return projects | {part.removesuffix(" deltager") for part in parts if part[:1].isupper()}


# --- Reports against their items ---


def test_there_is_one_report_for_each_item(facts: dict[str, dict[str, Any]]) -> None:
    assert Counter(report.id for report in REPORTS) == Counter(facts.keys())


@each_report
def test_numbers_are_the_items(report: Report, facts: dict[str, dict[str, Any]]) -> None:
    item = item_text(facts[report.id])
    assert numbers(report.text) - numbers(item) == set()
    assert measures(report.text) - measures(item) == set()
    assert months(report.text) - months(item) == set()


@each_report
def test_number_words_are_supported_by_the_item(report: Report, facts: dict[str, dict[str, Any]]) -> None:
    item = item_text(facts[report.id])
    said = {word.lower() for word in words(item)} | numbers(item)
    used = set(NUMBER_WORDS) & {word.lower() for word in words(report.text)}
    # "femdobles" supports "fem gange".
    unsupported = {
        word
        for word in used
        if not {word, NUMBER_WORDS[word]} & said and not any(other.startswith(f"{word}dob") for other in said)
    }
    assert unsupported == set()


@each_report
def test_names_are_the_items(report: Report, facts: dict[str, dict[str, Any]]) -> None:
    item = {bare(word) for word in words(item_text(facts[report.id]))}
    used = {bare(word) for word in names_inside_sentences(report.text)}
    assert used - item - COMMON_NAMES == set()


@pytest.mark.slow
@each_report
def test_known_projects_and_authorities_are_the_items(report: Report, facts: dict[str, dict[str, Any]]) -> None:
    item = item_text(facts[report.id])
    item_words = {bare(word) for word in words(item)}
    mentioned = {name for name in known_names(facts) if re.search(rf"(?<!\w){re.escape(name)}s?(?!\w)", report.text)}
    assert {name for name in mentioned if not {bare(word) for word in words(name)} <= item_words} == set()
    authorities = re.findall(r"[A-ZÆØÅ][\w-]+ Kommune|Region [A-ZÆØÅ]\w+", report.text)
    assert {name for name in authorities if name.removesuffix("s") not in item} == set()


@each_report
def test_links_are_the_items(report: Report, facts: dict[str, dict[str, Any]]) -> None:
    sources = facts[report.id]["kilder"]
    assert set(report.links) == {source["url"] for source in sources}
    given = [{key: str(value) for key, value in source.items() if value} for source in sources]
    assert report.metadata["kilder"] == given


@each_report
def test_metadata_is_the_items(report: Report, facts: dict[str, dict[str, Any]]) -> None:
    item, metadata = facts[report.id], report.metadata
    assert set(metadata.get("temaer", [])) == {point["tema"] for point in points(item)}
    if "navn" in item:
        expected = {key: item[key] for key in ("myndighed", "type", "område", "emne", "periode", "status")}
        expected["projekt"] = item["navn"]
    else:
        expected = {"projekt": "", "myndighed": item["udgiver"]}
    assert {key: metadata.get(key, "") for key in expected} == expected
    assert str(metadata.get("år", "")) in {"", *numbers(f"{item.get('periode', '')} {item.get('dato', '')}")}


@each_report
def test_our_reading_stands_apart(report: Report, facts: dict[str, dict[str, Any]]) -> None:
    item = facts[report.id]
    inferred = any(point.get("læring_udledt") for point in points(item))
    headings = [heading for _, heading in report.headings]
    assert headings.count("Vores læsning") == int(inferred)
    if "navn" in item:
        assert ("Læring" not in headings) or any(point["læring"] for point in points(item))
        assert ("Råd" not in headings) or item["råd"]


@each_report
def test_wording_is_ours(report: Report, facts: dict[str, dict[str, Any]]) -> None:
    """Thirteen words in a row that also stand in the facts are taken over, not written."""
    row = 13
    fields = ("pointe", "udfordring", "håndtering", "læring", "læring_udledt")
    prose = [point.get(field, "") for point in points(facts[report.id]) for field in fields]
    prose += [facts[report.id].get(field, "") for field in ("formål", "data", "metode", "bemærkning")]
    taken = {run for block in blocks(report.tree) for run in runs(block, row)}
    assert taken & {run for text in prose for run in runs(text, row)} == set()


def runs(text: str, length: int) -> set[str]:
    """Every run of so many words in a text, without numbers: a reference to the law can only be written one way."""
    found = [word.lower() for word in words(text) if word.isalpha()]
    return {" ".join(found[start : start + length]) for start in range(len(found) - length + 1)}


# --- Reports on their own ---


@each_report
def test_report_has_its_form(report: Report) -> None:
    metadata = report.metadata
    assert set(metadata) <= METADATA_KEYS
    assert all(value not in ("", None, []) for value in metadata.values())
    assert metadata["id"] == report.id
    assert metadata["sprog"] == "da"
    assert metadata["type"] in TYPES
    themes = metadata.get("temaer", [])
    assert set(themes) <= THEMES
    assert len(themes) == len(set(themes))
    assert report.headings[0] == ("h1", metadata["titel"])
    assert [tag for tag, _ in report.headings].count("h1") == 1
    assert report.headings[-1] == ("h2", "Kilder")
    assert set(report.links) == {source["url"] for source in metadata["kilder"]}
    assert 20 <= len(words(report.text)) <= 700


@each_report
def test_notice_opens_the_report(report: Report) -> None:
    paragraph = report.tree.children[1]
    assert paragraph.type == "paragraph"
    assert [part.type for part in paragraph.children[0].children] == ["em"]
    notice = inline_text(paragraph)
    assert "Erfaringsbasen" in notice
    assert re.search(r"\b(ikke|hverken|ingen)\b", notice.lower())


@each_report
def test_no_heading_is_empty(report: Report) -> None:
    nodes = report.tree.children
    for node, following in zip(nodes, [*nodes[1:], None], strict=True):
        if node.type == "heading":
            assert following is not None, inline_text(node)
            deeper = following.type == "heading" and following.tag > node.tag
            assert following.type != "heading" or deeper, inline_text(node)


# --- Built files ---


def corpus_files(*suffixes: str) -> list[Path]:
    return sorted(path for path in CORPUS.glob("*/*") if path.suffix in suffixes and not path.name.startswith("."))


def pdf_text(path: Path) -> str:
    document = pypdfium2.PdfDocument(path)
    try:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()


def built_text(path: Path) -> str:
    """The text of a built file; of a web page only what is in <main>."""
    if path.suffix == ".pdf":
        return pdf_text(path)
    if path.suffix == ".docx":
        with path.open("rb") as file:
            return str(mammoth.extract_raw_text(file).value)
    main = LexborHTMLParser(path.read_text(encoding="utf-8")).css_first("main article")
    assert main is not None
    return main.text(separator="\n")


def comparable(text: str) -> list[str]:
    """Words without the hyphens that line breaks put into them (PDFium marks those with U+0002 or U+FFFE)."""
    whole = re.sub(r"[-‐\u00ad\u0002\ufffe]\s*\n|[-‐\u00ad\u0002\ufffe]", "", unicodedata.normalize("NFC", text))
    return words(whole.lower())


def test_every_report_is_indexed_once() -> None:
    documents = [path for path in CORPUS.glob("*/*") if path.suffix in (".md", ".pdf", ".docx", ".html")]
    assert Counter(path.stem for path in documents) == Counter(report.id for report in REPORTS)
    orphans = [path for path in CORPUS.glob("*/*.meta.yaml") if not path.with_name(path.name[:-10]).exists()]
    assert orphans == []


def test_formats_are_those_of_a_caseworkers_folder() -> None:
    pdfs = corpus_files(".pdf")
    producers = Counter(str(pypdf.PdfReader(path).metadata.producer).split()[0] for path in pdfs)  # type: ignore[union-attr]
    assert len(pdfs) >= 14
    assert len([count for count in producers.values() if count >= 3]) >= 2, producers
    assert len(corpus_files(".docx")) >= 8
    assert len(corpus_files(".html")) >= 4
    layouts = Counter(report.format for report in BUILT)
    assert layouts["pdf-weasyprint-spalter"] >= 2, layouts


def test_some_pdfs_hold_a_table() -> None:
    tables = [report.id for report in BUILT if report.built.suffix == ".pdf" and has_table(report)]
    assert len(tables) >= 3


def has_table(report: Report) -> bool:
    return any(node.type == "table" for node in report.tree.children)


@each_built
@pytest.mark.slow
def test_built_file_says_what_its_source_says(report: Report) -> None:
    source, built = comparable(report.text), comparable(built_text(report.built))
    kept = LCSseq.similarity(source, built) / len(source)
    assert kept >= 0.98, f"{kept:.1%} af ordene i rækkefølge; byg igen: python tools/corpus/build.py {report.id}"


@each_built
def test_built_metadata_is_the_sources(report: Report) -> None:
    beside = report.built.with_name(report.built.name + ".meta.yaml")
    assert yaml.safe_load(beside.read_text(encoding="utf-8")) == report.metadata


@pytest.mark.parametrize("path", corpus_files(".pdf"), ids=lambda path: path.stem)
@pytest.mark.slow
def test_pdf_has_title_outline_header_and_footer(path: Path) -> None:
    reader = pypdf.PdfReader(path)
    assert reader.metadata is not None
    title = reader.metadata.title
    assert title
    assert reader.metadata.author
    assert reader.outline
    pages = [" ".join(line.split()) for line in (page.extract_text() for page in reader.pages)]
    assert all(f"Side {number} af {len(pages)}" in text for number, text in enumerate(pages, start=1))
    assert pdf_text(path).count(title) >= len(pages)


@pytest.mark.parametrize("path", corpus_files(".docx"), ids=lambda path: path.stem)
@pytest.mark.slow
def test_docx_has_real_headings_lists_and_links(path: Path) -> None:
    with path.open("rb") as file:
        page = LexborHTMLParser(mammoth.convert_to_html(file).value)
    assert len(page.css("h1")) == 1
    assert len(page.css("h2")) >= 2
    assert page.css("ul > li a[href^=http]")


@pytest.mark.parametrize("path", corpus_files(".html"), ids=lambda path: path.stem)
def test_web_page_has_navigation_around_the_text(path: Path) -> None:
    page = LexborHTMLParser(path.read_text(encoding="utf-8"))
    assert all(page.css_first(selector) for selector in ("header nav", "nav.breadcrumb", "aside", "footer", ".cookies"))
    assert len(page.css("h1")) == 1
