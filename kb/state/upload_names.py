"""The original names of uploaded files, for display; the files are stored under generated names.

names = UploadNames(settings.state)
names.keep("indlagt/aarsrapport.pdf", "Årsrapport (endelig).pdf")
names.all()["indlagt/aarsrapport.pdf"]
"""

from __future__ import annotations

from kb.core.privacy import mask
from kb.core.state_place import StatePlace
from kb.state.database import upsert
from kb.state.repository import repository_of

LONGEST, LAST = 160, 12


def shown_name(name: str) -> str:
    """A file's name for display: without folders and control characters, CPR numbers masked, shortened."""
    bare = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    plain = " ".join("".join(char if char.isprintable() else " " for char in bare).split())
    masked = mask(plain, contacts=False).text or "uden navn"
    return masked if len(masked) <= LONGEST else f"{masked[: LONGEST - LAST - 1]}…{masked[-LAST:]}"


class UploadNames:
    """The table of names; a connection a call, safe from several threads and processes."""

    def __init__(self, place: StatePlace) -> None:
        self._repository = repository_of(place)

    def keep(self, path: str, name: str) -> None:
        """Store the original name of the file at ``path``, replacing any earlier one."""
        with self._repository.transaction() as connection:
            connection.execute(upsert("uploads", ("path", "name"), key=("path",)), (path, name))

    def forget(self, path: str) -> None:
        """Remove the name of the file at ``path``."""
        with self._repository.transaction() as connection:
            connection.execute("DELETE FROM uploads WHERE path = ?", (path,))

    def all(self) -> dict[str, str]:
        """The original name of each uploaded file by its path."""
        return dict(self._repository.rows("uploads", "path, name"))
