"""The paths of documents that lie inside a file: "mail.eml › bilag.pdf" (pure).

What stands before the mark is the path of the file, or of the document in it that holds this one.
"""

from __future__ import annotations

from collections.abc import Iterator

MARK = " › "


def inside(path: str, *names: str) -> str:
    """The path of what lies inside a file under these names, the outermost first."""
    return MARK.join([path, *names])


def own_name(path: str) -> str:
    """A document's own name: the last of its path, without folders and what it lies in."""
    return path.rpartition(MARK)[2].rpartition("/")[2]


def holders(path: str) -> Iterator[str]:
    """The paths of what may hold a document, the nearest first."""
    holder, mark, _ = path.rpartition(MARK)
    while mark:
        yield holder
        holder, mark, _ = holder.rpartition(MARK)
