-- +goose Up
-- The signs of other installations that somebody has seen and bound the store all
-- the same; another sign ends the binding.
ALTER TABLE pruned_binding ADD COLUMN accepted TEXT NOT NULL DEFAULT '';
