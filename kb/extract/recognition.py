"""What a file is: by its content first, by its suffix second.

Suffixes lie: reports are renamed, mailed and exported under the wrong one. Containers are told apart by what they
hold, texts by what they look like; the suffix decides only between formats of plain text.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from enum import StrEnum

from kb.core.errors import DamagedFileError, NoTextError, ProtectedFileError, UnsupportedFormatError


class Format(StrEnum):
    """A format with a reader; the value is its media type."""

    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    DOC = "application/msword"
    ODT = "application/vnd.oasis.opendocument.text"
    RTF = "application/rtf"
    PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    ODP = "application/vnd.oasis.opendocument.presentation"
    HTML = "text/html"
    MARKDOWN = "text/markdown"
    TEXT = "text/plain"
    EPUB = "application/epub+zip"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    ODS = "application/vnd.oasis.opendocument.spreadsheet"
    CSV = "text/csv"
    EML = "message/rfc822"
    MSG = "application/vnd.ms-outlook"
    ZIP = "application/zip"


_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_NOT_READ = {
    b"\x89PNG": "et billede (PNG)",
    b"\xff\xd8\xff": "et billede (JPEG)",
    b"GIF8": "et billede (GIF)",
    b"II*\x00": "et billede (TIFF)",
    b"MM\x00*": "et billede (TIFF)",
    b"\x7fELF": "et program",
    b"MZ": "et program",
    b"Rar!": "et RAR-arkiv",
    b"7z\xbc\xaf": "et 7-Zip-arkiv",
    b"\x1f\x8b": "et gzip-arkiv",
    b"SQLite format 3": "en database",
    b"%!PS": "PostScript",
}
_MARKDOWN_SUFFIXES = frozenset({".md", ".markdown", ".mdown", ".mkd"})
_HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml"})
# Documents that are packed as archives are: one of these names without its document is damaged or made to deceive.
_PACKED_SUFFIXES = frozenset({".docx", ".pptx", ".xlsx", ".odt", ".odp", ".ods", ".epub"})
_TABLE_SUFFIXES = frozenset({".csv", ".tsv"})
_LIKELY = {
    **dict.fromkeys(_MARKDOWN_SUFFIXES, Format.MARKDOWN),
    **dict.fromkeys(_HTML_SUFFIXES, Format.HTML),
    **{f".{form.name.lower()}": form for form in Format},
    ".txt": Format.TEXT,
}
# Every expression here meets foreign text in the server's own process: each takes time in proportion to its length.
_HTML_START = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.I)
_XML_START = re.compile(r"<\?xml[^>]*>", re.I)
_BLANK = re.compile(r"\s*")
# What a mail that was sent or saved has among its headers; one pasted into a text has its sender alone.
_SENT = frozenset({"received", "mime-version", "message-id", "return-path"})
_MARKDOWN_SIGNS = (
    re.compile(r"\A---[ \t\r]*\n.*?\n(?:---|\.\.\.)[ \t\r]*\n", re.S),
    re.compile(r"^#{1,6} \S", re.M),
    re.compile(r"\[[^\[\]\n]+\]\((?:https?:|/|#)[^()\n]*\)"),
    re.compile(r"^\|?[ \t]*:?-{3,}:?[ \t]*\|", re.M),
    re.compile(r"\*\*[^*\n]+\*\*"),
    re.compile(r"^[=-]{3,}[ \t\r]*$", re.M),
)
# Text, but not written for readers: data, settings and programs.
_DATA_SUFFIXES = frozenset(
    [
        ".json",
        ".jsonl",
        ".yaml",
        ".yml",
        ".toml",
        ".ini",
        ".cfg",
        ".xml",
        ".xsd",
        ".sql",
        ".py",
        ".js",
        ".ts",
        ".css",
        ".sh",
        ".bat",
        ".java",
        ".ics",
        ".vcf",
    ]
)
_SAMPLE = 65536


def likely_format(suffix: str) -> Format | None:
    """What a file with this suffix most often is, which only its bytes can tell; None for an unknown suffix."""
    return _LIKELY.get(suffix.lower())


def recognise(data: bytes, suffix: str) -> Format:
    """The format of a file's bytes; raises a :class:`ReadError` that says why when it has no reader."""
    if not data.strip(b"\0 \t\r\n"):
        raise NoTextError("Filen er tom.", code="tom-fil")
    head = data[:1024]
    if b"%PDF-" in head:
        return Format.PDF
    if data.startswith(b"{\\rtf"):
        return Format.RTF
    if data.startswith(_OLE):
        return _recognise_ole(data)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _recognise_zip(data, suffix.lower())
    for magic, name in _NOT_READ.items():
        if data.startswith(magic):
            raise UnsupportedFormatError(f"Filen er {name} og kan ikke læses.")
    return _recognise_text(data, suffix.lower())


