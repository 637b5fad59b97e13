-- +goose Up
-- Some files that had a row when the last tombstones were written.
CREATE TABLE pruned_survivor (
    identity TEXT PRIMARY KEY,                  -- of the database that wrote it
    files    TEXT    NOT NULL,                  -- as JSON
    delay    INTEGER,                           -- microseconds that the last of those tombstones waits; NULL: not known
    made_at  INTEGER NOT NULL                   -- microseconds since 1970
);
INSERT INTO pruned_survivor (identity, files, delay, made_at)
SELECT identity, beside, delay, coalesce(made_at, 0) FROM pruned_tombstone t
 WHERE seq = (SELECT max(seq) FROM pruned_tombstone WHERE identity = t.identity);
ALTER TABLE pruned_tombstone DROP COLUMN beside;
