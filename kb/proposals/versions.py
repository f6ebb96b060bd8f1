"""Which version of a document a file is, by its name and its first lines: "v0.4", "Version 1.2", "endelig" (pure).

A draft comes before what says nothing of its version, which counts as the first finished one.
"""

from __future__ import annotations

import re

from kb.core.paths import own_name
from kb.proposals.titles import name_of

# Where the cover says the version.
_COVER = 1500
_IN_NAME = re.compile(
    r"(?<![^\W_])(?:version|ver|v|udgave|udg|rev)[ ._-]{0,2}(\d{1,3})(?:[._](\d{1,3}))?(?:[._](\d{1,3}))?(?!\d)"
)
_ON_COVER = re.compile(
    r"\b(?:version|ver\.|udgave|revision) ?:? ?(\d{1,2})(?:\.(\d{1,3}))?(?:\.(\d{1,3}))?(?![\d.]*\d)", re.IGNORECASE
)
_DRAFT = re.compile(r"(?<![^\W_])(?:udkast|kladde|draft)(?![^\W_])")
_FINAL = re.compile(r"(?<![^\W_])(?:endelig|final|godkendt)(?![^\W_])")
_COPY = re.compile(r"(?<![^\W_])kopi(?: af)?(?![^\W_])|\(\d{1,2}\)(?=\.[a-z]{1,9}$)")
_BETWEEN = re.compile(r"[\W_]+")

Version = tuple[int, int, int, int]


def version_of(path: str, text: str) -> Version:
    """The version of a document, which sorts by age: its three numbers, and whether it is a draft, plain or final."""
    name = own_name(path).casefold()
    found = _IN_NAME.search(name) or _ON_COVER.search(text[:_COVER])
    stage = 0 if _DRAFT.search(name) else 2 if _FINAL.search(name) else 1
    if found is None:
        return (1 if stage else 0, 0, 0, stage)
    return (*(int(number or 0) for number in found.groups()), stage)  # type: ignore[return-value]


def stem_of(path: str) -> str:
    """A file's name without what tells one version from another.

    Dates stay, as the minutes of two meetings differ in them.
    """
    name = own_name(path).casefold()
    for mark in (_IN_NAME, _DRAFT, _FINAL, _COPY):
        name = mark.sub(" ", name)
    return _BETWEEN.sub(" ", name_of(name)).strip()
