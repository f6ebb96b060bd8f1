"""Names in XML whatever namespace they are written in: office formats differ in prefixes and agree on names (pure)."""

from __future__ import annotations

from xml.etree.ElementTree import Element


def local_name(element: Element) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def attribute(element: Element, name: str) -> str:
    """The value of the attribute of that local name; empty where there is none."""
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")
