"""The runtimes in torch: sentence-transformers as it is, and the same with 16-bit weights or on a graphics card."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kb.embedding.runtimes.base import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


TOKENS_PER_BATCH = {"cpu": 2048, "cuda": 32768}


class TorchRuntime:
    """A sentence-transformers folder on ``device``, its weights as saved or as bfloat16; loaded when first asked.

    torch spreads a pass over the processors by itself.
    """

    workers = 1

    def __init__(self, folder: Path, *, device: str = "cpu", bfloat16: bool = False) -> None:
        self._folder = folder
        self._device = device
        self._bfloat16 = bfloat16
        self._lock = threading.Lock()
        self._model: SentenceTransformer | None = None

    @property
    def tokens_per_batch(self) -> int:
        """More on a graphics card, which does thousands at a time."""
        return TOKENS_PER_BATCH[self._device]

    def encode(self, texts: Sequence[str], prefix: str) -> Vectors:
        """Unit vectors of texts, in one pass."""
        # As a tensor: NumPy has no bfloat16.
        encoded: Any = self._loaded().encode(
            list(texts),
            prompt=prefix,
            batch_size=len(texts),
            normalize_embeddings=True,
            show_progress_bar=False,
            convert_to_tensor=True,
        )
        vectors = encoded.float().cpu().numpy()
        if self._bfloat16:
            # The last rounding was of the normalised vector, which it takes out of unit length by a few thousandths.
            vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.ascontiguousarray(vectors, dtype=np.float32)

    def _loaded(self) -> SentenceTransformer:
        with self._lock:
            if self._model is None:
                from sentence_transformers import SentenceTransformer

                model = SentenceTransformer(str(self._folder), device=self._device, local_files_only=True)
                self._model = model.bfloat16() if self._bfloat16 else model
            return self._model
