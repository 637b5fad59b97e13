-- +goose Up
-- No wait is longer than its length, and no lease: what a clock that was ahead wrote
-- is mended by these. NULL: written before this, and unknown.
ALTER TABLE pruned.tombstone
    ADD delay   float8,                                              -- seconds that due_at was ahead when it was set
    ADD made_at timestamptz NOT NULL DEFAULT clock_timestamp(),      -- when it was written
    ADD beside  text[]      NOT NULL DEFAULT '{}';                   -- some files that had a row then
ALTER TABLE pruned.lease ADD ttl float8;                             -- seconds

-- What a held sweep has shown. Not by times: a clock may go backwards.
ALTER TABLE pruned.candidate ADD shown boolean NOT NULL DEFAULT false;
UPDATE pruned.candidate c SET shown = true FROM pruned.hold h
 WHERE c.direction = h.direction AND (c.direction = 'row' OR c.store = h.store) AND c.first_seen <= h.shown_at;
