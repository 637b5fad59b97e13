-- +goose Up
-- The signs of other installations that somebody has seen and bound the store all
-- the same; another sign ends the binding.
ALTER TABLE pruned.binding ADD accepted text NOT NULL DEFAULT '';
