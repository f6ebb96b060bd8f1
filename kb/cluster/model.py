"""How a worker gets the run's model: from its folder where machines share it, else as it is prepared on the worker's.

Weights are not sent: a model is loaded once a worker, from files that are there. One of another version is refused.
"""

from __future__ import annotations

import pickle
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kb.core.errors import ModelMismatchError, ModelMissingError
from kb.core.settings import load_settings
from kb.embedding.embedder import Embedder, ModelEmbedder
from kb.embedding.model_store import read_card
from kb.embedding.runtimes.choice import Name, Purpose


@dataclass(frozen=True)
class OpenModel:
    """Opens the model of a fingerprint in ``folder``, else among the models of the machine it is called on.

    ``runtime`` is what embeds passages, so that all machines give the same vectors.
    """

    folder: Path
    name: str
    fingerprint: str
    runtime: Name

    def __call__(self) -> Embedder:
        """The embedder; raises :class:`ModelMissingError` and :class:`ModelMismatchError`."""
        found = False
        for folder in (self.folder, load_settings().models_dir / self.name):
            with suppress(ModelMissingError):
                card = read_card(folder)
                if card.fingerprint == self.fingerprint:
                    return ModelEmbedder(folder, {Purpose.PASSAGES: self.runtime})
                found = True
        raise self._refusal(found)

    def _refusal(self, found: bool) -> ModelMissingError | ModelMismatchError:
        host = socket.gethostname()
        advice = (
            f"Klargør modellen på {host} med samme udgave af Erfaringsbasen (kb model prepare), eller del mappen"
            f" {self.folder} mellem maskinerne."
        )
        if found:
            return ModelMismatchError(f"Sprogmodellen {self.name} er i en anden udgave på {host}.", advice=advice)
        return ModelMissingError(f"Sprogmodellen {self.name} findes ikke på {host}.", advice=advice)


@dataclass(frozen=True)
class TakeEmbedder:
    """Gives an embedder that is sent whole."""

    embedder: Embedder

    def __call__(self) -> Embedder:
        """The embedder."""
        return self.embedder


def packed(embedder: Embedder) -> bytes:
    """What a worker opens to embed as ``embedder`` does."""
    if not isinstance(embedder, ModelEmbedder):
        return pickle.dumps(TakeEmbedder(embedder))
    card, runtime = embedder.card, embedder.runtimes[Purpose.PASSAGES]
    return pickle.dumps(OpenModel(embedder.folder.absolute(), card.name, card.fingerprint, runtime))
