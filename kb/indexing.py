"""Brings the index in line with the corpus: plan, read, cut, embed, build aside, verify, publish.

A build is a function of the files found and of what reading and embedding them gave. Both are kept outside the builds
(:class:`ReadCache`, :class:`VectorCache`), each file and each batch as soon as it is done. So an incremental run puts
together exactly what a full run would, at the price of what is new; and a run that is killed loses at most one file's
reading or one batch. The new build is made in a folder of its own, checked, and put in use by one rename; until then,
and whenever anything fails, the old one is in use and untouched. One run at a time holds the lock, which the operating
system frees when its process dies.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kb import __version__, builds, lexical, vectors
from kb.chunk import CHUNKER_VERSION, ChunkSize, chunk, embedding_text
from kb.embed import Embedder
from kb.errors import (
    CorpusMissingError,
    IndexDamagedError,
    IndexingError,
    IndexUnusableError,
    LockedError,
    NotFoundError,
)
from kb.extract import ReadOptions, content_key, find_files, read_files
from kb.models import Document
from kb.sentences import Sentence, sentences_of
from kb.sentences import embedding_text as sentence_text
from kb.settings import Settings
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

VECTORS_CACHE = "vectors.sqlite"
READINGS_CACHE = "readings.sqlite"
LOCK_FILE = "lock"
# Failures that may pass without the file changing: a tool gets installed, a busy machine gets quiet.
PASSING_FAILURES = frozenset({"grænse-nået", "kræver-ocr", "værktøj-mangler", "læsefejl", "læser-gik-ned"})
ID_TAKEN = "id-optaget"
VECTOR_BATCH = 2048


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
    progress: Progress | None = None,
    size: ChunkSize | None = None,
) -> RunReport:
    """Bring the index in line with ``roots`` (else the configured corpus) and publish it if anything changed.

    ``full`` reads every file again; vectors already made of the very same text by the very same model are kept.
    Raises :class:`CorpusMissingError`, :class:`LockedError`, :class:`StorageError` or :class:`IndexingError`; whatever
    it raises, the build in use is as it was.
    """
    folders = tuple(Path(root) for root in roots) or (settings.corpus,)
    for folder in folders:
        if not folder.exists():
            raise CorpusMissingError(f"Mappen {folder} findes ikke.")
    with builds.storage_errors("indeksmappen"):
        builds.builds_dir(settings.index_dir).mkdir(parents=True, exist_ok=True)
        with lock(settings.index_dir), _caches(settings.index_dir) as (readings, cache):
            builds.remove_leftovers(settings.index_dir)
            work = _Run(settings, embedder, readings, cache, progress or Silent(), size or ChunkSize())
            return work.run(_Plan.make(folders), full=full, started_by=started_by)


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
        return work.run(plan, full=False, started_by="kb evaluate")


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
def _caches(index_dir: Path) -> Iterator[tuple[ReadCache, VectorCache]]:
    with ReadCache(index_dir / READINGS_CACHE) as readings, VectorCache(index_dir / VECTORS_CACHE) as cache:
        yield readings, cache


def chunk_key(embedder: Embedder, size: ChunkSize) -> str:
    """Names the cutting rules: builds of equal key cut equal documents alike."""
    return f"{CHUNKER_VERSION}:{size.target}-{size.limit}-{size.least}:{embedder.fingerprint}"


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

    def keys(self) -> dict[str, str]:
        """Content key by path, of every file that can be opened."""
        keys = {place.path: place.content_key for place in self.places}
        return keys | {path: place.content_key for place, paths in self.aliases.items() for path in paths}


@dataclass(frozen=True, slots=True)
class _Before:
    """What the build in use was made of; empty when there is none that can be read."""

    manifest: builds.Manifest | None = None
    documents: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, Failure] = field(default_factory=dict)

    @classmethod
    def load(cls, index_dir: Path) -> _Before:
        try:
            folder = builds.builds_dir(index_dir) / builds.current_id(index_dir)
            manifest = builds.read_manifest(folder)
            with closing(Store(folder / builds.DATABASE_FILE)) as store:
                return cls(manifest, _keys_by_path(store), {failure.path: failure for failure in store.failures()})
        except IndexUnusableError:
            return cls()

    def keys(self) -> dict[str, str]:
        return {**self.documents, **{path: failure.content_key for path, failure in self.failures.items()}}


def _keys_by_path(store: Store) -> dict[str, str]:
    keys = {}
    for stored in store.records():
        for path in (stored.record.path, *stored.aliases):
            keys[path] = stored.content_key
    return keys


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
        self.seconds: dict[str, float] = {}

    def run(self, plan: _Plan, *, full: bool, started_by: str) -> RunReport:
        started = datetime.now(UTC)
        before = _Before.load(self.settings.index_dir)
        if before.manifest and not full and self._is_current(before, before.manifest, plan):
            return self._report(before, before.manifest, started, started_by, embedded=0)
        self._read(plan, before, full=full)
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

    def _is_current(self, before: _Before, manifest: builds.Manifest, plan: _Plan) -> bool:
        """Whether a new build would be the build in use over again."""
        rules = (manifest.model, manifest.read_key, manifest.chunk_key)
        if rules != (self.embedder.fingerprint, self.read_key, self.chunk_key):
            return False
        if any(failure.code in PASSING_FAILURES for failure in before.failures.values()):
            return False
        return before.keys() == {**plan.keys(), **{failure.path: "" for failure in plan.unopened}}

    def _read(self, plan: _Plan, before: _Before, *, full: bool) -> None:
        """Read what has no reading yet; each reading is kept as soon as it is made."""
        due = [place for place in plan.places if full or self._reading(place) is None]
        by_root: dict[str, dict[str, Place]] = {}
        for place in due:
            by_root.setdefault(place.root, {})[place.path] = place
        with self._stage("læser", len(due)):
            for root, places in by_root.items():
                files = [place.file for place in places.values()]
                for outcome in read_files(files, Path(root), self.options):
                    place = places[outcome.path]
                    document = outcome.document
                    self.readings.put(
                        Reading(
                            root, place.path, place.content_key, self.read_key, outcome.code, outcome.reason, document
                        )
                    )
                    self.progress.step(note=place.path)

    def _reading(self, place: Place) -> Reading | None:
        reading = self.readings.get(place.root, place.path, place.content_key, self.read_key)
        return None if reading and reading.code in PASSING_FAILURES else reading

    def _build(
        self, aside: Path, plan: _Plan, before: _Before, started: datetime
    ) -> tuple[builds.Manifest, int]:
        """Make the build aside; returns its manifest and how many vectors had to be made."""
        aside.mkdir()
        with self._stage("skærer", len(plan.places)), StoreWriter(aside / builds.DATABASE_FILE) as writer:
            self._write(plan, writer)
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
                lexical.build(aside / builds.LEXICAL_FOLDER, lexical_entries(store, titles))
            manifest = self._manifest(store, plan, started)
        with self._stage("efterprøver"):
            manifest = builds.write_manifest(aside, manifest)
            problems = verify(aside, manifest)
        if problems:
            raise IndexingError(f"Det nye indeks bestod ikke efterprøvningen: {' '.join(problems)}")
        return manifest, embedded

    def _write(self, plan: _Plan, writer: StoreWriter) -> None:
        for failure in plan.unopened:
            writer.add_failure(failure)
        row = sentence_row = 0
        for place, document_id in self._assign_ids(plan, writer):
            reading = self.readings.get(place.root, place.path, place.content_key, self.read_key)
            if reading is None or reading.document is None:
                raise IndexingError(f"Læsningen af {place.path} gik tabt undervejs.", advice="Kør kommandoen igen.")
            document = replace(reading.document, metadata=replace(reading.document.metadata, id=document_id))
            partial = reading.reason
            writer.add_document(
                StoredDocument(document, place.root, place.content_key, partial, plan.aliases[place])
            )
            passages = list(self._cut(document, row))
            writer.add_passages(passages)
            row += len(passages)
            if self.with_sentences:
                sentences = list(self._sentences(document, passages, sentence_row))
                writer.add_sentences(sentences)
                sentence_row += len(sentences)
            self.progress.step(note=place.path)

    def _assign_ids(self, plan: _Plan, writer: StoreWriter) -> list[tuple[Place, str]]:
        """Every place that gave a document with its id, by id; the others are written as failures.

        The first file by place keeps an id that several give. Another that only inferred it gets a suffix made of its
        path; one that was given it by an editor is refused, for two reports must not share an address.
        """
        taken: dict[str, Place] = {}
        for place in plan.places:
            reading = self.readings.get(place.root, place.path, place.content_key, self.read_key)
            if reading is None:
                raise IndexingError(f"Læsningen af {place.path} gik tabt undervejs.", advice="Kør kommandoen igen.")
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

    def _manifest(self, store: Store, plan: _Plan, started: datetime) -> builds.Manifest:
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
        )

    def _tidy(self, plan: _Plan) -> None:
        """Drop what no kept build and no file needs any more."""
        index_dir = self.settings.index_dir
        builds.remove_old(index_dir, self.settings.keep_builds)
        self.readings.prune((place.root, place.path) for place in plan.places)
        keys: set[str] = set()
        for build_id in builds.build_ids(index_dir):
            folder = builds.builds_dir(index_dir) / build_id
            try:
                builds.read_manifest(folder)
            except IndexUnusableError:
                continue  # of another version: nothing will ever answer from it
            with closing(Store(folder / builds.DATABASE_FILE)) as store:
                keys.update(store.vector_keys())
                keys.update(key for _, key in store.sentence_keys())
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


def lexical_entries(store: Store, titles: Mapping[str, str]) -> list[lexical.Entry]:
    """What the lexical index holds of each passage, in row order; a heading that repeats the title is left out."""
    entries = []
    for stored in store.all_passages():
        passage = stored.passage
        title = titles[passage.document_id]
        headings = tuple(heading for heading in passage.heading_path if heading != title)
        entries.append(lexical.Entry(title, headings, passage.text))
    return entries


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
    with lock(settings.index_dir):
        if build_id is None:
            build_id = _newest_whole_before(settings.index_dir)
        elif build_id not in builds.build_ids(settings.index_dir):
            raise NotFoundError(f"Der er intet færdigt indeks med id {build_id}.", advice="Se dem med: kb builds")
        elif problems := verify_build(settings.index_dir, build_id):
            raise IndexDamagedError(f"Indekset {build_id} er ikke helt: {' '.join(problems)}")
        builds.point_at(settings.index_dir, build_id)
    return build_id


def _newest_whole_before(index_dir: Path) -> str:
    in_use = builds.current_id(index_dir)
    for build_id in builds.build_ids(index_dir):
        if build_id < in_use and not verify_build(index_dir, build_id):
            return build_id
    raise NotFoundError("Der er intet ældre indeks, som er helt.", advice="Kør: kb index --full")


def verify_build(index_dir: Path, build_id: str) -> list[str]:
    """What is wrong with a build, as Danish sentences; empty when it is whole."""
    folder = builds.builds_dir(index_dir) / build_id
    try:
        return verify(folder, builds.read_manifest(folder))
    except IndexUnusableError as error:
        return [str(error)]


def verify(folder: Path, manifest: builds.Manifest) -> list[str]:
    """Check a build's files and parts against one another; returns what is wrong, as Danish sentences."""
    problems = builds.check_files(folder, manifest)
    if problems:
        return problems
    if damage := check_database(folder / builds.DATABASE_FILE):
        return [f"Databasen er beskadiget: {damage}."]
    with closing(Store(folder / builds.DATABASE_FILE)) as store:
        index = vectors.VectorIndex(folder / builds.VECTORS_FILE)
        words = lexical.LexicalIndex.open(folder / builds.LEXICAL_FOLDER)
        if len(words) != len(store):
            return [f"Ordindekset har {len(words)} passager, databasen {len(store)}."]
        if (folder / builds.SENTENCES_FILE).is_file():
            sentences = vectors.VectorIndex(folder / builds.SENTENCES_FILE)
            if len(sentences) != store.sentence_count():
                return [f"Der er {len(sentences)} vektorer til {store.sentence_count()} sætninger."]
        return [*_check_counts(store, index, manifest), *_check_texts(store), *_check_vectors(store, index)]


