"""Chunks documents into passages and sentences with the facts they tell; those of unchanged documents are reused from
the build in use.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from kb.core.errors import NotFoundError
from kb.core.models import Document, Metadata
from kb.embedding.embedder import Embedder
from kb.facts import Fact, facts_of
from kb.index import builds
from kb.index.store import Store, StoredPassage, StoredSentence
from kb.indexing.chunking import CHUNKER_VERSION, ChunkSize, chunk
from kb.language.embedding_text import embedding_text
from kb.language.sentences import embedding_text as sentence_text
from kb.language.sentences import sentences_of

CHUNKING_MODULES = (
    ("kb.facts", "amounts.py"),
    ("kb.facts", "dates.py"),
    ("kb.facts", "extraction.py"),
    ("kb.facts", "fact.py"),
    ("kb.facts", "municipalities.py"),
    ("kb.facts", "names.py"),
    ("kb.facts", "patterns.py"),
    ("kb.facts", "subject.py"),
    ("kb.proposals", "authorities.py"),
    ("kb.indexing", "chunking.py"),
    ("kb.language", "danish.py"),
    ("kb.language", "embedding_text.py"),
    ("kb.language", "roles.py"),
    ("kb.language", "sentences.py"),
)


class Chunks(NamedTuple):
    """What a document is chunked into, and the facts that its sentences tell, once they are read."""

    passages: list[StoredPassage]
    sentences: list[StoredSentence]
    facts: Sequence[Fact] = ()


def chunk_key(embedder: Embedder, size: ChunkSize) -> str:
    """Identifies the chunking rules: builds with equal keys chunk equal documents alike."""
    return f"{CHUNKER_VERSION}:{_rules_digest()}:{size.target}-{size.limit}-{size.least}:{embedder.fingerprint}"


@cache
def _rules_digest() -> str:
    """A digest of the code that chunks and classifies text, so that a changed rule needs no version number.

    Imports, comments and docstrings are left out, as they do not change how text is chunked.
    """
    digest = hashlib.sha256()
    for package, name in CHUNKING_MODULES:
        digest.update(_rules(files(package).joinpath(name).read_text(encoding="utf-8")).encode())
    return digest.hexdigest()[:12]


def _rules(source: str) -> str:
    """A module's code alone: without comments, docstrings and the imports at its top."""
    module = ast.parse(source)
    module.body = [node for node in module.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    for node in ast.walk(module):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(module)


def vector_key(text: str) -> str:
    """The cache key of an embedded text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


class Chunker:
    """Chunks documents by one model's token counts; ``with_sentences`` also into sentences, for answers."""

    def __init__(self, embedder: Embedder, size: ChunkSize, *, with_sentences: bool) -> None:
        self.key = chunk_key(embedder, size)
        self.with_sentences = with_sentences
        self._embedder = embedder
        self._size = size

    def chunk(self, document: Document) -> Chunks:
        """A document's passages and, where there are to be any, its sentences, with rows from 0."""
        passages = list(self._passages(document))
        return Chunks(passages, list(self._sentences(document, passages)) if self.with_sentences else [])

    def with_facts(self, chunks: Chunks, metadata: Metadata) -> Chunks:
        """The chunks with the facts that they tell of a report with these metadata."""
        if not self.with_sentences:
            return chunks
        return chunks._replace(facts=facts_of(metadata, [stored.passage for stored in chunks.passages]))

    def _passages(self, document: Document) -> Iterator[StoredPassage]:
        for row, passage in enumerate(chunk(document, self._embedder.count_tokens, self._size)):
            text = embedding_text(document.metadata.titel, passage)
            yield StoredPassage(row, passage, self._embedder.count_tokens(text), vector_key(text))

    def _sentences(self, document: Document, passages: Sequence[StoredPassage]) -> Iterator[StoredSentence]:
        pairs = [(stored.row, sentence) for stored in passages for sentence in sentences_of(stored.passage)]
        for row, (passage_row, sentence) in enumerate(pairs):
            text = sentence_text(document.metadata.titel, sentence)
            tokens = self._embedder.count_tokens(text)
            yield StoredSentence(row, passage_row, sentence.start, sentence.end, tokens, vector_key(text))


def renumbered(chunks: Chunks, row: int, sentence_row: int) -> Chunks:
    """The same with rows of passages and sentences from the given ones on."""
    passages, sentences, facts = chunks
    shift = row - passages[0].row if passages else 0
    return Chunks(
        [replace(passage, row=number) for number, passage in enumerate(passages, row)],
        [
            replace(sentence, row=number, passage_row=sentence.passage_row + shift)
            for number, sentence in enumerate(sentences, sentence_row)
        ],
        facts,
    )


class PreviousChunks:
    """The passages and sentences of the build in use, for documents that are identical to those it was made of."""

    def __init__(self, store: Store | None) -> None:
        self._store = store

    def of(self, document: Document) -> Chunks | None:
        """The document's chunks; None when it has changed."""
        if self._store is None:
            return None
        try:
            if self._store.stored_document(document.id).document != document:
                return None
        except NotFoundError:
            return None
        passages = self._store.passages_of(document.id)
        by_passage = self._store.sentences_of_passages([stored.passage.id for stored in passages])
        sentences = [sentence for stored in passages for sentence in by_passage[stored.passage.id]]
        return Chunks(passages, sentences, self._store.facts_of(document.id))


@contextmanager
def previous_chunks(builds_dir: Path, manifest: builds.Manifest | None, chunker: Chunker) -> Iterator[PreviousChunks]:
    """The build in use as a source of passages, if its database is intact and it was chunked by the same rules."""
    if manifest is None or manifest.chunk_key != chunker.key:
        yield PreviousChunks(None)
        return
    path = builds_dir / manifest.id / builds.DATABASE_FILE
    if builds.file_digest(path) != manifest.files[builds.DATABASE_FILE][1]:
        yield PreviousChunks(None)
        return
    with closing(Store(path)) as store:
        same = (store.sentence_count() > 0) == chunker.with_sentences
        yield PreviousChunks(store if same else None)
