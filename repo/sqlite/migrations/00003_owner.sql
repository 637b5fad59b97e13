-- +goose Up
-- Whose candidates and holds these are: those of a copy's original are none of the
-- copy's.
ALTER TABLE pruned_state ADD COLUMN owner TEXT NOT NULL DEFAULT '';
