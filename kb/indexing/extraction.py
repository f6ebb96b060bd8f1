"""Extracts the files of a plan, each in a reader process, and stores each result in the read cache at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from kb.core.errors import IndexingError
from kb.core.models import Document
from kb.extract import MODULE_MISSING, ReadOptions, ReadOutcome, read_files
from kb.index.store import Failure, ReadCache, Reading, StoreWriter
from kb.indexing.plan import Plan, SourceFile
from kb.indexing.prefetch import Prefetcher
from kb.indexing.progress import Stages

# The file was modified while it was read.
CHANGED_MEANWHILE = "ændret-undervejs"
# Failures that may not recur although the file is unchanged: a tool gets installed, the machine is less busy.
TRANSIENT_FAILURES = frozenset(
    {"grænse-nået", "kræver-ocr", "program-mangler", MODULE_MISSING, "læsefejl", "læser-gik-ned", CHANGED_MEANWHILE}
)
ID_TAKEN = "id-optaget"
READ_ATTEMPTS = 3


class Extractor:
    """Extracts with one set of options and caches the results in a :class:`ReadCache`."""

    def __init__(self, readings: ReadCache, options: ReadOptions, stages: Stages, prefetcher: Prefetcher) -> None:
        self.key = options.fingerprint()
        self._readings = readings
        self._options = options
        self._stages = stages
        self._prefetcher = prefetcher

    def transient_failures_changed(self, plan: Plan) -> bool:
        """Read the files with a transient failure again; returns whether any of them now gives another result."""
        earlier = {}
        for source in plan.sources:
            reading = self._readings.get(source.root, source.path, source.content_key, self.key)
            if reading and reading.code in TRANSIENT_FAILURES and reading.document is None:
                earlier[source] = reading
        self._read(tuple(earlier))
        return any(
            self._readings.get(source.root, source.path, source.content_key, self.key) != reading
            for source, reading in earlier.items()
        )

    def read_all(self, plan: Plan, make_plan: Callable[[], Plan], *, full: bool) -> Plan:
        """Read every file without a cached reading; when files change meanwhile, make the plan anew and repeat."""
        due = plan.sources if full else tuple(source for source in plan.sources if self._cached(source) is None)
        for _ in range(READ_ATTEMPTS - 1):
            if not self._read(due):
                return plan
            plan = make_plan()
            due = tuple(source for source in plan.sources if self._cached(source) is None)
        for source in self._read(due):
            reason = "Filen blev ved med at blive ændret, mens den blev læst."
            self._readings.put(
                Reading(source.root, source.path, source.content_key, self.key, CHANGED_MEANWHILE, reason)
            )
        return plan

    def _read(self, due: Sequence[SourceFile]) -> list[SourceFile]:
        """Read files and cache each reading at once; returns the files that changed while they were read.

        Their readings are discarded: cached, they would stand under the checksum of the content before the change.
        """
        changed: list[SourceFile] = []
        by_root: dict[str, dict[str, SourceFile]] = {}
        for source in due:
            by_root.setdefault(source.root, {})[source.path] = source
        with self._stages.stage("læser", len(due)):
            for root, sources in by_root.items():
                files = [source.file for source in sources.values()]
                for outcome in read_files(files, Path(root), self._options):
                    source = sources[outcome.path]
                    if source.key_now() == source.content_key:
                        self._readings.put(_reading(source, self.key, outcome))
                        if outcome.document:
                            self._prefetcher.submit(outcome.document)
                    else:
                        changed.append(source)
                    self._stages.step(note=source.path)
        return changed

    def _cached(self, source: SourceFile) -> Reading | None:
        reading = self._readings.get(source.root, source.path, source.content_key, self.key)
        return None if reading and reading.code in TRANSIENT_FAILURES else reading

    def documents(self, plan: Plan, writer: StoreWriter) -> list[tuple[SourceFile, str]]:
        """The files that gave a document, each with its final id and sorted by it; the others are written as failures.

        Where several files have the same id, the first by path keeps it. A later one whose id was inferred gets a
        suffix derived from its path; one whose id an editor set is a failure, as two reports must not share an address.
        """
        taken: dict[str, SourceFile] = {}
        for source in plan.sources:
            reading = self.reading_of(source)
            if reading.document is None:
                failure = Failure(source.root, source.path, source.content_key, reading.code, reading.reason)
                writer.add_failure(failure)
                continue
            wanted = reading.document.id
            if wanted in taken and "id" in reading.document.metadata.inferred:
                wanted = f"{wanted}-{hashlib.sha256(source.path.encode()).hexdigest()[:6]}"
            if wanted in taken:
                reason = f"id {wanted} bruges allerede af {taken[wanted].path}."
                writer.add_failure(Failure(source.root, source.path, source.content_key, ID_TAKEN, reason))
                continue
            taken[wanted] = source
        return sorted(((source, id_) for id_, source in taken.items()), key=lambda pair: pair[1])

    def reading_of(self, source: SourceFile) -> Reading:
        """The cached reading of a file; raises :class:`IndexingError` when it is no longer in the cache."""
        reading = self._readings.get(source.root, source.path, source.content_key, self.key)
        if reading is None:
            raise IndexingError(f"Læsningen af {source.path} gik tabt undervejs.", advice="Kør kommandoen igen.")
        return reading

    def document(self, source: SourceFile, document_id: str) -> Document:
        """A file's document under its final id; raises :class:`IndexingError` when it has none."""
        document = self.reading_of(source).document
        if document is None:
            raise IndexingError(f"{source.path} har ingen tekst.", advice="Kør kommandoen igen.")
        return replace(document, metadata=replace(document.metadata, id=document_id))


def _reading(source: SourceFile, read_key: str, outcome: ReadOutcome) -> Reading:
    given = (outcome.code, outcome.reason, outcome.document)
    return Reading(source.root, source.path, source.content_key, read_key, *given)
