"""Make the PDF, DOCX and HTML reports of corpus/ from their Markdown sources.

A source is `tools/corpus/sources/<id>.md`: front matter in YAML (the report's metadata and one extra key, `format`)
and a body in Markdown. The built report lands in `corpus/projekter/` when its metadata names a project and otherwise in
`corpus/tvaergaaende/`, with `<file>.meta.yaml` beside it.

    python tools/corpus/build.py              every source
    python tools/corpus/build.py rait-lunge   only the ids named

Markdown becomes HTML (templates/*.j2) for WeasyPrint and for the web pages, and a python-docx document for DOCX;
LibreOffice turns such a document into the PDFs of its own. Dates and identifiers are fixed, so the same source, fonts
and versions of the tools (requirements.txt) give the same file again.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import io
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docx
import docx.document
import weasyprint
import yaml
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.styles.style import CharacterStyle, ParagraphStyle
from docx.text.paragraph import Paragraph
from docx.text.run import Run
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "sources"
CORPUS = HERE.parents[1] / "corpus"

# Every file carries the day the facts were collected: with the day of the build, each rebuild would change every file.
STAMP = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
PUBLISHER = "Erfaringsbasen"
FACTS = {"myndighed": "Myndighed", "område": "Område", "emne": "Emne", "periode": "Periode", "status": "Status"}

MARKDOWN = MarkdownIt("commonmark").enable("table")
TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


@dataclass(frozen=True)
class Source:
    """One report as written: its metadata (front matter without `format`), the format wanted and the Markdown body."""

    id: str
    title: str
    format: str
    metadata: Mapping[str, Any]
    body: str

    @property
    def author(self) -> str:
        """Who the report is about: the authority or publisher, or the knowledge base where the sources name none."""
        return str(self.metadata.get("myndighed") or PUBLISHER)

    @property
    def facts(self) -> dict[str, str]:
        """The metadata a reader sees in the report, Danish label to value, without the empty ones."""
        return {label: str(self.metadata[key]) for key, label in FACTS.items() if self.metadata.get(key)}

    @property
    def folder(self) -> Path:
        """Where the built report belongs."""
        return CORPUS / ("projekter" if self.metadata.get("projekt") else "tvaergaaende")


@dataclass(frozen=True)
class Look:
    """How a word-processor document looks: fonts, body size in points and whether lines are justified."""

    body_font: str
    heading_font: str
    size: float
    justified: bool


WORD_LOOK = Look(body_font="Calibri", heading_font="Calibri", size=11, justified=False)
WRITER_LOOK = Look(body_font="Liberation Serif", heading_font="Liberation Sans", size=11.5, justified=True)


def read_source(path: Path) -> Source:
    """Read one Markdown source. Raises ValueError when the front matter lacks what a build needs."""
    opening, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    metadata = yaml.safe_load(front)
    missing = {"id", "titel", "format"} - metadata.keys()
    if opening or missing:
        raise ValueError(f"{path.name}: indledningen mangler {', '.join(sorted(missing)) or 'sin første linje'}")
    if metadata["id"] != path.stem:
        raise ValueError(f"{path.name}: id er {metadata['id']}")
    kind = metadata.pop("format")
    if kind not in BUILDERS:
        raise ValueError(f"{path.name}: ukendt format {kind} (kendte: {', '.join(BUILDERS)})")
    for link in metadata.get("kilder", []):
        if "dato" in link:
            link["dato"] = str(link["dato"])  # an unquoted YAML date must not become a date object in one report only
    return Source(metadata["id"], metadata["titel"], kind, metadata, body.strip() + "\n")


def with_facts(source: Source) -> str:
    """The body with the metadata as a two-column table after the opening notice."""
    if not source.facts:
        return source.body
    heading, notice, rest = source.body.split("\n\n", 2)
    about = "Om projektet" if source.metadata.get("projekt") else "Om udgivelsen"
    rows = [f"| {about} | |", "|---|---|", *(f"| {label} | {value} |" for label, value in source.facts.items())]
    return "\n\n".join([heading, notice, "\n".join(rows), rest])


# --- HTML and WeasyPrint ---


def render_page(template: str, source: Source, body: str) -> str:
    """One of the templates filled with a report."""
    return TEMPLATES.get_template(template).render(
        title=source.title,
        author=source.author,
        subject=source.metadata.get("emne", ""),
        topics=source.metadata.get("temaer", []),
        facts=source.facts,
        stamp=STAMP,
        publisher=PUBLISHER,
        body=MARKDOWN.render(body),
    )


def build_html(source: Source, target: Path) -> None:
    """A page of a public site: navigation, breadcrumb, cookie notice, aside and footer around the report."""
    target.write_text(render_page("webside.html.j2", source, source.body), encoding="utf-8")


def build_weasyprint(source: Source, target: Path) -> None:
    """A PDF in one column with the metadata as a table."""
    write_weasyprint(source, with_facts(source), ["rapport.css"], target)


def build_weasyprint_columns(source: Source, target: Path) -> None:
    """A PDF in two justified, hyphenated columns."""
    write_weasyprint(source, source.body, ["rapport.css", "spalter.css"], target)


def write_weasyprint(source: Source, body: str, stylesheets: Iterable[str], target: Path) -> None:
    """Lay a report out with WeasyPrint; headings become the PDF's outline."""
    sheets = [weasyprint.CSS(filename=HERE / "templates" / name) for name in stylesheets]
    page = weasyprint.HTML(string=render_page("rapport.html.j2", source, body))
    page.write_pdf(target, stylesheets=sheets, pdf_identifier=source.id.encode())


