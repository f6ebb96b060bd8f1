"""File modes: what libraries write for their own user alone is given the mode of the files beside it.

Temporary files are made with mode 0600 whatever the umask; renamed into place they lock out every other user of the
machine, as the service's own user is where an administrator prepared the model or made the index.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def give_mode_of(model: Path, folder: Path) -> None:
    """Give every file below a folder the mode of one that was written plainly; another user's files are left."""
    mode = model.stat().st_mode & 0o777
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_mode & 0o777 != mode:
            with suppress(PermissionError):
                path.chmod(mode)
