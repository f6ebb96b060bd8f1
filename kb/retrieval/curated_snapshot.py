"""The house's own words in force: questions are analysed by them at once, in every process and thread, without a build.

    holder = CuratedSnapshotHolder(VisibleSnapshotHolder(...), settings)
    CurationStore(settings.state).put(changed, "ord tilføjet", based_on=3)
    holder.searcher().search("...")          # finds by the new word

A searcher remembers answers, and each version of the words has a searcher of its own: no answer outlives the words it
was made by. What was worked out of the whole build stays with the searcher of the shipped words.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass

from kb.core.errors import KbError, StorageError
from kb.core.settings import Settings
from kb.curation.words import Curation
from kb.embedding.embedder import Embedder
from kb.language.synonyms import Synonyms, shipped
from kb.retrieval.searcher import Searcher, open_searcher
from kb.retrieval.visible_snapshot import VisibleSnapshotHolder
from kb.state.curation import CurationStore, CurationVersion


@dataclass(frozen=True, slots=True)
class _Curated:
    """The searcher of a build with some words, and the two it was made of."""

    inner: Searcher
    version: int
    searcher: Searcher


class CuratedSnapshotHolder:
    """Hands out the searcher of a :class:`VisibleSnapshotHolder`, with the house's words."""

    def __init__(self, inner: VisibleSnapshotHolder, settings: Settings) -> None:
        self.embedder: Embedder = inner.embedder
        self._inner = inner
        self._store = CurationStore(settings.state)
        self._lock = threading.Lock()
        self._held = CurationVersion()
        self._curated: _Curated | None = None

    @property
    def problem(self) -> KbError | None:
        """Why the newest build is not the one in use, if so."""
        return self._inner.problem

    def searcher(self) -> Searcher:
        """The searcher on the newest good build; raises :class:`kb.core.errors.IndexUnusableError`."""
        inner = self._inner.searcher()
        with self._lock:
            held, made = self._version(), self._curated
            if made is None or made.inner is not inner or made.version != held.version:
                made = self._curated = _Curated(inner, held.version, with_words(inner, held.curation))
            return made.searcher

    def _version(self) -> CurationVersion:
        """The version in force; the last one read where the state cannot be, as an answer is still given then."""
        try:
            if self._store.number() != self._held.version:
                self._held = self._store.current()
        except (StorageError, sqlite3.Error):
            pass
        return self._held


def synonyms_of(curation: Curation) -> Synonyms:
    """The shipped synonyms with what a house added and switched off."""
    if not curation.groups and not curation.switched_off:
        return shipped()
    return shipped().with_house([one.names for one in curation.groups], curation.switched_off)


def with_words(searcher: Searcher, curation: Curation) -> Searcher:
    """A searcher that analyses questions by a house's words; the same one where they make no difference."""
    synonyms = synonyms_of(curation)
    if synonyms.digest == searcher.snapshot.analyser.synonyms.digest:
        return searcher
    return searcher.with_synonyms(synonyms)


def open_curated_searcher(settings: Settings, embedder: Embedder) -> Searcher:
    """A searcher on the build in use with the house's words; raises :class:`kb.core.errors.IndexUnusableError`."""
    return with_words(open_searcher(settings, embedder), CurationStore(settings.state).current().curation)
