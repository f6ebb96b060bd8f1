"""An indexing run: plan, extract, chunk, embed, build in a staging folder, verify, publish, clean up."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from kb.core.errors import CorpusMissingError, IndexBusyError, IndexingError, IndexUnusableError, InputError
from kb.core.models import Document
from kb.core.settings import Settings
from kb.core.version import VERSION
from kb.embedding.embedder import Embedder
from kb.extract import ReadOptions, copies
from kb.extract.corpus_files import shown_path, wrong_name
from kb.facts.proposed import with_facts
from kb.index import builds, vectors
from kb.index.places import Place, place_of
from kb.index.store import (
    Failure,
    ReadCache,
    Reading,
    Store,
    StoredDocument,
    StoreWriter,
    VectorCache,
    check_cache,
    document_to_dict,
)
from kb.index.verification import READINGS_CACHE, VECTORS_CACHE
from kb.indexing.assembly import Assembler, content_digest, finish
from kb.indexing.chunk_reuse import Chunker, Chunks, PreviousChunks, previous_chunks, renumbered
from kb.indexing.chunking import ChunkSize
from kb.indexing.extraction import Extractor
from kb.indexing.locking import lock
from kb.indexing.missing_vectors import embed_missing
from kb.indexing.naming import Naming, named
from kb.indexing.plan import Plan, PreviousBuild, SourceFile, keys_by_path
from kb.indexing.pool import LocalPool, Pool, opened_pool
from kb.indexing.prefetch import Prefetcher
from kb.indexing.progress import Progress, Silent, Stages, recorded
from kb.indexing.run_report import RunReport
from kb.proposals.proposing import propose
from kb.state.restricted import RestrictedReports
from kb.state.runs import PATIENCE, RunStore

log = logging.getLogger(__name__)
PAGE_IMAGES = Path("cache") / "pages"
# What is inside files and has been asked for, by its sha256.
UNPACKED = Path("cache") / "unpacked"
_REASONS_SHOWN = 3


def run(
    settings: Settings,
    embedder: Embedder,
    *,
    roots: Sequence[Path] = (),
    full: bool = False,
    started_by: str = "kb index",
    job: str = "",
    progress: Progress | None = None,
) -> RunReport:
    """Bring the index in line with ``roots`` (else the configured corpus) and publish it if anything changed.

    ``full`` reads every file again; vectors of the same text by the same model are reused.
    ``job`` is the id of the job it carries out, if any. Raises :class:`CorpusMissingError`, :class:`InputError` for a
    folder whose name cannot be used, :class:`LockedError`, :class:`CancelledError`, :class:`StorageError`,
    :class:`InstallationError`, :class:`ClusterError` or, among others when no file at all can be read,
    :class:`IndexingError`; whatever it raises, the build in use is as it was.
    """
    folders = tuple(Path(root) for root in roots) or (settings.corpus,)
    for folder in folders:
        if not os.path.exists(folder):
            raise CorpusMissingError(f"Mappen {shown_path(str(folder))} findes ikke.")
        if wrong := wrong_name(folder.resolve()):
            raise InputError(f"{shown_path(str(folder))}: {wrong}")
    place = place_of(settings)
    with builds.storage_errors("indeksmappen"):
        place.builds_dir.mkdir(parents=True, exist_ok=True)
        with (
            lock(settings.index_dir),
            RunStore(settings.state, patience=PATIENCE) as state,
            recorded(state, started_by, job, progress or Silent()) as record,
            _caches(settings.index_dir, check=full) as (readings, cache),
        ):
            place.remove_leftovers()
            chunker = Chunker(embedder, ChunkSize(), with_sentences=True)
            with opened_pool(settings, embedder) as pool:
                work = _Run(settings, place, pool, chunker, readings, cache, record)
                report = work.run(lambda: Plan.make(folders), full=full, started_by=started_by)
            record.report = replace(report, run_id=record.run_id)
            return record.report


def run_documents(
    settings: Settings,
    embedder: Embedder,
    documents: Iterable[Document],
    *,
    progress: Progress | None = None,
    size: ChunkSize | None = None,
) -> RunReport:
    """Index documents that are given instead of read from files (evaluation sets), as :func:`run` does files."""
    place = place_of(settings)
    place.builds_dir.mkdir(parents=True, exist_ok=True)
    with lock(settings.index_dir), _caches(settings.index_dir) as (readings, cache):
        place.remove_leftovers()
        # Sentences are needed for answering only; a build that measures retrieval has none.
        chunker = Chunker(embedder, size or ChunkSize(), with_sentences=False)
        pool = LocalPool(embedder, settings.batch_size)
        work = _Run(settings, place, pool, chunker, readings, cache, progress or Silent())
        sources = []
        for document in documents:
            key = hashlib.sha256(json.dumps(document_to_dict(document), sort_keys=True).encode()).hexdigest()
            sources.append(SourceFile("", document.path, key))
            readings.put(Reading("", document.path, key, work.extractor.key, document=document))
        plan = Plan(tuple(sources), dict.fromkeys(sources, ()), (), ())
        return work.run(lambda: plan, full=False, started_by="kb evaluate")


@contextmanager
def _caches(index_dir: Path, *, check: bool = False) -> Iterator[tuple[ReadCache, VectorCache]]:
    """The two caches. With ``check`` a damaged one is renamed and begun anew; its content can be computed again."""
    for name in (READINGS_CACHE, VECTORS_CACHE):
        path = index_dir / name
        if check and path.is_file() and (damage := check_cache(path)):
            log.warning("Lageret %s kan ikke bruges (%s) og laves forfra.", name, damage.splitlines()[0])
            for suffix in ("-wal", "-shm"):
                path.with_name(name + suffix).unlink(missing_ok=True)
            path.replace(path.with_name(f"{name}.beskadiget"))
    with ReadCache(index_dir / READINGS_CACHE) as readings, VectorCache(index_dir / VECTORS_CACHE) as cache:
        yield readings, cache


class _Run:
    """One run, under the lock."""

    def __init__(
        self,
        settings: Settings,
        place: Place,
        pool: Pool,
        chunker: Chunker,
        readings: ReadCache,
        cache: VectorCache,
        progress: Progress,
    ) -> None:
        self.settings = settings
        self.place = place
        self.pool = pool
        self.embedder = pool.embedder
        self.chunker = chunker
        self.readings = readings
        self.cache = cache
        self.stages = Stages(progress)
        self.prefetcher = Prefetcher(self.embedder, chunker, settings.index_dir / VECTORS_CACHE, pool.batch_size)
        options = ReadOptions.from_settings(settings)
        may_restrict = settings.access_groups
        self.extractor = Extractor(readings, options, self.stages, pool, self.prefetcher, may_restrict=may_restrict)

    def run(self, make_plan: Callable[[], Plan], *, full: bool, started_by: str) -> RunReport:
        started = datetime.now(UTC)
        previous = PreviousBuild.load(self.place)
        with self.stages.stage("finder filer"):
            plan = make_plan()
            current = previous.manifest if not full and self._is_current(previous, plan) else None
        with self.prefetcher:
            if current and not self.extractor.transient_failures_changed(plan):
                return self._report(previous, current, started, started_by, embedded=0)
            plan = self.extractor.read_all(plan, make_plan, full=full)
        build_id = builds.new_id(started)
        staging = self.place.builds_dir / f"{builds.STAGING_PREFIX}{build_id}"
        try:
            manifest, embedded = self._build(staging, plan, previous, started, full=full)
            with self.stages.stage("offentliggør"):
                groups = _groups_of(staging)
                restricted = RestrictedReports(self.settings.state)
                # What is for some must be so in the state before it can be seen, and what is for all only after.
                restricted.remember({id_: named for id_, named in groups.items() if named})
                self.place.publish(staging, build_id)
                restricted.forget(id_ for id_, named in groups.items() if not named)
        except BaseException:
            self.place.discard(staging, build_id)
            raise
        self._clean_up(plan)
        return self._report(previous, manifest, started, started_by, embedded=embedded + self.prefetcher.embedded)

    def _is_current(self, previous: PreviousBuild, plan: Plan) -> bool:
        """Whether the build in use is complete, made by the rules in force and of exactly the files of the plan.

        A build without a single report is never current for a folder that has files: the run reports again why none of
        them can be read.
        """
        manifest = previous.manifest
        if manifest is None or manifest.sources != self._sources(plan) or (plan.has_files and not manifest.documents):
            return False
        rules = (manifest.model, manifest.read_key, manifest.chunk_key)
        if rules != (self.embedder.fingerprint, self.extractor.key, self.chunker.key):
            return False
        return not builds.check_files(self.place.builds_dir / manifest.id, manifest)

    def _sources(self, plan: Plan) -> str:
        """What a build is made of: the files, and whether those for some groups are taken in."""
        return f"{plan.digest()}{'+adgang' if self.settings.access_groups else ''}"

    def _build(
        self, staging: Path, plan: Plan, previous: PreviousBuild, started: datetime, *, full: bool
    ) -> tuple[builds.Manifest, int]:
        """Make the build in the staging folder; returns its manifest and the number of vectors computed."""
        staging.mkdir()
        in_use = None if full else previous.manifest
        with (
            self.stages.stage("skærer", len(plan.sources)),
            StoreWriter(staging / builds.DATABASE_FILE) as writer,
            previous_chunks(self.place.builds_dir, in_use, self.chunker) as reusable,
        ):
            self._write(plan, writer, reusable)
        with_sentences = self.chunker.with_sentences
        with closing(Store(staging / builds.DATABASE_FILE)) as store:
            if plan.has_files and not store.records():
                raise _nothing_read(store.failures(), previous)
            embedded = embed_missing(
                store, self.cache, self.embedder, self.pool.batch_size, self.stages, with_sentences=with_sentences
            )
            assembler = Assembler(self.place, staging, store, self.cache, self.embedder, self.stages.step)
            with self.stages.stage("bygger", assembler.rows(with_sentences=with_sentences)):
                tuning = assembler.write(builds.new_id(started), with_sentences=with_sentences)
            manifest = self._manifest(store, plan, started, tuning)
        with self.stages.stage("efterprøver"):
            return finish(self.place, staging, manifest, self.cache), embedded

    def _write(self, plan: Plan, writer: StoreWriter, reusable: PreviousChunks) -> None:
        for failure in plan.unopened:
            writer.add_failure(failure)
        row = sentence_row = 0
        documents = self.extractor.documents(plan, writer)
        naming = Naming()
        versions = copies.find_versions(
            copies.imprint(naming.seen(self.extractor.document(source, id_))) for source, id_ in documents
        )
        names = naming.names(versions)
        sources = {id_: source for source, id_ in documents}
        for source, document_id in documents:
            extracted = self.extractor.document(source, document_id)
            proposals = propose(extracted)
            document = named(extracted, names[document_id], proposals)
            partial = self.extractor.reading_of(source).reason
            copy_of, aliases = versions.get(document_id, ""), plan.aliases_of(source)
            chunks = reusable.of(document) or self._chunked(extracted, document)
            passages, sentences, facts = renumbered(chunks, row, sentence_row)
            own: tuple[int, ...] = ()
            if copy_of:
                shown = self.extractor.document(sources[copy_of], copy_of)
                own = copies.own_passages(extracted, shown, [stored.passage.text for stored in passages])
            proposals = with_facts(proposals, document, facts)
            writer.add_document(
                StoredDocument(document, source.root, source.content_key, partial, aliases, copy_of, proposals, own)
            )
            writer.add_passages(passages)
            writer.add_sentences(sentences)
            writer.add_facts(document.id, facts)
            row += len(passages)
            sentence_row += len(sentences)
            self.stages.step(note=source.path)

    def _chunked(self, extracted: Document, document: Document) -> Chunks:
        """The document's chunks and facts; what was prefetched serves unless the title, which is embedded, is new."""
        chunks = self.prefetcher.chunks_of(extracted)
        if chunks is None or document.metadata.titel != extracted.metadata.titel:
            chunks = self.chunker.chunk(document)
        return self.chunker.with_facts(chunks, document.metadata)

    def _manifest(self, store: Store, plan: Plan, started: datetime, tuning: vectors.Tuning) -> builds.Manifest:
        records = store.records()
        return builds.Manifest(
            id=builds.new_id(started),
            created=started.isoformat(timespec="seconds"),
            model=self.embedder.fingerprint,
            model_name=self.embedder.name,
            dimension=self.embedder.dimension,
            documents=len(records),
            passages=len(store),
            failures=len(store.failures()),
            projects=len({stored.record.metadata.projekt for stored in records} - {""}),
            roots=plan.roots,
            read_key=self.extractor.key,
            chunk_key=self.chunker.key,
            content=content_digest(store),
            version=VERSION,
            sources=self._sources(plan),
            tuning=tuning.as_dict(),
        )

    def _clean_up(self, plan: Plan) -> None:
        """Remove old builds, cache entries that nothing refers to, and what was made of files that are gone."""
        try:
            self.place.remove_old(self.settings.keep_builds)
            _remove_made_of_files(self.place)
            self.readings.prune({(source.root, source.path): source.content_key for source in plan.sources})
            self.cache.prune(self.embedder.fingerprint, _keys_in_use(self.place))
        except (IndexBusyError, OSError, sqlite3.OperationalError) as error:
            # The new build is published, so a failed clean-up does not fail the run; the next run cleans up too.
            log.warning("Der blev ikke ryddet op efter indekseringen: %s", error)

    def _report(
        self, previous: PreviousBuild, manifest: builds.Manifest, started: datetime, started_by: str, *, embedded: int
    ) -> RunReport:
        folder = self.place.builds_dir / manifest.id
        with closing(Store(folder / builds.DATABASE_FILE)) as store:
            now = keys_by_path(store)
            records = store.records()
            failures = {f.path: {"kode": f.code, "grund": f.reason} for f in store.failures()}
        same_rules = previous.manifest is not None and previous.manifest.read_key == manifest.read_key
        unchanged = {path for path, key in now.items() if same_rules and previous.documents.get(path) == key}
        return RunReport(
            started=started.isoformat(timespec="seconds"),
            started_by=started_by,
            build_id=manifest.id,
            published=previous.manifest is None or previous.manifest.id != manifest.id,
            documents=manifest.documents,
            passages=manifest.passages,
            embedded=embedded,
            added=tuple(sorted(now.keys() - previous.documents.keys())),
            changed=tuple(sorted((now.keys() & previous.documents.keys()) - unchanged)),
            unchanged=tuple(sorted(unchanged)),
            removed=tuple(sorted(previous.documents.keys() - now.keys())),
            copies={stored.record.path: stored.copy_of for stored in records if stored.copy_of},
            partial={stored.record.path: stored.partial for stored in records if stored.partial},
            failed=failures,
            masked={stored.record.path: stored.record.masked for stored in records if stored.record.masked},
            seconds=self.stages.seconds,
        )


