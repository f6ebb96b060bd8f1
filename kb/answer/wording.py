"""How sentences are shown (pure)."""

from __future__ import annotations


def shorten(text: str, limit: int) -> str:
    """A text of at most about ``limit`` characters, cut at the last comma or space before it, with " …" at the cut."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    place = max(head.rfind(", "), head.rfind("; "))
    place = place if place > limit // 2 else head.rfind(" ")
    return head[: place if place > 0 else limit].rstrip(" ,;") + " …"
