"""A run: plan, read, cut, embed, build aside, verify, publish, tidy."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from kb import __version__
from kb.core.errors import CorpusMissingError, IndexBusyError, IndexingError, IndexUnusableError, InputError
from kb.core.models import Document
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.extract import ReadOptions, copies
from kb.extract.corpus_files import shown_path, wrong_name
from kb.index import builds, vectors
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
from kb.indexing.chunk_reuse import Cutter, EarlierCuts, earlier_cuts, renumbered
from kb.indexing.chunking import ChunkSize
from kb.indexing.extraction import Reader
from kb.indexing.locking import lock
from kb.indexing.missing_vectors import embed_missing
from kb.indexing.naming import Naming, named
from kb.indexing.plan import Before, Place, Plan, keys_by_path
from kb.indexing.prefetch import Ahead
from kb.indexing.progress import Progress, Silent, Stages, recorded
from kb.indexing.run_report import RunReport
from kb.proposals.proposing import propose
from kb.state.runs import RunStore

log = logging.getLogger(__name__)
PAGE_IMAGES = Path("cache") / "pages"
_REASONS_TOLD = 3


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

    ``full`` reads every file again; vectors already made of the very same text by the very same model are kept.
    ``job`` is the id of the job it carries out, if any. Raises :class:`CorpusMissingError`, :class:`InputError` for a
    folder whose name cannot be used, :class:`LockedError`, :class:`CancelledError`, :class:`StorageError`,
    :class:`InstallationError` or, among others when no file at all can be read, :class:`IndexingError`; whatever it
    raises, the build in use is as it was.
    """
    folders = tuple(Path(root) for root in roots) or (settings.corpus,)
    for folder in folders:
        if not os.path.exists(folder):
            raise CorpusMissingError(f"Mappen {shown_path(str(folder))} findes ikke.")
        if wrong := wrong_name(folder.resolve()):
            raise InputError(f"{shown_path(str(folder))}: {wrong}")
    with builds.storage_errors("indeksmappen"):
        builds.builds_dir(settings.index_dir).mkdir(parents=True, exist_ok=True)
        with (
            lock(settings.index_dir),
            RunStore(settings.state_dir) as state,
            recorded(state, started_by, job, progress or Silent()) as record,
            _caches(settings.index_dir, check=full) as (readings, cache),
        ):
            builds.remove_leftovers(settings.index_dir)
            cutter = Cutter(embedder, ChunkSize(), with_sentences=True)
            work = _Run(settings, embedder, cutter, readings, cache, record)
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
    """Index documents that are already read (evaluation sets) just as :func:`run` indexes files."""
    builds.builds_dir(settings.index_dir).mkdir(parents=True, exist_ok=True)
    with lock(settings.index_dir), _caches(settings.index_dir) as (readings, cache):
        builds.remove_leftovers(settings.index_dir)
        # The sentences are for answering; a build made to measure retrieval alone does without.
        cutter = Cutter(embedder, size or ChunkSize(), with_sentences=False)
        work = _Run(settings, embedder, cutter, readings, cache, progress or Silent())
        places = []
        for document in documents:
            key = hashlib.sha256(json.dumps(document_to_dict(document), sort_keys=True).encode()).hexdigest()
            places.append(Place("", document.path, key))
            readings.put(Reading("", document.path, key, work.reader.key, document=document))
        plan = Plan(tuple(places), dict.fromkeys(places, ()), (), ())
        return work.run(lambda: plan, full=False, started_by="kb evaluate")


