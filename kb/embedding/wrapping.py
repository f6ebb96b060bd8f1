"""The base of embedders that add something to another one: batching, measuring."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kb.embedding.embedder import Embedder, Vectors


class WrappedEmbedder:
    """An embedder that is the one it is given, until a subclass does a part of it otherwise.

    class Counted(WrappedEmbedder):
        def embed_queries(self, texts): ...
    """

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner

    def __reduce__(self) -> tuple[Callable[[Embedder], Embedder], tuple[Embedder]]:
        """In another process (a job's) what a subclass adds serves nobody: there it is the embedder alone."""
        return _alone, (self._inner,)

    @property
    def name(self) -> str:
        """The model's name."""
        return self._inner.name

    @property
    def fingerprint(self) -> str:
        """The model's fingerprint."""
        return self._inner.fingerprint

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self._inner.dimension

    @property
    def max_tokens(self) -> int:
        """The longest text."""
        return self._inner.max_tokens

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a question."""
        return self._inner.embed_queries(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a passage."""
        return self._inner.embed_passages(texts)

    def count_tokens(self, text: str) -> int:
        """How many tokens a passage takes."""
        return self._inner.count_tokens(text)


def _alone(inner: Embedder) -> Embedder:
    return inner
