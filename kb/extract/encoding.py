"""Bytes to text: byte-order marks, UTF-8, declared encodings, then a guess weighted towards Danish.

* A text that is UTF-8 but for a few bytes is UTF-8: those are read as windows-1252. How few depends on what the file
  says of itself: one that says UTF-8 is believed as soon as it has one right letter.
* What a web page declares outweighs a guess.
* Undeclared text that is not UTF-8 is read in the encodings Danish text was kept in (windows-1252, old Macintosh, old
  DOS), and the one is taken whose words look right: æ, ø and å inside words of one case, no signs and no box-drawing
  between letters. charset-normalizer has the last word when none of them looks right.

Whatever may have come out wrong is warned of: stray bytes, a declaration that does not hold, and a guess with little to
go by.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import dataclass

from kb.core.models import ReadWarning

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED_IN = 4096
_DECLARED = re.compile(
    rb"""(?:<meta\b|<\?xml\b|^content-type:)[^<>]{0,200}?\b(?:charset|encoding)\s{0,9}=[\s"']{0,9}([\w.:-]{2,40})""",
    re.IGNORECASE | re.MULTILINE,
)
# Names on the web that Python does not know.
_LABELS = {"x-mac-roman": "mac-roman", "mac": "mac-roman", "csmacintosh": "mac-roman", "x-cp1252": "cp1252"}
# What text is kept in, by Python's names: no transformation of bytes or of names of hosts, and nothing in two bytes,
# which a mark or the zeros tell.
_TEXT = re.compile(r"utf-8|ascii|iso8859-\d+|cp\d+|mac-[a-z0-9]+|koi8-[rut]|tis-620|big5\w*|gb\w+|euc_\w+|shift_jis\w*")
# A byte that is not UTF-8, as Python's "surrogateescape" keeps it.
_STRAY = re.compile("[\udc80-\udcff]")
# So many right letters for each stray byte, and a text is UTF-8: by whether it declares another encoding, nothing, or
# UTF-8 itself.
_LETTERS_OTHERWISE, _LETTERS_UNDECLARED, _LETTERS_DECLARED = 10, 2, 0
_RUN = re.compile(rb"[0-9A-Za-z\x80-\xff]+")
_WORD = re.compile(r"[^\W_]+")
_MOST_RUNS = 200_000
# In the order in which they are preferred where they look alike, with their names for people.
_ONE_BYTE = {"cp1252": "Windows-1252", "mac-roman": "Macintosh", "cp850": "DOS 850", "cp865": "DOS 865"}
_DANISH = frozenset("æøåÆØÅ")
_OTHER_LETTERS = frozenset("éÉüÜöÖäÄèÈêÊëËçÇñÑóÓáÁíÍßàÀôÔïÏðÐþÞúÚâÂîÎûÛãÃõÕ")
# Signs that Danish text has; those of the second set may stand between two letters.
_SIGNS = frozenset("§°½¼¾²³µ·•«»“”„‘…€£©®™×÷±¤")
_BETWEEN_LETTERS = frozenset("’–—´\u00a0\u00ad")
_WRONG_WORD, _WRONG_SIGN = -1, -3
# A guess is sure with so many words that look right, and so far from the next one that reads otherwise.
_SURE, _CLEAR = 2, 3
_CODE = "tegnsæt"

