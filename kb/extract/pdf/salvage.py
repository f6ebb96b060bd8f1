"""Rescuing pages from a PDF that was cut off or lost its page tree.

The objects that are whole are found by their headers ("12 0 obj"), and those that are pages are hung on a new tree;
a new catalogue, cross-reference table and trailer are written behind the old bytes, as an incremental update is.
Objects packed in streams are not looked into.
"""

from __future__ import annotations

import re

_OBJECT = re.compile(rb"(?<![\d])(\d{1,7}) (\d{1,5}) obj\b")
_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_END = re.compile(rb"endobj|endstream")
_COUNT = re.compile(rb"/Linearized.{0,200}?/N (\d{1,6})", re.DOTALL)
_MAX_OBJECTS = 500_000


def salvage(data: bytes) -> tuple[bytes, int, int] | None:
    """A mended copy, how many pages it has and how many the file says it had (0 when it does not say).

    None when no whole page is found.
    """
    objects = {int(match[1]): (match.start(), int(match[2])) for match in _OBJECT.finditer(data)}
    pages = sorted(number for number, (start, _) in objects.items() if _is_page(data, start))
    if not pages or len(objects) > _MAX_OBJECTS:
        return None
    told = _COUNT.search(data[:2048])
    return _with_new_tree(data, objects, pages), len(pages), int(told[1]) if told else 0


def _is_page(data: bytes, start: int) -> bool:
    end = _END.search(data, start)
    return end is not None and _PAGE.search(data, start, end.start()) is not None


def _with_new_tree(data: bytes, objects: dict[int, tuple[int, int]], pages: list[int]) -> bytes:
    tree, catalogue = max(objects) + 1, max(objects) + 2
    kids = " ".join(f"{number} {objects[number][1]} R" for number in pages)
    mended = bytearray(data + b"\nendstream\nendobj\n")
    places = dict(objects)
    for number, body in (
        (tree, f"<< /Type /Pages /Kids [ {kids} ] /Count {len(pages)} /MediaBox [0 0 595 842] >>"),
        (catalogue, f"<< /Type /Catalog /Pages {tree} 0 R >>"),
    ):
        places[number] = (len(mended), 0)
        mended += f"{number} 0 obj\n{body}\nendobj\n".encode("ascii")
    start = len(mended)
    mended += b"xref\n0 1\n0000000000 65535 f \n"
    for number, (offset, generation) in sorted(places.items()):
        mended += f"{number} 1\n{offset:010d} {generation:05d} n \n".encode("ascii")
    mended += f"trailer\n<< /Size {catalogue + 1} /Root {catalogue} 0 R >>\nstartxref\n{start}\n%%EOF\n".encode("ascii")
    return bytes(mended)
