"""Small pure functions on text that several layers need."""

from __future__ import annotations

import re
import unicodedata

_LETTERS = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe", "ü": "y", "ß": "ss"})


def slug(text: str) -> str:
    """An address for a text: lower-case ASCII letters, digits and hyphens; "ukendt" when nothing is left.

    The Danish letters become ae, oe and aa, other accents are dropped.
    """
    folded = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", folded).strip("-") or "ukendt"
