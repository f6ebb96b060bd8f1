"""How files are read: the options, and the fingerprint that tells when files must be read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kb.core.fields import reading_key

if TYPE_CHECKING:  # a reader's process starts in half the time without it
    from kb.core.settings import Settings

# Raise this by one whenever a change to a reader can change the text, the structure or the masking of a document.
READER_VERSION = 9


@dataclass(frozen=True)
class ReadOptions:
    """How to read: ``timeout`` in seconds a file, ``memory_mb`` in MiB and ``workers`` for the isolated processes.

    options = ReadOptions.from_settings(load_settings())
    document = read_file(path, root, options)
    """

    timeout: float = 120.0
    memory_mb: int = 2048
    workers: int = 2
    mask_contacts: bool = True
    ocr: bool = True

    @classmethod
    def from_settings(cls, settings: Settings) -> ReadOptions:
        """The options an installation's settings ask for."""
        return cls(
            timeout=settings.read_timeout,
            memory_mb=settings.read_memory_mb,
            workers=settings.read_workers,
            mask_contacts=settings.mask_contacts,
            ocr=settings.ocr,
        )

    def fingerprint(self) -> str:
        """A short text that changes when the same file would be read differently."""
        return f"{READER_VERSION}:{int(self.mask_contacts)}{int(self.ocr)}:{reading_key()}"