# --- DOCX and LibreOffice ---


def build_docx(source: Source, target: Path) -> None:
    """A Word document with heading, list and table styles, real hyperlinks and core properties."""
    target.write_bytes(docx_bytes(source, with_facts(source), WORD_LOOK))


def build_libreoffice(source: Source, target: Path) -> None:
    """A PDF exported by LibreOffice Writer. Raises CalledProcessError when the export fails."""
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder, target.stem + ".docx")
        document.write_bytes(docx_bytes(source, source.body, WRITER_LOOK))
        # A profile of its own, so that an office running on the desktop neither disturbs nor is disturbed.
        profile = f"-env:UserInstallation={Path(folder, 'profile').as_uri()}"
        options = 'pdf:writer_pdf_Export:{"ExportBookmarks":{"type":"boolean","value":"true"}}'
        command = ["soffice", profile, "--headless", "--convert-to", options, "--outdir", folder, str(document)]
        subprocess.run(command, check=True, capture_output=True)
        target.write_bytes(with_fixed_identity(document.with_suffix(".pdf").read_bytes(), source.id))


def with_fixed_identity(pdf: bytes, name: str) -> bytes:
    """The same PDF with STAMP as its date and an identifier made from a name, as LibreOffice makes both from the clock.

    The replacements are as long as what they replace, so the cross-reference table still holds.
    """
    identity = hashlib.sha256(name.encode()).hexdigest()[:32].upper().encode()
    pdf = re.sub(rb"(/CreationDate\(D:)\d{14}", rb"\g<1>" + STAMP.strftime("%Y%m%d%H%M%S").encode(), pdf)
    pdf = re.sub(rb"(/ID \[ <)[0-9A-F]{32}(>\s<)[0-9A-F]{32}", rb"\g<1>" + identity + rb"\g<2>" + identity, pdf)
    return re.sub(rb"(/DocChecksum /)[0-9A-F]{32}", rb"\g<1>" + identity, pdf)


def docx_bytes(source: Source, body: str, look: Look) -> bytes:
    """The report as a DOCX file."""
    document = docx.Document()
    set_properties(document, source)
    set_styles(document, look)
    set_page(document, source)
    for node in SyntaxTreeNode(MARKDOWN.parse(body)).children:
        add_block(document, node, depth=1)
    stream = io.BytesIO()
    document.save(stream)
    return with_fixed_dates(stream.getvalue())


