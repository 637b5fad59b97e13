-- +goose Up
-- Some files that had a row when tombstones were written: a line for each batch, of which
-- the last one counts. Column beside of pruned.tombstone said so in every tombstone; it
-- stays for replicas of the version before, which write it.
CREATE TABLE pruned.survivor (
    seq      bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    identity text        NOT NULL,                                   -- of the database that wrote it
    files    text[]      NOT NULL,
    delay    float8,                                                 -- seconds that the last of its tombstones waits; NULL: not known
    made_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO pruned.survivor (identity, files, delay, made_at)
SELECT DISTINCT ON (identity) identity, beside, delay, made_at FROM pruned.tombstone ORDER BY identity, seq DESC;
