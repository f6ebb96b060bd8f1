"""How alike questions are in meaning, by the embedder's vectors of them.

    vectors_of(embedder, ["Hvad kostede det?", "Hvad var prisen?"])

The vectors are remembered, whatever build the questions are asked of.
"""

from __future__ import annotations

from collections.abc import Sequence

from kb.embedding.embedder import Embedder
from kb.retrieval.ports import Vectors
from kb.retrieval.text_vectors import TextVectors

# The least cosine of two questions that are one errand, where a reader is shown what was meant for the other, and where
# an editor sees both together. Chosen on the dev half: .92 and .56 of the pairs are one errand, .88 and .52 in the test
# half, whose other pairs are near misses of it (benchmarks/question_likeness.py, docs/decisions/answers.md).
SAME_FOR_READERS = 0.97
SAME_FOR_EDITORS = 0.95
VECTORS_REMEMBERED = 4096
_VECTORS = TextVectors(VECTORS_REMEMBERED, lambda embedder, texts: embedder.embed_queries(texts))


def vectors_of(embedder: Embedder, questions: Sequence[str]) -> Vectors:
    """A row of length 1 for each question; those not seen before are embedded together."""
    return _VECTORS.of(embedder, questions)
