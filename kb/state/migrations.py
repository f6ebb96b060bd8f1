"""The numbered migrations of the state database, each from one schema version to the next.

The schema version is the number of migrations a state has had: ``user_version`` of a file, the row of ``state_schema``
in PostgreSQL. A released migration is never changed: a change of the schema is a new one at the end of
:data:`MIGRATIONS`, with a file of the version before it in ``tests/unit/state/earlier/``. Each is written once, in
SQLite's words, and carried out in both dialects (:mod:`kb.state.database`). Files older than the numbering have
``user_version`` 0 and only the tables that had been used; the first migration adds the others. PostgreSQL has had the
state since version 10: what earlier migrations do to rows, none of its databases needs.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from kb.core.errors import StateVersionError
from kb.state.database import Database, Differing, SqliteDatabase

log = logging.getLogger(__name__)
# The folder is a file's, where an earlier version left others beside it.
Migration = Callable[[Database, Path | None], None]
# Feedback used to be stored in a database of its own, in the same folder.
FEEDBACK_FILE = "feedback.sqlite"

_FIRST_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS runs (
        id         TEXT PRIMARY KEY,            -- sorts by time
        job        TEXT NOT NULL,               -- the job it carries out, or empty
        started_by TEXT NOT NULL,
        started    TEXT NOT NULL,               -- ISO 8601, as all times here
        finished   TEXT NOT NULL,
        status     TEXT NOT NULL,
        stage      TEXT NOT NULL,
        done       INTEGER NOT NULL,
        total      INTEGER NOT NULL,
        note       TEXT NOT NULL,               -- the file being worked on
        stage_from TEXT NOT NULL,               -- when the stage began
        updated    TEXT NOT NULL,
        cancel     INTEGER NOT NULL,
        error      TEXT NOT NULL,               -- JSON object with code, message and advice
        report     TEXT NOT NULL                -- JSON, as RunReport.as_dict
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS jobs (
        id           TEXT PRIMARY KEY,          -- sorts by time
        asked_by     TEXT NOT NULL,
        created      TEXT NOT NULL,
        "full"       INTEGER NOT NULL,
        status       TEXT NOT NULL,
        owner        INTEGER NOT NULL,          -- the process that carries it out, 0 while it waits
        finished     TEXT NOT NULL,
        cancel       INTEGER NOT NULL,
        files        TEXT NOT NULL,             -- JSON object: the files it was asked for, each as JobFile
        error        TEXT NOT NULL,
        advice       TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS arrivals (
        path TEXT PRIMARY KEY,                  -- below the corpus folder
        at   TEXT NOT NULL                      -- when a run took the file in, new or changed
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS keys (
        id        TEXT PRIMARY KEY,
        name      TEXT NOT NULL,
        role      TEXT NOT NULL,
        hash      BLOB NOT NULL,
        created   TEXT NOT NULL,
        expires   TEXT,
        revoked   TEXT,
        last_used TEXT
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS sessions (
        hash    BLOB PRIMARY KEY,
        name    TEXT NOT NULL,
        role    TEXT NOT NULL,
        subject TEXT NOT NULL,                  -- who it is, at the provider; or the key's id
        key_id  TEXT NOT NULL,
        expires TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS audit (
        seq        INTEGER PRIMARY KEY AUTOINCREMENT,
        at         TEXT NOT NULL,
        action     TEXT NOT NULL,
        who        TEXT NOT NULL,
        via        TEXT NOT NULL,
        address    TEXT NOT NULL,
        target     TEXT NOT NULL,
        request_id TEXT NOT NULL,
        detail     TEXT NOT NULL,
        previous   TEXT NOT NULL,               -- the digest of the event before
        digest     TEXT NOT NULL
    ) STRICT""",
    Differing(
        postgresql="""CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$"""
    ),
    Differing(
        """CREATE TRIGGER IF NOT EXISTS audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
        """CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit FOR EACH ROW
        EXECUTE FUNCTION audit_is_append_only()""",
    ),
    # The shortest time that kb.state.audit.SHORTEST_DAYS promises.
    Differing(
        """CREATE TRIGGER IF NOT EXISTS audit_is_kept BEFORE DELETE ON audit
        WHEN OLD.at > strftime('%Y-%m-%dT%H:%M:%S', 'now', '-30 days')
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
        """CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit FOR EACH ROW
        WHEN (OLD.at > to_char(now() AT TIME ZONE 'UTC' - interval '30 days', 'YYYY-MM-DD"T"HH24:MI:SS'))
        EXECUTE FUNCTION audit_is_append_only()""",
    ),
    Differing(
        postgresql="""CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"""
    ),
    """CREATE TABLE IF NOT EXISTS uploads (
        path TEXT PRIMARY KEY,                  -- below the corpus folder
        name TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS removed (
        document_id TEXT PRIMARY KEY,
        at          TEXT NOT NULL
    ) STRICT""",
)
_FEEDBACK = (
    """CREATE TABLE feedback (
        id        INTEGER PRIMARY KEY,
        created   TEXT NOT NULL,
        question  TEXT NOT NULL,
        build     TEXT NOT NULL,
        useful    INTEGER NOT NULL,
        comment   TEXT NOT NULL,
        citations TEXT NOT NULL                 -- JSON list of passage ids
    ) STRICT""",
    """CREATE TABLE unanswered (
        question  TEXT PRIMARY KEY,
        times     INTEGER NOT NULL,
        last      TEXT NOT NULL,
        build     TEXT NOT NULL,
        reason    TEXT NOT NULL,
        handled   INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
)
_LESSONS = (
    """CREATE TABLE lessons (
        id         TEXT PRIMARY KEY,
        revision   INTEGER NOT NULL,            -- counts the changes, from 1
        status     TEXT NOT NULL,
        made       TEXT NOT NULL,
        changed    TEXT NOT NULL,
        confirmed  TEXT NOT NULL,               -- when someone last stood behind it, or empty
        lesson     TEXT NOT NULL,
        context    TEXT NOT NULL,
        event      TEXT NOT NULL,
        handling   TEXT NOT NULL,
        phase      TEXT NOT NULL,
        themes     TEXT NOT NULL,               -- JSON list
        applies_to TEXT NOT NULL,
        owner      TEXT NOT NULL,               -- a function's mailbox
        review_by  TEXT NOT NULL                -- a date, or empty
    ) STRICT""",
    """CREATE TABLE lesson_evidence (
        lesson_id   TEXT NOT NULL,
        place       INTEGER NOT NULL,           -- among the lesson's evidence, from 0
        document_id TEXT NOT NULL,
        quote       TEXT NOT NULL,              -- verbatim
        digest      TEXT NOT NULL,              -- of the quote's words
        PRIMARY KEY (lesson_id, place)
    ) STRICT""",
    """CREATE TABLE lesson_uses (
        id        INTEGER PRIMARY KEY,
        lesson_id TEXT NOT NULL,
        at        TEXT NOT NULL,
        project   TEXT NOT NULL,
        outcome   TEXT NOT NULL,
        note      TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE lesson_proposals (
        id       TEXT PRIMARY KEY,              -- made of the words of its passages
        decision TEXT NOT NULL,
        at       TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE question_counts (
        day     TEXT PRIMARY KEY,
        asked   INTEGER NOT NULL,
        refused INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE sent_mail (
        key       TEXT PRIMARY KEY,             -- names the occasion
        recipient TEXT NOT NULL,
        state     TEXT NOT NULL,
        at        TEXT NOT NULL
    ) STRICT""",
)
_FEEDBACK_COLUMNS = {
    "feedback": "id, created, question, build, useful, comment, citations",
    "unanswered": "question, times, last, build, reason, handled",
}


_SHARED_PLANS = (
    """CREATE TABLE shared_plans (
        hash    BLOB PRIMARY KEY,               -- of the token in the link
        plan    TEXT NOT NULL,                  -- masked, as it was compared
        created TEXT NOT NULL,
        expires TEXT NOT NULL
    ) STRICT""",
)
_SAVED_QUESTIONS = (
    """CREATE TABLE saved_questions (
        id             TEXT PRIMARY KEY,
        owner          TEXT NOT NULL,           -- the id of whoever signed in
        owner_name     TEXT NOT NULL,
        title          TEXT NOT NULL,
        question       TEXT NOT NULL,           -- masked
        filters        TEXT NOT NULL,           -- JSON object of lists
        frequency      TEXT NOT NULL,
        mail           TEXT NOT NULL,           -- an address, or empty
        paused         INTEGER NOT NULL,
        created        TEXT NOT NULL,
        visited        TEXT NOT NULL,           -- when its page was last seen
        visited_before TEXT NOT NULL,           -- when the visit before that one ended
        checked_build  TEXT NOT NULL,           -- the build it was last answered from, or empty
        mailed         TEXT NOT NULL,           -- the date of the last mail, or empty
        stop_key       BLOB NOT NULL            -- signs the links that stop its mails
    ) STRICT""",
    """CREATE TABLE saved_question_finds (
        question_id TEXT NOT NULL,
        digest      TEXT NOT NULL,              -- of the cited words
        passage_id  TEXT NOT NULL,
        start       INTEGER NOT NULL,           -- of the cited words, in the report's text
        "end"       INTEGER NOT NULL,
        found       TEXT NOT NULL,              -- empty for what the first answer cited
        batch       TEXT NOT NULL,              -- the mail that tells of it, or empty
        PRIMARY KEY (question_id, digest)
    ) STRICT""",
    # SQLite numbers the rows of every table by itself.
    Differing(postgresql="ALTER TABLE saved_questions ADD COLUMN rowid BIGINT GENERATED BY DEFAULT AS IDENTITY"),
    Differing(postgresql="ALTER TABLE saved_question_finds ADD COLUMN rowid BIGINT GENERATED BY DEFAULT AS IDENTITY"),
)


_ACCESS = (
    # JSON lists of groups, as kb.core.access has them.
    """ALTER TABLE keys ADD COLUMN access TEXT NOT NULL DEFAULT '[]'""",
    """ALTER TABLE sessions ADD COLUMN access TEXT NOT NULL DEFAULT '[]'""",
    """ALTER TABLE gaps ADD COLUMN access TEXT NOT NULL DEFAULT '[]'""",
    """ALTER TABLE feedback ADD COLUMN access TEXT NOT NULL DEFAULT '[]'""",
    # What its owner might see when they were last here: a list, or "*" for everything.
    """ALTER TABLE saved_questions ADD COLUMN access TEXT NOT NULL DEFAULT '[]'""",
    # 0 where whoever wrote so could not see the report.
    """ALTER TABLE lesson_evidence ADD COLUMN seen INTEGER NOT NULL DEFAULT 1""",
    """CREATE TABLE restricted_reports (
        document_id TEXT PRIMARY KEY,           -- of a report for some groups, in the index or gone from it
        access      TEXT NOT NULL
    ) STRICT""",
)


_CURATION = (
    """CREATE TABLE gaps (
        question       TEXT PRIMARY KEY,        -- masked
        first          TEXT NOT NULL,
        last           TEXT NOT NULL,
        refused        INTEGER NOT NULL,        -- how often
        not_useful     INTEGER NOT NULL,        -- how often a reader said so
        build          TEXT NOT NULL,
        reason         TEXT NOT NULL,           -- of the last refusal, or empty
        closed         TEXT NOT NULL,           -- when an editor closed it, or empty
        closed_because TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE curations (
        version INTEGER PRIMARY KEY,
        at      TEXT NOT NULL,
        what    TEXT NOT NULL,                  -- what was changed
        content TEXT NOT NULL                   -- JSON, as Curation.to_json
    ) STRICT""",
    # Refused questions were counted in a table of their own, without when they were first asked.
    Differing(
        """INSERT INTO gaps SELECT question, last, last, times, 0, build, reason,
        CASE handled WHEN 0 THEN '' ELSE last END, CASE handled WHEN 0 THEN '' ELSE 'ordnet' END FROM unanswered"""
    ),
    Differing(
        """INSERT INTO gaps SELECT question, min(created), max(created), 0, count(*), max(build), '', '', ''
        FROM feedback WHERE useful = 0 GROUP BY question
        ON CONFLICT (question) DO UPDATE SET not_useful = excluded.not_useful,
        first = min(first, excluded.first), last = max(last, excluded.last)"""
    ),
    "DROP TABLE unanswered",
)
_SOURCES = (
    """CREATE TABLE sources (
        name    TEXT PRIMARY KEY,
        cursor  TEXT NOT NULL,                  -- what the source wants to be told the next time
        tried   TEXT NOT NULL,                  -- when it was last synced, whatever came of it
        synced  TEXT NOT NULL,                  -- when that last succeeded, or empty
        outcome TEXT NOT NULL,                  -- what was done, in words
        error   TEXT NOT NULL,
        advice  TEXT NOT NULL,
        preview TEXT NOT NULL                   -- JSON, as kb.operations.syncing.Preview, or empty
    ) STRICT""",
    """CREATE TABLE source_files (
        source   TEXT NOT NULL,
        path     TEXT NOT NULL,                 -- in the source
        version  TEXT NOT NULL,
        identity TEXT NOT NULL,
        local    TEXT NOT NULL,                 -- below the source's folder, or empty
        digest   TEXT NOT NULL,                 -- of the copy
        stamp    TEXT NOT NULL,                 -- size and time of the copy
        reason   TEXT NOT NULL,                 -- what is wrong with it, or empty
        seen     TEXT NOT NULL,                 -- the version that is waited for, or empty
        seen_at  REAL NOT NULL,
        PRIMARY KEY (source, path)
    ) STRICT""",
)


_SIGN_INS = (
    "ALTER TABLE sessions ADD COLUMN begun TEXT NOT NULL DEFAULT ''",
    # When it was last used, to some minutes.
    "ALTER TABLE sessions ADD COLUMN used TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT ''",
    # The session's id at the provider (sid), or empty.
    "ALTER TABLE sessions ADD COLUMN provider_session TEXT NOT NULL DEFAULT ''",
    """CREATE TABLE logout_tokens (
        id      TEXT PRIMARY KEY,               -- its jti: a token is taken once
        expires TEXT NOT NULL
    ) STRICT""",
)


_SEVERAL_MACHINES = (
    # The machine of the process that carries a job out, and how often that process has shown that it lives.
    "ALTER TABLE jobs ADD COLUMN host TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE jobs ADD COLUMN beats INTEGER NOT NULL DEFAULT 0",
    # What the servers of one state have in common and nobody else may know.
    """CREATE TABLE server_secrets (
        name   TEXT PRIMARY KEY,
        secret BLOB NOT NULL
    ) STRICT""",
)


def _complete_first_schema(database: Database, _folder: Path | None) -> None:
    """Create the missing tables."""
    _execute(database, _FIRST_SCHEMA)


def _import_feedback(database: Database, folder: Path | None) -> None:
    """Import the rows of the feedback database. Its file is removed after the commit, by :func:`remove_imported`."""
    _execute(database, _FEEDBACK)
    if folder is None:
        return
    path = folder / FEEDBACK_FILE
    for table, columns in _FEEDBACK_COLUMNS.items():
        rows = _rows_of(path, table, columns)
        marks = ",".join("?" * (columns.count(",") + 1))
        database.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)


def _add_lessons(database: Database, _folder: Path | None) -> None:
    """Create the tables of lessons, of the counts of questions, and of the mails that were sent."""
    _execute(database, _LESSONS)


def _add_shared_plans(database: Database, _folder: Path | None) -> None:
    """Create the table of plans that were shared by a link."""
    _execute(database, _SHARED_PLANS)


def _add_saved_questions(database: Database, _folder: Path | None) -> None:
    """Create the tables of the questions that people saved, and of what was found for them."""
    _execute(database, _SAVED_QUESTIONS)


def _add_curation(database: Database, _folder: Path | None) -> None:
    """Create the tables of gaps and of what editors decide of words; the refused questions become gaps."""
    _execute(database, _CURATION)


def _add_sources(database: Database, _folder: Path | None) -> None:
    """Create the tables of the sources that are synced, and of the files that came from them."""
    _execute(database, _SOURCES)


def _add_access(database: Database, _folder: Path | None) -> None:
    """Add the groups that keys and people have, and that what is kept of reports is for."""
    _execute(database, _ACCESS)


def _add_sign_ins(database: Database, _folder: Path | None) -> None:
    """Tell more of a session, and create the table of logout tokens."""
    _execute(database, _SIGN_INS)


def _add_several_machines(database: Database, _folder: Path | None) -> None:
    """Tell of jobs which machine they are on, and create the table of what servers share."""
    _execute(database, _SEVERAL_MACHINES)


MIGRATIONS: Sequence[Migration] = (
    _complete_first_schema,
    _import_feedback,
    _add_lessons,
    _add_shared_plans,
    _add_saved_questions,
    _add_curation,
    _add_sources,
    _add_access,
    _add_sign_ins,
    _add_several_machines,
)
SCHEMA_VERSION = len(MIGRATIONS)


def remove_imported(folder: Path) -> None:
    """Remove the feedback database, whose rows are now in the state database; the file itself last."""
    if (folder / FEEDBACK_FILE).exists():
        for suffix in ("-wal", "-shm", "-journal", ""):
            (folder / f"{FEEDBACK_FILE}{suffix}").unlink(missing_ok=True)


def tables_of(version: int) -> Mapping[str, tuple[str, ...]]:
    """The tables of a schema version, each with its columns in order, as an empty file of it has them."""
    with closing(sqlite3.connect(":memory:", factory=SqliteDatabase)) as database:
        for migration in MIGRATIONS[:version]:
            migration(database, None)
        return columns_of(database)


def columns_of(database: SqliteDatabase) -> Mapping[str, tuple[str, ...]]:
    """The tables of a file, each with its columns in order."""
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    names = [name for (name,) in database.execute(sql).fetchall()]
    told = {name: database.execute(f"PRAGMA table_info({name})").fetchall() for name in names}
    return {name: tuple(column[1] for column in columns) for name, columns in told.items()}


def refuse_newer(version: int, what: str) -> None:
    """Raise :class:`StateVersionError` where ``what`` has a schema version that is not made yet."""
    if version > SCHEMA_VERSION:
        raise StateVersionError(
            f"{what} er fra en nyere version af Erfaringsbasen (form {version}; denne version kender {SCHEMA_VERSION})."
        )


def _execute(database: Database, statements: Sequence[str | Differing]) -> None:
    # Not executescript, which would commit the open transaction.
    for statement in statements:
        if text := database.dialect.statement(statement):
            database.execute(text)


def _rows_of(path: Path, table: str, columns: str) -> list[tuple[Any, ...]]:
    """All rows of a table; none where there is no file or no such table, or where the file is damaged.

    A damaged file is renamed, so that it does not prevent the state database from being opened. Raises
    :class:`sqlite3.OperationalError` for a temporary failure.
    """
    if not path.is_file():
        return []
    try:
        with closing(sqlite3.connect(path, timeout=10)) as source:
            if not source.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
                return []
            return source.execute(f"SELECT {columns} FROM {table} ORDER BY 1").fetchall()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        renamed = path.with_name(f"{path.name}.beskadiget")
        log.warning("%s er beskadiget (%s), kan ikke overtages og er flyttet til %s.", path.name, error, renamed.name)
        path.replace(renamed)
        return []
