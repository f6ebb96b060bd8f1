"""A model's exported graph in ONNX Runtime: words looked up before it, pooling and normalisation after it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kb.embedding.runtimes.base import Vectors, cores
from kb.embedding.runtimes.onnx_export import WEIGHTS_FILE, Plan
from kb.embedding.runtimes.safetensors_rows import Rows
from kb.embedding.runtimes.tokenization import Tokens

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


# Some thousand numbers a token: passes that stay within a core's cache take 40 % less time a token than ones of 2048.
TOKENS_PER_BATCH = 384


class OnnxRuntime:
    """An exported graph; loaded when first asked, and asked by several threads at once.

    A pass runs on one processor: two passes side by side do more than one shared by two processors, and a question
    leaves a processor to whoever answers the one before it.
    """

    tokens_per_batch = TOKENS_PER_BATCH

    def __init__(self, folder: Path, graph: Path, plan: Plan, tokens: Tokens) -> None:
        self._graph = graph
        self._plan = plan
        self._tokens = tokens
        self._words = Rows(folder / WEIGHTS_FILE, plan.embedding)
        self._lock = threading.Lock()
        self._session: InferenceSession | None = None

    @property
    def workers(self) -> int:
        """One for each processor."""
        return cores()

    def encode(self, texts: Sequence[str], prefix: str) -> Vectors:
        """Unit vectors of texts, in one pass."""
        inputs = self.inputs(texts, prefix)
        (hidden,) = self._loaded().run(None, inputs)
        return pooled(hidden, inputs["mask"].sum(axis=1).tolist(), self._plan.pooling)

    def inputs(self, texts: Sequence[str], prefix: str) -> dict[str, NDArray[Any]]:
        """What the graph takes for these texts: ``embedded`` words, and the ``mask`` of those that are not padding."""
        tokenised = [self._tokens.ids(prefix + text) for text in texts]
        width = max(len(ids) for ids in tokenised)
        embedded = np.zeros((len(tokenised), width, self._words.width), dtype=np.float32)
        mask = np.zeros((len(tokenised), width), dtype=np.int64)
        for row, ids in enumerate(tokenised):
            embedded[row, : len(ids)] = self._words.take(ids)
            mask[row, : len(ids)] = 1
        return {"embedded": embedded, "mask": mask}

    def _loaded(self) -> InferenceSession:
        with self._lock:
            if self._session is None:
                self._session = open_session(self._graph)
            return self._session


def open_session(graph: Path) -> InferenceSession:
    """A graph ready to run, each pass on one processor."""
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def pooled(hidden: Vectors, lengths: Sequence[int], pooling: str) -> Vectors:
    """Each text's tokens as one unit vector: ``hidden`` is (texts, tokens, dimension), padded after ``lengths``.

    Text by text and not over the padding, so that a text's vector does not hang on how long its neighbours are.
    """
    if pooling == "cls":
        vectors = hidden[:, 0]
    else:
        vectors = np.stack([hidden[row, :length].mean(axis=0) for row, length in enumerate(lengths)])
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)
