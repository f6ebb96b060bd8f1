"""The text that is embedded for a passage: title and headings on one line, then its text (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from kb.core.models import Passage

HEADING_SEPARATOR = " › "
# A character is at most one token, so half of the smallest limit in use is always left for the text.
PREFIX_CHARACTERS = 240


def embedding_text(title: str, passage: Passage) -> str:
    """The text to embed for a passage: title and headings on one line, then its text.

    A title that the passage itself begins with, as the first passage of a document often does, is not repeated.
    """
    own = "" if opens_with(passage.text, title) else title
    prefix = embedding_prefix(own, passage.heading_path)
    return f"{prefix}\n{passage.text}" if prefix else passage.text


def opens_with(text: str, title: str) -> bool:
    """Whether a text begins with a title, white space aside."""
    return " ".join(text[: 2 * len(title) + 80].split()).startswith(" ".join(title.split()))


def embedding_prefix(title: str, heading_path: Sequence[str]) -> str:
    """Title and headings on one line, each once, at most ``PREFIX_CHARACTERS``: they must not crowd out the text."""
    return heading_line(title, heading_path)[:PREFIX_CHARACTERS].rstrip()


def heading_line(title: str, heading_path: Sequence[str]) -> str:
    """Title and headings on one line, each once."""
    parts = [part for part in dict.fromkeys([title, *heading_path]) if part]
    return " ".join(HEADING_SEPARATOR.join(parts).split())
