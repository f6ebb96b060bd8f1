"""Slugs: the ASCII form of a text for addresses and file names (pure)."""

from __future__ import annotations

import re
import unicodedata

_LETTERS = str.maketrans(
    {"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe", "ü": "y", "ß": "ss", "ð": "d", "þ": "th", "ł": "l"}
)


def slug(text: str, *, longest: int | None = None, empty: str = "ukendt") -> str:
    """An address for a text: lower-case ASCII letters, digits and hyphens; ``empty`` when nothing is left.

    The Danish letters become ae, oe and aa, other accents are dropped; at most ``longest`` characters are kept.
    """
    letters = unicodedata.normalize("NFC", text).lower().translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", letters).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:longest].strip("-") or empty
