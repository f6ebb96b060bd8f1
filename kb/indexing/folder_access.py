"""The rules of folders: which groups may see the reports in a folder, written in a hidden file in it.

    FolderRules(root).groups_of("hr/2024/rapport.pdf")     # ("HR",)

The file is ``.adgang.yaml`` with one key, ``adgang: [HR]``. The rule nearest a report counts, and a report that names
groups itself goes by those. A rule that cannot be read keeps all that it is about out of the index: what was meant for
a few must not be shown to everyone for a misspelling.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path, PurePosixPath

from kb.core.access import EVERYONE
from kb.extract.metadata import MAX_YAML, groups_of_rule, parse_sidecar

RULE_FILE = ".adgang.yaml"


class FolderRules:
    """The rules at and below a root, each read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._of_folder = lru_cache(maxsize=None)(self._rule_of)

    def groups_of(self, path: str) -> tuple[str, ...]:
        """The groups of a file by its path below the root; raises :class:`MetadataError` and OSError."""
        named = self._of_folder(PurePosixPath(path).parent)
        return () if named == (EVERYONE,) else named

    def _rule_of(self, folder: PurePosixPath) -> tuple[str, ...]:
        """What the nearest rule says."""
        file = self._root / folder / RULE_FILE
        if file.is_symlink() or file.exists():
            with file.open("rb") as opened:
                return groups_of_rule(parse_sidecar(opened.read(MAX_YAML + 1)))
        return () if folder == folder.parent else self._of_folder(folder.parent)
