"""Computes the vectors that the cache lacks, shortest texts first, and stores each batch at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kb.embedding.embedder import Embedder
from kb.index.store import Store, VectorCache
from kb.indexing.progress import Stages
from kb.language.embedding_text import embedding_text
from kb.language.sentences import Sentence
from kb.language.sentences import embedding_text as sentence_text


def embed_missing(
    store: Store, cache: VectorCache, embedder: Embedder, batch_size: int, stages: Stages, *, with_sentences: bool
) -> int:
    """Embed the passages, and sentences, without a cached vector; returns the number of texts embedded."""
    titles = {stored.record.id: stored.record.metadata.titel for stored in store.records()}

    def embed(stage: str, due: Sequence[str], texts_of: Callable[[Sequence[str]], list[str]]) -> int:
        with stages.stage(stage, len(due)):
            for start in range(0, len(due), batch_size):
                keys = due[start : start + batch_size]
                cache.put(embedder.fingerprint, keys, embedder.embed_passages(texts_of(keys)))
                stages.step(len(keys))
        return len(due)

    embedded = embed(
        "indlejrer",
        list(cache.missing(embedder.fingerprint, store.vector_keys(distinct=True))),
        lambda keys: _passage_texts(store, titles, keys),
    )
    if not with_sentences:
        return embedded
    rows = {key: row for row, key in store.sentence_keys(distinct=True)}
    return embedded + embed(
        "indlejrer sætninger",
        list(cache.missing(embedder.fingerprint, rows)),
        lambda keys: _sentence_texts(store, titles, [rows[key] for key in keys]),
    )


def _passage_texts(store: Store, titles: Mapping[str, str], keys: Sequence[str]) -> list[str]:
    passages = {stored.vector_key: stored.passage for stored in store.by_vector_keys(keys)}
    return [embedding_text(titles[passages[key].document_id], passages[key]) for key in keys]


def _sentence_texts(store: Store, titles: Mapping[str, str], rows: Sequence[int]) -> list[str]:
    return [
        sentence_text(titles[stored.passage.document_id], Sentence(stored.passage, sentence.start, sentence.end))
        for sentence, stored in store.sentences_with_passages(rows)
    ]
