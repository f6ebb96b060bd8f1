"""Cleaning of characters and joining of lines (pure functions).

Text out of documents carries the marks of typesetting: ligatures, soft hyphens, non-breaking spaces, bullets from
symbol fonts, words broken at line ends. ``clean`` undoes what belongs to single characters; ``join_lines`` puts the
lines of one paragraph together again.

A word hyphenated at a line end is joined ("erfa-" + "ringer" = "erfaringer") unless the hyphen belongs to it:

* the part before it is an abbreviation or has a digit ("AI-" + "projekter", "2030-" + "målene", "ph.d.-" + "kurser");
* the part before it is a single letter, or a word that is written with one ("A-" + "kasser", "it-" + "udstyr");
* what follows begins with a capital letter ("Nord-" + "Jylland");
* what follows is a conjunction: the hyphen then stands for a left-out part ("drifts- og" stays two words);
* the document itself writes the word with the hyphen in the middle of a line.

Against all but the last of these the document itself can speak: a word it writes whole elsewhere is written whole.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Set

_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}
# Bullets of the Symbol and Wingdings fonts, which Word stores in the private-use area.
_SYMBOL_BULLETS = dict.fromkeys((0xF0B7, 0xF0A7, 0xF0D8, 0xF0FC, 0xF076, 0xF0A8, 0xF02D), "•")
_TABLE = {**_LIGATURES, **_SYMBOL_BULLETS, 0x00AD: None, 0x200B: None, 0x200C: None, 0x200D: None, 0x2060: None}
_TABLE |= {0xFEFF: None, 0x2028: "\n", 0x2029: "\n", 0x0085: "\n", 0x000B: "\n", 0x000C: "\n", 0x2011: "-"}
# Controls, direction overrides (they hide text from the reader's eye), surrogates, private use, non-characters.
_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff]"
)
_SPACES = re.compile(r"[^\S\n]+")
# Accents in a row, which are neither letters nor spaces: putting them in order takes the square of their number, and
# Unicode's form for streams has thirty at most.
_MOST_MARKS = 30
_MANY_MARKS = re.compile(r"[^\w\s\x00-\u02ff]{31,}")
# A word broken at the end of a line where a soft hyphen allows it.
_SOFT_BREAK = re.compile("\u00ad[ \t]?\n[ \t]{0,40}(?=[^\\W\\d_])")
# Of spaces in a row only one is left by then.
_AROUND_NEWLINE = re.compile(r" ?\n ?")

_BULLET = re.compile(r"^(?:[•●▪■◦○‣∙·➢►✓]\s*|[*o–-]\s+)(?=\S)")
_CONJUNCTION = re.compile(r"(?:og|eller|samt|and|or|til|både|men)\b")
_TAIL = re.compile(r"(\w{1,99}\.?)[-‐]$")
# Short words that are set before others with a hyphen; as the last part of a broken word they do not stand alone.
_WITH_HYPHEN = frozenset({"it", "ikke", "tv", "pc", "ikt", "gps", "sms"})
_LONGEST_TAIL = 100
_HEAD = re.compile(r"\w+")
_WORD = re.compile(r"\w+(?:-\w+)*")


def clean(text: str) -> str:
    """Normalise characters: NFC, plain spaces, no ligatures, soft hyphens, controls or private-use characters.

    Newlines stay; runs of other white space become one space.
    """
    text = _MANY_MARKS.sub(_few_marks, text.replace("\r\n", "\n").replace("\r", "\n"))
    text = unicodedata.normalize("NFC", text)
    text = _SOFT_BREAK.sub("", text).translate(_TABLE)
    text = _SPACES.sub(" ", _UNWANTED.sub("", text))
    return _AROUND_NEWLINE.sub("\n", text).strip()


def _few_marks(match: re.Match[str]) -> str:
    """A run of signs with no more accents on one letter than any language has."""
    limited: list[str] = []
    marks = 0
    for char in match[0]:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MOST_MARKS:
            limited.append(char)
    return "".join(limited)


def one_line(text: str) -> str:
    """``clean`` with every line wrap turned into a space."""
    return _SPACES.sub(" ", clean(text).replace("\n", " ")).strip()


def strip_bullet(line: str) -> str | None:
    """The line without its leading bullet, or None when it has none."""
    match = _BULLET.match(line)
    return line[match.end() :] if match else None


def join_lines(lines: Iterable[str], vocabulary: Set[str] = frozenset()) -> str:
    """Join the lines of one paragraph; ``vocabulary`` holds the document's lower-case words from inside lines."""
    done: list[str] = []
    joined = ""
    for line in lines:
        joined = join_pair(joined, line.strip(), vocabulary) if joined else line.strip()
        if len(joined) > 2 * _LONGEST_TAIL:  # only the end decides how the next line is joined
            done.append(joined[:-_LONGEST_TAIL])
            joined = joined[-_LONGEST_TAIL:]
    return "".join(done) + joined


def join_pair(before: str, after: str, vocabulary: Set[str] = frozenset()) -> str:
    """Join two neighbouring lines of a paragraph, undoing hyphenation by the rules at the top of this module."""
    if not after:
        return before
    if before.endswith("\u00ad"):
        return before[:-1] + after
    tail, head = _TAIL.search(before, max(0, len(before) - _LONGEST_TAIL)), _HEAD.match(after)
    if not tail or not head:
        return f"{before} {after}"
    if _CONJUNCTION.match(after):
        return f"{before} {after}"
    if _keeps_hyphen(tail[1], head[0], vocabulary):
        return before[:-1] + "-" + after
    return before[:-1] + after


def _keeps_hyphen(tail: str, head: str, vocabulary: Set[str]) -> bool:
    if f"{tail}-{head}".lower() in vocabulary:
        return True
    if (tail + head).lower() in vocabulary:
        return False
    if head[0].isupper() or head[0].isdigit() or any(c.isdigit() for c in tail):
        return True
    return len(tail) == 1 or tail[-1] == "." or tail[-1].isupper() or tail.lower() in _WITH_HYPHEN


def words_inside_lines(lines: Iterable[str]) -> frozenset[str]:
    """The lower-case words, hyphenated ones included, that stand whole inside lines: evidence for ``join_lines``."""
    vocabulary: set[str] = set()
    for line in lines:
        words = _WORD.findall(line.lower())
        vocabulary.update(words if not line.rstrip().endswith(("-", "‐", "\u00ad")) else words[:-1])
    return frozenset(vocabulary)
