-- +goose Up
-- No wait is longer than its length, and no lease: what a clock that was ahead wrote
-- is mended by these. NULL: written before this, and unknown.
ALTER TABLE pruned_tombstone ADD COLUMN delay   INTEGER;                     -- that due_at was ahead when it was set
ALTER TABLE pruned_tombstone ADD COLUMN made_at INTEGER;                     -- when it was written
ALTER TABLE pruned_tombstone ADD COLUMN beside  TEXT NOT NULL DEFAULT '[]';  -- some files that had a row then, as JSON
ALTER TABLE pruned_lease     ADD COLUMN ttl     INTEGER;

-- What a held sweep has shown. Not by times: a clock may go backwards.
ALTER TABLE pruned_candidate ADD COLUMN shown INTEGER NOT NULL DEFAULT 0;
UPDATE pruned_candidate SET shown = 1 FROM pruned_hold h
 WHERE pruned_candidate.direction = h.direction AND (h.direction = 'row' OR pruned_candidate.store = h.store) AND first_seen <= h.shown_at;
