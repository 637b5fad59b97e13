-- +goose Up
-- Collections of vectors, and points in them: a collection's name, or that, a slash and a
-- point's id, stands for a file's id. SQLite cannot change a check: the tables are made
-- anew.
CREATE TEMP TABLE kept AS SELECT * FROM main.pruned_candidate;
DROP TABLE pruned_candidate;
CREATE TABLE pruned_candidate (
    file_id    TEXT    NOT NULL,
    direction  TEXT    NOT NULL CHECK (direction IN ('row', 'vector', 'bytes', 'folder', 'collection', 'points')),
    first_seen INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,                -- when a store last listed it
    sweep      INTEGER NOT NULL DEFAULT 0,      -- the last that did
    size       INTEGER NOT NULL DEFAULT 0,      -- of its objects, together
    chunks     INTEGER NOT NULL DEFAULT 0,      -- its vectors
    made_at    INTEGER,                         -- the youngest of its objects
    confirmed  INTEGER NOT NULL DEFAULT 0,      -- somebody let it go
    claimed_at INTEGER,                         -- when the queue stored a claim about it
    store      TEXT    NOT NULL DEFAULT '',     -- that listed it; empty: it is a row
    shown      INTEGER NOT NULL DEFAULT 0,      -- by a sweep that was held
    PRIMARY KEY (direction, file_id)
);
INSERT INTO pruned_candidate SELECT * FROM temp.kept;
DROP TABLE temp.kept;

CREATE TEMP TABLE kept AS SELECT * FROM main.pruned_tombstone;
DROP TABLE pruned_tombstone;
CREATE TABLE pruned_tombstone (
    seq      INTEGER PRIMARY KEY,               -- never given twice
    identity TEXT    NOT NULL,                  -- of the database that wrote it; another's is never carried out
    kind     TEXT    NOT NULL CHECK (kind IN ('bytes', 'vectors', 'collection', 'points')),
    file_id  TEXT    NOT NULL,
    name     TEXT    NOT NULL DEFAULT '',
    due_at   INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    error    TEXT    NOT NULL DEFAULT '',
    delay    INTEGER,                           -- that due_at was ahead when it was set; NULL: unknown
    made_at  INTEGER,                           -- when it was written; NULL: unknown
    beside   TEXT    NOT NULL DEFAULT '[]'      -- some files that had a row then, as JSON
);
INSERT INTO pruned_tombstone SELECT * FROM temp.kept;
DROP TABLE temp.kept;
CREATE INDEX pruned_tombstone_due ON pruned_tombstone (due_at);
CREATE INDEX pruned_tombstone_file ON pruned_tombstone (file_id);

-- The names that passes look for beside the ids of files.
CREATE TABLE pruned_name (
    name TEXT NOT NULL PRIMARY KEY
);
