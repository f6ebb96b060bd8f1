"""Cuts documents into passages and sentences with the facts they tell; takes over from the build in use what it can."""

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
from kb.core.models import Document
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
    ("kb.indexing", "chunking.py"),
    ("kb.language", "danish.py"),
    ("kb.language", "embedding_text.py"),
    ("kb.language", "roles.py"),
    ("kb.language", "sentences.py"),
)


class Cuts(NamedTuple):
    """What a document is cut into, and the facts that its sentences tell."""

    passages: list[StoredPassage]
    sentences: list[StoredSentence]
    facts: list[Fact]


def chunk_key(embedder: Embedder, size: ChunkSize) -> str:
    """Names the cutting rules: builds of equal key cut equal documents alike."""
    return f"{CHUNKER_VERSION}:{_cutting_rules()}:{size.target}-{size.limit}-{size.least}:{embedder.fingerprint}"


@cache
def _cutting_rules() -> str:
    """A digest of the code that cuts and sorts text, so that a change of it is noticed without anyone's telling.

    Imports are left out: where a module lies does not change how text is cut.
    """
    digest = hashlib.sha256()
    for package, name in CHUNKING_MODULES:
        digest.update(_without_imports(files(package).joinpath(name).read_text(encoding="utf-8")).encode())
    return digest.hexdigest()[:12]


def _without_imports(source: str) -> str:
    imports = (node for node in ast.parse(source).body if isinstance(node, ast.Import | ast.ImportFrom))
    left_out = {line for node in imports for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    return "\n".join(line for number, line in enumerate(source.splitlines(), 1) if number not in left_out)


def vector_key(text: str) -> str:
    """The cache key of an embedded text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


class Cutter:
    """Cuts documents by one model's tokens; ``with_sentences`` also into the sentences that may answer."""

    def __init__(self, embedder: Embedder, size: ChunkSize, *, with_sentences: bool) -> None:
        self.key = chunk_key(embedder, size)
        self.with_sentences = with_sentences
        self._embedder = embedder
        self._size = size

    def cut(self, document: Document) -> Cuts:
        """A document's passages, with rows from 0; where there are to be sentences, these and the facts they tell."""
        passages = list(self._passages(document))
        if not self.with_sentences:
            return Cuts(passages, [], [])
        facts = facts_of(document.metadata, [stored.passage for stored in passages])
        return Cuts(passages, list(self._sentences(document, passages)), facts)

    def _passages(self, document: Document) -> Iterator[StoredPassage]:
        for row, passage in enumerate(chunk(document, self._embedder.count_tokens, self._size)):
            text = embedding_text(document.metadata.titel, passage)
            yield StoredPassage(row, passage, self._embedder.count_tokens(text), vector_key(text))

    def _sentences(self, document: Document, passages: Sequence[StoredPassage]) -> Iterator[StoredSentence]:
        found = [(stored.row, sentence) for stored in passages for sentence in sentences_of(stored.passage)]
        for row, (passage_row, sentence) in enumerate(found):
            text = sentence_text(document.metadata.titel, sentence)
            tokens = self._embedder.count_tokens(text)
            yield StoredSentence(row, passage_row, sentence.start, sentence.end, tokens, vector_key(text))


def renumbered(cuts: Cuts, row: int, sentence_row: int) -> Cuts:
    """The same with rows of passages and sentences from the given ones on."""
    passages, sentences, facts = cuts
    shift = row - passages[0].row if passages else 0
    return Cuts(
        [replace(passage, row=number) for number, passage in enumerate(passages, row)],
        [
            replace(sentence, row=number, passage_row=sentence.passage_row + shift)
            for number, sentence in enumerate(sentences, sentence_row)
        ],
        facts,
    )


class EarlierCuts:
    """What the build in use has of documents that are word for word the same: they need not be cut again."""

    def __init__(self, store: Store | None) -> None:
        self._store = store

    def of(self, document: Document) -> Cuts | None:
        """What the document was cut into and its facts; None when it has changed."""
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
        return Cuts(passages, sentences, self._store.facts_of(document.id))


@contextmanager
def earlier_cuts(index_dir: Path, manifest: builds.Manifest | None, cutter: Cutter) -> Iterator[EarlierCuts]:
    """The build in use as a source of passages, if it is whole and was cut by the same rules."""
    if (
        manifest is None
        or manifest.chunk_key != cutter.key
        or (builds.SENTENCES_FILE in manifest.files) != cutter.with_sentences
    ):
        yield EarlierCuts(None)
        return
    path = builds.builds_dir(index_dir) / manifest.id / builds.DATABASE_FILE
    if builds.file_digest(path) != manifest.files[builds.DATABASE_FILE][1]:
        yield EarlierCuts(None)
        return
    with closing(Store(path)) as store:
        yield EarlierCuts(store)
