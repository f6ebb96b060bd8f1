"""How alike questions are in meaning, by the embedder's vectors of them.

    vectors_of(embedder, ["Hvad kostede det?", "Hvad var prisen?"])

The vectors are remembered by model and text, whatever build the questions are asked of.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kb.embedding.embedder import Embedder
from kb.retrieval.caches import Cache
from kb.retrieval.ports import Vectors

# The least cosine of two questions that are one errand, where a reader is shown what was meant for the other, and where
# an editor sees both together. Chosen on the dev half: .92 and .56 of the pairs are one errand, .88 and .52 in the test
# half, whose other pairs are near misses of it (benchmarks/question_likeness.py, docs/decisions/answers.md).
SAME_FOR_READERS = 0.97
SAME_FOR_EDITORS = 0.95
VECTORS_REMEMBERED = 4096
_VECTORS: Cache[tuple[str, str], Vectors] = Cache(VECTORS_REMEMBERED)


def vectors_of(embedder: Embedder, questions: Sequence[str]) -> Vectors:
    """A row of length 1 for each question; those not seen before are embedded together."""
    keys = [(embedder.fingerprint, text) for text in questions]
    found = _VECTORS.get_all(keys, lambda missing: list(embedder.embed_queries([text for _, text in missing])))
    return np.stack(found) if found else np.zeros((0, embedder.dimension), np.float32)
