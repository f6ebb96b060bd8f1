"""Extracts the files of a plan, each in a reader process of the pool, and stores each result in the read cache at once.

What is inside a file is read and cached as a file of its own, with the file's content key. The reading of a file is
cached after those of its parts, so that one whose reading is there has them all.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kb.core.access import EVERYONE, shared_by
from kb.core.errors import IndexingError
from kb.core.models import Document
from kb.core.paths import holders
from kb.extract import MODULE_MISSING, ReadOptions, ReadOutcome
from kb.index.store import Failure, ReadCache, Reading, StoreWriter
from kb.indexing.plan import Plan, SourceFile
from kb.indexing.pool import Pool
from kb.indexing.prefetch import Prefetcher
from kb.indexing.progress import Stages

# The file was modified while it was read.
CHANGED_MEANWHILE = "ændret-undervejs"
# Failures that may not recur although the file is unchanged: a tool gets installed, the machine is less busy.
TRANSIENT_FAILURES = frozenset(
    {"grænse-nået", "kræver-ocr", "program-mangler", MODULE_MISSING, "læsefejl", "læser-gik-ned", CHANGED_MEANWHILE}
)
ID_TAKEN = "id-optaget"
# A report for some groups, where reports cannot be.
RESTRICTED = "adgang-slået-fra"
_TURNED_OFF = "Rapporten er kun for nogle grupper, og det er slået fra. Slå det til: KB_ACCESS_GROUPS=true."
READ_ATTEMPTS = 3


class Extractor:
    """Extracts with one set of options and caches the results in a :class:`ReadCache`."""

    def __init__(
        self,
        readings: ReadCache,
        options: ReadOptions,
        stages: Stages,
        pool: Pool,
        prefetcher: Prefetcher,
        *,
        may_restrict: bool,
    ) -> None:
        self.key = options.fingerprint()
        self._may_restrict = may_restrict
        self._readings = readings
        self._options = options
        self._stages = stages
        self._pool = pool
        self._prefetcher = prefetcher

    def transient_failures_changed(self, plan: Plan) -> bool:
        """Read the files with a transient failure again; returns whether any of them now gives another result."""
        earlier = {}
        for source in plan.sources:
            family = self._family(source)
            if any(reading.code in TRANSIENT_FAILURES and reading.document is None for reading in family):
                earlier[source] = family
        self._read(tuple(earlier))
        return any(self._family(source) != family for source, family in earlier.items())

    def read_all(self, plan: Plan, make_plan: Callable[[], Plan], *, full: bool) -> Plan:
        """Read every file without a cached reading; when files change meanwhile, make the plan anew and repeat."""
        due = plan.sources if full else tuple(source for source in plan.sources if not self._is_cached(source))
        for _ in range(READ_ATTEMPTS - 1):
            if not self._read(due):
                return plan
            plan = make_plan()
            due = tuple(source for source in plan.sources if not self._is_cached(source))
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
        changed: dict[SourceFile, None] = {}
        by_root: dict[str, dict[str, SourceFile]] = {}
        for source in due:
            by_root.setdefault(source.root, {})[source.path] = source
        with self._stages.stage("læser", len(due)):
            for root, sources in by_root.items():
                families = _Families(sources)
                for outcome in self._pool.read(list(sources.values()), Path(root), self._options):
                    for source, family in families.complete(outcome):
                        if source.key_now() == source.content_key:
                            self._keep(source, family)
                        else:
                            changed[source] = None
                        self._stages.step(note=source.path)
        return list(changed)

    def _keep(self, source: SourceFile, family: Sequence[ReadOutcome]) -> None:
        """Cache what was read of a file and of what is inside it, the file itself last.

        A file that lies in the folder under the very path of what is inside another comes before that.
        """
        for outcome in reversed(family):
            if outcome.path != source.path and os.path.exists(Path(source.root) / outcome.path):
                continue
            self._readings.put(_reading(source, self.key, outcome))
            if outcome.document:
                self._prefetcher.submit(outcome.document)

    def _family(self, source: SourceFile) -> list[Reading]:
        """The cached readings of a file and of what is inside it; none where it must be read."""
        reading = self._readings.get(source.root, source.path, source.content_key, self.key)
        return [reading, *self._readings.parts(reading)] if reading else []

    def _is_cached(self, source: SourceFile) -> bool:
        family = self._family(source)
        return bool(family) and not any(reading.code in TRANSIENT_FAILURES for reading in family)

    def documents(self, plan: Plan, writer: StoreWriter) -> list[tuple[SourceFile, str]]:
        """The files that gave a document, each with its final id and sorted by it; the others are written as failures.

        Where several files have the same id, the first by path keeps it. A later one whose id was inferred gets a
        suffix derived from its path; one whose id an editor set is a failure, as two reports must not share an address.
        """
        taken: dict[str, SourceFile] = {}
        readings = [(source, reading) for given in plan.sources for source, reading in self._with_access(given)]
        # What everyone may see comes first, so that no id of it tells that something else has its name.
        for source, reading in sorted(readings, key=lambda pair: bool(pair[0].access)):
            self._take(source, reading, taken, writer)
        return sorted(((source, id_) for id_, source in taken.items()), key=lambda pair: pair[1])

    def _with_access(self, source: SourceFile) -> Iterator[tuple[SourceFile, Reading]]:
        """What was read of a file and of what is inside it, each with the groups that may see it.

        The file is handed out whole, so what is inside it is for those who may see all of it.
        """
        family = self._family(source) or [self.reading_of(source)]
        needed = {reading.path: _groups_of(reading) for reading in family}
        handed_out = {reading.path for reading in family if reading.document is not None}
        if any(not handed_out.isdisjoint(holders(path)) for path in needed):
            needed = dict.fromkeys(needed, shared_by(list(needed.values())))
        for reading in family:
            groups = needed[reading.path] or source.access
            yield replace(source, path=reading.path, access=() if groups == (EVERYONE,) else groups), reading

    def _take(self, source: SourceFile, reading: Reading, taken: dict[str, SourceFile], writer: StoreWriter) -> None:
        """Give a document its final id among those ``taken``, or write why there is none."""
        if reading.document is None:
            if reading.code:
                failure = Failure(source.root, source.path, source.content_key, reading.code, reading.reason)
                writer.add_failure(failure)
            return
        if source.access and not self._may_restrict:
            writer.add_failure(Failure(source.root, source.path, source.content_key, RESTRICTED, _TURNED_OFF))
            return
        wanted = reading.document.id
        if wanted in taken and "id" in reading.document.metadata.inferred:
            wanted = f"{wanted}-{hashlib.sha256(source.path.encode()).hexdigest()[:6]}"
        if wanted in taken:
            other = "en anden rapport" if taken[wanted].access else taken[wanted].path
            reason = f"id {wanted} bruges allerede af {other}."
            writer.add_failure(Failure(source.root, source.path, source.content_key, ID_TAKEN, reason))
            return
        taken[wanted] = source

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
        metadata = document.metadata
        inferred = metadata.inferred | {"adgang"} if source.access and not metadata.adgang else metadata.inferred
        return replace(document, metadata=replace(metadata, id=document_id, adgang=source.access, inferred=inferred))


def _groups_of(reading: Reading) -> tuple[str, ...]:
    return reading.document.metadata.adgang if reading.document else ()


def _reading(source: SourceFile, read_key: str, outcome: ReadOutcome) -> Reading:
    given = (outcome.code, outcome.reason, outcome.document)
    return Reading(source.root, outcome.path, source.content_key, read_key, *given)


class _Families:
    """Gathers the outcomes of each file and of what is inside it until they are all there."""

    def __init__(self, sources: Mapping[str, SourceFile]) -> None:
        self._sources = sources
        self._read: dict[str, list[ReadOutcome]] = {}
        self._awaited = dict.fromkeys(sources, 1)

    def complete(self, outcome: ReadOutcome) -> Iterator[tuple[SourceFile, list[ReadOutcome]]]:
        """The file that this was the last outcome of, if it was, with all of its outcomes, its own first."""
        family = self._read.setdefault(outcome.file, [])
        family.append(outcome)
        self._awaited[outcome.file] += len(outcome.parts) - 1
        if not self._awaited[outcome.file]:
            yield self._sources[outcome.file], self._read.pop(outcome.file)