def _recognise_ole(data: bytes) -> Format:
    """Word, Excel and PowerPoint before 2007 share a container; its directory names the streams in UTF-16."""
    if "WordDocument".encode("utf-16-le") in data:
        return Format.DOC
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise ProtectedFileError("Filen er beskyttet med en adgangskode.")
    if "PowerPoint Document".encode("utf-16-le") in data:
        raise UnsupportedFormatError("Filen er en PowerPoint-fil i det gamle format (ppt). Gem den som pptx.")
    if "__properties_version1.0".encode("utf-16-le") in data:
        return Format.MSG
    if "Workbook".encode("utf-16-le") in data:
        raise UnsupportedFormatError("Filen er et regneark i det gamle format (xls). Gem det som xlsx.")
    raise UnsupportedFormatError("Filen er i et gammelt Office-format, som ikke kan læses.")


def _recognise_zip(data: bytes, suffix: str) -> Format:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            declared = _declared(archive) if "mimetype" in names else ""
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError, ValueError, zlib.error) as error:
        raise DamagedFileError("Filen er beskadiget: den pakkede beholder kan ikke åbnes.") from error
    for known in (Format.ODT, Format.ODP, Format.ODS, Format.EPUB):
        if declared.startswith(known.value):
            return known
    if "word/document.xml" in names or any(re.fullmatch(r"word/document\d*\.xml", name) for name in names):
        return Format.DOCX
    if "ppt/presentation.xml" in names:
        return Format.PPTX
    if "META-INF/container.xml" in names:
        return Format.EPUB
    if "xl/workbook.xml" in names:
        return Format.XLSX
    if "xl/workbook.bin" in names:
        raise UnsupportedFormatError("Filen er et regneark i et format, der ikke kan læses (xlsb). Gem det som xlsx.")
    if suffix in _PACKED_SUFFIXES:
        raise UnsupportedFormatError(f"Filen hedder {suffix}, men er et almindeligt arkiv uden et dokument i.")
    return Format.ZIP


def _declared(archive: zipfile.ZipFile) -> str:
    """The media type a container names; only its beginning is unpacked, for it may have been made to swell."""
    with archive.open("mimetype") as member:
        return member.read(128).decode("ascii", "replace").strip()


def _begins_as_html(text: str) -> bool:
    """Whether a page begins after blanks, an XML declaration and any number of comments; each is passed once."""
    place = _after_blanks(text, 0)
    if declaration := _XML_START.match(text, place):
        place = _after_blanks(text, declaration.end())
    while text.startswith("<!--", place):
        end = text.find("-->", place + 4)
        if end < 0:
            return False
        place = _after_blanks(text, end + 3)
    return _HTML_START.match(text, place) is not None


def _begins_as_mail(text: str) -> bool:
    """Whether a text opens with the headers of a mail."""
    names: set[str] = set()
    for line in text.lstrip("\ufeff\r\n").splitlines():
        if not line.strip():
            break
        name, colon, _ = line.partition(":")
        if line[0] in " \t" and names:
            continue
        if not colon or not name.isascii() or " " in name:
            return False
        names.add(name.lower())
    return "from" in names and not _SENT.isdisjoint(names)


def _after_blanks(text: str, place: int) -> int:
    match = _BLANK.match(text, place)
    return match.end() if match else place


def _recognise_text(data: bytes, suffix: str) -> Format:
    from kb.extract.encoding import decode, looks_like_text

    if not looks_like_text(data[:_SAMPLE]):
        raise UnsupportedFormatError("Filens format er ukendt.")
    sample = decode(data[:_SAMPLE])
    if _begins_as_mail(sample):
        return Format.EML
    if _begins_as_html(sample) or (suffix in _HTML_SUFFIXES and "<" in sample):
        return Format.HTML
    if suffix in _MARKDOWN_SUFFIXES:
        return Format.MARKDOWN
    if suffix in _TABLE_SUFFIXES:
        return Format.CSV
    if suffix in _DATA_SUFFIXES:
        raise UnsupportedFormatError(f"Filer af typen {suffix} er data eller program og ikke en rapport.")
    if suffix in {".txt", ".text", ""}:
        return Format.TEXT
    return Format.MARKDOWN if any(sign.search(sample) for sign in _MARKDOWN_SIGNS) else Format.TEXT