def set_properties(document: docx.document.Document, source: Source) -> None:
    """Core properties: title, author, subject, keywords, language and fixed dates."""
    properties = document.core_properties
    properties.title = source.title
    properties.author = properties.last_modified_by = source.author
    properties.subject = str(source.metadata.get("emne", ""))
    properties.keywords = ", ".join(source.metadata.get("temaer", []))
    properties.comments = ""
    properties.language = "da-DK"
    properties.created = properties.modified = STAMP.replace(tzinfo=None)


def set_styles(document: docx.document.Document, look: Look) -> None:
    """Fonts, spacing and the language of the styles that the report uses; a Hyperlink style is added."""
    normal = paragraph_style(document, "Normal")
    set_font(normal, look.body_font, look.size)
    normal.paragraph_format.space_after = Pt(7)
    normal.paragraph_format.line_spacing = 1.15
    # The built-in table and list styles inherit from Normal, so justification goes on the paragraphs (see add_block).
    for level, size in ((1, 20), (2, 14), (3, 12)):
        heading = paragraph_style(document, f"Heading {level}")
        set_font(heading, look.heading_font, size)
        heading.font.color.rgb = RGBColor(0x1F, 0x3A, 0x5F)
        heading.paragraph_format.space_before = Pt(0 if level == 1 else 14)
        heading.paragraph_format.space_after = Pt(5)
    for name in ("Header", "Footer"):
        set_font(paragraph_style(document, name), look.heading_font, 8.5)
    body_text = paragraph_style(document, "Body Text")
    body_text.paragraph_format.space_after = Pt(7)
    if look.justified:
        body_text.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    link = document.styles.add_style("Hyperlink", WD_STYLE_TYPE.CHARACTER)
    assert isinstance(link, CharacterStyle)
    link.font.color.rgb = RGBColor(0x05, 0x63, 0xC1)
    link.font.underline = True


def paragraph_style(document: docx.document.Document, name: str) -> ParagraphStyle:
    """A built-in paragraph style by its English name."""
    style = document.styles[name]
    assert isinstance(style, ParagraphStyle)
    return style


def set_font(style: ParagraphStyle, name: str, size: float) -> None:
    """Give a style a font, overriding the theme's, and Danish as its language."""
    style.font.name = name
    style.font.size = Pt(size)
    properties = style.element.get_or_add_rPr()
    fonts = properties.get_or_add_rFonts()
    for attribute in list(fonts.attrib):
        if attribute.endswith("Theme"):
            del fonts.attrib[attribute]
    for slot in ("w:ascii", "w:hAnsi", "w:cs"):
        fonts.set(qn(slot), name)
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "da-DK")
    properties.append(language)


def set_page(document: docx.document.Document, source: Source) -> None:
    """A4 with the title in the header and "Side X af Y" in the footer."""
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.5)
    section.top_margin = section.bottom_margin = Cm(2.5)
    section.header.paragraphs[0].text = source.title
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    footer.add_run("Side ")
    add_field(footer, "PAGE")
    footer.add_run(" af ")
    add_field(footer, "NUMPAGES")


def add_field(paragraph: Paragraph, instruction: str) -> None:
    """A field that the word processor fills in, such as PAGE."""
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), instruction)
    field.append(paragraph.add_run("1")._r)
    paragraph._p.append(field)


def add_block(document: docx.document.Document, node: SyntaxTreeNode, depth: int) -> None:
    """Add one Markdown block. Raises ValueError for a block that has no counterpart here."""
    if node.type == "heading":
        add_inlines(document.add_paragraph(style=f"Heading {node.tag[1:]}"), node)
    elif node.type == "paragraph":
        add_inlines(document.add_paragraph(style="Body Text"), node)
    elif node.type in ("bullet_list", "ordered_list"):
        add_list(document, node, depth)
    elif node.type == "table":
        add_table(document, node)
    elif node.type == "hr":
        document.add_paragraph()
    else:
        raise ValueError(f"Markdown-blokken {node.type} kan ikke skrives som DOCX")


def add_list(document: docx.document.Document, node: SyntaxTreeNode, depth: int) -> None:
    """Add a list with Word's list styles; a list within a list takes the style of the next level."""
    style = "List Bullet" if node.type == "bullet_list" else "List Number"
    for item in node.children:
        for child in item.children:
            if child.type == "paragraph":
                add_inlines(document.add_paragraph(style=style if depth == 1 else f"{style} {depth}"), child)
            else:
                add_block(document, child, depth + 1)


