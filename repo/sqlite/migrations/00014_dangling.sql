-- +goose Up
-- Rows of the application's that nothing in it can reach: a table's name, a slash and a
-- row's id stand for a file's id. SQLite cannot change a check: the table is made anew.
CREATE TEMP TABLE kept AS SELECT * FROM main.pruned_candidate;
DROP TABLE pruned_candidate;
CREATE TABLE pruned_candidate (
    file_id    TEXT    NOT NULL,
    direction  TEXT    NOT NULL CHECK (direction IN ('row', 'vector', 'bytes', 'folder', 'collection', 'points', 'dangling')),
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
