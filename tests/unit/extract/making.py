"""Makers of small documents for the tests of the readers."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from itertools import pairwise
from pathlib import Path
from typing import Any

from docx import Document as Word
from fpdf import FPDF
from openpyxl import Workbook
from PIL import Image, ImageDraw, ImageFont
from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    PdfObject,
    StreamObject,
    TextStringObject,
)

from kb.core.models import Document
from kb.extract import ReadOptions, read_file

OPTIONS = ReadOptions(ocr=False)
MARKER_TEXT = "En tekst uden overskrift."

SENTENCES = (
    "Kommunen begyndte forsøget i foråret og havde fra første dag travlt med at skaffe data.",
    "Leverandøren kunne ikke levere det aftalte, og derfor måtte projektgruppen tænke om igen.",
    "Sagsbehandlerne brugte løsningen hver dag og var for det meste glade for den.",
    "Erfaringen er, at jura og teknik skal tale sammen, før man går i gang med det første forsøg.",
)


def read(path: Path, options: ReadOptions = OPTIONS) -> Document:
    """Read a file with its folder as the root."""
    return read_file(path, path.parent, options)


def written(folder: Path, name: str, data: bytes | str) -> Path:
    """Write a file and give its path."""
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


class Pdf(FPDF):
    """A PDF with running headers and footers when asked for."""

    def __init__(self, running: str = "") -> None:
        super().__init__(format="A4")
        self.running = running
        self.set_auto_page_break(auto=True, margin=25)
        self.set_font("Helvetica", size=11)

    def header(self) -> None:
        if self.running:
            self.set_font("Helvetica", size=8)
            self.cell(0, 8, self.running)
            self.ln(12)
            self.set_font("Helvetica", size=11)

    def footer(self) -> None:
        if self.running:
            self.set_y(-15)
            self.set_font("Helvetica", size=8)
            self.cell(0, 8, f"Side {self.page_no()} af {{nb}}")
            self.set_font("Helvetica", size=11)

    def heading(self, text: str, size: float = 16) -> None:
        """A heading in larger type."""
        self.set_font("Helvetica", "B", size)
        self.ln(4)
        self.multi_cell(0, size * 0.5, text, new_x="LMARGIN", new_y="NEXT")
        self.ln(2)
        self.set_font("Helvetica", size=11)

    def paragraph(self, text: str) -> None:
        """A paragraph of body text."""
        self.multi_cell(0, 6, text, align="L", new_x="LMARGIN", new_y="NEXT")
        self.ln(4)

    def bytes(self) -> bytes:
        """The finished file."""
        return bytes(self.output())


def report_pdf(pages: int = 3, running: str = "Erfaringer fra projektet") -> bytes:
    """A report with a title, sections and running lines."""
    pdf = Pdf(running)
    pdf.add_page()
    pdf.heading("Rapport om forsøget", 22)
    for number in range(pages * 2):
        pdf.heading(f"Afsnit {number + 1}")
        for _ in range(4):
            pdf.paragraph(" ".join(SENTENCES))
    return pdf.bytes()


def scanned_pdf(lines: Sequence[str]) -> bytes:
    """A page that is one image of printed text."""
    image = Image.new("L", (1654, 2339), 255)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=44)
    for index, line in enumerate(lines):
        draw.text((150, 200 + 62 * index), line, fill=0, font=font)
    pdf = FPDF(format="A4")
    pdf.add_page()
    pdf.image(image, 0, 0, 210, 297)
    return bytes(pdf.output())


def image_pdf(width: int, height: int) -> bytes:
    """A page that is one grey image which says it has so many pixels."""
    writer = PdfWriter()
    page = writer.add_blank_page(595, 842)
    image = StreamObject()
    image.set_data(b"\0" * 100_000)
    described = {"/Type": NameObject("/XObject"), "/Subtype": NameObject("/Image"), "/Width": NumberObject(width),
                 "/Height": NumberObject(height), "/ColorSpace": NameObject("/DeviceGray"),
                 "/BitsPerComponent": NumberObject(8)}  # fmt: skip
    image.update({NameObject(key): value for key, value in described.items()})
    shown = StreamObject()
    shown.set_data(b"q 595 0 0 842 0 0 cm /I Do Q")
    images = DictionaryObject({NameObject("/I"): writer._add_object(image)})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): images})
    page[NameObject("/Contents")] = writer._add_object(shown)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def docx(fill: object = None) -> bytes:
    """A Word document with headings, a list and a table."""
    word = Word()
    word.core_properties.title = "Erfaringer med sagsbehandling"
    word.add_heading("Formål", 1)
    word.add_paragraph(SENTENCES[0])
    word.add_heading("Data", 2)
    word.add_paragraph("Første kilde", style="List Bullet")
    word.add_paragraph("Anden kilde", style="List Bullet")
    table = word.add_table(rows=3, cols=2)
    for row, cells in zip(table.rows, [("År", "Sager"), ("2020", "120"), ("2021", "340")], strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    word.add_paragraph(SENTENCES[1])
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


def container(parts: Mapping[str, str | bytes]) -> bytes:
    """A ZIP container; a part named mimetype comes first and is not packed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            kind = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(name, data, compress_type=kind)
    return buffer.getvalue()