def add_table(document: docx.document.Document, node: SyntaxTreeNode) -> None:
    """Add a table whose first row is its header and repeats on the next page."""
    rows = [row for part in node.children for row in part.children]
    table = document.add_table(rows=0, cols=len(rows[0].children), style="Light Grid Accent 1")
    for row in rows:
        cells = table.add_row().cells
        for cell, content in zip(cells, row.children, strict=True):
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.space_after = Pt(2)
            add_inlines(paragraph, content)
    repeat = OxmlElement("w:tblHeader")
    table.rows[0]._tr.get_or_add_trPr().append(repeat)
    document.add_paragraph()


def add_inlines(paragraph: Paragraph, node: SyntaxTreeNode, *, bold: bool = False, italic: bool = False) -> None:
    """Add the text under a node to a paragraph, with its emphasis and links."""
    for child in node.children:
        if child.type == "text":
            format_run(paragraph.add_run(child.content), bold, italic)
        elif child.type == "softbreak":
            paragraph.add_run(" ")
        elif child.type == "hardbreak":
            paragraph.add_run().add_break()
        elif child.type == "link":
            add_link(paragraph, child)
        elif child.type in ("inline", "strong", "em"):
            add_inlines(paragraph, child, bold=bold or child.type == "strong", italic=italic or child.type == "em")
        else:
            raise ValueError(f"Markdown-elementet {child.type} kan ikke skrives som DOCX")


def format_run(run: Run, bold: bool, italic: bool) -> None:
    """Set what is on and leave the rest to the style."""
    run.bold = bold or None
    run.italic = italic or None


def add_link(paragraph: Paragraph, node: SyntaxTreeNode) -> None:
    """A hyperlink that Word follows: a relationship of the document and a run inside w:hyperlink."""
    relation = paragraph.part.relate_to(str(node.attrs["href"]), RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), relation)
    text = "".join(part.content for part in node.walk() if part.type == "text")
    run = paragraph.add_run(text, style="Hyperlink")
    link.append(run._r)
    paragraph._p.append(link)


def with_fixed_dates(archive: bytes) -> bytes:
    """The same zip archive with every member's time set to STAMP, so that a rebuild gives the same bytes."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            member = zipfile.ZipInfo(name, date_time=STAMP.timetuple()[:6])
            member.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(member, old.read(name))
    return result.getvalue()


# --- Command line ---

BUILDERS: Mapping[str, tuple[str, Callable[[Source, Path], None]]] = {
    "html": (".html", build_html),
    "docx": (".docx", build_docx),
    "pdf-weasyprint": (".pdf", build_weasyprint),
    "pdf-weasyprint-spalter": (".pdf", build_weasyprint_columns),
    "pdf-libreoffice": (".pdf", build_libreoffice),
}


def build(source: Source) -> Path:
    """Write a report and its metadata; returns the report's path."""
    suffix, builder = BUILDERS[source.format]
    target = source.folder / (source.id + suffix)
    target.parent.mkdir(parents=True, exist_ok=True)
    builder(source, target)
    metadata = yaml.safe_dump(dict(source.metadata), allow_unicode=True, sort_keys=False, width=120)
    target.with_name(target.name + ".meta.yaml").write_text(metadata, encoding="utf-8")
    return target


def main(arguments: list[str] | None = None) -> int:
    """Build the reports named, or all of them."""
    parser = argparse.ArgumentParser(description="Byg rapporterne i corpus/ af kilderne i tools/corpus/sources/.")
    parser.add_argument("id", nargs="*", help="rapporter, der skal bygges (uden: alle)")
    wanted = parser.parse_args(arguments).id
    paths = [SOURCES / f"{name}.md" for name in wanted] or sorted(SOURCES.glob("*.md"))
    try:
        sources = [read_source(path) for path in paths]
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    for source in sources:
        print(build(source).relative_to(CORPUS.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
