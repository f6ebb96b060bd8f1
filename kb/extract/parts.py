"""What a file holds that are documents of their own: attachments of mails and PDFs, the files of an archive.

The parts of a file have names that differ, can be shown, and are the same each time. A part may hold parts of its own,
down to :data:`MAX_DEPTH`; how many there may be of one file in all is for those who read them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib import import_module
from pathlib import PurePosixPath

from kb.core.errors import DamagedFileError
from kb.core.paths import MARK
from kb.extract.cleaning import one_line
from kb.extract.corpus_files import shown_path
from kb.extract.part import Part
from kb.extract.recognition import Format, recognise

MAX_DEPTH = 3
_LONGEST_NAME = 200
_LONGEST_COVER = 600

Opener = Callable[[bytes], Sequence[Part]]
# What opens the files that hold others.
_OPENERS = {
    Format.ZIP: ("kb.extract.formats.archive", "zip_parts"),
    Format.EML: ("kb.extract.formats.mail", "eml_parts"),
    Format.MSG: ("kb.extract.formats.mail", "msg_parts"),
    Format.PDF: ("kb.extract.pdf.attachments", "pdf_parts"),
}


def parts_of(form: Format, data: bytes) -> tuple[Part, ...]:
    """The parts of a file, under names that differ; raises a :class:`ReadError` for a file that cannot be opened."""
    opener = _opener(form)
    return _told_apart(opener(data)) if opener else ()


def unpacked(data: bytes, suffix: str, names: Sequence[str]) -> bytes:
    """The bytes of what lies inside a file under these names, the outermost first; raises a :class:`ReadError`."""
    for name in names:
        found = next((part for part in parts_of(recognise(data, suffix), data) if part.name == name), None)
        if found is None:
            raise DamagedFileError(f"Filen indeholder ikke længere «{name}».")
        data, suffix = found.read(), PurePosixPath(name).suffix
    return data


def is_cover(text: str) -> bool:
    """Whether a PDF's text is the page that a portfolio shows to programs that do not know portfolios."""
    return len(text) <= _LONGEST_COVER and ("Adobe Reader" in text or "Acrobat" in text)


@cache
def _opener(form: Format) -> Opener | None:
    """What opens the files of a format that hold others; imported when it is first needed, as readers are."""
    if form not in _OPENERS:
        return None
    module, name = _OPENERS[form]
    opener: Opener = getattr(import_module(module), name)
    return opener


def _told_apart(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts under names that can be shown, each with a number where another has its name."""
    found: dict[str, Part] = {}
    for part in parts:
        wanted = one_line(shown_path(part.name)).replace(MARK.strip(), "-") or "fil"
        path = PurePosixPath(wanted[-_LONGEST_NAME:].lstrip("/ "))
        name, number = str(path), 2
        while name in found:
            name, number = str(path.with_stem(f"{path.stem} ({number})")), number + 1
        found[name] = Part(name, part.read)
    return tuple(found.values())
