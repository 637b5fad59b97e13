-- +goose Up
-- Every UUID that was mentioned by a row when a pass read it, a file's or not: one
-- that turns out to be a file's later is mentioned by rows that were read without
-- notice of it. Sixteen bytes each, by buckets, since there are far more of them
-- than of files.
CREATE TABLE pruned.mentioned (
    bucket integer NOT NULL,
    uuids  bytea   NOT NULL                   -- one after the other
);
-- Not to be compressed. PostgreSQL before 16 takes this only here.
ALTER TABLE pruned.mentioned ALTER COLUMN uuids SET STORAGE EXTERNAL;
CREATE INDEX mentioned_bucket ON pruned.mentioned (bucket);

-- Without an identity the index is built anew, with them.
UPDATE pruned.state SET identity = '';