@contextmanager
def _caches(index_dir: Path, *, check: bool = False) -> Iterator[tuple[ReadCache, VectorCache]]:
    """The two caches. With ``check`` a damaged one is set aside: what it held can be made again."""
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
        embedder: Embedder,
        cutter: Cutter,
        readings: ReadCache,
        cache: VectorCache,
        progress: Progress,
    ) -> None:
        self.settings = settings
        self.embedder = embedder
        self.cutter = cutter
        self.readings = readings
        self.cache = cache
        self.stages = Stages(progress)
        self.ahead = Ahead(embedder, cutter, settings.index_dir / VECTORS_CACHE, settings.batch_size)
        self.reader = Reader(readings, ReadOptions.from_settings(settings), self.stages, self.ahead)

    def run(self, make_plan: Callable[[], Plan], *, full: bool, started_by: str) -> RunReport:
        started = datetime.now(UTC)
        before = Before.load(self.settings.index_dir)
        with self.stages.stage("finder filer"):
            plan = make_plan()
            current = before.manifest if not full and self._is_current(before, plan) else None
        with self.ahead:
            if current and not self.reader.now_reads_otherwise(plan):
                return self._report(before, current, started, started_by, embedded=0)
            plan = self.reader.read_all(plan, make_plan, full=full)
        build_id = builds.new_id(started)
        aside = builds.builds_dir(self.settings.index_dir) / f"{builds.ASIDE_PREFIX}{build_id}"
        try:
            manifest, embedded = self._build(aside, plan, before, started, full=full)
            with self.stages.stage("offentliggør"):
                builds.publish(self.settings.index_dir, aside, build_id)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        self._tidy(plan)
        return self._report(before, manifest, started, started_by, embedded=embedded + self.ahead.embedded)

    def _is_current(self, before: Before, plan: Plan) -> bool:
        """Whether the build in use is whole, by today's rules, and of the very files there are.

        A build without any report is never in line with a folder that has files: why they cannot be read is told anew.
        """
        manifest = before.manifest
        if manifest is None or manifest.sources != plan.digest() or (plan.has_files and not manifest.documents):
            return False
        rules = (manifest.model, manifest.read_key, manifest.chunk_key)
        if rules != (self.embedder.fingerprint, self.reader.key, self.cutter.key):
            return False
        return not builds.check_files(builds.builds_dir(self.settings.index_dir) / manifest.id, manifest)

    def _build(
        self, aside: Path, plan: Plan, before: Before, started: datetime, *, full: bool
    ) -> tuple[builds.Manifest, int]:
        """Make the build aside; returns its manifest and how many vectors had to be made."""
        aside.mkdir()
        in_use = None if full else before.manifest
        with (
            self.stages.stage("skærer", len(plan.places)),
            StoreWriter(aside / builds.DATABASE_FILE) as writer,
            earlier_cuts(self.settings.index_dir, in_use, self.cutter) as earlier,
        ):
            self._write(plan, writer, earlier)
        with_sentences = self.cutter.with_sentences
        with closing(Store(aside / builds.DATABASE_FILE)) as store:
            if plan.has_files and not store.records():
                raise _nothing_read(store.failures(), before)
            embedded = embed_missing(
                store, self.cache, self.embedder, self.settings.batch_size, self.stages, with_sentences=with_sentences
            )
            assembler = Assembler(aside, store, self.cache, self.embedder, self.stages.step)
            with self.stages.stage("bygger", assembler.rows(with_sentences=with_sentences)):
                tuning = assembler.write(with_sentences=with_sentences)
            manifest = self._manifest(store, plan, started, tuning)
        with self.stages.stage("efterprøver"):
            return finish(aside, manifest, self.cache), embedded

    def _write(self, plan: Plan, writer: StoreWriter, earlier: EarlierCuts) -> None:
        for failure in plan.unopened:
            writer.add_failure(failure)
        row = sentence_row = 0
        placed = self.reader.documents(plan, writer)
        naming = Naming()
        versions = copies.find_versions(
            copies.imprint(naming.seen(self.reader.document(place, id_))) for place, id_ in placed
        )
        names = naming.names(versions)
        for place, document_id in placed:
            read = self.reader.document(place, document_id)
            found = propose(read)
            document = named(read, names[document_id], found)
            partial = self.reader.kept(place).reason
            shown = versions.get(document_id, "")
            aliases = plan.aliases[place]
            writer.add_document(StoredDocument(document, place.root, place.content_key, partial, aliases, shown, found))
            ahead = self.ahead.cuts_of(read)
            if document.metadata.titel != read.metadata.titel:
                ahead = None
            cuts = earlier.of(document) or ahead or self.cutter.cut(document)
            passages, sentences = renumbered(cuts, row, sentence_row)
            writer.add_passages(passages)
            writer.add_sentences(sentences)
            row += len(passages)
            sentence_row += len(sentences)
            self.stages.step(note=place.path)

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
            read_key=self.reader.key,
            chunk_key=self.cutter.key,
            content=content_digest(store),
            version=__version__,
            sources=plan.digest(),
            tuning=tuning.as_dict(),
        )

    def _tidy(self, plan: Plan) -> None:
        """Drop what no kept build and no file needs any more, and the page images of documents that are gone."""
        index_dir = self.settings.index_dir
        try:
            builds.remove_old(index_dir, self.settings.keep_builds)
            _remove_page_images(index_dir)
            self.readings.prune((place.root, place.path) for place in plan.places)
            self.cache.prune(self.embedder.fingerprint, _keys_in_use(index_dir))
        except (IndexBusyError, OSError, sqlite3.OperationalError) as error:
            # The build is in use: that tidying up did not succeed is no failure of the run. The next one tidies too.
            log.warning("Der blev ikke ryddet op efter indekseringen: %s", error)

    def _report(
        self, before: Before, manifest: builds.Manifest, started: datetime, started_by: str, *, embedded: int
    ) -> RunReport:
        folder = builds.builds_dir(self.settings.index_dir) / manifest.id
        with closing(Store(folder / builds.DATABASE_FILE)) as store:
            now = keys_by_path(store)
            records = store.records()
            failures = {f.path: {"kode": f.code, "grund": f.reason} for f in store.failures()}
        same_rules = before.manifest is not None and before.manifest.read_key == manifest.read_key
        unchanged = {path for path, key in now.items() if same_rules and before.documents.get(path) == key}
        return RunReport(
            started=started.isoformat(timespec="seconds"),
            started_by=started_by,
            build_id=manifest.id,
            published=before.manifest is None or before.manifest.id != manifest.id,
            documents=manifest.documents,
            passages=manifest.passages,
            embedded=embedded,
            added=tuple(sorted(now.keys() - before.documents.keys())),
            changed=tuple(sorted((now.keys() & before.documents.keys()) - unchanged)),
            unchanged=tuple(sorted(unchanged)),
            removed=tuple(sorted(before.documents.keys() - now.keys())),
            copies={stored.record.path: stored.copy_of for stored in records if stored.copy_of},
            partial={stored.record.path: stored.partial for stored in records if stored.partial},
            failed=failures,
            masked={stored.record.path: stored.record.masked for stored in records if stored.record.masked},
            seconds=self.stages.seconds,
        )


