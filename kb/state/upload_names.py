"""The names files had when they were uploaded, for people to know them by; they are stored under names of our own.

names = UploadNames(settings.state_dir)
names.keep("indlagt/aarsrapport.pdf", "Årsrapport (endelig).pdf")
names.all()["indlagt/aarsrapport.pdf"]
"""

from __future__ import annotations

from pathlib import Path

from kb.core.privacy import mask
from kb.state.repository import Repository

LONGEST, LAST = 160, 12


def shown_name(name: str) -> str:
    """A file's name as it may be shown: without folders and control characters, CPR numbers masked, not too long."""
    bare = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    plain = " ".join("".join(char if char.isprintable() else " " for char in bare).split())
    masked = mask(plain, contacts=False).text or "uden navn"
    return masked if len(masked) <= LONGEST else f"{masked[: LONGEST - LAST - 1]}…{masked[-LAST:]}"


class UploadNames:
    """The names' table; a connection a call, safe from several threads and processes."""

    def __init__(self, state_dir: Path) -> None:
        self._repository = Repository(state_dir)

    def keep(self, path: str, name: str) -> None:
        """Remember the name of the file that was put at ``path``, in place of any before it."""
        with self._repository.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO uploads VALUES (?,?)", (path, name))

    def forget(self, path: str) -> None:
        """The file at ``path`` is gone."""
        with self._repository.transaction() as connection:
            connection.execute("DELETE FROM uploads WHERE path = ?", (path,))

    def all(self) -> dict[str, str]:
        """The name of each uploaded file by its path; empty before the first."""
        return dict(self._repository.rows("uploads", "path, name"))
