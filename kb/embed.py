"""Texts to vectors: the Embedder protocol and its sentence-transformers implementation.

Vectors are float32, of unit length, one row a text. Questions and passages go in with the model's own prefixes, which
the model's folder carries as prompts. torch and sentence-transformers are imported only when an embedder is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from kb.model_store import ModelCard, model_folder, read_card, stay_offline
from kb.settings import Settings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Makes vectors of texts."""

    @property
    def name(self) -> str:
        """The model's name, for people."""
        ...

    @property
    def fingerprint(self) -> str:
        """Tells models apart: vectors of one fingerprint are comparable, others are not."""
        ...

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """The longest text, prefix and special tokens included, of which nothing is cut off."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a question, shape ``(len(texts), dimension)``."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a passage, shape ``(len(texts), dimension)``."""
        ...

    def count_tokens(self, text: str) -> int:
        """How many of the model's tokens ``text`` takes as a passage, prefix and special tokens included."""
        ...


class SentenceTransformerEmbedder:
    """Embeds with a sentence-transformers folder prepared by :mod:`kb.model_store`.

        embedder = SentenceTransformerEmbedder(folder)
        embedder.embed_queries(["Hvordan håndterede projekterne GDPR?"]).shape  # (1, 384)
    """

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self.card: ModelCard = read_card(folder)
        self.folder = folder
        self._model: SentenceTransformer | None = None
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    @property
    def name(self) -> str:
        """The model's name."""
        return self.card.name

    @property
    def fingerprint(self) -> str:
        """The model's fingerprint."""
        return self.card.fingerprint

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self.card.dimension

    @property
    def max_tokens(self) -> int:
        """The longest input in tokens."""
        return self.card.max_tokens

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of questions, with the model's query prefix."""
        return self._encode(texts, self.card.query_prefix)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of passages, with the model's passage prefix."""
        return self._encode(texts, self.card.passage_prefix)

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text`` as a passage."""
        return len(self._tokenizer.encode(self.card.passage_prefix + text.strip()))

    def __reduce__(self) -> tuple[type[SentenceTransformerEmbedder], tuple[Path]]:
        """In another process the model is loaded from its folder again."""
        return SentenceTransformerEmbedder, (self.folder.absolute(),)

    def _encode(self, texts: Sequence[str], prefix: str) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        vectors = self._loaded().encode(
            [text.strip() for text in texts],
            prompt=prefix,
            batch_size=len(texts),
            normalize_embeddings=True,
            show_progress_bar=False,
            convert_to_numpy=True,
        )
        return np.ascontiguousarray(vectors, dtype=np.float32)

    def _loaded(self) -> SentenceTransformer:
        if self._model is None:
            stay_offline()
            from sentence_transformers import SentenceTransformer

            self._model = SentenceTransformer(str(self.folder), device="cpu", local_files_only=True)
        return self._model


def load_embedder(settings: Settings) -> SentenceTransformerEmbedder:
    """The embedder of the model in use; raises :class:`kb.errors.ModelMissingError` when none is prepared."""
    stay_offline()
    return SentenceTransformerEmbedder(model_folder(settings))
