"""The old formats DOC and RTF, by way of programs that know them.

LibreOffice turns the file into DOCX, which keeps headings, lists and tables. Where it is not installed, antiword
reads the text of a DOC and striprtf that of an RTF; where there is neither, the reason says what to install.

LibreOffice runs without a display, with a profile of its own in a temporary folder (so that several can run at a
time and no macro is trusted), and with a proxy that leads nowhere: a document may not call home.
"""

from __future__ import annotations

import codecs
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from striprtf.striprtf import rtf_to_text

from kb.core.errors import DamagedFileError, ReadLimitError, ToolMissingError
from kb.core.models import ReadWarning
from kb.extract.blocks import Content
from kb.extract.encoding import decode
from kb.extract.formats.docx import read_docx
from kb.extract.formats.plain_text import text_blocks
from kb.extract.options import ReadOptions
from kb.extract.recognition import Format, recognise

# A control word with its number, a symbol, an encoded character, a brace, or text.
_RTF_PIECE = re.compile(
    r"\\(?P<word>[a-z]{1,32})(?P<number>-?[0-9]{0,10}) ?|\\'[0-9a-fA-F]{2}|\\.|[{}]|[^\\{}]+|\\", re.S
)
# Where an RTF says what encoding its text is in: the code page, or else the character set.
_RTF_HEAD = 1024
_RTF_CODE_PAGE = re.compile(r"\\ansicpg([0-9]{1,5}) ?")
_RTF_CHARACTER_SET = re.compile(r"\\(ansi|mac|pca|pc)(?![a-z])")
_DANISH_DOS = "cp865"
_CODE_PAGES = {437: _DANISH_DOS, 10000: "mac-roman", 65001: "utf-8"}
_NOWHERE = "http://127.0.0.1:9"
_SIMPLIFIED = ReadWarning(
    "forenklet", "Overskrifter og tabeller er læst som ren tekst. Gem filen som docx for at få dem med."
)


def read_doc(data: bytes, options: ReadOptions) -> Content:
    """A Word document from before 2007; raises a :class:`ReadError`."""
    if libreoffice() is not None:
        converted = _as_docx(data, ".doc", options)
        if converted is not None:
            return replace(read_docx(converted, options), reader="libreoffice+mammoth")
    if shutil.which("antiword") is not None:
        return Content("antiword", tuple(text_blocks(_antiword(data, options))), warnings=(_SIMPLIFIED,))
    if libreoffice() is not None:
        raise DamagedFileError("Word-filen er beskadiget og kan ikke læses.")
    raise ToolMissingError("Det gamle Word-format (doc) kræver LibreOffice eller antiword.")


def read_rtf(data: bytes, options: ReadOptions) -> Content:
    """An RTF document; raises a :class:`ReadError`."""
    encoding = rtf_encoding(data)
    if libreoffice() is not None:
        converted = _as_docx(_with_danish_dos(data) if encoding == _DANISH_DOS else data, ".rtf", options)
        if converted is not None:
            return replace(read_docx(converted, options), reader="libreoffice+mammoth")
    shown = without_hidden_rtf(_RTF_CODE_PAGE.sub(" ", data.decode(encoding, "replace"), count=1))
    text = rtf_to_text(shown, encoding=encoding, errors="replace")
    return Content("striprtf", tuple(text_blocks(text)), warnings=(_SIMPLIFIED,))


def rtf_encoding(data: bytes) -> str:
    """The encoding that an RTF says its text is in, by Python's name.

    The American DOS encoding (``\\pc``, code page 437) has no ø: a Danish program that names it means the Danish one.
    """
    head = data[:_RTF_HEAD].decode("latin-1")
    if (page := _RTF_CODE_PAGE.search(head)) and int(page[1]):
        return _code_page(int(page[1]))
    word = _RTF_CHARACTER_SET.search(head)
    return {"mac": "mac-roman", "pc": _DANISH_DOS, "pca": "cp850"}.get(word[1] if word else "", "cp1252")


def _code_page(number: int) -> str:
    if number in _CODE_PAGES:
        return _CODE_PAGES[number]
    try:
        return codecs.lookup(f"cp{number}").name
    except LookupError:
        return "cp1252"


def _with_danish_dos(data: bytes) -> bytes:
    """The RTF with the Danish DOS encoding named in its head, as LibreOffice takes ``\\pc`` for the American one."""
    head = _RTF_CODE_PAGE.sub(" ", data[:_RTF_HEAD].decode("latin-1"), count=1)
    named = _RTF_CHARACTER_SET.sub(lambda _: f"\\ansi\\ansicpg{_DANISH_DOS[2:]}", head, count=1)
    return named.encode("latin-1") + data[_RTF_HEAD:]


def without_hidden_rtf(text: str) -> str:
    """An RTF without the text that is hidden (``\\v``) or deleted (``\\deleted``); all else stays as it is.

    But for a line break in each field, which means nothing: striprtf looks for links by an expression that takes the
    square of the length of a line, and a link's address is not shown to who opens the document.
    """
    shown: list[str] = []
    hidden = [False]
    for match in _RTF_PIECE.finditer(text):
        piece, word, number = match[0], match["word"], match["number"]
        if piece == "{":
            hidden.append(hidden[-1])
        elif piece == "}" and len(hidden) > 1:
            hidden.pop()
        elif word in {"v", "deleted"}:
            hidden[-1] = number != "0"
        elif word == "plain":
            hidden[-1] = False
        elif word == "field":
            piece += "\n"
        elif word is None and hidden[-1]:
            continue
        shown.append(piece)
    return "".join(shown)


def libreoffice() -> str | None:
    """The LibreOffice program, or None."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def _as_docx(data: bytes, suffix: str, options: ReadOptions) -> bytes | None:
    """The file as DOCX, or None when LibreOffice cannot make sense of it."""
    program = libreoffice()
    assert program is not None
    with tempfile.TemporaryDirectory(prefix="kb-office-") as folder:
        home = Path(folder)
        source = home / f"document{suffix}"
        source.write_bytes(data)
        command = [
            program,
            f"-env:UserInstallation={(home / 'profile').as_uri()}",
            "--headless",
            "--norestore",
            "--convert-to",
            "docx:MS Word 2007 XML",
            "--outdir",
            str(home),
            str(source),
        ]
        try:
            subprocess.run(
                command, capture_output=True, check=False, timeout=options.timeout * 0.8, env=_environment(home)
            )
        except subprocess.TimeoutExpired as error:
            raise ReadLimitError("LibreOffice nåede ikke at blive færdig.", code="tidsgrænse") from error
        result = source.with_suffix(".docx")
        converted = result.read_bytes() if result.is_file() else None
    return converted if converted and recognise(converted, ".docx") is Format.DOCX else None


def _environment(home: Path) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH") if name in os.environ}
    return {**inherited, "HOME": str(home), "http_proxy": _NOWHERE, "https_proxy": _NOWHERE, "SAL_USE_VCLPLUGIN": "svp"}


def _antiword(data: bytes, options: ReadOptions) -> str:
    with tempfile.NamedTemporaryFile(prefix="kb-doc-", suffix=".doc") as file:
        file.write(data)
        file.flush()
        command = ["antiword", "-m", "UTF-8.txt", "-w", "0", file.name]
        try:
            result = subprocess.run(command, capture_output=True, check=False, timeout=options.timeout * 0.8)
        except subprocess.TimeoutExpired as error:
            raise ReadLimitError("antiword nåede ikke at blive færdig.", code="tidsgrænse") from error
    if result.returncode:
        raise DamagedFileError("Word-filen er beskadiget og kan ikke læses.")
    return decode(result.stdout)