# Of each encoding: how right a text looks in it, and how its runs read.
_Scores = dict[str, tuple[int, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, and what may have come out wrong in it."""

    text: str
    warnings: tuple[ReadWarning, ...] = ()


def decode(data: bytes) -> str:
    """The text of some bytes; never fails: what cannot be decoded becomes U+FFFD."""
    return decoded(data).text


def decoded(data: bytes) -> Decoded:
    """The text of some bytes, with warnings of what may have come out wrong; never fails."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _mended_utf8(data[len(mark) :]) if encoding == "utf-8" else _wide(data, encoding)
    if wide := _wide_encoding(data):
        return _wide(data, wide)
    try:
        return Decoded(data.decode("utf-8"))
    except UnicodeDecodeError:
        return _decode_damaged(data)


def _wide(data: bytes, encoding: str) -> Decoded:
    text = data.decode(encoding, "replace")
    lost = text.count("\ufffd")
    return Decoded(text, _warning(f"{_count(lost)} i filen kan ikke læses.") if lost else ())


def _decode_damaged(data: bytes) -> Decoded:
    """Bytes that are not UTF-8 throughout: a few strays, else what is declared, else a guess."""
    name = declared_encoding(data)
    letters, stray = _utf8_letters(data)
    if name in {"", "utf-8", "ascii"}:
        needed = _LETTERS_DECLARED if name == "utf-8" else _LETTERS_UNDECLARED
        if letters and letters >= needed * stray:
            return _mended_utf8(data)
        return _guessed(data, says_utf8=name == "utf-8")
    if letters and letters >= _LETTERS_OTHERWISE * stray:
        return _mended_utf8(data)
    return _as_declared(data, name)


def declared_encoding(data: bytes) -> str:
    """What the beginning of a page declares, by Python's name; empty where it is nothing that text is kept in."""
    match = _DECLARED.search(data[:_DECLARED_IN])
    if match is None:
        return ""
    label = match[1].decode("ascii", "replace").lower()
    try:
        name = codecs.lookup(_LABELS.get(label, label)).name
    except LookupError:
        return ""
    if not _TEXT.fullmatch(name):
        return ""
    # As browsers do: the bytes 80-9F are letters and quotation marks in practice.
    return "cp1252" if name == "iso8859-1" else name


def _as_declared(data: bytes, name: str) -> Decoded:
    """The text as it is declared, unless that leaves much unread; said where Danish words come out of another."""
    text = data.decode(name, "replace")
    lost = text.count("\ufffd")
    if lost > len(text) // 100:
        return _guessed(data)
    if lost or _reads_better_otherwise(data, name):
        return Decoded(text, _warning(f"Filen siger, at dens tegnsæt er {name}; bogstaver kan være læst forkert."))
    return Decoded(text)


def _reads_better_otherwise(data: bytes, name: str) -> bool:
    """Whether Danish words come out of another encoding than the one-byte encoding that is declared."""
    if name not in _ONE_BYTE:
        return False
    scores = _scores(_runs(data))
    return scores[_best(scores)][0] - scores[name][0] >= _CLEAR


def _utf8_letters(data: bytes) -> tuple[int, int]:
    """How many characters beyond ASCII are right UTF-8, and how many bytes are not."""
    text = data.decode("utf-8", "surrogateescape")
    stray = len(_STRAY.findall(text))
    return sum(not c.isascii() for c in text) - stray, stray


def _mended_utf8(data: bytes) -> Decoded:
    """UTF-8 with each stray byte taken for windows-1252; half a character at the end is left out."""
    text = data.decode("utf-8", "surrogateescape")
    if not (stray := len(_STRAY.findall(text))):
        return Decoded(text)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            return Decoded(data[: error.start].decode("utf-8"), _warning("Filen slutter midt i et tegn."))
    mended = _STRAY.sub(lambda match: bytes([ord(match[0]) - 0xDC00]).decode("cp1252", "replace"), text)
    return Decoded(
        mended, _warning(f"Filen er UTF-8, men har {_count(stray)} i et andet tegnsæt; de kan være læst forkert.")
    )


def _count(number: int) -> str:
    return "et tegn" if number == 1 else f"{number} tegn"


def _warning(message: str) -> tuple[ReadWarning, ...]:
    return (ReadWarning(_CODE, message[0].upper() + message[1:]),)


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


# --- Guessing ---------------------------------------------------------------------------------------------------------


def _guessed(data: bytes, *, says_utf8: bool = False) -> Decoded:
    scores = _scores(_runs(data))
    name = _best(scores)
    shown = _ONE_BYTE[name]
    if scores[name][0] < 0 and (other := _other_encoding(data[:65536])):
        name = shown = other
        sure = False
    else:
        sure = _is_sure(scores, name)
    text = data.decode(name, "replace")
    if says_utf8:
        return Decoded(text, _warning(f"Filen siger, at den er UTF-8, men det er den ikke; den er læst som {shown}."))
    if sure:
        return Decoded(text)
    return Decoded(
        text, _warning(f"Filen siger ikke, hvilket tegnsæt den er i; den er læst som {shown} og kan være læst forkert.")
    )


def _other_encoding(data: bytes) -> str:
    """What the bytes are most likely encoded in, of all encodings there are; empty where nothing fits."""
    from charset_normalizer import from_bytes  # takes longer to load than most texts to read

    best = from_bytes(data).best()
    return best.encoding if best else ""


def _runs(data: bytes) -> Counter[bytes]:
    """The runs of letters, digits and bytes beyond ASCII that have any of the last, with how often each stands."""
    counts: Counter[bytes] = Counter()
    for match in _RUN.finditer(data):
        run = match[0]
        if not run.isascii():
            counts[run[:200]] += 1
            if len(counts) >= _MOST_RUNS:
                break
    return counts


def _scores(runs: Counter[bytes]) -> _Scores:
    """How right the runs look in each encoding, and how they read in it."""
    scored: _Scores = {}
    for name in _ONE_BYTE:
        texts = tuple(run.decode(name, "replace") for run in runs)
        scored[name] = (sum(_looks(text) * number for text, number in zip(texts, runs.values(), strict=True)), texts)
    return scored


def _best(scores: _Scores) -> str:
    return max(scores, key=lambda name: scores[name][0])  # of equals the first


def _is_sure(scores: _Scores, name: str) -> bool:
    """Whether an encoding looks right by several words, and clearly more so than every other that reads otherwise."""
    score, texts = scores[name]
    others = [other for other, read in scores.values() if read != texts]
    return score >= _SURE and all(score - other >= _CLEAR for other in others)


def _looks(text: str) -> int:
    """Above zero for a run that reads as Danish, below for one that does not."""
    total = sum(_looks_of_sign(text, place) for place, char in enumerate(text) if not char.isascii())
    return total + sum(_looks_of_word(word) for word in _WORD.findall(text) if not word.isascii())


def _looks_of_sign(text: str, place: int) -> int:
    char = text[place]
    if char in _DANISH or char in _OTHER_LETTERS or char in _BETWEEN_LETTERS:
        return 0
    if char not in _SIGNS:
        return _WRONG_SIGN
    inside = 0 < place < len(text) - 1 and text[place - 1].isalpha() and text[place + 1].isalpha()
    return _WRONG_WORD if inside else 0


def _looks_of_word(word: str) -> int:
    """Of a word with letters beyond ASCII: that it is written in one case, and has æ, ø or å beside other letters."""
    letters = "".join(char for char in word if char.isalpha())
    if letters[1:] and not (letters[1:].islower() or letters.isupper()):
        return _WRONG_WORD
    return int(len(letters) > 1 and any(char in _DANISH for char in letters))
