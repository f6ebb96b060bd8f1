"""ZIP archives: each file in one is a document of its own; the archive has no text itself.

What is refused: a bomb (too much unpacked for what is packed) and an archive that cannot be opened. A file that is
encrypted stands among the others, so that it is named when it is read. Hidden files, and what programs leave behind,
are no documents.
"""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import PurePosixPath

from kb.core.errors import ProtectedFileError
from kb.extract.blocks import Content
from kb.extract.corpus_files import is_document_name
from kb.extract.encoding import decode
from kb.extract.options import ReadOptions
from kb.extract.part import Part
from kb.extract.zip_container import opened, read_part

# A file in an archive that unpacks to more than this is not read.
MAX_PART = 200 << 20
_LEFT_BY_PROGRAMS = "__MACOSX"
# What says of an entry that its name is UTF-8, and that it is encrypted.
_UTF8, _ENCRYPTED = 0x800, 0x1


def read_zip(_: bytes, _options: ReadOptions) -> Content:
    """An archive's own text: none."""
    return Content("zip", ())


def zip_parts(data: bytes) -> tuple[Part, ...]:
    """The files in an archive, by their paths in it; raises a :class:`ReadError` for a damaged one or a bomb."""
    with opened(data, encrypted=True) as archive:
        named = [(_path(entry), entry) for entry in archive.infolist() if not entry.is_dir()]
    return tuple(Part(str(path), partial(_read, data, entry)) for path, entry in named if _is_document(path))


def _path(entry: zipfile.ZipInfo) -> PurePosixPath:
    """An entry's path, without what leads out of the archive; older programs write names as their machine did."""
    name = entry.filename if entry.flag_bits & _UTF8 else decode(entry.filename.encode("cp437", "replace"))
    steps = [step for step in name.replace("\\", "/").split("/") if step.strip(". ")]
    return PurePosixPath(*steps)


def _is_document(path: PurePosixPath) -> bool:
    hidden = any(step.startswith(".") or step == _LEFT_BY_PROGRAMS for step in path.parts)
    return bool(path.name) and not hidden and is_document_name(path.name)


def _read(data: bytes, entry: zipfile.ZipInfo) -> bytes:
    if entry.flag_bits & _ENCRYPTED:
        raise ProtectedFileError("Filen er beskyttet med en adgangskode.")
    with opened(data, encrypted=True) as archive:
        return read_part(archive, entry.filename, MAX_PART)
