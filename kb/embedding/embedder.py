"""Texts to vectors: the Embedder protocol, and the embedder of a prepared model on the runtimes chosen for it.

Vectors are float32, of unit length, one row a text. Questions and passages go in with the model's own prefixes, which
its card carries. Which runtime embeds them is measured when the model is prepared (:mod:`kb.embedding.runtimes`) and
can be set; what a runtime needs is imported when it embeds its first text.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import numpy as np

from kb.core.errors import KbError, SettingsError
from kb.core.settings import AUTO, ENV_PREFIX, Settings
from kb.embedding.model_store import ModelCard, model_folder, read_card, stay_offline
from kb.embedding.runtimes import choice
from kb.embedding.runtimes.base import Runtime, Vectors, encode_in_batches
from kb.embedding.runtimes.choice import Measured, Name, Purpose
from kb.embedding.runtimes.opening import open_runtime, open_tokens

__all__ = ["Embedder", "ModelEmbedder", "Vectors", "load_embedder"]

log = logging.getLogger(__name__)
SETTINGS = {Purpose.QUESTIONS: "question_runtime", Purpose.PASSAGES: "passage_runtime"}


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


class ModelEmbedder:
    """Embeds with a model prepared by :mod:`kb.embedding.model_store`; several threads may ask at once.

        embedder = ModelEmbedder(folder)
        embedder.embed_queries(["Hvordan håndterede projekterne GDPR?"]).shape  # (1, 384)

    ``wanted`` names a runtime for a purpose; where it does not, the quickest of those measured as faithful is taken.
    Raises :class:`SettingsError` when a runtime that is wanted cannot run here.
    """

    def __init__(self, folder: Path, wanted: Mapping[Purpose, Name] | None = None) -> None:
        self.card: ModelCard = read_card(folder)
        self.folder = folder
        self._wanted = dict(wanted or {})
        self._record = choice.read(folder)
        self._names = {purpose: self._named(purpose) for purpose in Purpose}
        self._tokens = open_tokens(folder, self.card.max_tokens, self._record)
        self._lock = threading.Lock()
        self._opened: dict[Name, Runtime] = {}

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

    @property
    def runtimes(self) -> Mapping[Purpose, Name]:
        """The runtime for each purpose."""
        return self._names

    @property
    def measured(self) -> Sequence[Measured]:
        """What the runtimes were chosen by; nothing for a model prepared before they were measured."""
        return self._record.measured if self._record else ()

    def warm_up(self) -> None:
        """Begin to load what embeds questions, in a thread of its own; whoever embeds meanwhile waits for it."""
        threading.Thread(target=self._load_quietly, name="kb-warm-up", daemon=True).start()

    def _load_quietly(self) -> None:
        # What is wrong with the model is told to the first who embeds.
        with suppress(KbError):
            self.embed_queries(["varm op"])

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of questions, with the model's query prefix."""
        return self._encode(texts, self.card.query_prefix, Purpose.QUESTIONS)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of passages, with the model's passage prefix; in batches of like length, in the order given."""
        return self._encode(texts, self.card.passage_prefix, Purpose.PASSAGES)

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text`` as a passage."""
        return self._tokens.count(self.card.passage_prefix + text.strip())

    def __reduce__(self) -> tuple[type[ModelEmbedder], tuple[Path, Mapping[Purpose, Name]]]:
        """In another process the model is loaded from its folder again."""
        return ModelEmbedder, (self.folder.absolute(), self._wanted)

    def _encode(self, texts: Sequence[str], prefix: str, purpose: Purpose) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        stripped = [text.strip() for text in texts]
        return encode_in_batches(self._runtime(self._names[purpose]), stripped, prefix, self._tokens)

    def _runtime(self, name: Name) -> Runtime:
        with self._lock:
            if name not in self._opened:
                stay_offline()
                plan = self._record.plan if self._record else None
                self._opened[name] = open_runtime(name, self.folder, plan, self._tokens)
            return self._opened[name]

    def _named(self, purpose: Purpose) -> Name:
        lacking = choice.at_hand(self.folder, self._record)
        here = [name for name, reason in lacking.items() if not reason]
        wanted = self._wanted.get(purpose)
        if wanted is None:
            return choice.choose(self.measured, purpose, here)
        if lacking[wanted]:
            setting = f"{ENV_PREFIX}{SETTINGS[purpose]}".upper()
            raise SettingsError(
                f"{setting}={wanted} kan ikke bruges her: {lacking[wanted]}.",
                advice=f"Vælg en af: {', '.join([AUTO, *here])}. Mangler eksporten, så kør: kb model prepare",
            )
        return wanted


def load_embedder(settings: Settings) -> ModelEmbedder:
    """The embedder of the model in use; raises :class:`kb.core.errors.ModelMissingError` when none is prepared."""
    stay_offline()
    embedder = open_embedder(model_folder(settings), settings)
    if not embedder.measured:
        log.warning("Modellen %s kan blive hurtigere. Kør: kb model prepare", embedder.name)
    return embedder


def open_embedder(folder: Path, settings: Settings) -> ModelEmbedder:
    """The embedder of the model in ``folder``, on the runtimes that the settings name."""
    chosen = {purpose: getattr(settings, name) for purpose, name in SETTINGS.items()}
    return ModelEmbedder(folder, {purpose: Name(name) for purpose, name in chosen.items() if name != AUTO})
