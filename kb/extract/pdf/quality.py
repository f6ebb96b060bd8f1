"""How good an extracted text is: the measure by which one PDF reader is preferred to another.

``score`` is between 0 and 1: the share of the page's characters that were read, times the share of them that make
sense. What does not make sense:

* unreadable characters: U+FFFD, private use, controls (counted double: each stands for a lost letter);
* glued text: letters in words of more than 30 letters, which even Danish compounds hardly reach: spaces were lost;
* scattered text: single letters that are no words, beyond one in twenty words: letters were spaced apart;
* garbled text: words of four letters or more without a vowel, beyond one in twenty: the encoding was lost.

How many characters the page shows is told by PDFium, which counts them quickly whether it reads them right or not.
A text that scores ``GOOD`` or more is good.

``disagreement`` compares two readers letter by letter, order left aside. Two that read a sound file agree on every
letter; where they do not, one of them maps some letters wrongly, and no look at one text alone would tell (capitals
read as small letters are words as good as any).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from kb.extract.cleaning import clean

GOOD = 0.95
# Sound files show no disagreement at all, the unsound ones of the test set .9 % and more.
AGREED = 0.002
_LONGEST_WORD = 30
_TOLERATED = 0.05
_LETTERS = re.compile(r"[^\W\d_]+")
_SINGLE_WORDS = frozenset("iåøaeosmkdxyIÅØAEOSMKDXY")
_VOWELS = frozenset("aeiouyæøåäöüéèêáàóíúâôûëïœ")
_UNREADABLE = frozenset({"Co", "Cs", "Cn", "Cc"})


def score(text: str, shown: int) -> float:
    """The quality of a text from pages that show ``shown`` characters (white space not counted)."""
    count = visible(text)
    if not count:
        return 0.0 if shown else 1.0
    coverage = min(1.0, count / shown) if shown else 1.0
    return coverage * max(0.0, 1.0 - senseless(text))


def disagreement(text: str, other: str) -> float:
    """The share of the letters and digits of two readings of one file that the other has not."""
    first, second = _letters(text), _letters(other)
    apart = max((first - second).total(), (second - first).total())
    return apart / max(first.total(), second.total(), 1)


def _letters(text: str) -> Counter[str]:
    return Counter(char for char in clean(text) if char.isalnum())


def visible(text: str) -> int:
    """How many characters of a text are not white space."""
    return sum(not char.isspace() for char in text)


def unreadable_share(text: str) -> float:
    """The share of the visible characters that stand for letters the file does not name."""
    count = visible(text)
    return sum(map(_is_unreadable, text)) / count if count else 0.0


def _is_unreadable(char: str) -> bool:
    return char == "\ufffd" or (not char.isspace() and unicodedata.category(char) in _UNREADABLE)


def senseless(text: str) -> float:
    """The share of a text that makes no sense, by the four signs above; may exceed 1."""
    words = _LETTERS.findall(text)
    if not words:
        return 2 * unreadable_share(text)
    letters = sum(map(len, words))
    glued = sum(len(word) for word in words if len(word) > _LONGEST_WORD) / letters
    scattered = sum(len(word) == 1 and word not in _SINGLE_WORDS for word in words) / len(words)
    long_words = [word for word in words if len(word) >= 4 and word.isascii() | _is_latin(word)]
    garbled = sum(_VOWELS.isdisjoint(word.lower()) for word in long_words) / max(len(long_words), 1)
    beyond = max(0.0, scattered - _TOLERATED) + max(0.0, garbled - _TOLERATED)
    return 2 * unreadable_share(text) + glued + beyond


def _is_latin(word: str) -> bool:
    return unicodedata.name(word[0], "").startswith("LATIN")