def _check_counts(store: Store, index: vectors.VectorIndex, manifest: builds.Manifest) -> Iterator[str]:
    if len(store) != manifest.passages:
        yield f"Der er {len(store)} passager, men manifestet siger {manifest.passages}."
    if len(index) != len(store):
        yield f"Der er {len(index)} vektorer til {len(store)} passager."
    if index.dimension != manifest.dimension:
        yield f"Vektorerne har {index.dimension} tal, men manifestet siger {manifest.dimension}."
    if len(store.records()) != manifest.documents:
        yield f"Der er {len(store.records())} rapporter, men manifestet siger {manifest.documents}."


def _check_texts(store: Store) -> Iterator[str]:
    for stored in store.stored_documents():
        for passage in store.passages_of(stored.document.id):
            if stored.document.text[passage.passage.start : passage.passage.end] != passage.passage.text:
                yield f"Passagen {passage.passage.id} står ikke på sin plads i rapporten."


def _check_vectors(store: Store, index: vectors.VectorIndex) -> Iterator[str]:
    if len(index) == 0 or len(index) != len(store):
        return
    start = 0
    for batch in index.batches():
        lengths = np.linalg.norm(batch, axis=1)
        for offset in np.flatnonzero(~(np.abs(lengths - 1.0) < 0.01)):
            yield f"Vektoren i række {start + int(offset)} har ikke længden 1."
        start += len(batch)
    probe = index.vectors(np.array([len(index) // 2], dtype=np.int64))
    row, score = index.search(probe, 1)[0]
    if score < 0.99:
        yield f"En prøvesøgning fandt ikke sin egen passage (række {row}, {score:.3f})."
