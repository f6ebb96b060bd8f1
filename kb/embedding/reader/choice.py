"""Which reader model is in use: the one that comes with the product, or one taken in with ``kb model use --reader``.

A reader that is taken in is copied to ``index/models/reader/`` and wins over the packaged one. A :class:`ReaderSource`
opens it once, however many searchers read with it.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from kb.core.settings import Settings
from kb.embedding.reader.model import CARD_FILE, FILES, ReaderCard, ReaderModel, Reading, Window, check, read_card

PACKAGED = Path(__file__).resolve().parent / "packaged"
TAKEN_IN = "reader"


def reader_folder(settings: Settings) -> Path:
    """The folder of the reader in use."""
    own = settings.models_dir / TAKEN_IN
    return own if (own / CARD_FILE).is_file() else PACKAGED


def load_reader(settings: Settings) -> ReaderModel:
    """The reader in use; raises :class:`kb.core.errors.ModelDamagedError` when its folder is none."""
    return ReaderModel(reader_folder(settings))


class WindowReader(Protocol):
    """Reads windows for a question, as :class:`ReaderModel` does."""

    def read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        """One reading a window, in the order given."""
        ...


class Readers(Protocol):
    """Hands out the reader in use, as :class:`ReaderSource` does."""

    def reader(self) -> WindowReader:
        """The reader."""
        ...


class ReaderSource:
    """Hands out the reader in use, opened when it is first asked for and again when another has been taken in."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._reader: ReaderModel | None = None

    def reader(self) -> ReaderModel:
        """The reader in use; raises as :func:`load_reader`."""
        with self._lock:
            folder = reader_folder(self._settings)
            opened = self._reader
            if opened is None or opened.folder != folder or opened.fingerprint != read_card(folder).fingerprint:
                opened = self._reader = ReaderModel(folder)
            return opened


def use_reader(folder: Path, settings: Settings) -> ReaderCard:
    """Take in the reader in a folder; raises :class:`kb.core.errors.ModelDamagedError` when it is not whole."""
    card = read_card(folder)
    check(folder, card)
    own = settings.models_dir / TAKEN_IN
    staging = own.with_name(f".{TAKEN_IN}-new")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    for name in (*FILES, CARD_FILE):
        shutil.copy(folder / name, staging / name)
    shutil.rmtree(own, ignore_errors=True)
    staging.rename(own)
    return card


def use_packaged(settings: Settings) -> ReaderCard:
    """Go back to the reader that comes with the product."""
    shutil.rmtree(settings.models_dir / TAKEN_IN, ignore_errors=True)
    return read_card(PACKAGED)