_ODF = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
    'xmlns:presentation="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"'
)


def opendocument(body: str, kind: str = "text", *, styles: str = "") -> bytes:
    """An OpenDocument file with this inside its body, and with these styles."""
    content = f"<office:document-content {_ODF}><office:automatic-styles>{styles}</office:automatic-styles><office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"  # noqa: E501
    return container({"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content})


def epub(chapters: Mapping[str, str]) -> bytes:
    """A book of XHTML chapters in this order."""
    items = "".join(
        f'<item id="c{i}" href="{name}" media-type="application/xhtml+xml"/>' for i, name in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="c{i}"/>' for i in range(len(chapters)))
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<metadata><dc:title>En bog</dc:title><dc:language>da</dc:language><dc:date>2021-05-01</dc:date></metadata>"
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    root = '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/b.opf"/></rootfiles></container>'  # noqa: E501
    parts = {"mimetype": "application/epub+zip", "META-INF/container.xml": root, "OEBPS/b.opf": package}
    return container(parts | {f"OEBPS/{name}": f"<html><body>{body}</body></html>" for name, body in chapters.items()})


_WORD_NAMESPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:v="urn:schemas-microsoft-com:vml"'
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def word_xml(body: str, *, comments: str = "", styles: str = "") -> bytes:
    """A Word document with this XML in its body, and with comments and styles when given."""
    parts = {"comments": comments, "styles": styles}
    links = "".join(
        f'<Relationship Id="r{name}" Type="{_OFFICE}/{name}" Target="{name}.xml"/>'
        for name, xml in parts.items()
        if xml
    )
    written = {
        f"word/{name}.xml": f"<w:{name} {_WORD_NAMESPACES}>{xml}</w:{name}>" for name, xml in parts.items() if xml
    }
    types = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'  # noqa: E501
    return container(
        {
            "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">{types}</Types>',
            "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{_OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>',
            "word/_rels/document.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>',
            "word/document.xml": f"<w:document {_WORD_NAMESPACES}><w:body>{body}</w:body></w:document>",
            **written,
        }
    )


def dictionary(entries: Mapping[str, Any]) -> DictionaryObject:
    """A dictionary of a PDF."""
    return DictionaryObject({NameObject(f"/{key}"): value for key, value in entries.items()})


class DrawnPdf:
    """A PDF of one page whose content stream is written out, with layers when asked for."""

    def __init__(self) -> None:
        self.writer = PdfWriter()
        self.page = self.writer.add_blank_page(595, 842)
        font = dictionary(
            {
                "Type": NameObject("/Font"),
                "Subtype": NameObject("/Type1"),
                "BaseFont": NameObject("/Helvetica"),
                "Encoding": NameObject("/WinAnsiEncoding"),
            }
        )
        self.font = font
        self.named = dictionary({})
        self.resources = dictionary({"Font": dictionary({"F": font}), "Properties": self.named})
        self.page[NameObject("/Resources")] = self.resources
        self.groups: dict[str, PdfObject] = {}

    def layer(self, name: str, view: str = "") -> PdfObject:
        """Add a layer, and a mark of its name."""
        group = dictionary({"Type": NameObject("/OCG"), "Name": TextStringObject(name)})
        if view:
            state = dictionary({"ViewState": NameObject(f"/{view}")})
            group[NameObject("/Usage")] = dictionary({"View": state})
        self.groups[name] = self.writer._add_object(group)
        self.mark(name, self.groups[name])
        return self.groups[name]

    def mark(self, name: str, content: PdfObject) -> None:
        """Name what a mark in the content stream stands for."""
        self.named[NameObject(f"/{name}")] = content

    def switch(self, **default: PdfObject) -> None:
        """Set how layers are shown."""
        described = {"OCGs": ArrayObject(self.groups.values()), "D": dictionary(dict(default))}
        self.writer.root_object[NameObject("/OCProperties")] = dictionary(described)

    def bytes(self, stream: str) -> bytes:
        """The finished file with this content stream."""
        content = DecodedStreamObject()
        content.set_data(stream.encode("cp1252"))
        self.page[NameObject("/Contents")] = self.writer._add_object(content)
        buffer = io.BytesIO()
        self.writer.write(buffer)
        return buffer.getvalue()


def drawn_line(text: str, y: int, x: int = 60, before: str = "") -> str:
    """What draws a line of text, after these operations."""
    return f"BT {before} /F 11 Tf {x} {y} Td ({text}) Tj ET\n"


def xlsx(sheets: Mapping[str, Sequence[Sequence[object]]]) -> Workbook:
    """A workbook with these rows in these sheets."""
    workbook = Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    return workbook


def saved(workbook: Workbook) -> bytes:
    """The file of a workbook."""
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def eml(text: str, *, subject: str = "Status på forsøget", html: str = "", **attached: bytes) -> bytes:
    """A mail from one person to another and an authority, with files attached under names without their dots."""
    message = EmailMessage()
    message["From"] = "Anne Hansen <anne.hansen@odense.dk>"
    message["To"] = "Bo Lund <bl@vejle.dk>, Vejle Kommune <post@vejle.dk>"
    message["Date"] = "Thu, 04 May 2023 10:15:00 +0200"
    message["Subject"] = subject
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    for name, data in attached.items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name.replace("_", "."))
    return message.as_bytes()


# A compound file has sectors of 512 bytes, short streams in the 64-byte sectors of a stream of their own.
_SECTOR, _SHORT, _CUTOFF = 512, 64, 4096
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
Tree = Mapping[str, "bytes | Tree"]


def compound(tree: Tree) -> bytes:
    """A compound file (OLE) of short streams, in storages as the mapping has them."""
    entries: list[tuple[str, int, int, list[int], int, int]] = []
    short = bytearray()
    short_fat: list[int] = []

    def add(name: str, content: bytes | Tree) -> int:
        place = len(entries)
        entries.append((name, 0, 0, [], 0, 0))
        if isinstance(content, bytes):
            start = len(short_fat) if content else _END
            count = -(-len(content) // _SHORT)
            short_fat.extend([*range(len(short_fat) + 1, len(short_fat) + count), _END] if count else [])
            short.extend(content.ljust(count * _SHORT, b"\0"))
            entries[place] = (name, 2, start, [], len(content), 0)
        else:
            below = [add(key, content[key]) for key in sorted(content, key=lambda key: (len(key), key.upper()))]
            entries[place] = (name, 5 if place == 0 else 1, 0, below, 0, 0)
        return place

    add("Root Entry", tree)
    right = {one: two for _, _, _, below, _, _ in entries for one, two in pairwise(below)}
    directory = b""
    for place, (name, kind, start, below, size, _) in enumerate(entries):
        encoded = name.encode("utf-16-le") + b"\0\0"
        root = place == 0
        directory += encoded.ljust(64, b"\0") + struct.pack("<HBB", len(encoded), kind, 1)
        directory += struct.pack("<III", _FREE, right.get(place, _FREE), below[0] if below else _FREE) + bytes(36)
        directory += struct.pack("<IQ", 0 if root else start, len(short) if root else size)
    parts = [bytes(short), directory, struct.pack(f"<{len(short_fat)}I", *short_fat)]
    padded = [part.ljust(-(-len(part) // _SECTOR) * _SECTOR, b"\0") for part in parts[:2]]
    padded.append(parts[2].ljust(-(-len(parts[2]) // _SECTOR) * _SECTOR, b"\xff"))
    fat: list[int] = []
    starts: list[int] = []
    for part in padded:
        starts.append(len(fat))
        fat += [*range(len(fat) + 1, len(fat) + len(part) // _SECTOR), _END]
    fat_at = len(fat)
    fat.append(_FAT)
    assert len(fat) <= _SECTOR // 4
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(_SECTOR, b"\xff")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, starts[1], 0, _CUTOFF, starts[2],
                          len(padded[2]) // _SECTOR, _END, 0, fat_at)  # fmt: skip
    return header.ljust(_SECTOR, b"\xff") + b"".join(padded) + table


def properties(header: int, values: Mapping[int, str | bytes]) -> dict[str, bytes]:
    """The streams of an Outlook object: texts and bytes by their tags, after so many bytes of header."""
    listed = bytes(header)
    streams: dict[str, bytes] = {}
    for tag, value in values.items():
        kind, data = (0x001F, value.encode("utf-16-le")) if isinstance(value, str) else (0x0102, value)
        listed += struct.pack("<HHIII", kind, tag, 6, len(data) + (2 if isinstance(value, str) else 0), 0)
        streams[f"__substg1.0_{tag:04X}{kind:04X}"] = data
    return {"__properties_version1.0": listed, **streams}


def msg(text: str, *, subject: str = "Status på forsøget", attached: Mapping[str, bytes] | None = None) -> bytes:
    """A mail as Outlook saves it, with these files attached."""
    receiver = properties(8, {0x3001: "Bo Lund", 0x39FE: "bl@vejle.dk"})
    files = [properties(8, {0x3707: name, 0x3701: data}) for name, data in (attached or {}).items()]
    said = {0x001A: "IPM.Note", 0x0037: subject, 0x1000: text, 0x0C1A: "Anne Hansen", 0x5D01: "ah@odense.dk"}
    headers = {0x007D: "Date: Thu, 04 May 2023 10:15:00 +0200\r\n\r\n"}
    return compound(
        {
            **properties(32, {**said, **headers}),
            "__recip_version1.0_#00000000": receiver,
            **{f"__attach_version1.0_#{number:08X}": file for number, file in enumerate(files)},
        }
    )
