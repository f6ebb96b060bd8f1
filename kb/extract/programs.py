"""The programs that readers start where they are installed: a machine without one reads some files otherwise."""

from __future__ import annotations

import shutil

from kb.extract import ocr as recognition
from kb.extract.formats.legacy_office import libreoffice


def programs_at_hand(*, ocr: bool) -> tuple[str, ...]:
    """Those on this machine, by name; that of character recognition where it is to be used."""
    at_hand = {
        "LibreOffice": libreoffice() is not None,
        "antiword": shutil.which("antiword") is not None,
        "Tesseract med dansk": ocr and recognition.is_installed(),
    }
    return tuple(name for name, there in at_hand.items() if there)
