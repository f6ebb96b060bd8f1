"""EPUB: a container of XHTML chapters, read in the order of its spine by the HTML reader.

A chapter that is damaged, missing or encrypted costs itself alone: the rest is read, and a warning counts what is not.
"""

from __future__ import annotations

import posixpath
import re
import zlib
from dataclasses import replace
from urllib.parse import unquote
from xml.etree.ElementTree import Element
from zipfile import BadZipFile, ZipFile

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from kb.core.errors import DamagedFileError, ProtectedFileError
from kb.core.models import ReadWarning
from kb.extract.blocks import Block, Content, Properties
from kb.extract.encoding import decoded
from kb.extract.html import html_blocks
from kb.extract.options import ReadOptions
from kb.extract.xml_names import local_name
from kb.extract.zip_container import opened, read_part

_XHTML = frozenset({"application/xhtml+xml", "text/html"})
_MAX_CHAPTERS = 2000
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a]")
# Of block groups; keeps the lists of one chapter apart from those of the next.
_GROUPS = 10_000


def read_epub(data: bytes, _options: ReadOptions) -> Content:
    """A book; raises a :class:`ReadError` for what is damaged, encrypted or a bomb."""
    with opened(data) as archive:
        names = set(archive.namelist())
        package_path = _package_path(archive)
        package = _xml(read_part(archive, package_path))
        chapters = _chapters(package, package_path)[:_MAX_CHAPTERS]
        locked = _encrypted(archive) if "META-INF/encryption.xml" in names else frozenset()
        if chapters and locked.issuperset(chapters):
            raise ProtectedFileError("Bogen er krypteret.")
        blocks: list[Block] = []
        warnings: list[ReadWarning] = []
        lost = 0
        for index, name in enumerate(chapters):
            chapter = None if name in locked else _chapter(archive, name)
            lost += chapter is None and name not in locked
            text = decoded(chapter or b"")
            warnings.extend(text.warnings)
            for block in html_blocks(text.text):
                blocks.append(replace(block, group=block.group + index * _GROUPS if block.group else 0))
    if lost and not blocks:
        raise DamagedFileError("EPUB-filen er beskadiget: ingen af dens kapitler kan læses.")
    missing = _missing(lost, "er beskadiget eller mangler") + _missing(
        len(locked.intersection(chapters)), "er krypteret"
    )
    return Content("epub", tuple(blocks), _properties(package), warnings=(*missing, *dict.fromkeys(warnings)))


def _missing(number: int, why: str) -> tuple[ReadWarning, ...]:
    """What is said of chapters that are not read; nothing when there are none."""
    if not number:
        return ()
    chapters = "Et kapitel" if number == 1 else f"{number} kapitler"
    return (ReadWarning("dele-mangler", f"{chapters} {why} og er ikke læst."),)


def _chapter(archive: ZipFile, name: str) -> bytes | None:
    """A chapter's bytes, or None when it is missing, damaged or no web page at all, as one encrypted unsaid."""
    try:
        data = read_part(archive, name)
    except (DamagedFileError, BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError):
        return None
    return data if b"<" in data and _is_text(data) else None


def _is_text(data: bytes) -> bool:
    """Whether there are no controls in it, as there are in what is encrypted or packed; UTF-16 has zeros."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return not _CONTROLS.search(data)


def _encrypted(archive: ZipFile) -> frozenset[str]:
    """The names of the parts that the book says are encrypted."""
    root = _xml(read_part(archive, "META-INF/encryption.xml"))
    return frozenset(unquote(e.get("URI", "")) for e in root.iter() if str(e.tag).endswith("CipherReference"))


def _xml(data: bytes) -> Element:
    try:
        return ElementTree.fromstring(data, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException) as error:
        raise DamagedFileError("EPUB-filen er beskadiget: dens indholdsoversigt er ikke gyldig XML.") from error


def _package_path(archive: ZipFile) -> str:
    root = _xml(read_part(archive, "META-INF/container.xml"))
    path = next((e.get("full-path", "") for e in root.iter() if str(e.tag).endswith("rootfile")), "")
    if not path:
        raise DamagedFileError("EPUB-filen er beskadiget: den har ingen indholdsoversigt.")
    return path


def _chapters(package: Element, package_path: str) -> list[str]:
    """The names of the chapters in reading order; addresses that lead out of the container name no part of it.

    A chapter that the spine names and the manifest does not is named by that: it is missing.
    """
    folder = posixpath.dirname(package_path)
    manifest = {item.get("id", ""): item for item in package.iter() if str(item.tag).endswith("}item")}
    items = {
        name: posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))
        for name, item in manifest.items()
        if item.get("media-type") in _XHTML and "nav" not in (item.get("properties") or "").split()
    }
    order = [item.get("idref", "") for item in package.iter() if str(item.tag).endswith("}itemref")]
    return [items.get(name, name) for name in order if name in items or name not in manifest] or list(items.values())


def _properties(package: Element) -> Properties:
    values: dict[str, str] = {}
    for element in package.iter():
        values.setdefault(local_name(element), (element.text or "").strip())
    return Properties(values.get("title", ""), values.get("language", "")[:2].lower(), published=True)
