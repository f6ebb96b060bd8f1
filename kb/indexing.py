"""Brings the index in line with the corpus: plan, read, cut, embed, build aside, verify, publish.

A build is a function of the files found and of what reading and embedding them gave. Both are kept outside the builds
(:class:`ReadCache`, :class:`VectorCache`), each file and each batch as soon as it is done. So an incremental run puts
together exactly what a full run would, at the price of what is new; and a run that is killed loses at most one file's
reading or one batch. The new build is made in a folder of its own, checked, and put in use by one rename; until then,
and whenever anything fails, the old one is in use and untouched. One run at a time holds the lock, which the operating
system frees when its process dies. Every run has a row in the state file (:mod:`kb.state`) from its first moment, with
its progress and at the end its report.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kb import __version__, builds, lexical, vectors
from kb.chunk import CHUNKER_VERSION, ChunkSize, chunk, embedding_text
from kb.danish import opening
from kb.embed import Embedder
from kb.errors import (
    CancelledError,
    CorpusMissingError,
    IndexDamagedError,
    IndexingError,
    IndexUnusableError,
    KbError,
    LockedError,
    NotFoundError,
)
from kb.extract import ReadOptions, ReadOutcome, content_key, copies, find_files, read_files
from kb.models import Document
from kb.sentences import Sentence, sentences_of
from kb.sentences import embedding_text as sentence_text
from kb.settings import Settings
from kb.state import State, Status
from kb.store import (
    Failure,
    ReadCache,
    Reading,
    Store,
    StoredDocument,
    StoredPassage,
    StoredSentence,
    StoreWriter,
    VectorCache,
    check_database,
    document_to_dict,
)
from kb.verification import READINGS_CACHE, VECTORS_CACHE, verify, verify_build

log = logging.getLogger(__name__)
LOCK_FILE = "lock"
# Failures that may pass without the file changing: a tool gets installed, a busy machine gets quiet.
CHANGED_MEANWHILE = "ændret-undervejs"
PASSING_FAILURES = frozenset(
    {"grænse-nået", "kræver-ocr", "program-mangler", "værktøj-mangler", "læsefejl", "læser-gik-ned", CHANGED_MEANWHILE}
)
ID_TAKEN = "id-optaget"
READ_ATTEMPTS = 3
CUTTING_MODULES = ("chunk.py", "danish.py", "roles.py", "sentences.py")
VECTOR_BATCH = 2048
PAGE_IMAGES = Path("cache") / "pages"
# How often, in seconds, progress is written down and a wish to cancel is looked for.
PROGRESS_INTERVAL = 0.25


class Progress(Protocol):
    """What a run tells of its progress. Raising from a method cancels the run, which then leaves no trace."""

    def stage(self, name: str, total: int) -> None:
        """A stage begins: a Danish name and the number of steps, 0 where it is not known."""
        ...

    def step(self, count: int = 1, note: str = "") -> None:
        """``count`` steps of the stage are done; ``note`` says of what (a file's path)."""
        ...


class Silent:
    """Progress nobody looks at."""

    def stage(self, name: str, total: int) -> None:
        """Say nothing."""

    def step(self, count: int = 1, note: str = "") -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """A file found: its corpus folder, its path below it and its content."""

    root: str
    path: str
    content_key: str

    @property
    def file(self) -> Path:
        """Where the file lies."""
        return Path(self.root) / self.path


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did, by file. ``embedded`` counts new vectors, ``seconds`` the time of each stage."""

    started: str
    started_by: str
    build_id: str
    published: bool
    documents: int
    passages: int
    embedded: int
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    copies: Mapping[str, str] = field(default_factory=dict)
    partial: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    masked: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    run_id: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self)


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
    ``job`` is the id of the job it carries out, if any. Raises :class:`CorpusMissingError`, :class:`LockedError`,
    :class:`CancelledError`, :class:`StorageError` or :class:`IndexingError`; whatever it raises, the build in use is as
    it was.
    """
    folders = tuple(Path(root) for root in roots) or (settings.corpus,)
    for folder in folders:
        if not folder.exists():
            raise CorpusMissingError(f"Mappen {folder} findes ikke.")
    with builds.storage_errors("indeksmappen"):
        builds.builds_dir(settings.index_dir).mkdir(parents=True, exist_ok=True)
        with (
            lock(settings.index_dir),
            State(settings.state_dir) as state,
            _recorded(state, started_by, job, progress or Silent()) as record,
            _caches(settings.index_dir, check=full) as (readings, cache),
        ):
            builds.remove_leftovers(settings.index_dir)
            work = _Run(settings, embedder, readings, cache, record, ChunkSize())
            report = work.run(lambda: _Plan.make(folders), full=full, started_by=started_by)
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
        work = _Run(settings, embedder, readings, cache, progress or Silent(), size or ChunkSize())
        work.with_sentences = False
        places = []
        for document in documents:
            key = hashlib.sha256(json.dumps(document_to_dict(document), sort_keys=True).encode()).hexdigest()
            places.append(Place("", document.path, key))
            readings.put(Reading("", document.path, key, work.read_key, document=document))
        plan = _Plan(tuple(places), dict.fromkeys(places, ()), (), ())
        return work.run(lambda: plan, full=False, started_by="kb evaluate")


@contextmanager
def lock(index_dir: Path) -> Iterator[None]:
    """Hold the index for writing; raises :class:`LockedError` when another process does."""
    with (index_dir / LOCK_FILE).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise LockedError(f"En anden indeksering er i gang ({file.read().strip() or 'ukendt proces'}).") from None
        file.truncate(0)
        file.write(f"proces {os.getpid()}, begyndt {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


@contextmanager
def _caches(index_dir: Path, *, check: bool = False) -> Iterator[tuple[ReadCache, VectorCache]]:
    """The two caches. With ``check`` a damaged one is set aside: what it held can be made again."""
    for name in (READINGS_CACHE, VECTORS_CACHE):
        path = index_dir / name
        if check and path.is_file() and (damage := check_database(path)):
            log.warning("Lageret %s er beskadiget (%s) og laves forfra.", name, damage.splitlines()[0])
            for suffix in ("-wal", "-shm"):
                path.with_name(name + suffix).unlink(missing_ok=True)
            path.replace(path.with_name(f"{name}.beskadiget"))
    with ReadCache(index_dir / READINGS_CACHE) as readings, VectorCache(index_dir / VECTORS_CACHE) as cache:
        yield readings, cache


class _Recorder:
    """Progress that is also written to the run's row; raises :class:`CancelledError` when someone asks it to stop."""

    def __init__(self, state: State, run_id: str, progress: Progress) -> None:
        self.run_id = run_id
        self.report: RunReport | None = None
        self._state = state
        self._progress = progress
        self._done = 0
        self._written = time.monotonic()

    def stage(self, name: str, total: int) -> None:
        """A stage begins."""
        self._done = 0
        self._stop_if_asked()
        self._state.begin_stage(self.run_id, name, total)
        self._progress.stage(name, total)

    def step(self, count: int = 1, note: str = "") -> None:
        """Steps are done; written down a few times a second."""
        self._done += count
        if time.monotonic() - self._written >= PROGRESS_INTERVAL:
            self._state.advance(self.run_id, self._done, note)
            self._stop_if_asked()
            self._written = time.monotonic()
        self._progress.step(count, note)

    def _stop_if_asked(self) -> None:
        if self._state.is_cancelled(self.run_id):
            raise CancelledError("Indekseringen blev annulleret. Det nuværende indeks er uændret.")


@contextmanager
def _recorded(state: State, started_by: str, job: str, progress: Progress) -> Iterator[_Recorder]:
    """Give the run its row, and close it with the run's report or its error."""
    record = _Recorder(state, state.begin_run(started_by, job), progress)
    try:
        yield record
    except BaseException as error:
        cancelled = isinstance(error, CancelledError | KeyboardInterrupt)
        status = Status.CANCELLED if cancelled else Status.FAILED
        _close(state, record.run_id, status, error=_described(error))
        raise
    assert record.report is not None
    _close(state, record.run_id, Status.DONE, report=record.report.as_dict())


def _close(state: State, run_id: str, status: Status, **how: Any) -> None:
    try:
        state.finish_run(run_id, status, **how)
    except sqlite3.Error as error:  # the run itself is over, and how it went must not depend on its minutes
        log.warning("Kørslens rapport kunne ikke gemmes: %s", error)


def _described(error: BaseException) -> dict[str, str]:
    if isinstance(error, KbError):
        return {"code": error.code, "message": str(error), "advice": error.advice}
    if isinstance(error, KeyboardInterrupt):
        return {"code": CancelledError.code, "message": "Indekseringen blev afbrudt fra tastaturet.", "advice": ""}
    return {"code": "uventet", "message": f"{type(error).__name__}: {error}", "advice": ""}


def chunk_key(embedder: Embedder, size: ChunkSize) -> str:
    """Names the cutting rules: builds of equal key cut equal documents alike."""
    return f"{CHUNKER_VERSION}:{_cutting_rules()}:{size.target}-{size.limit}-{size.least}:{embedder.fingerprint}"


@cache
def _cutting_rules() -> str:
    """A digest of the code that cuts and sorts text, so that a change of it is noticed without anyone's telling."""
    digest = hashlib.sha256()
    for name in CUTTING_MODULES:
        digest.update(files("kb").joinpath(name).read_bytes())
    return digest.hexdigest()[:12]


def vector_key(text: str) -> str:
    """The cache key of an embedded text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def find_places(roots: Sequence[Path]) -> tuple[list[Place], list[Failure]]:
    """Every file below the roots with its content key, by place; and those that cannot be opened."""
    places, failures = [], []
    for root in roots:
        home = root.parent if root.is_file() else root
        for file in find_files([root]):
            path = file.relative_to(home).as_posix()
            try:
                places.append(Place(str(home.resolve()), path, content_key(file)))
            except OSError as error:
                reason = f"Filen kan ikke åbnes: {error.strerror}."
                failures.append(Failure(str(home.resolve()), path, "", "kan-ikke-åbnes", reason))
    return sorted(set(places), key=lambda place: (place.root, place.path)), failures



@dataclass(frozen=True, slots=True)
class _Plan:
    """The files to index: ``places`` holds each content once, ``aliases`` the other paths of the same content."""

    places: tuple[Place, ...]
    aliases: Mapping[Place, tuple[str, ...]]
    unopened: tuple[Failure, ...]
    roots: tuple[str, ...]

    @classmethod
    def make(cls, roots: Sequence[Path]) -> _Plan:
        found, unopened = find_places(roots)
        by_content: dict[str, list[Place]] = {}
        for place in found:
            by_content.setdefault(place.content_key, []).append(place)
        aliases = {group[0]: tuple(place.path for place in group[1:]) for group in by_content.values()}
        return cls(tuple(aliases), aliases, tuple(unopened), tuple(str(root.resolve()) for root in roots))

    def digest(self) -> str:
        """A digest of every file's place and content: equal for plans that give equal builds."""
        files = [(place.root, place.path, place.content_key, self.aliases[place]) for place in self.places]
        unopened = [(failure.root, failure.path, failure.reason) for failure in self.unopened]
        return hashlib.sha256(json.dumps([sorted(files), sorted(unopened), self.roots]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Before:
    """What the build in use was made of; empty when there is none that can be read."""

    manifest: builds.Manifest | None = None
    documents: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, index_dir: Path) -> _Before:
        try:
            folder = builds.builds_dir(index_dir) / builds.current_id(index_dir)
            manifest = builds.read_manifest(folder)
            with closing(Store(folder / builds.DATABASE_FILE)) as store:
                return cls(manifest, _keys_by_path(store))
        except (IndexUnusableError, sqlite3.DatabaseError):
            return cls()


def _keys_by_path(store: Store) -> dict[str, str]:
    keys = {}
    for stored in store.records():
        for path in (stored.record.path, *stored.aliases):
            keys[path] = stored.content_key
    return keys


_Cuts = tuple[list[StoredPassage], list[StoredSentence]]


class _EarlierCuts:
    """What the build in use has of documents that are word for word the same: they need not be cut again."""

    def __init__(self, store: Store | None) -> None:
        self._store = store

    def of(self, document: Document, row: int, sentence_row: int) -> _Cuts | None:
        """The document's passages and sentences with rows from the given ones on; None when it has changed."""
        if self._store is None:
            return None
        try:
            if self._store.stored_document(document.id).document != document:
                return None
        except NotFoundError:
            return None
        found = self._store.passages_of(document.id)
        by_passage = self._store.sentences_of_passages([stored.passage.id for stored in found])
        passages = [replace(stored, row=number) for number, stored in enumerate(found, row)]
        pairs = [(passage.row, sentence) for passage in passages for sentence in by_passage[passage.passage.id]]
        sentences = [
            replace(sentence, row=number, passage_row=passage_row)
            for number, (passage_row, sentence) in enumerate(pairs, sentence_row)
        ]
        return passages, sentences


class _Run:
    """One run, under the lock."""

    def __init__(
        self,
        settings: Settings,
        embedder: Embedder,
        readings: ReadCache,
        cache: VectorCache,
        progress: Progress,
        size: ChunkSize,
    ) -> None:
        self.settings = settings
        self.embedder = embedder
        self.readings = readings
        self.cache = cache
        self.progress = progress
        self.size = size
        self.options = ReadOptions.from_settings(settings)
        self.read_key = self.options.fingerprint()
        self.chunk_key = chunk_key(embedder, size)
        # The sentences are for answering; a build made to measure retrieval alone does without.
        self.with_sentences = True
        self.full = False
        self.seconds: dict[str, float] = {}

    def run(self, make_plan: Callable[[], _Plan], *, full: bool, started_by: str) -> RunReport:
        started = datetime.now(UTC)
        self.full = full
        before = _Before.load(self.settings.index_dir)
        with self._stage("finder filer"):
            plan = make_plan()
            current = before.manifest if not full and self._is_current(before, plan) else None
        if current and not self._now_reads_otherwise(plan):
            return self._report(before, current, started, started_by, embedded=0)
        plan = self._read_all(plan, make_plan, full=full)
        build_id = builds.new_id(started)
        aside = builds.builds_dir(self.settings.index_dir) / f"{builds.ASIDE_PREFIX}{build_id}"
        try:
            manifest, embedded = self._build(aside, plan, before, started)
            with self._stage("offentliggør"):
                builds.publish(self.settings.index_dir, aside, build_id)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        self._tidy(plan)
        return self._report(before, manifest, started, started_by, embedded=embedded)

    @contextmanager
    def _stage(self, name: str, total: int = 0) -> Iterator[None]:
        begun = time.perf_counter()
        self.progress.stage(name, total)
        yield
        self.seconds[name] = round(time.perf_counter() - begun, 3)

    def _is_current(self, before: _Before, plan: _Plan) -> bool:
        """Whether the build in use is whole, by today's rules, and of the very files there are."""
        manifest = before.manifest
        if manifest is None or manifest.sources != plan.digest():
            return False
        rules = (manifest.model, manifest.read_key, manifest.chunk_key)
        if rules != (self.embedder.fingerprint, self.read_key, self.chunk_key):
            return False
        return not builds.check_files(builds.builds_dir(self.settings.index_dir) / manifest.id, manifest)

    def _now_reads_otherwise(self, plan: _Plan) -> bool:
        """Whether a file whose failure may have passed gives something else when it is read again."""
        earlier = {}
        for place in plan.places:
            reading = self.readings.get(place.root, place.path, place.content_key, self.read_key)
            if reading and reading.code in PASSING_FAILURES and reading.document is None:
                earlier[place] = reading
        self._read(tuple(earlier))
        return any(
            self.readings.get(place.root, place.path, place.content_key, self.read_key) != reading
            for place, reading in earlier.items()
        )

    def _read_all(self, plan: _Plan, make_plan: Callable[[], _Plan], *, full: bool) -> _Plan:
        """Read what has no reading yet, and make the plan again for as long as files change meanwhile."""
        due = plan.places if full else tuple(place for place in plan.places if self._reading(place) is None)
        for _ in range(READ_ATTEMPTS - 1):
            if not self._read(due):
                return plan
            plan = make_plan()
            due = tuple(place for place in plan.places if self._reading(place) is None)
        for place in self._read(due):
            reason = "Filen blev ved med at blive ændret, mens den blev læst."
            self.readings.put(
                Reading(place.root, place.path, place.content_key, self.read_key, CHANGED_MEANWHILE, reason)
            )
        return plan

    def _read(self, due: Sequence[Place]) -> list[Place]:
        """Read files; each reading is kept as soon as it is made. Returns those that changed while they were read.

        What was read of such a file is thrown away: kept, it would pass for the content the file had before.
        """
        changed: list[Place] = []
        by_root: dict[str, dict[str, Place]] = {}
        for place in due:
            by_root.setdefault(place.root, {})[place.path] = place
        with self._stage("læser", len(due)):
            for root, places in by_root.items():
                files = [place.file for place in places.values()]
                for outcome in read_files(files, Path(root), self.options):
                    place = places[outcome.path]
                    if _key_now(place) == place.content_key:
                        self.readings.put(_reading(place, self.read_key, outcome))
                    else:
                        changed.append(place)
                    self.progress.step(note=place.path)
        return changed

    def _reading(self, place: Place) -> Reading | None:
        reading = self.readings.get(place.root, place.path, place.content_key, self.read_key)
        return None if reading and reading.code in PASSING_FAILURES else reading

    def _build(
        self, aside: Path, plan: _Plan, before: _Before, started: datetime
    ) -> tuple[builds.Manifest, int]:
        """Make the build aside; returns its manifest and how many vectors had to be made."""
        aside.mkdir()
        with (
            self._stage("skærer", len(plan.places)),
            StoreWriter(aside / builds.DATABASE_FILE) as writer,
            self._earlier_cuts(before) as earlier,
        ):
            self._write(plan, writer, earlier)
        with closing(Store(aside / builds.DATABASE_FILE)) as store:
            if before.documents and plan.places and not store.records():
                raise IndexingError("Ingen af filerne kunne læses. Det nuværende indeks er uændret.")
            titles = {stored.record.id: stored.record.metadata.titel for stored in store.records()}
            embedded = self._embed(store, titles)
            if self.with_sentences:
                embedded += self._embed_sentences(store, titles)
            with self._stage("bygger", len(store) + store.sentence_count()):
                self._write_vectors(aside / builds.VECTORS_FILE, list(store.vector_keys()))
                if self.with_sentences:
                    self._write_vectors(aside / builds.SENTENCES_FILE, [key for _, key in store.sentence_keys()])
                tuning = vectors.add_lists(aside / builds.VECTORS_FILE, lambda rows: self._questions_of(store, rows))
                lexical.build(aside / builds.LEXICAL_FOLDER, LexicalEntries(store, titles))
            manifest = self._manifest(store, plan, started, tuning)
        with self._stage("efterprøver"):
            manifest = builds.write_manifest(aside, manifest)
            problems = verify(aside, manifest, self.cache)
        if problems:
            raise IndexingError(f"Det nye indeks bestod ikke efterprøvningen: {' '.join(problems)}")
        return manifest, embedded

    @contextmanager
    def _earlier_cuts(self, before: _Before) -> Iterator[_EarlierCuts]:
        """The build in use as a source of passages, if it is whole and was cut by the same rules."""
        manifest = before.manifest
        usable = manifest is not None and not self.full and manifest.chunk_key == self.chunk_key
        if manifest is None or not usable or (builds.SENTENCES_FILE in manifest.files) != self.with_sentences:
            yield _EarlierCuts(None)
            return
        path = builds.builds_dir(self.settings.index_dir) / manifest.id / builds.DATABASE_FILE
        if builds.file_digest(path) != manifest.files[builds.DATABASE_FILE][1]:
            yield _EarlierCuts(None)
            return
        with closing(Store(path)) as store:
            yield _EarlierCuts(store)

    def _write(self, plan: _Plan, writer: StoreWriter, earlier: _EarlierCuts) -> None:
        for failure in plan.unopened:
            writer.add_failure(failure)
        row = sentence_row = 0
        placed = self._assign_ids(plan, writer)
        versions = copies.find_versions(copies.imprint(self._document(place, id_)) for place, id_ in placed)
        for place, document_id in placed:
            document = self._document(place, document_id)
            partial = self._kept(place).reason
            shown = versions.get(document_id, "")
            writer.add_document(
                StoredDocument(document, place.root, place.content_key, partial, plan.aliases[place], shown)
            )
            passages, sentences = earlier.of(document, row, sentence_row) or self._cut_up(document, row, sentence_row)
            writer.add_passages(passages)
            writer.add_sentences(sentences)
            row += len(passages)
            sentence_row += len(sentences)
            self.progress.step(note=place.path)

    def _cut_up(self, document: Document, row: int, sentence_row: int) -> _Cuts:
        passages = list(self._cut(document, row))
        return passages, list(self._sentences(document, passages, sentence_row)) if self.with_sentences else []

    def _assign_ids(self, plan: _Plan, writer: StoreWriter) -> list[tuple[Place, str]]:
        """Every place that gave a document with its id, by id; the others are written as failures.

        The first file by place keeps an id that several give. Another that only inferred it gets a suffix made of its
        path; one that was given it by an editor is refused, for two reports must not share an address.
        """
        taken: dict[str, Place] = {}
        for place in plan.places:
            reading = self._kept(place)
            if reading.document is None:
                failure = Failure(place.root, place.path, place.content_key, reading.code, reading.reason)
                writer.add_failure(failure)
                continue
            wanted = reading.document.id
            if wanted in taken and "id" in reading.document.metadata.inferred:
                wanted = f"{wanted}-{hashlib.sha256(place.path.encode()).hexdigest()[:6]}"
            if wanted in taken:
                reason = f"id {wanted} bruges allerede af {taken[wanted].path}."
                writer.add_failure(Failure(place.root, place.path, place.content_key, ID_TAKEN, reason))
                continue
            taken[wanted] = place
        return sorted(((place, id_) for id_, place in taken.items()), key=lambda pair: pair[1])

    def _kept(self, place: Place) -> Reading:
        reading = self.readings.get(place.root, place.path, place.content_key, self.read_key)
        if reading is None:
            raise IndexingError(f"Læsningen af {place.path} gik tabt undervejs.", advice="Kør kommandoen igen.")
        return reading

    def _document(self, place: Place, document_id: str) -> Document:
        """A place's document under its final id."""
        document = self._kept(place).document
        if document is None:
            raise IndexingError(f"{place.path} har ingen tekst.", advice="Kør kommandoen igen.")
        return replace(document, metadata=replace(document.metadata, id=document_id))

    def _cut(self, document: Document, first_row: int) -> Iterator[StoredPassage]:
        for row, passage in enumerate(chunk(document, self.embedder.count_tokens, self.size), first_row):
            text = embedding_text(document.metadata.titel, passage)
            yield StoredPassage(row, passage, self.embedder.count_tokens(text), vector_key(text))

    def _sentences(
        self, document: Document, passages: Sequence[StoredPassage], first_row: int
    ) -> Iterator[StoredSentence]:
        found = [(stored.row, sentence) for stored in passages for sentence in sentences_of(stored.passage)]
        for row, (passage_row, sentence) in enumerate(found, first_row):
            text = sentence_text(document.metadata.titel, sentence)
            tokens = self.embedder.count_tokens(text)
            yield StoredSentence(row, passage_row, sentence.start, sentence.end, tokens, vector_key(text))

    def _embed_sentences(self, store: Store, titles: Mapping[str, str]) -> int:
        """As :meth:`_embed`, for the sentences."""
        model = self.embedder.fingerprint
        keys = {key: row for row, key in store.sentence_keys(distinct=True)}
        due = list(self.cache.missing(model, keys))
        with self._stage("indlejrer sætninger", len(due)):
            for start in range(0, len(due), self.settings.batch_size):
                part = due[start : start + self.settings.batch_size]
                texts = []
                for stored, passage in store.sentences_with_passages([keys[key] for key in part]):
                    sentence = Sentence(passage.passage, stored.start, stored.end)
                    texts.append(sentence_text(titles[passage.passage.document_id], sentence))
                self.cache.put(model, part, self.embedder.embed_passages(texts))
                self.progress.step(len(part))
        return len(due)

    def _embed(self, store: Store, titles: Mapping[str, str]) -> int:
        """Make the vectors that the cache lacks, shortest texts first, and keep each batch as it is made."""
        model = self.embedder.fingerprint
        due = list(self.cache.missing(model, store.vector_keys(distinct=True)))
        with self._stage("indlejrer", len(due)):
            for start in range(0, len(due), self.settings.batch_size):
                keys = due[start : start + self.settings.batch_size]
                found = {stored.vector_key: stored.passage for stored in store.by_vector_keys(keys)}
                texts = [embedding_text(titles[found[key].document_id], found[key]) for key in keys]
                self.cache.put(model, keys, self.embedder.embed_passages(texts))
                self.progress.step(len(keys))
        return len(due)

    def _write_vectors(self, file: Path, keys: Sequence[str]) -> None:
        def batches() -> Iterator[NDArray[np.float32]]:
            for start in range(0, len(keys), VECTOR_BATCH):
                part = keys[start : start + VECTOR_BATCH]
                yield self.cache.get(self.embedder.fingerprint, part)
                self.progress.step(len(part))

        vectors.build(file, batches(), self.embedder.dimension)

    def _questions_of(self, store: Store, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of the opening words of some passages, embedded as questions."""
        found = store.passages(rows.tolist())
        return self.embedder.embed_queries([opening(found[row].passage.text) for row in rows.tolist()])

    def _manifest(self, store: Store, plan: _Plan, started: datetime, tuning: vectors.Tuning) -> builds.Manifest:
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
            read_key=self.read_key,
            chunk_key=self.chunk_key,
            content=content_digest(store),
            version=__version__,
            sources=plan.digest(),
            tuning=tuning.as_dict(),
        )

    def _tidy(self, plan: _Plan) -> None:
        """Drop what no kept build and no file needs any more, and the page images of documents that are gone."""
        index_dir = self.settings.index_dir
        builds.remove_old(index_dir, self.settings.keep_builds)
        _remove_page_images(index_dir)
        self.readings.prune((place.root, place.path) for place in plan.places)
        keys: set[str] = set()
        for build_id in builds.build_ids(index_dir):
            folder = builds.builds_dir(index_dir) / build_id
            try:
                builds.read_manifest(folder)
                with closing(Store(folder / builds.DATABASE_FILE)) as store:
                    keys.update(store.vector_keys())
                    keys.update(key for _, key in store.sentence_keys())
            except (IndexUnusableError, sqlite3.DatabaseError):
                continue  # damaged or of another version: nothing will ever answer from it
        self.cache.prune(self.embedder.fingerprint, keys)

    def _report(
        self, before: _Before, manifest: builds.Manifest, started: datetime, started_by: str, *, embedded: int
    ) -> RunReport:
        folder = builds.builds_dir(self.settings.index_dir) / manifest.id
        with closing(Store(folder / builds.DATABASE_FILE)) as store:
            now = _keys_by_path(store)
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
            seconds=self.seconds,
        )


def _key_now(place: Place) -> str:
    """The file's content key as it is now; empty when it is gone."""
    try:
        return content_key(place.file)
    except OSError:
        return ""


def _reading(place: Place, read_key: str, outcome: ReadOutcome) -> Reading:
    given = (outcome.code, outcome.reason, outcome.document)
    return Reading(place.root, place.path, place.content_key, read_key, *given)


def _remove_page_images(index_dir: Path) -> None:
    """Remove the page images of files that the build in use does not hold; their names begin with the sha256."""
    folder = builds.builds_dir(index_dir) / builds.current_id(index_dir)
    with closing(Store(folder / builds.DATABASE_FILE)) as store:
        held = {stored.record.sha256 for stored in store.records()}
    for image in (index_dir / PAGE_IMAGES).glob("*"):
        if image.name.partition("-")[0] not in held:
            image.unlink(missing_ok=True)


class LexicalEntries:
    """What the lexical index holds of each passage, in row order; read from the store each time it is gone through.

    A heading that repeats the title is left out.
    """

    def __init__(self, store: Store, titles: Mapping[str, str]) -> None:
        self._store = store
        self._titles = titles

    def __iter__(self) -> Iterator[lexical.Entry]:
        for stored in self._store.all_passages():
            passage = stored.passage
            title = self._titles[passage.document_id]
            headings = tuple(heading for heading in passage.heading_path if heading != title)
            yield lexical.Entry(title, headings, passage.text)


def lexical_entries(store: Store, titles: Mapping[str, str]) -> list[lexical.Entry]:
    """The same as a list."""
    return list(LexicalEntries(store, titles))


def content_digest(store: Store) -> str:
    """A digest of a build's documents, passages and failures: equal for builds that answer alike."""
    digest = hashlib.sha256()
    for stored in store.stored_documents():
        values = document_to_dict(stored.document)
        values |= {"aliases": stored.aliases, "copy_of": stored.copy_of, "partial": stored.partial}
        digest.update(json.dumps(values, ensure_ascii=False, sort_keys=True).encode())
    for passage in store.all_passages():
        digest.update(f"{passage.row}\0{passage.passage.id}\0{passage.vector_key}\n".encode())
    for failure in store.failures():
        digest.update(f"{failure.path}\0{failure.code}\n".encode())
    return digest.hexdigest()


def roll_back(settings: Settings, build_id: str | None = None) -> str:
    """Put an older build in use: the one named, else the newest whole one before the one in use; returns its id.

    Raises :class:`NotFoundError` when there is none, :class:`IndexDamagedError` when the named one is not whole.
    """
    in_use = _in_use(settings.index_dir)  # no index at all is told before anything is written
    with builds.storage_errors("indeksmappen"), lock(settings.index_dir):
        if build_id is None:
            build_id = _newest_whole_but(settings.index_dir, in_use)
        elif build_id not in builds.build_ids(settings.index_dir):
            raise NotFoundError(f"Der er intet færdigt indeks med id {build_id}.", advice="Se dem med: kb builds")
        elif problems := verify_build(settings.index_dir, build_id):
            raise IndexDamagedError(f"Indekset {build_id} er ikke helt: {' '.join(problems)}")
        builds.point_at(settings.index_dir, build_id)
    return build_id


def _in_use(index_dir: Path) -> str:
    """The id of the build in use; empty when ``CURRENT`` is damaged. Raises :class:`IndexMissingError`."""
    try:
        return builds.current_id(index_dir)
    except IndexDamagedError:
        return ""


def _newest_whole_but(index_dir: Path, in_use: str) -> str:
    """The newest whole build older than the one in use; the newest of all when it is not known which is in use."""
    found = builds.build_ids(index_dir)
    older = [build_id for build_id in found if build_id < in_use] if in_use in found else found
    for build_id in older:
        if not verify_build(index_dir, build_id):
            return build_id
    raise NotFoundError("Der er intet ældre indeks, som er helt.", advice="Kør: kb index --full")
