"""Which reader model is in use: the one that comes with the product, or one taken in with ``kb model use --reader``.

A reader that is taken in is copied to ``index/models/reader/`` and wins over the packaged one; it is loaded once a
process, however many searchers read with it.
"""

from __future__ import annotations

import shutil
from functools import lru_cache
from pathlib import Path

from kb.core.settings import Settings
from kb.embedding.reader.model import CARD_FILE, FILES, ReaderCard, ReaderModel, check, read_card

PACKAGED = Path(__file__).resolve().parent / "packaged"
TAKEN_IN = "reader"


def reader_folder(settings: Settings) -> Path:
    """The folder of the reader in use."""
    own = settings.models_dir / TAKEN_IN
    return own if (own / CARD_FILE).is_file() else PACKAGED


def load_reader(settings: Settings) -> ReaderModel:
    """The reader in use; raises :class:`kb.core.errors.ModelDamagedError` when its folder is none."""
    folder = reader_folder(settings)
    return _loaded(folder, read_card(folder).fingerprint)


@lru_cache(maxsize=2)
def _loaded(folder: Path, _fingerprint: str) -> ReaderModel:
    return ReaderModel(folder)


def use_reader(folder: Path, settings: Settings) -> ReaderCard:
    """Take in the reader in a folder; raises :class:`kb.core.errors.ModelDamagedError` when it is not whole."""
    card = read_card(folder)
    check(folder, card)
    own = settings.models_dir / TAKEN_IN
    aside = own.with_name(f".{TAKEN_IN}-new")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for name in (*FILES, CARD_FILE):
        shutil.copy(folder / name, aside / name)
    shutil.rmtree(own, ignore_errors=True)
    aside.rename(own)
    return card


def use_packaged(settings: Settings) -> ReaderCard:
    """Go back to the reader that comes with the product."""
    shutil.rmtree(settings.models_dir / TAKEN_IN, ignore_errors=True)
    return read_card(PACKAGED)