def _nothing_read(failures: Sequence[Failure], before: Before) -> IndexingError:
    """Why there is no new build when no file could be read: the commonest reasons, each with a file it holds for."""
    examples: dict[str, list[str]] = {}
    for failure in failures:
        examples.setdefault(failure.reason, []).append(failure.path)
    commonest = sorted(examples.items(), key=lambda item: -len(item[1]))[:_REASONS_TOLD]
    told = " ".join(f"{paths[0]}{_and_others(len(paths) - 1)}: {reason}" for reason, paths in commonest)
    left = "Det nuværende indeks er uændret." if before.manifest else "Der er ikke lavet noget indeks."
    return IndexingError(
        f"Ingen af filerne kunne læses. {left} {told}",
        advice="Ret filerne, eller læg andre i mappen, og kør indekseringen igen.",
    )


def _and_others(count: int) -> str:
    return f" og {count} til" if count else ""


def _keys_in_use(index_dir: Path) -> Iterator[str]:
    """The keys of every kept build's vectors, some more than once."""
    for build_id in builds.build_ids(index_dir):
        folder = builds.builds_dir(index_dir) / build_id
        try:
            builds.read_manifest(folder)
            with closing(Store(folder / builds.DATABASE_FILE)) as store:
                yield from store.vector_keys()
                yield from (key for _, key in store.sentence_keys())
        except IndexBusyError:
            raise  # what it holds is not known, so nothing may go
        except (IndexUnusableError, sqlite3.DatabaseError):
            continue  # damaged or of another version: nothing will ever answer from it


def _remove_page_images(index_dir: Path) -> None:
    """Remove the page images of files that the build in use does not hold; their names begin with the sha256."""
    folder = builds.builds_dir(index_dir) / builds.current_id(index_dir)
    with closing(Store(folder / builds.DATABASE_FILE)) as store:
        held = {stored.record.sha256 for stored in store.records()}
    for image in (index_dir / PAGE_IMAGES).glob("*"):
        if image.name.partition("-")[0] not in held:
            image.unlink(missing_ok=True)
