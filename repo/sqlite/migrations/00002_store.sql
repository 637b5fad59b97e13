-- +goose Up
-- Where a store listed a candidate: what was seen and said of one store is not seen
-- and said of another. Empty: it is a row.
ALTER TABLE pruned_candidate ADD COLUMN store TEXT NOT NULL DEFAULT '';