def _groups_of(folder: Path) -> dict[str, tuple[str, ...]]:
    """The groups that may see each report of a build."""
    with closing(Store(folder / builds.DATABASE_FILE)) as store:
        return {stored.record.id: stored.record.metadata.adgang for stored in store.records()}


def _nothing_read(failures: Sequence[Failure], previous: PreviousBuild) -> IndexingError:
    """The error when not one file could be read: the most frequent reasons, each with a file as an example."""
    examples: dict[str, list[str]] = {}
    for failure in failures:
        examples.setdefault(failure.reason, []).append(failure.path)
    most_frequent = sorted(examples.items(), key=lambda item: -len(item[1]))[:_REASONS_SHOWN]
    reasons = " ".join(f"{paths[0]}{_and_others(len(paths) - 1)}: {reason}" for reason, paths in most_frequent)
    outcome = "Det nuværende indeks er uændret." if previous.manifest else "Der er ikke lavet noget indeks."
    return IndexingError(
        f"Ingen af filerne kunne læses. {outcome} {reasons}",
        advice="Ret filerne, eller læg andre i mappen, og kør indekseringen igen.",
    )


def _and_others(count: int) -> str:
    return f" og {count} til" if count else ""


def _keys_in_use(place: Place) -> Iterator[str]:
    """The vector keys of every finished build, some more than once."""
    for build_id in place.build_ids():
        folder = place.builds_dir / build_id
        try:
            builds.read_manifest(folder)
            with closing(Store(folder / builds.DATABASE_FILE)) as store:
                yield from store.vector_keys()
                yield from (key for _, key in store.sentence_keys())
        except IndexBusyError:
            raise  # its keys are unknown, so no vector may be removed
        except (IndexUnusableError, sqlite3.DatabaseError):
            continue  # damaged or of another version: never searched again


def _remove_made_of_files(place: Place) -> None:
    """Remove what was made of files that are not in the build in use; its name begins with the file's sha256."""
    folder = place.builds_dir / place.current_id()
    with closing(Store(folder / builds.DATABASE_FILE)) as store:
        indexed = {stored.record.sha256 for stored in store.records()}
    for made in (file for folder in (PAGE_IMAGES, UNPACKED) for file in (place.index_dir / folder).glob("*")):
        if made.name.partition("-")[0] not in indexed:
            made.unlink(missing_ok=True)
