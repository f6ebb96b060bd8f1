-- One build's documents and passages. Written once, then only read.
CREATE TABLE documents (
    id           TEXT PRIMARY KEY,
    root         TEXT NOT NULL,             -- the corpus folder the file was found in
    path         TEXT NOT NULL,             -- relative to root, forward slashes
    content_key  TEXT NOT NULL,             -- file bytes and metadata beside it; decides whether to read again
    sha256       TEXT NOT NULL,
    media_type   TEXT NOT NULL,
    reader       TEXT NOT NULL,
    metadata     TEXT NOT NULL,             -- JSON, as Metadata.as_dict
    text         TEXT NOT NULL,
    headings     TEXT NOT NULL,             -- JSON rows of level, text, start, end
    pages        TEXT NOT NULL,             -- JSON rows of number, start, end, label, ocr
    warnings     TEXT NOT NULL,             -- JSON rows of code, message
    masked       TEXT NOT NULL,             -- JSON object, count by kind
    partial      TEXT NOT NULL DEFAULT '',  -- why only part of the file could be read
    aliases      TEXT NOT NULL DEFAULT '[]',-- JSON: other paths with the same bytes
    proposals    TEXT NOT NULL DEFAULT '[]',-- JSON: what the report says of itself, unconfirmed, as Proposal.as_dict
    copy_of      TEXT NOT NULL DEFAULT '',  -- id of the document that this one is a version of
    own_passages TEXT NOT NULL DEFAULT '[]',-- JSON: ordinals of the passages that tell what that document does not
    passages     INTEGER NOT NULL DEFAULT 0,
    UNIQUE (root, path)
) STRICT;

CREATE TABLE passages (
    row          INTEGER PRIMARY KEY,       -- from 0; the row of its vector and of its lexical entry
    id           TEXT NOT NULL UNIQUE,
    document_id  TEXT NOT NULL REFERENCES documents (id),
    ordinal      INTEGER NOT NULL,
    text         TEXT NOT NULL,
    start        INTEGER NOT NULL,
    "end"        INTEGER NOT NULL,
    heading_path TEXT NOT NULL,             -- JSON list
    page_first   INTEGER,
    page_last    INTEGER,
    role         TEXT NOT NULL,
    inferred     INTEGER NOT NULL,
    ocr          INTEGER NOT NULL,
    tokens       INTEGER NOT NULL,          -- of the embedded text, as the build's model counts
    vector_key   TEXT NOT NULL              -- sha256 of the embedded text: the key of its vector in the cache
) STRICT;
CREATE INDEX passages_by_document ON passages (document_id, ordinal);

-- The sentences of a passage that may answer a question, in order.
CREATE TABLE sentences (
    row         INTEGER PRIMARY KEY,        -- from 0; the row of its vector
    passage_row INTEGER NOT NULL REFERENCES passages (row),
    start       INTEGER NOT NULL,           -- offsets into the document's text
    "end"       INTEGER NOT NULL,
    tokens      INTEGER NOT NULL,
    vector_key  TEXT NOT NULL
) STRICT;
CREATE INDEX sentences_by_passage ON sentences (passage_row);

-- What a report says of its project, each with the place of the sentence that says it.
CREATE TABLE facts (
    row         INTEGER PRIMARY KEY,        -- in the order of the reports and of their sentences
    document_id TEXT NOT NULL REFERENCES documents (id),
    kind        TEXT NOT NULL,              -- a word of FactKind
    value       TEXT NOT NULL,
    passage_id  TEXT NOT NULL REFERENCES passages (id),
    start       INTEGER NOT NULL,           -- offsets into the document's text
    "end"       INTEGER NOT NULL,
    date        TEXT NOT NULL,              -- when it held, ISO; '' where the text does not say
    certainty   TEXT NOT NULL,
    shared      INTEGER NOT NULL            -- 1: the value is that of several projects together
) STRICT;
CREATE INDEX facts_by_kind ON facts (kind);
CREATE INDEX facts_by_document ON facts (document_id);

-- Files that gave no document, with the reason.
CREATE TABLE failures (
    root        TEXT NOT NULL,
    path        TEXT NOT NULL,
    content_key TEXT NOT NULL,
    code        TEXT NOT NULL,
    reason      TEXT NOT NULL,
    PRIMARY KEY (root, path)
) STRICT;
