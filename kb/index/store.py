"""SQLite: a build's documents, passages and facts (``schema.sql`` beside this file), and the caches that
outlive builds.

A build's file is written once by :class:`StoreWriter` and only read afterwards by :class:`Store`, one connection a
thread. Inside the index a passage is addressed by its row, the
number its vector and lexical entry share and what retrieval has for its key. :class:`VectorCache` keeps every
vector made, by model fingerprint and sha256 of the embedded text, so that no text is embedded twice;
:class:`ReadCache` keeps what reading a file gave, so that no unchanged file is read twice.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass, field, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from kb.core.errors import IndexVersionError, NotFoundError
from kb.core.machine import busy, refused, unusable
from kb.core.models import (
    Certainty,
    Document,
    DocumentRecord,
    Heading,
    Metadata,
    Page,
    Passage,
    ReadWarning,
    Role,
)
from kb.core.paths import holders, inside
from kb.facts import Fact, FactKind
from kb.facts.standing import KINDS as STANDING_KINDS
from kb.facts.standing import UNTOLD, Standing, standing_of
from kb.proposals.proposal import Proposal

SQL_VARIABLES = 500
_PAGES = "SELECT pages FROM documents WHERE id = ?"
# The form of the two caches.
CACHE_FORM = 1


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document with what an index remembers of its file.

    ``root`` is the folder that ``document.path`` is relative to; ``content_key`` says whether the file must be read
    again; ``partial`` is why only part of it was read; ``aliases`` are other paths with the same bytes; ``copy_of``
    is the id of the document that this one is another version of, and ``own_passages`` are the ordinals of the passages
    that tell what that document does not; ``proposals`` no editor has confirmed.
    """

    document: Document
    root: str
    content_key: str
    partial: str = ""
    aliases: tuple[str, ...] = ()
    copy_of: str = ""
    proposals: tuple[Proposal, ...] = ()
    own_passages: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage with its row, the size of its embedded text in tokens and the cache key of its vector."""

    row: int
    passage: Passage
    tokens: int
    vector_key: str


@dataclass(frozen=True, slots=True)
class StoredSentence:
    """A sentence that may answer: its row, its passage's row, its range of the document's text and its vector's key."""

    row: int
    passage_row: int
    start: int
    end: int
    tokens: int
    vector_key: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that gave no document: a stable ``code`` and a Danish ``reason``."""

    root: str
    path: str
    content_key: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A document's record for lists, without its text, with what the index remembers of its file.

    ``standing`` is how far its project is, as far as the report and its metadata know.
    """

    record: DocumentRecord
    root: str
    content_key: str
    partial: str = ""
    aliases: tuple[str, ...] = ()
    copy_of: str = ""
    proposals: tuple[Proposal, ...] = ()
    own_passages: tuple[int, ...] = ()
    headings: tuple[Heading, ...] = field(default=(), repr=False)
    standing: Standing = UNTOLD


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading one file gave: a document, whole or (with a code and a reason) in part, or only a reason.

    An archive that was opened gave neither.
    """

    root: str
    path: str
    content_key: str
    read_key: str
    code: str = ""
    reason: str = ""
    document: Document | None = None


@dataclass(frozen=True, slots=True)
class _Columns:
    """What filters look at, in memory: each document's range of rows, and each row's role."""

    ranges: Mapping[str, tuple[int, int]]
    roles: NDArray[np.str_]


class StoreWriter:
    """Fills a new build's database. A reader that has the file open sees what :meth:`commit` closed off.

    with StoreWriter(path) as writer:
        writer.add_document(stored)
        writer.add_passages(passages)
    """

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")  # the build is synced as a whole before it is published
        self._db.executescript(files("kb.index").joinpath("schema.sql").read_text(encoding="utf-8"))

    def __enter__(self) -> StoreWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.commit()
        self._db.close()

    def add_document(self, stored: StoredDocument) -> None:
        """Add one document; its id and its place must be new."""
        values = document_to_dict(stored.document)
        values |= {name: _dump(values[name]) for name in _JSON_COLUMNS}
        values |= {"id": stored.document.id, "root": stored.root, "content_key": stored.content_key}
        values |= {"partial": stored.partial, "aliases": _dump(list(stored.aliases)), "copy_of": stored.copy_of}
        values |= {"own_passages": _dump(list(stored.own_passages))}
        values |= {"proposals": _dump([proposal.as_dict() for proposal in stored.proposals])}
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        self._db.execute(f"INSERT INTO documents ({names}) VALUES ({marks})", values)

    def add_passages(self, passages: Iterable[StoredPassage]) -> None:
        """Add passages; rows must go on from the last."""
        rows = [_passage_row(stored) for stored in passages]
        self._db.executemany(f"INSERT INTO passages VALUES ({','.join('?' * 15)})", rows)
        counts: dict[str, int] = {}
        for row in rows:
            counts[row[2]] = counts.get(row[2], 0) + 1
        self._db.executemany(
            "UPDATE documents SET passages = passages + ? WHERE id = ?", [(n, id_) for id_, n in counts.items()]
        )

    def add_sentences(self, sentences: Iterable[StoredSentence]) -> None:
        """Add sentences; rows must go on from the last."""
        self._db.executemany("INSERT INTO sentences VALUES (?,?,?,?,?,?)", map(astuple, sentences))

    def add_facts(self, document_id: str, facts: Iterable[Fact]) -> None:
        """Add what a report says of its project."""
        rows = [(document_id, *astuple(fact)) for fact in facts]
        self._db.executemany(f"INSERT INTO facts ({_FACT_COLUMNS}) VALUES ({','.join('?' * 9)})", rows)

    def add_failure(self, failure: Failure) -> None:
        """Add a file that could not be read."""
        self._db.execute("INSERT INTO failures VALUES (?,?,?,?,?)", astuple(failure))

    def commit(self) -> None:
        """Let :class:`Store` see what has been added so far."""
        self._db.commit()


class Store:
    """A finished build's database, read-only and safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        try:
            self._passages = int(self._one("SELECT count(*) FROM passages")[0])
        except sqlite3.DatabaseError as error:
            raise unusable(error, "Indeksets database kan ikke læses.", path) from error

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()

    def __len__(self) -> int:
        return self._passages

    @property
    def _db(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            self._local.connection = connection
        return connection

    def _connect(self) -> sqlite3.Connection:
        # A published build never changes, so the reader needs no locks ("immutable").
        uri = f"{self._path.absolute().as_uri()}?mode=ro&immutable=1"
        try:
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        except sqlite3.OperationalError:
            # Old builds are cleaned away while someone may still be finishing on one: then a thread that is new to it
            # shares the first connection, which SQLite (in its serialised mode) allows.
            with self._lock:
                if self._opened and not self._path.exists():
                    return self._opened[0]
            raise
        connection.row_factory = sqlite3.Row
        with self._lock:
            self._opened.append(connection)
        return connection

    def _one(self, sql: str, *values: object) -> sqlite3.Row:
        row: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
        if row is None:
            raise NotFoundError("Findes ikke i indekset.")
        return row

    def records(self) -> list[StoredRecord]:
        """Every document's record, by id."""
        columns = (
            "id, root, path, content_key, sha256, media_type, reader, metadata, headings, json_array_length(pages) AS"
            " page_count, length(text) AS characters, warnings, masked, partial, aliases, copy_of, own_passages,"
            " proposals, passages"
        )
        told: dict[str, list[Fact]] = {}
        for document_id, fact in self.facts(STANDING_KINDS):
            told.setdefault(document_id, []).append(fact)
        rows = self._db.execute(f"SELECT {columns} FROM documents ORDER BY id")
        return [_record(row, told.get(row["id"], ())) for row in rows]

    def stored_document(self, document_id: str) -> StoredDocument:
        """One document with its text; raises :class:`NotFoundError`."""
        row = self._db.execute("SELECT * FROM documents WHERE id = ?", (document_id,)).fetchone()
        if row is None:
            raise NotFoundError(f"Der er ingen rapport med id {document_id}.")
        return _document(row)

    def stored_documents(self) -> Iterator[StoredDocument]:
        """Every document with its text, by id, one at a time."""
        for row in self._db.execute("SELECT * FROM documents ORDER BY id"):
            yield _document(row)

    def pages_of(self, document_id: str) -> tuple[Page, ...]:
        """A document's pages; raises :class:`NotFoundError` for a document that is not there."""
        return tuple(Page(*page) for page in json.loads(self._one(_PAGES, document_id)[0]))

    def passage(self, passage_id: str) -> StoredPassage:
        """One passage by id; raises :class:`NotFoundError`."""
        row = self._db.execute("SELECT * FROM passages WHERE id = ?", (passage_id,)).fetchone()
        if row is None:
            raise NotFoundError(f"Der er ingen passage med id {passage_id}.")
        return _stored_passage(row)

    def passages_of(self, document_id: str) -> list[StoredPassage]:
        """A document's passages in order."""
        rows = self._db.execute("SELECT * FROM passages WHERE document_id = ? ORDER BY ordinal", (document_id,))
        return [_stored_passage(row) for row in rows]

    def passages(self, rows: Sequence[int]) -> dict[int, StoredPassage]:
        """Passages by row."""
        stored: dict[int, StoredPassage] = {}
        for start in range(0, len(rows), SQL_VARIABLES):
            part = [int(row) for row in rows[start : start + SQL_VARIABLES]]
            marks = ",".join("?" * len(part))
            for row in self._db.execute(f"SELECT * FROM passages WHERE row IN ({marks})", part):
                stored[row["row"]] = _stored_passage(row)
        return stored

    def all_passages(self) -> Iterator[StoredPassage]:
        """Every passage in row order, one at a time."""
        for row in self._db.execute("SELECT * FROM passages ORDER BY row"):
            yield _stored_passage(row)

    def keys_of(self, document_ids: Iterable[str], roles: Collection[str] = ()) -> NDArray[np.int64]:
        """The rows of the documents' passages; where roles are given, of those that have one of them."""
        ranges = self._columns.ranges
        spans = [ranges[id_] for id_ in document_ids if id_ in ranges]
        rows = np.concatenate([np.empty(0, np.int64), *(np.arange(*span, dtype=np.int64) for span in spans)])
        return rows[np.isin(self._columns.roles[rows], list(roles))] if roles else rows

    def role_counts(self, keys: NDArray[np.int64] | None = None) -> dict[str, int]:
        """How many of the rows, or of all passages, have each role."""
        roles = self._columns.roles if keys is None else self._columns.roles[keys]
        values, counts = np.unique(roles, return_counts=True)
        return {str(role): int(count) for role, count in zip(values, counts, strict=True)}

    @cached_property
    def _columns(self) -> _Columns:
        ranges: dict[str, tuple[int, int]] = {}
        roles: list[str] = []
        for row, document_id, role in self._db.execute("SELECT row, document_id, role FROM passages ORDER BY row"):
            first, _last = ranges.get(document_id, (row, row))
            ranges[document_id] = (first, row + 1)
            roles.append(role)
        return _Columns(ranges, np.array(roles, dtype=np.str_))

    def vector_keys(self, *, distinct: bool = False) -> Iterator[str]:
        """Cache keys in row order; with ``distinct`` each once, shortest embedded text first."""
        by_row = "SELECT vector_key FROM passages ORDER BY row"
        by_length = "SELECT vector_key FROM passages GROUP BY vector_key ORDER BY min(tokens), vector_key"
        for row in self._db.execute(by_length if distinct else by_row):
            yield row["vector_key"]

    def by_vector_keys(self, keys: Sequence[str]) -> list[StoredPassage]:
        """One passage for each of some cache keys."""
        marks = ",".join("?" * len(keys))
        sql = f"SELECT * FROM passages WHERE vector_key IN ({marks}) GROUP BY vector_key"
        return [_stored_passage(row) for row in self._db.execute(sql, list(keys))]

    def sentences_of_passages(self, passage_ids: Sequence[str]) -> dict[str, list[StoredSentence]]:
        """The sentences of passages, in order, by the passages' ids; a passage may have none."""
        sentences: dict[str, list[StoredSentence]] = {id_: [] for id_ in passage_ids}
        for start in range(0, len(passage_ids), SQL_VARIABLES):
            part = list(passage_ids[start : start + SQL_VARIABLES])
            sql = (
                "SELECT passages.id AS passage_id, sentences.* FROM passages JOIN sentences"
                f" ON sentences.passage_row = passages.row WHERE passages.id IN ({','.join('?' * len(part))})"
                " ORDER BY sentences.row"
            )
            for passage_id, *values in self._db.execute(sql, part):
                sentences[passage_id].append(StoredSentence(*values))
        return sentences

    def sentence_keys_of(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of the sentences of passages, ascending."""
        rows = self._db.execute("SELECT row, passage_row FROM sentences ORDER BY row").fetchall()
        found = np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, 2)
        chosen: NDArray[np.int64] = found[np.isin(found[:, 1], keys), 0]
        return chosen

    def sentence_keys(self, *, distinct: bool = False) -> Iterator[tuple[int, str]]:
        """Row and cache key of every sentence in row order; with ``distinct`` each key once, shortest text first."""
        by_row = "SELECT row, vector_key FROM sentences ORDER BY row"
        by_length = "SELECT min(row) AS row, vector_key FROM sentences GROUP BY vector_key ORDER BY min(tokens), row"
        for row in self._db.execute(by_length if distinct else by_row):
            yield row["row"], row["vector_key"]

    def sentences_with_passages(self, rows: Sequence[int]) -> list[tuple[StoredSentence, StoredPassage]]:
        """Sentences by row, each with its passage, in the order of ``rows``."""
        marks = ",".join("?" * len(rows))
        stored = [
            StoredSentence(*row)
            for row in self._db.execute(f"SELECT * FROM sentences WHERE row IN ({marks})", list(rows))
        ]
        passages = self.passages([sentence.passage_row for sentence in stored])
        by_row = {sentence.row: (sentence, passages[sentence.passage_row]) for sentence in stored}
        return [by_row[row] for row in rows]

    def sentence_count(self) -> int:
        """How many sentences there are."""
        return int(self._one("SELECT count(*) FROM sentences")[0])

    def facts(self, kinds: Sequence[FactKind]) -> list[tuple[str, Fact]]:
        """The facts of some kinds, each after its report's id, in order."""
        marks = ",".join("?" * len(kinds))
        sql = f"SELECT {_FACT_COLUMNS} FROM facts WHERE kind IN ({marks}) ORDER BY row"
        return [(row["document_id"], _fact(row)) for row in self._db.execute(sql, list(kinds))]

    def facts_of(self, document_id: str) -> list[Fact]:
        """A report's facts, in order."""
        sql = f"SELECT {_FACT_COLUMNS} FROM facts WHERE document_id = ? ORDER BY row"
        return [_fact(row) for row in self._db.execute(sql, (document_id,))]

    def misplaced_facts(self) -> int:
        """How many facts have a sentence that does not lie in its passage, as none may."""
        sql = (
            "SELECT count(*) FROM facts LEFT JOIN passages ON passages.id = facts.passage_id"
            " AND passages.document_id = facts.document_id"
            ' WHERE passages.id IS NULL OR facts.start < passages.start OR facts."end" > passages."end"'
        )
        return int(self._one(sql)[0])

    def failures(self) -> list[Failure]:
        """Files that gave no document, by place."""
        rows = self._db.execute("SELECT root, path, content_key, code, reason FROM failures ORDER BY root, path")
        return [Failure(*row) for row in rows]


class _Cache:
    """A database of one table of what can be computed again; safe against a kill at any moment.

    Raises :class:`IndexVersionError` for a file of another form, before anything is read from it.
    """

    _TABLE: ClassVar[str]

    def __init__(self, path: Path) -> None:
        self._db = _open_cache(path, self._TABLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()


class VectorCache(_Cache):
    """Every vector ever made, as 32-bit floats, by model fingerprint and key."""

    _TABLE = (
        "CREATE TABLE IF NOT EXISTS vectors (model TEXT NOT NULL, key TEXT NOT NULL, vector BLOB NOT NULL,"
        " PRIMARY KEY (model, key)) STRICT, WITHOUT ROWID"
    )

    def missing(self, model: str, keys: Iterable[str]) -> Iterator[str]:
        """Those of ``keys`` that have no vector, or one that is not of unit length and so damaged, in order."""
        for key in keys:
            vector = self._vector(model, key)
            if vector is None or not _is_unit(vector):
                yield key

    def put(self, model: str, keys: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Keep one vector a key; committed at once."""
        rows = [(model, key, vector.astype("<f4").tobytes()) for key, vector in zip(keys, vectors, strict=True)]
        with self._db:
            self._db.executemany("INSERT OR REPLACE INTO vectors VALUES (?,?,?)", rows)

    def get(self, model: str, keys: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of ``keys``, one row a key; KeyError when one is missing."""
        vectors: list[NDArray[np.float32]] = []
        for key in keys:
            vector = self._vector(model, key)
            if vector is None:
                raise KeyError(key)
            vectors.append(vector.astype(np.float32))
        return np.stack(vectors)

    def known(self, model: str, keys: Sequence[str]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Those vectors of ``keys`` that are cached, each with the position of its key."""
        for position, key in enumerate(keys):
            vector = self._vector(model, key)
            if vector is not None:
                yield position, vector

    def _vector(self, model: str, key: str) -> NDArray[np.float32] | None:
        row = self._db.execute("SELECT vector FROM vectors WHERE model = ? AND key = ?", (model, key)).fetchone()
        return None if row is None else np.frombuffer(row[0], dtype="<f4")

    def prune(self, model: str, keep: Iterable[str]) -> int:
        """Drop this model's vectors whose key is not in ``keep``; returns how many went."""
        with self._db:
            self._db.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (key TEXT PRIMARY KEY) WITHOUT ROWID")
            self._db.execute("DELETE FROM wanted")
            self._db.executemany("INSERT OR IGNORE INTO wanted VALUES (?)", ((key,) for key in keep))
            sql = "DELETE FROM vectors WHERE model = ? AND key NOT IN (SELECT key FROM wanted)"
            done = self._db.execute(sql, (model,))
        return done.rowcount


class ReadCache(_Cache):
    """What reading each file gave, by its place, content and reading rules."""

    _TABLE = (
        "CREATE TABLE IF NOT EXISTS readings (root TEXT NOT NULL, path TEXT NOT NULL, content_key TEXT NOT NULL,"
        " read_key TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL, document TEXT NOT NULL,"
        " PRIMARY KEY (root, path)) STRICT"
    )

    def put(self, reading: Reading) -> None:
        """Keep one file's reading in place of any earlier one; committed at once."""
        document = _dump(document_to_dict(reading.document)) if reading.document else ""
        with self._db:
            self._db.execute(
                "INSERT OR REPLACE INTO readings VALUES (?,?,?,?,?,?,?)",
                (
                    reading.root,
                    reading.path,
                    reading.content_key,
                    reading.read_key,
                    reading.code,
                    reading.reason,
                    document,
                ),
            )

    def get(self, root: str, path: str, content_key: str, read_key: str) -> Reading | None:
        """The reading of exactly this content by exactly these rules, or None."""
        row = self._db.execute(
            "SELECT code, reason, document FROM readings"
            " WHERE root = ? AND path = ? AND content_key = ? AND read_key = ?",
            (root, path, content_key, read_key),
        ).fetchone()
        if row is None:
            return None
        return _reading(Reading(root, path, content_key, read_key), path, *row)

    def parts(self, reading: Reading) -> list[Reading]:
        """The readings of what is inside a file, at any depth, that were made with its own, by path."""
        first, last = inside(reading.path, ""), inside(reading.path, "\U0010ffff")
        rows = self._db.execute(
            "SELECT path, code, reason, document FROM readings WHERE root = ? AND path > ? AND path < ?"
            " AND content_key = ? AND read_key = ? ORDER BY path",
            (reading.root, first, last, reading.content_key, reading.read_key),
        )
        return [_reading(reading, *row) for row in rows]

    def failure(self, root: str, path: str) -> str:
        """Why the file could not be read when it was last tried; empty when it could, or was never tried."""
        sql = "SELECT reason FROM readings WHERE root = ? AND path = ? AND document = ''"
        row = self._db.execute(sql, (root, path)).fetchone()
        return str(row[0]) if row else ""

    def prune(self, keep: Mapping[tuple[str, str], str]) -> int:
        """Drop the readings of places that are not in ``keep`` and not inside one of its content; returns how many."""
        rows = self._db.execute("SELECT root, path, content_key FROM readings").fetchall()
        gone = [
            (root, path)
            for root, path, key in rows
            if (root, path) not in keep and all(keep.get((root, holder)) != key for holder in holders(path))
        ]
        with self._db:
            self._db.executemany("DELETE FROM readings WHERE root = ? AND path = ?", gone)
        return len(gone)


def _reading(of: Reading, path: str, code: str, reason: str, document: str) -> Reading:
    read = document_from_dict(json.loads(document)) if document else None
    return replace(of, path=path, code=code, reason=reason, document=read)


def _is_unit(vector: NDArray[np.float32]) -> bool:
    return bool(abs(float(vector @ vector) - 1.0) < 0.01)


def _open_cache(path: Path, table: str) -> sqlite3.Connection:
    """A connection to a cache with its table, numbered with its form; the first files were not numbered and say 0."""
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, timeout=30)
    try:
        form = database.execute("PRAGMA user_version").fetchone()[0]
        if form not in (0, CACHE_FORM):
            raise IndexVersionError(
                f"Lageret {path.name} er fra en anden version af Erfaringsbasen.", advice="Kør: kb index --full"
            )
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(table)
        if not form:
            database.execute(f"PRAGMA user_version = {CACHE_FORM}")
    except (IndexVersionError, sqlite3.Error):
        database.close()
        raise
    return database


def check_cache(path: Path) -> str:
    """What is wrong with a cache, its form or its content; empty when it can be used. Raises as the other check."""
    if damage := check_database(path):
        return damage
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        form = connection.execute("PRAGMA user_version").fetchone()[0]
    return "" if form in (0, CACHE_FORM) else f"form {form} af en anden version"


def check_database(path: Path) -> str:
    """SQLite's own check of a file: empty when it is whole, else what is wrong.

    Raises :class:`IndexBusyError` where the machine does not let it be told.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            answer = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if refused(error, path):
            raise busy() from error
        return str(error)
    return "" if answer == "ok" else answer


def document_to_dict(document: Document) -> dict[str, Any]:
    """A document as JSON-ready values."""
    return {
        "path": document.path,
        "sha256": document.sha256,
        "media_type": document.media_type,
        "reader": document.reader,
        "metadata": document.metadata.as_dict(),
        "text": document.text,
        "headings": [astuple(heading) for heading in document.headings],
        "pages": [astuple(page) for page in document.pages],
        "warnings": [astuple(warning) for warning in document.warnings],
        "masked": dict(document.masked),
    }


def document_from_dict(values: dict[str, Any]) -> Document:
    """The inverse of :func:`document_to_dict`."""
    return Document(
        path=values["path"],
        sha256=values["sha256"],
        media_type=values["media_type"],
        reader=values["reader"],
        metadata=Metadata.from_dict(values["metadata"]),
        text=values["text"],
        headings=tuple(Heading(*heading) for heading in values["headings"]),
        pages=tuple(Page(*page) for page in values["pages"]),
        warnings=tuple(ReadWarning(*warning) for warning in values["warnings"]),
        masked=values["masked"],
    )


# In the order of Fact's fields, after the report's id.
_FACT_COLUMNS = 'document_id, kind, value, passage_id, start, "end", date, certainty, shared'
_JSON_COLUMNS = ("metadata", "headings", "pages", "warnings", "masked")


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _passage_row(stored: StoredPassage) -> tuple[Any, ...]:
    passage = stored.passage
    return (
        stored.row,
        passage.id,
        passage.document_id,
        passage.ordinal,
        passage.text,
        passage.start,
        passage.end,
        _dump(list(passage.heading_path)),
        passage.page_first,
        passage.page_last,
        passage.role.value,
        int(passage.inferred),
        int(passage.ocr),
        stored.tokens,
        stored.vector_key,
    )


def _fact(row: sqlite3.Row) -> Fact:
    return Fact(
        kind=FactKind(row["kind"]),
        value=row["value"],
        passage_id=row["passage_id"],
        start=row["start"],
        end=row["end"],
        date=row["date"],
        certainty=Certainty(row["certainty"]),
        shared=bool(row["shared"]),
    )


def _stored_passage(row: sqlite3.Row) -> StoredPassage:
    passage = Passage(
        id=row["id"],
        document_id=row["document_id"],
        ordinal=row["ordinal"],
        text=row["text"],
        start=row["start"],
        end=row["end"],
        heading_path=tuple(json.loads(row["heading_path"])),
        page_first=row["page_first"],
        page_last=row["page_last"],
        role=Role(row["role"]),
        inferred=bool(row["inferred"]),
        ocr=bool(row["ocr"]),
    )
    return StoredPassage(row["row"], passage, row["tokens"], row["vector_key"])


def _document(row: sqlite3.Row) -> StoredDocument:
    values = {name: json.loads(row[name]) if name in _JSON_COLUMNS else row[name] for name in row.keys()}  # noqa: SIM118
    aliases, own = tuple(json.loads(row["aliases"])), tuple(json.loads(row["own_passages"]))
    document = document_from_dict(values)
    return StoredDocument(
        document, row["root"], row["content_key"], row["partial"], aliases, row["copy_of"], _proposals(row), own
    )


def _proposals(row: sqlite3.Row) -> tuple[Proposal, ...]:
    return tuple(Proposal.from_dict(values) for values in json.loads(row["proposals"]))


def _warnings(row: sqlite3.Row) -> tuple[ReadWarning, ...]:
    return tuple(ReadWarning(*values) for values in json.loads(row["warnings"]))


def _record(row: sqlite3.Row, told: Sequence[Fact]) -> StoredRecord:
    record = DocumentRecord(
        id=row["id"],
        path=row["path"],
        sha256=row["sha256"],
        media_type=row["media_type"],
        reader=row["reader"],
        metadata=Metadata.from_dict(json.loads(row["metadata"])),
        pages=row["page_count"],
        passages=row["passages"],
        characters=row["characters"],
        warnings=_warnings(row),
        masked=json.loads(row["masked"]),
    )
    headings = tuple(Heading(*values) for values in json.loads(row["headings"]))
    aliases, own = tuple(json.loads(row["aliases"])), tuple(json.loads(row["own_passages"]))
    proposals = _proposals(row)
    return StoredRecord(
        record, row["root"], row["content_key"], row["partial"], aliases, row["copy_of"], proposals, own, headings,
        standing_of(record.metadata, proposals, told),
    )  # fmt: skip
