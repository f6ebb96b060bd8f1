"""What must be equal on two machines for them to read and embed alike, and what to say where it is not."""

from __future__ import annotations

from dataclasses import dataclass

from kb.core.version import VERSION
from kb.embedding.embedder import Embedder, ModelEmbedder
from kb.embedding.runtimes.choice import Purpose
from kb.extract import ReadOptions
from kb.extract.programs import programs_at_hand


@dataclass(frozen=True, slots=True)
class Edition:
    """The package, the readers, the model with what runs it, and the programs that readers start."""

    version: str
    readers: str
    model: str
    runtime: str
    programs: tuple[str, ...]

    @classmethod
    def here(cls, options: ReadOptions, embedder: Embedder) -> Edition:
        """That of this machine."""
        runtime = embedder.runtimes[Purpose.PASSAGES] if isinstance(embedder, ModelEmbedder) else ""
        return cls(
            VERSION, options.fingerprint(), embedder.fingerprint, str(runtime), programs_at_hand(ocr=options.ocr)
        )


# What a difference in each part is called.
_CALLED = {
    "version": "udgaven af Erfaringsbasen",
    "readers": "læserne",
    "model": "sprogmodellen",
    "runtime": "afviklingen af sprogmodellen",
    "programs": "læsernes programmer",
}


def difference(wanted: Edition, found: Edition) -> str:
    """The first part that differs, with what was wanted and found; empty for equal editions."""
    for part, called in _CALLED.items():
        if (here := getattr(wanted, part)) != (there := getattr(found, part)):
            return f"{called} er {_said(there)} og skulle være {_said(here)}"
    return ""


def _said(value: object) -> str:
    return (", ".join(value) if isinstance(value, tuple) else str(value)) or "ingen"
