"""Bytes to text: byte-order marks, declared encodings, UTF-8, then a guess weighted towards Danish.

Danish text in an unknown one-byte encoding is nearly always windows-1252; old Macintosh and DOS files exist. The
candidates are decoded and the one whose æ, ø and å stand where they stand in Danish words wins; charset-normalizer
has the last word when none of them looks right.

A text that is UTF-8 but for a few bytes is UTF-8: those are read as windows-1252, and ``encoding_warnings`` says so.
"""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

from kb.core.models import ReadWarning

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""", re.IGNORECASE)
# A byte that is not UTF-8, as Python's "surrogateescape" keeps it.
_STRAY = re.compile("[\udc80-\udcff]")
# So many right letters for each stray byte, and a text is UTF-8 whatever it declares.
_FEW = 10
# So many where nothing else is declared.
_FEW_UNDECLARED = 2
_ONE_BYTE = ("cp1252", "mac_roman", "cp865")
_IN_DANISH_WORDS = re.compile(r"[a-zæøå][æøåé]|[æøå][a-zæøå]")
_FOREIGN = re.compile(r"[^\x00-\x7fæøåÆØÅéÉüÜöÖäÄèêàçñóáíß§°·–—‘’“”„…«»€£©®™½¼¾²³µ×•†‰±\u00a0\u00ad´¨]")


def decode(data: bytes, declared: str = "") -> str:
    """The text of some bytes; never fails: what cannot be decoded becomes U+FFFD."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    wide = _wide_encoding(data)
    if wide:
        return data.decode(wide, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        # A sample cut in the middle of a character.
        if error.start > len(data) - 4 and error.reason == "unexpected end of data":
            return data[: error.start].decode("utf-8")
    return _decode_damaged(data, declared)


def _decode_damaged(data: bytes, declared: str) -> str:
    """Bytes that are not UTF-8 throughout: a few strays, else what is declared, else a guess."""
    letters, stray = _utf8_letters(data)
    text = _decode_declared(data, declared)
    if _is_utf8(letters, stray, is_declared_otherwise=bool(text)):
        return _mended_utf8(data)
    return text or _decode_guessed(data)


def _is_utf8(letters: int, stray: int, *, is_declared_otherwise: bool) -> bool:
    """Whether bytes of so many right letters and strays are UTF-8; a declaration that holds asks for more letters."""
    return stray * (_FEW if is_declared_otherwise else _FEW_UNDECLARED) <= letters


def encoding_warnings(data: bytes) -> tuple[ReadWarning, ...]:
    """What is to be said of how some bytes were decoded: that UTF-8 has bytes that do not belong to it."""
    if any(data.startswith(mark) for mark, _ in _MARKS[1:]) or _wide_encoding(data):
        return ()
    letters, stray = _utf8_letters(data)
    if not stray or not _is_utf8(letters, stray, is_declared_otherwise=bool(_decode_declared(data, ""))):
        return ()
    number = "et tegn" if stray == 1 else f"{stray} tegn"
    return (ReadWarning("tegnsæt", f"Filen er UTF-8, men har {number} i et andet tegnsæt; de kan være læst forkert."),)


def _utf8_letters(data: bytes) -> tuple[int, int]:
    """How many characters beyond ASCII are right UTF-8, and how many bytes are not; of whole UTF-8 none are counted."""
    text = data.decode("utf-8", "surrogateescape")
    stray = len(_STRAY.findall(text))
    return (sum(not c.isascii() for c in text) - stray if stray else 0), stray


def _mended_utf8(data: bytes) -> str:
    """UTF-8 with each stray byte taken for windows-1252."""
    text = data.decode("utf-8", "surrogateescape")
    return _STRAY.sub(lambda found: bytes([ord(found[0]) - 0xDC00]).decode("cp1252", "replace"), text)


def looks_like_text(data: bytes) -> bool:
    """Whether bytes can be text: a byte-order mark, UTF-16 by its zeros, or hardly any control characters."""
    if any(data.startswith(mark) for mark, _ in _MARKS) or _wide_encoding(data):
        return True
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in data)
    return b"\0" not in data and controls <= len(data) // 200


def _wide_encoding(data: bytes) -> str:
    """UTF-16 without a mark: in European text nearly every second byte is zero."""
    sample = data[:4096]
    if len(sample) < 4 or b"\0" not in sample:
        return ""
    half = len(sample) // 2
    if sample[1::2].count(0) > half * 0.7 and sample[::2].count(0) < half * 0.1:
        return "utf-16-le"
    if sample[::2].count(0) > half * 0.7 and sample[1::2].count(0) < half * 0.1:
        return "utf-16-be"
    return ""


def _decode_declared(data: bytes, declared: str) -> str:
    found = _DECLARED.search(data[:4096])
    name = declared or (found[1].decode("ascii") if found else "")
    if name.lower().replace("_", "-") in {"", "utf-8", "utf8", "us-ascii", "ascii"}:
        return ""
    if name.lower() in {"iso-8859-1", "latin1", "latin-1"}:
        name = "cp1252"  # as browsers do: the bytes 80-9F are letters and quotation marks in practice
    try:
        text = data.decode(name, "replace")
    except (LookupError, UnicodeError):
        return ""
    return text if text.count("\ufffd") <= len(text) // 100 else ""


def _decode_guessed(data: bytes) -> str:
    texts = [data.decode(name, "replace") for name in _ONE_BYTE]
    best = max(texts, key=_danishness)
    if _danishness(best) > 0:
        return best
    guess = from_bytes(data[:65536]).best()
    return data.decode(guess.encoding if guess else "cp1252", "replace")


def _danishness(text: str) -> int:
    return len(_IN_DANISH_WORDS.findall(text.lower())) - 3 * len(_FOREIGN.findall(text))
