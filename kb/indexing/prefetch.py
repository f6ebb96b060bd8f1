"""Prefetching: chunks and embeds documents while other files are still being read.

Reading mostly waits (for other programs, for single large files), while embedding takes most of the processor time of a
first run. So each document is chunked as soon as it is read, and a thread embeds its texts in batches into the vector
cache. The result of a run does not depend on it: texts not embedded when the last file is read are embedded afterwards.
The queue is bounded; a document that arrives when it is full is chunked and embedded afterwards too.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator
from pathlib import Path

from kb.core.models import Document
from kb.embedding.embedder import Embedder
from kb.index.store import VectorCache
from kb.indexing.chunk_reuse import Chunker, Chunks
from kb.language.embedding_text import embedding_text
from kb.language.sentences import Sentence
from kb.language.sentences import embedding_text as sentence_text

log = logging.getLogger(__name__)
# Bounds of the memory used: documents in the queue, and passages held until the build is written.
MAX_QUEUED_DOCUMENTS = 32
MAX_HELD_PASSAGES = 20_000


class Prefetcher:
    """Chunks submitted documents and embeds their texts in a thread until its context ends.

    with Prefetcher(embedder, chunker, cache_file, batch_size) as prefetcher:
        prefetcher.submit(document)
    prefetcher.chunks_of(document)
    """

    def __init__(self, embedder: Embedder, chunker: Chunker, cache_file: Path, batch_size: int) -> None:
        self.embedded = 0
        self._embedder = embedder
        self._chunker = chunker
        self._cache_file = cache_file
        self._batch_size = batch_size
        self._queue: queue.Queue[dict[str, str]] = queue.Queue(MAX_QUEUED_DOCUMENTS)
        self._chunked: dict[str, tuple[Document, Chunks]] = {}
        self._held_passages = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="kb-indlejring", daemon=True)

    def __enter__(self) -> Prefetcher:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the thread to finish its current batch."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def submit(self, document: Document) -> None:
        """Chunk a document and queue its texts for embedding, unless a bound is reached."""
        if self._queue.full() or self._held_passages >= MAX_HELD_PASSAGES:
            return
        chunks = self._chunker.chunk(document)
        self._chunked[document.id] = (document, chunks)
        self._held_passages += len(chunks.passages)
        self._queue.put_nowait(dict(_texts(document, chunks)))
        if self._thread.ident is None:
            self._thread.start()

    def chunks_of(self, document: Document) -> Chunks | None:
        """Remove and return the chunks of this very document; None when it was not chunked here."""
        chunked, chunks = self._chunked.pop(document.id, (None, None))
        return chunks if chunked == document else None

    def _work(self) -> None:
        try:
            with VectorCache(self._cache_file) as cache:
                due: dict[str, str] = {}
                while not self._stopping.is_set():
                    self._gather(due, cache)
                    while len(due) >= self._batch_size and not self._stopping.is_set():
                        self._embed([due.popitem() for _ in range(self._batch_size)], cache)
        except Exception as error:  # the embedding stage will meet the same error and report it
            log.warning("Indlejringen under læsningen stoppede: %s", error)

    def _gather(self, due: dict[str, str], cache: VectorCache) -> None:
        """Add the uncached texts of the next queued document; waits at most a tenth of a second for one."""
        try:
            texts = self._queue.get(timeout=0.1)
        except queue.Empty:
            return
        due.update({key: texts[key] for key in cache.missing(self._embedder.fingerprint, texts)})

    def _embed(self, batch: list[tuple[str, str]], cache: VectorCache) -> None:
        vectors = self._embedder.embed_passages([text for _, text in batch])
        cache.put(self._embedder.fingerprint, [key for key, _ in batch], vectors)
        self.embedded += len(batch)


def _texts(document: Document, chunks: Chunks) -> Iterator[tuple[str, str]]:
    """A document's texts to embed, each with its vector key."""
    passages, sentences, _ = chunks
    title = document.metadata.titel
    for stored in passages:
        yield stored.vector_key, embedding_text(title, stored.passage)
    for one in sentences:
        sentence = Sentence(passages[one.passage_row].passage, one.start, one.end)
        yield one.vector_key, sentence_text(title, sentence)
