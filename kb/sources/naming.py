"""Where a source's files lie in its own folder below the corpus (pure).

Names are kept wherever they can be: control characters and the mark of what lies inside a file are replaced, and a
part too long for a file system is cut. A name that another file has already, also in another case or another Unicode
form, gets a digest of the file's own path, and so does one that would have to lie inside a file, or that the caller
avoids.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath

from kb.core.paths import MARK
from kb.extract.corpus_files import SIDECAR_SUFFIX

# Bytes of a name on the file systems there are, less those of the metadata file's suffix.
LONGEST_PART = 255 - len(SIDECAR_SUFFIX)
LONGEST_SUFFIX = 20
MOST_BYTES = 1000
# What breaks a line or a path: control characters, line separators, halves of characters, and what Windows takes for /.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\\\\]")


def local_names(
    paths: Iterable[str], taken: Sequence[str], avoids: Callable[[str], bool] = lambda _: False
) -> dict[str, str]:
    """A place of its own for each path, by path; none of those that are ``taken``, nor above or below one."""
    files = {_key(name) for name in taken}
    folders = {_key(str(folder)) for name in taken for folder in PurePosixPath(name).parents}
    names = {}
    for path in sorted(paths):
        wanted = safe_path(path)
        if _is_free(wanted, files, folders) and not avoids(wanted):
            name = wanted
        else:
            last = PurePosixPath(wanted)
            name = f"{_shortened(last.stem, 60)}-{_digest(path)}{last.suffix}"
        names[path] = name
        files.add(_key(name))
        folders.update(_key(str(folder)) for folder in PurePosixPath(name).parents)
    return names


def _is_free(name: str, files: set[str], folders: set[str]) -> bool:
    above = (_key(str(folder)) for folder in PurePosixPath(name).parents)
    return _key(name) not in files | folders and not any(folder in files for folder in above)


def safe_path(path: str) -> str:
    """A path that stays in its folder, can be shown and stored, and has a file name that is no hidden file's."""
    parts = [_safe_part(part) for part in path.split("/") if part not in ("", ".")] or ["_"]
    whole = "/".join(parts)
    if len(whole.encode()) <= MOST_BYTES:
        return whole
    last = PurePosixPath(parts[-1])
    return f"{_shortened(last.stem, 60)}-{_digest(path)}{last.suffix}"


def _safe_part(part: str) -> str:
    clean = unicodedata.normalize("NFC", _UNSAFE.sub("_", part).replace(MARK, " - "))
    clean = f"_{clean[1:]}" if clean.startswith(".") else clean
    if len(clean.encode()) <= LONGEST_PART:
        return clean
    suffix = PurePosixPath(clean).suffix
    if len(suffix.encode()) > LONGEST_SUFFIX:
        suffix = ""
    stem = clean.removesuffix(suffix)
    mark = f"-{_digest(part)}{suffix}"
    return _shortened(stem, LONGEST_PART - len(mark.encode())) + mark


def _shortened(text: str, most: int) -> str:
    """The beginning of a text, at most so many bytes."""
    return text.encode()[:most].decode(errors="ignore")


def _digest(path: str) -> str:
    return hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
