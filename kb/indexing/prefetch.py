"""Cuts and embeds while files are still being read, as far as it gets.

Reading waits much, for other programs and for single large files; embedding is what takes the time of a first run.
So a document that has been read is cut at once, and a thread embeds its texts a batch at a time and keeps each batch.
Nothing depends on how far it gets: what it has not reached when the last file is read is embedded as if it had never
run. Texts and cuts wait in bounded numbers; a document that comes when there is no room is left for later.
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
from kb.indexing.chunk_reuse import Cuts, Cutter
from kb.language.embedding_text import embedding_text
from kb.language.sentences import Sentence
from kb.language.sentences import embedding_text as sentence_text

log = logging.getLogger(__name__)
# Documents whose texts wait for the thread, and passages kept as cut: what bounds the memory.
DOCUMENTS_WAITING = 32
PASSAGES_KEPT = 20_000


class Ahead:
    """Cuts documents as they come and embeds their texts in a thread until it is told to stop.

    with Ahead(embedder, cutter, cache_file, batch_size) as ahead:
        ahead.take(document)
    ahead.cuts_of(document)
    """

    def __init__(self, embedder: Embedder, cutter: Cutter, cache_file: Path, batch_size: int) -> None:
        self.embedded = 0
        self._embedder = embedder
        self._cutter = cutter
        self._cache_file = cache_file
        self._batch_size = batch_size
        self._waiting: queue.Queue[dict[str, str]] = queue.Queue(DOCUMENTS_WAITING)
        self._kept: dict[str, tuple[Document, Cuts]] = {}
        self._passages = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="kb-indlejring", daemon=True)

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        """Let the thread end the batch it is at."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def take(self, document: Document) -> None:
        """Cut a document and let its texts be embedded, if there is room."""
        if self._waiting.full() or self._passages >= PASSAGES_KEPT:
            return
        cuts = self._cutter.cut(document)
        self._kept[document.id] = (document, cuts)
        self._passages += len(cuts[0])
        self._waiting.put_nowait(dict(_texts(document, cuts)))
        if self._thread.ident is None:
            self._thread.start()

    def cuts_of(self, document: Document) -> Cuts | None:
        """What was cut of this very document, once; None when it was not."""
        kept, cuts = self._kept.pop(document.id, (None, None))
        return cuts if kept == document else None

    def _work(self) -> None:
        try:
            with VectorCache(self._cache_file) as cache:
                due: dict[str, str] = {}
                while not self._stopping.is_set():
                    self._gather(due, cache)
                    while len(due) >= self._batch_size and not self._stopping.is_set():
                        self._embed([due.popitem() for _ in range(self._batch_size)], cache)
        except Exception as error:  # the stage that embeds the rest meets it again, and tells of it
            log.warning("Indlejringen under læsningen stoppede: %s", error)

    def _gather(self, due: dict[str, str], cache: VectorCache) -> None:
        """Take in the next document's texts, if one comes within a moment."""
        try:
            texts = self._waiting.get(timeout=0.1)
        except queue.Empty:
            return
        due.update({key: texts[key] for key in cache.missing(self._embedder.fingerprint, texts)})

    def _embed(self, batch: list[tuple[str, str]], cache: VectorCache) -> None:
        vectors = self._embedder.embed_passages([text for _, text in batch])
        cache.put(self._embedder.fingerprint, [key for key, _ in batch], vectors)
        self.embedded += len(batch)


def _texts(document: Document, cuts: Cuts) -> Iterator[tuple[str, str]]:
    """The texts to embed of a document, by key."""
    passages, sentences = cuts
    title = document.metadata.titel
    for stored in passages:
        yield stored.vector_key, embedding_text(title, stored.passage)
    for one in sentences:
        sentence = Sentence(passages[one.passage_row].passage, one.start, one.end)
        yield one.vector_key, sentence_text(title, sentence)
