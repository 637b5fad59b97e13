-- +goose Up
-- Every UUID that was mentioned by a row when a pass read it, a file's or not: one
-- that turns out to be a file's later is mentioned by rows that were read without
-- notice of it. Sixteen bytes each, by buckets, since there are far more of them
-- than of files.
CREATE TABLE pruned.mentioned (
    bucket integer NOT NULL,
    uuids  bytea   STORAGE EXTERNAL NOT NULL -- one after the other
);
CREATE INDEX mentioned_bucket ON pruned.mentioned (bucket);

-- Without an identity the index is built anew, with them.
UPDATE pruned.state SET identity = '';

-- +goose Down
DROP TABLE pruned.mentioned;
