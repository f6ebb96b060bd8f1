"""What a server answers with: a searcher on the newest good build, swapped when another build is put in use.

    holder = SnapshotHolder(settings, embedder)
    holder.searcher().search("Hvad lærte de om drift?")

Whoever began on the old build finishes on it.
"""

from __future__ import annotations

import threading

from kb.core.errors import IndexBusyError, IndexMissingError, IndexUnusableError, KbError
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.embedding.reader.choice import Readers, ReaderSource
from kb.index.places import place_of
from kb.retrieval.opening import open_snapshot
from kb.retrieval.searcher import Searcher

# Seconds that a question waits for another thread to open a newly published build.
LONGEST_SWAP_WAIT = 2.0


class SnapshotHolder:
    """The searcher a server answers with, always on a good build.

    ``searcher()`` is cheap: it looks at ``CURRENT`` and hands out the reference. When ``CURRENT`` names another build,
    the first to notice opens it; the others wait a little, then go on with the old. A build that cannot be opened is
    reported in ``problem`` and not tried again until ``CURRENT`` changes, unless it was the machine that refused.
    """

    def __init__(self, settings: Settings, embedder: Embedder, readers: Readers | None = None) -> None:
        self._settings = settings
        self._place = place_of(settings)
        self.embedder = embedder
        self._readers = readers or ReaderSource(settings)
        self._lock = threading.Lock()
        self._searcher: Searcher | None = None
        self._tried = ""
        # Why it cannot be told which build is in use, and why that build cannot be.
        self._unnamed: KbError | None = None
        self._unopened: KbError | None = None

    @property
    def problem(self) -> KbError | None:
        """Why the newest build is not the one in use, if so."""
        return self._unnamed or self._unopened

    def searcher(self) -> Searcher:
        """The searcher on the newest good build; raises :class:`IndexUnusableError` when there is none at all."""
        named = self._named()
        # Whoever asks after a publication waits for the new build: a deleted report must be gone at once. A build that
        # takes long to open does not hold questions up for longer than this; they are answered from the old one.
        if named != self._tried and self._lock.acquire(timeout=-1 if self._searcher is None else LONGEST_SWAP_WAIT):
            try:
                if named != self._tried:
                    self._swap(named)
            finally:
                self._lock.release()
        if self._searcher is None:
            raise self.problem or IndexMissingError("Der er ikke noget indeks endnu.")
        return self._searcher

    def _named(self) -> str:
        try:
            named = self._place.current_id()
        except IndexMissingError:
            named = ""
        except IndexUnusableError as error:
            self._unnamed = error
            return self._tried
        self._unnamed = None
        return named

    def _swap(self, named: str) -> None:
        try:
            self._searcher = self._open(named or None)
            self._unopened = None
        except IndexBusyError as error:
            self._unopened = error
            if self._searcher is None:
                raise  # an older build is no answer to a machine that is busy
            return
        except IndexUnusableError as error:
            self._unopened = error
            self._searcher = self._searcher or self._last_good(named)
        self._tried = named

    def _open(self, build_id: str | None) -> Searcher:
        snapshot = open_snapshot(self._place, build_id)
        return Searcher(snapshot, self.embedder, self._settings, readers=self._readers)

    def _last_good(self, but: str) -> Searcher | None:
        for build_id in self._place.build_ids():
            if build_id != but:
                try:
                    return self._open(build_id)
                except IndexUnusableError:
                    continue
        return None
