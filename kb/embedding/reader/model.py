"""The reader model in ONNX Runtime: does a window answer a question, which of its sentences do, and about whom.

    reader = ReaderModel(folder)
    reader.read("Hvem ejer løsningen?", [Window("Rapport › Drift", ("Kommunen ejer koden.", "Den er åben."))])

A folder holds the encoder's graph, which begins after the word embedding as the embedder's does
(:mod:`kb.embedding.runtimes.onnx_export`), the word embedding with a byte a number and a scale a row, the heads, and
the pieces of its vocabulary. The heads are a few products and stay in NumPy.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.core.digest import file_sha256
from kb.core.errors import ModelDamagedError
from kb.embedding.reader.encoding import Encoded, Encoder
from kb.embedding.runtimes.base import cores
from kb.embedding.runtimes.onnx_runtime import open_session

Floats = NDArray[np.float32]

GRAPH_FILE = "encoder.onnx"
WORDS_FILE = "words.npy"
HEADS_FILE = "heads.npz"
PIECES_FILE = "pieces.model"
CARD_FILE = "reader.json"
FILES = (GRAPH_FILE, WORDS_FILE, HEADS_FILE, PIECES_FILE)


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive sentences of a passage; ``context`` is its title and headings, joined by " › "."""

    context: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """Logits: ``window``, that a window answers; ``sentences``, that each does; ``about``, four a sentence.

    The four are this report's project, another named one, many or all, nobody in particular. Sentences that had no
    room in the model's input are missing from the end.
    """

    window: float
    sentences: tuple[float, ...]
    about: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class ReaderCard:
    """What is known of a reader: its name, its files' sha256 by name, and its fingerprint, a short hash of these."""

    name: str
    files: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        """Tells readers apart."""
        return hashlib.sha256(json.dumps(dict(sorted(self.files.items()))).encode()).hexdigest()[:16]


class ReaderModel:
    """A reader in a folder; loaded when first asked, and asked by several threads at once.

    As with the embedder a pass runs on one processor, and no more passes run at a time than there are processors:
    further askers wait. Raises :class:`ModelDamagedError` when a file is missing or another than the card says.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.card = read_card(folder)
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None
        self._pool = ThreadPoolExecutor(cores(), thread_name_prefix="kb-reader")

    @property
    def fingerprint(self) -> str:
        """Tells readers apart: what one reads of a window, another may not."""
        return self.card.fingerprint

    def read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        """One reading a window, in the order given.

        A window is a pass of its own, the longest first: on two processors the windows of 60 questions take .76 of what
        batches of 512 tokens take, as nothing is padded and neither processor waits for the other's larger batch.
        """
        loaded = self._load()
        asked = loaded.encoder.ids(question)
        encoded = [
            loaded.encoder.join(asked, loaded.encoder.ids(one.context), [loaded.encoder.ids(s) for s in one.sentences])
            for one in windows
        ]
        longest_first = sorted(range(len(encoded)), key=lambda place: -len(encoded[place].ids))
        read = self._pool.map(loaded.read, [encoded[place] for place in longest_first])
        by_place = dict(zip(longest_first, read, strict=True))
        return [by_place[place] for place in range(len(windows))]

    def _load(self) -> _Loaded:
        with self._lock:
            if self._loaded is None:
                check(self.folder, self.card)
                self._loaded = _Loaded(self.folder)
            return self._loaded

    def __reduce__(self) -> tuple[type[ReaderModel], tuple[Path]]:
        """In another process the model is loaded from its folder again."""
        return ReaderModel, (self.folder.absolute(),)


class _Loaded:
    """What reading takes, in memory; the words stay on disk, mapped."""

    def __init__(self, folder: Path) -> None:
        self.encoder = Encoder(folder / PIECES_FILE)
        self._words: NDArray[np.int8] = np.load(folder / WORDS_FILE, mmap_mode="r")
        with np.load(folder / HEADS_FILE) as heads:
            self._heads: dict[str, Floats] = {name: heads[name].astype(np.float32) for name in heads.files}
        self._session = open_session(folder / GRAPH_FILE)

    def inputs(self, encoded: Encoded) -> dict[str, NDArray[Any]]:
        """What the graph takes: ``embedded`` words, (1, tokens, dimension), and a ``mask`` without padding."""
        ids, types = np.array(encoded.ids), np.array(encoded.types, dtype=np.float32)
        embedded = self._words[ids] * self._heads["words.scale"][ids, None] + types[:, None] * self._heads["type"]
        return {"embedded": embedded[None], "mask": np.ones((1, len(ids)), dtype=np.int64)}

    def read(self, encoded: Encoded) -> Reading:
        """Read one window."""
        ((hidden,),) = self._session.run(None, self.inputs(encoded))
        spans = encoded.spans
        whole = np.concatenate([hidden[0], hidden.mean(axis=0)])
        window = float(self._head("window", whole[None])[0, 0])
        if not spans:
            return Reading(window, (), ())
        means = np.stack([hidden[a:b].mean(axis=0) if b > a else hidden[0] * 0 for a, b in spans])
        return Reading(
            window,
            tuple(float(value) for value in self._head("sentence", means)[:, 0]),
            tuple(tuple(float(value) for value in row) for row in self._head("about", means)),
        )

    def _head(self, name: str, states: Floats) -> Floats:
        """Two layers with a GELU between."""
        from scipy.special import erf

        heads = self._heads
        inner = states @ heads[f"{name}.0.weight"].T + heads[f"{name}.0.bias"]
        active = inner * 0.5 * (1 + erf(inner / np.sqrt(2)))
        return np.asarray(active @ heads[f"{name}.2.weight"].T + heads[f"{name}.2.bias"], dtype=np.float32)


def read_card(folder: Path) -> ReaderCard:
    """The card in a reader's folder; raises :class:`ModelDamagedError` when there is none."""
    try:
        return ReaderCard(**json.loads((folder / CARD_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ModelDamagedError(f"Mappen {folder.name} er ikke en læsemodel: {CARD_FILE} mangler.") from error


def check(folder: Path, card: ReaderCard) -> None:
    """Raise :class:`ModelDamagedError` unless every file is there as the card says."""
    for name in FILES:
        if not (folder / name).is_file() or file_sha256(folder / name) != card.files.get(name):
            raise ModelDamagedError(
                f"Læsemodellens fil {name} mangler eller er beskadiget.",
                advice="Geninstallér Erfaringsbasen, eller vælg læsemodellen igen: kb model use --reader MAPPE",
            )
